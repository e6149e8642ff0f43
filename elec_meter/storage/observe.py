"""A copy of a data directory, to be looked at with the meter's own code."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from .database import empty_in_memory
from .storage import DATABASE_NAME, Storage


def observe(directory: Path | str) -> Storage:
    """The directory as it is at this moment, in memory: whatever happens to it stays there.

    Another process may write meanwhile, undisturbed. Nothing can be committed to the copy.

    Raises:
        StorageError: as for `Storage.open`.
    """
    directory = Path(directory)
    if (directory / DATABASE_NAME).is_file() and not os.access(directory, os.W_OK):
        # SQLite writes beside what it reads; a backup on a read-only medium is copied first.
        with TemporaryDirectory(prefix="halfhourly-") as writable:
            for path in directory.glob(f"{DATABASE_NAME}*"):
                shutil.copy(path, writable)
            return _in_memory(Path(writable), directory)
    return _in_memory(directory, directory)


def _in_memory(source: Path, directory: Path) -> Storage:
    with Storage.open(source, read_only=True) as original:
        copy = empty_in_memory()
        original.connection.backup(copy)
    return Storage(copy, directory, read_only=True)
