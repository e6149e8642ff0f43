"""A copy of a data directory, to be looked at with the meter's own code."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from .storage import Storage


def observe(directory: Path | str) -> Storage:
    """The directory as it is at this moment, in memory: whatever happens to it stays there.

    Another process may write meanwhile, undisturbed. Nothing can be committed to the copy.

    Raises:
        StorageError: as for `Storage.open`.
    """
    with Storage.open(directory, read_only=True) as original:
        copy = sqlite3.connect(":memory:", isolation_level="IMMEDIATE")
        original.connection.backup(copy)
    return Storage(copy, Path(directory), read_only=True)
