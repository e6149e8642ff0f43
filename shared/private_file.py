"""Files that only their owner may read, such as those with a key: always whole, and durable."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path


def read(path: Path) -> bytes:
    """Return what a file holds.

    Raises:
        PermissionError: others can read it too.
        OSError: it is not there or cannot be read.
    """
    with path.open("rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise PermissionError(errno.EPERM, f"others can read it: chmod 600 {path}", str(path))
        return file.read()


def create(path: Path, data: bytes) -> None:
    """Write a file that was not there.

    Raises:
        FileExistsError: it is there.
        OSError: it cannot be written, and is not there.
    """
    _write(path, data)
    _sync_folder(path)


def replace(path: Path, data: bytes) -> None:
    """Write a file anew: whatever fails, the old one or the new one is there.

    The new one is another file: the old one may be readable by others, or open.

    Raises:
        OSError: it cannot be written, and the old one is there.
    """
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)  # of a process that was killed
    _write(fresh, data)
    try:
        fresh.replace(path)
    except OSError:
        fresh.unlink()
        raise
    _sync_folder(path)


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def _sync_folder(path: Path) -> None:
    folder = os.open(path.absolute().parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
