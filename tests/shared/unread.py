"""A pipe that is full, and that nobody reads until the test says so."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TextIO

_SIZE = 4096


class UnreadPipe:
    """Stands for standard output or standard error: whoever writes to it waits.

    Attributes:
        stream: where it is written.
    """

    def __init__(self, encoding: str) -> None:
        self._reading, writing = os.pipe()
        size = fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _SIZE)
        os.write(writing, b"\n" * size)
        self.stream: TextIO = os.fdopen(writing, "w", encoding=encoding)
        self._got = b""
        self._reader = Thread(target=self._read)

    def read(self) -> None:
        """Begin to read, and read on."""
        self._reader.start()

    def text(self) -> str:
        """All that was written; nobody must have anything left to write."""
        self.stream.close()
        self._reader.join()
        return self._got.decode(self.stream.encoding).lstrip("\n")

    def lines(self) -> list[str]:
        """Likewise, line by line."""
        return self.text().splitlines()

    def close(self) -> None:
        """Forget what is left of it."""
        self.stream.close()
        os.close(self._reading)

    def _read(self) -> None:
        while some := os.read(self._reading, 65_536):
            self._got += some


@contextmanager
def unread_pipe(encoding: str = "utf-8") -> Iterator[UnreadPipe]:
    """A pipe that is closed afterwards."""
    pipe = UnreadPipe(encoding)
    try:
        yield pipe
    finally:
        pipe.close()
