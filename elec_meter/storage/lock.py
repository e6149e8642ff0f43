"""One writer per data directory."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from elec_meter.errors import DirectoryInUseError


class DirectoryLock:
    """An exclusive lock on a directory, held until `release` or the end of the process.

    The kernel lets go of it however the process ends; the file `lock` stays behind and means
    nothing by itself.

    Raises:
        DirectoryInUseError: another process, or this one, holds it.
        OSError: the file cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        path = directory / "lock"
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, 20).decode("ascii", "replace").strip()
            self.release()
            process = f"process {holder}" if holder.isdigit() else "another process"
            raise DirectoryInUseError(f"{directory} is in use by {process}") from None
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let another process write."""
        with contextlib.suppress(OSError):
            os.close(self._file)
