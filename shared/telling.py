"""Lines for somebody who may read slowly, or not at all: whoever tells goes on meanwhile."""

from __future__ import annotations

import os
import select
import sys
from collections import deque
from collections.abc import Callable
from threading import Condition, Thread
from time import monotonic
from types import TracebackType
from typing import IO, Any, Final, Self

from .standard_output import ESCAPED

WAITING_MAX: Final = 1_000
_LAST_S: Final = 1.0  # for what waits when the process ends


class Teller:
    """Standard output and standard error of a program that waits for no reader, unless told to.

    Lines are written in the order in which they were told. Of more than `WAITING_MAX` that wait
    the oldest go first, and a line says how many, where they would have stood. A stream that
    cannot be written is tried again with every line, and of standard output that is said once on
    standard error. A context manager that closes itself.

    Args:
        who: goes on, such as `the meter`.
        as_line: makes a line of the sentence that lines were not told; None leaves that out.
        is_patient: whether it does wait for readers: all that is told has an end.
    """

    def __init__(
        self,
        who: str,
        as_line: Callable[[str], str] | None = None,
        *,
        is_patient: bool = False,
    ) -> None:
        self._who = who
        self._lines = _Outlet(sys.stdout, self._lose, as_line, is_patient=is_patient)
        self._warnings = _Outlet(sys.stderr, str, "{}.".format, is_patient=is_patient)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def tell(self, line: str) -> None:
        """Have a line written to standard output as soon as it is taken."""
        self._lines.tell(line)

    def warn(self, line: str) -> None:
        """Have a line written to standard error as soon as it is taken."""
        self._warnings.tell(line)

    def close(self) -> None:
        """Wait for what was told last, but not for a reader who does not read."""
        end_s = monotonic() + _LAST_S
        self._lines.close(end_s)
        self._warnings.close(end_s)

    def _lose(self, reason: str) -> None:
        self.warn(f"what is told cannot be written: {reason}; {self._who} goes on.")


class _Outlet:
    """Writes lines to a stream from a thread of its own, which begins with the first.

    Args:
        stream: None where it is closed; in one without a descriptor nobody has to wait.
        lose: is told once why a line could not be written.
        as_line, is_patient: see `Teller`.
    """

    def __init__(
        self,
        stream: IO[str] | None,
        lose: Callable[[str], object],
        as_line: Callable[[str], str] | None,
        *,
        is_patient: bool,
    ) -> None:
        self._stream = stream
        self._is_patient = is_patient
        self._descriptor = _descriptor(stream)
        self._lose = lose
        self._as_line = as_line
        self._waiting: deque[str] = deque()
        self._dropped = 0
        self._is_closing = False
        self._changed = Condition()  # of the three above
        self._thread: Thread | None = None
        self._untold = 0  # before the line that is written now
        self._is_lost = False
        self._is_torn = False

    def tell(self, line: str) -> None:
        if self._stream is None:
            return
        if self._descriptor is None:
            self._stream.write(f"{line}\n")
            self._stream.flush()
            return
        with self._changed:
            if self._is_patient:
                self._changed.wait_for(lambda: len(self._waiting) < WAITING_MAX)
            if len(self._waiting) == WAITING_MAX:
                self._waiting.popleft()
                self._dropped += 1
            self._waiting.append(line)
            self._changed.notify_all()
            if self._thread is None:
                self._thread = Thread(target=self._write_all, args=(self._descriptor,), daemon=True)
                self._thread.start()

    def close(self, end_s: float) -> None:
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(None if self._is_patient else max(0.0, end_s - monotonic()))
        with self._changed:
            self._waiting.clear()  # by the time it could be written the stream may be another's

    def _next(self) -> str | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closing)
            self._untold += self._dropped
            self._dropped = 0
            self._changed.notify_all()
            return self._waiting.popleft() if self._waiting else None

    def _write_all(self, descriptor: int) -> None:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        while (line := self._next()) is not None:
            try:
                if self._untold and self._as_line is not None:
                    said = self._as_line(_not_told(self._untold))
                    self._write(descriptor, said.encode(encoding, ESCAPED))
                self._untold = 0
                self._write(descriptor, line.encode(encoding, ESCAPED))
            except OSError as error:
                self._untold += 1
                if not self._is_lost:
                    self._is_lost = True
                    self._lose(error.strerror or str(error))

    def _write(self, descriptor: int, line: bytes) -> None:
        data = (b"\n" if self._is_torn else b"") + line + b"\n"
        while data:
            try:
                data = data[os.write(descriptor, data) :]
                self._is_torn = bool(data)
            except BlockingIOError:  # others have made the stream so
                select.select([], [descriptor], [])


def _descriptor(stream: IO[Any] | None) -> int | None:
    try:
        return None if stream is None else stream.fileno()
    except (OSError, ValueError):
        return None


def _not_told(count: int) -> str:
    return "1 line was not told" if count == 1 else f"{count} lines were not told"
