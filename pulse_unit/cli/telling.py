"""Lines for somebody who may read slowly, or not at all: the unit counts on meanwhile."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from queue import Empty, Full, Queue
from typing import IO, Any, Final

_WAITING_MAX: Final = 1_000
_LAST_S: Final = 1.0  # for what waits when the process ends


class Teller:
    """Writes lines to a stream from a thread of its own; of those that wait the oldest go first.

    Args:
        stream: standard output or standard error; None where it is closed.
        lost: is told once, in a sentence, that a line could not be written.
    """

    def __init__(self, stream: IO[Any] | None, lost: Callable[[str], object] = str) -> None:
        self._lines: Queue[str | None] = Queue(_WAITING_MAX)
        self._lost = lost
        self._descriptor = -1 if stream is None else stream.fileno()
        self._thread = threading.Thread(target=self._write_all, daemon=True)
        self._thread.start()

    def tell(self, line: str | None) -> None:
        """Write a line as soon as it is taken."""
        while True:
            try:
                self._lines.put_nowait(line)
                return
            except Full:
                self._drop()

    def close(self) -> None:
        """Wait for what was told last, but not for a reader who does not read."""
        self.tell(None)
        self._thread.join(_LAST_S)

    def _drop(self) -> None:
        try:
            self._lines.get_nowait()
        except Empty:
            pass

    def _write_all(self) -> None:
        is_lost = self._descriptor < 0
        while (line := self._lines.get()) is not None:
            try:
                self._write(f"{line}\n".encode())
            except OSError as error:
                if not is_lost:
                    is_lost = True
                    self._lost(f"nobody hears the counts: {error.strerror}; the unit goes on")

    def _write(self, data: bytes) -> None:
        while data and self._descriptor >= 0:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:  # others have made the stream so
                select.select([], [self._descriptor], [])
