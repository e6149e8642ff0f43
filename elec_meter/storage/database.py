"""Opening the database file, or refusing it without having touched it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Final

from elec_meter.errors import (
    CorruptError,
    NewerSchemaError,
    NotADataDirectoryError,
    StorageError,
)

from .connection import CACHE_KIB, RepeatingConnection
from .schema import APPLICATION_ID, MIGRATIONS, migrate

_MAGIC: Final = b"SQLite format 3\0"
_HEADER_BYTES: Final = 100

BESIDE: Final = ("-wal", "-shm", "-journal")
"""Endings of the files that SQLite keeps beside a database."""

REPAIRED: Final = "meter.sqlite.repaired"
"""A repaired database that is complete, and waits to take the place of the damaged one."""


def open_for_writing(
    path: Path, factory: type[RepeatingConnection] = RepeatingConnection
) -> RepeatingConnection:
    """Open or create the database; every commit is durable when it returns.

    Args:
        path: the file.
        factory: the connection's class, for tests that watch it.

    Raises:
        NotADataDirectoryError: another program's file.
        NewerSchemaError: a later version of this program wrote it.
        CorruptError: it is damaged.
    """
    finish_repair(path)
    path.touch(mode=0o600)
    if not refuse_foreign(path) and not _journal(path).exists():
        _refuse_damaged(path)
    connection = sqlite3.connect(path, isolation_level="IMMEDIATE", factory=factory)
    try:
        migrate(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.remember()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> RepeatingConnection:
    """Open the database as it is now: what is committed later does not show.

    Raises:
        NotADataDirectoryError: there is none, or it is another program's.
        NewerSchemaError: a later version of this program wrote it.
        CorruptError: it is damaged.
        StorageError: an earlier version wrote it.
    """
    if path.with_name(REPAIRED).exists():
        raise StorageError(f"a repair of {path} was interrupted; run the meter or the repair again")
    if not path.is_file() or refuse_foreign(path):
        raise NotADataDirectoryError(f"{path.parent} holds no meter's data")
    connection = _connect(path, "mode=ro")
    try:
        connection.execute("BEGIN")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    if version < len(MIGRATIONS):
        connection.close()
        raise StorageError(
            f"{path} is of the earlier version {version}; run the meter on it once to bring it up"
        )
    return connection


def open_in_memory() -> RepeatingConnection:
    """A database that lives as long as its connection.

    The empty one is kept as bytes, as a connection is one thread's alone; and it is copied from
    the database that is read from them, as SQLite lets that one grow no larger than 1 GiB.
    """
    connection = empty_in_memory()
    with closing(sqlite3.connect(":memory:")) as made:
        made.deserialize(_newest())
        made.backup(connection)
    connection.remember()
    return connection


@lru_cache(maxsize=1)
def _newest() -> bytes:
    """A database without rows: many that live in memory begin so, and migrating takes 4 ms."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        migrate(made)
        return made.serialize()


def empty_in_memory() -> RepeatingConnection:
    """A database without tables, to be filled from another."""
    return sqlite3.connect(":memory:", isolation_level="IMMEDIATE", factory=RepeatingConnection)


def refuse_foreign(path: Path) -> bool:
    """Judge a file by its first bytes, without SQLite; True when it is empty and so ours to fill.

    With a hot journal SQLite must first undo a half-done migration.

    Raises:
        NotADataDirectoryError: another program's file.
        NewerSchemaError: a later version of this program wrote it.
    """
    if _journal(path).exists():
        return False
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if not header:
        return True
    application_id, version = int.from_bytes(header[68:72]), int.from_bytes(header[60:64])
    if not header.startswith(_MAGIC) or application_id != APPLICATION_ID:
        raise NotADataDirectoryError(f"{path} is not a meter's database")
    if version > len(MIGRATIONS):
        raise NewerSchemaError(
            f"{path} was written by a later version of this program"
            f" (schema {version}, and this one knows {len(MIGRATIONS)})"
        )
    return False


def version_of(content: bytes) -> int:
    """The version that a database file says it is of."""
    return int.from_bytes(content[60:64])


def finish_repair(path: Path) -> None:
    """Put a repaired database in its place, if one waits: its own log must go first.

    The damaged files have other names besides since before the repaired one was complete.
    """
    repaired = path.with_name(REPAIRED)
    if path.name == REPAIRED or not repaired.exists():
        return
    _sync(path.parent)
    for ending in BESIDE:
        Path(f"{path}{ending}").unlink(missing_ok=True)
    _sync(path.parent)
    repaired.replace(path)
    _sync(path.parent)


def _sync(directory: Path) -> None:
    """Make names durable."""
    number = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _refuse_damaged(path: Path) -> None:
    """Check a file that nobody else writes; without a log beside it, no file appears there."""
    log = Path(f"{path}-wal")
    lies_still = not log.exists() or log.stat().st_size == 0
    connection = _connect(path, "mode=ro&immutable=1" if lies_still else "mode=ro")
    try:
        (finding,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        finding = str(error)
    finally:
        connection.close()
    if finding != "ok":
        raise damaged(path, finding)


def damaged(path: Path, finding: object) -> CorruptError:
    """The refusal of a damaged database, with what to do about it."""
    return CorruptError(
        f"{path} is damaged: {' '.join(str(finding).split())};"
        f" `elec-meter repair --data {path.parent}` saves what can still be read"
    )


def _connect(path: Path, options: str) -> RepeatingConnection:
    uri = f"{path.absolute().as_uri()}?{options}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, factory=RepeatingConnection)


def _journal(path: Path) -> Path:
    return Path(f"{path}-journal")
