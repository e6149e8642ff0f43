"""A data directory without a meter: the same database file and lock as one with a meter.

The collector's tables stand in `meter.sqlite`, of schema version 0 until an electricity meter opens
it: that adds its own tables and goes on with the collector's.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from collector.errors import DirectoryError, DirectoryInUseError, StorageFailedError
from collector.keystore import Keystore

DATABASE_NAME: Final = "meter.sqlite"
LOCK_NAME: Final = "lock"
APPLICATION_ID: Final = 0x48485931
"""In the file's header (`PRAGMA application_id`): that of a meter's database."""

_MAGIC: Final = b"SQLite format 3\0"
_BUSY_S: Final = 2.0


class DataDirectory:
    """A data directory: its database, its keystore, and the lock of whoever writes there.

    A context manager that closes itself; use `open` or `read`.

    Attributes:
        path: the directory.
        connection: the database; only `transaction` commits on it.
        keystore: the units' keys.
    """

    def __init__(
        self, path: Path, connection: sqlite3.Connection, keystore: Keystore, lock: int | None
    ) -> None:
        self.path = path
        self.connection = connection
        self.keystore = keystore
        self._lock = lock

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a directory for writing; it is made if it is missing, and locked.

        Raises:
            DirectoryInUseError: another process writes there.
            DirectoryError: it is something else, or cannot be written.
            KeystoreError: its keys cannot be used.
            StorageFailedError: the disk is full or the database locked.
        """
        if path.exists() and not path.is_dir():
            raise DirectoryError(f"{path} is a file, not a data directory")
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = _locked(path)
        except OSError as error:
            raise DirectoryError(f"{path} cannot be written: {error.strerror}") from None
        try:
            database = path / DATABASE_NAME
            is_fresh = _is_fresh(database)
            with _plain_errors(database):
                database.touch(mode=0o600)
                connection = sqlite3.connect(database, _BUSY_S, isolation_level=None)
                if is_fresh:
                    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                # A transaction stays in memory until its commit: a full disk is met there.
                connection.execute("PRAGMA cache_spill = OFF")
            return cls(path, connection, Keystore.open(path), lock)
        except BaseException:
            os.close(lock)
            raise

    @classmethod
    def read(cls, path: Path) -> Self:
        """Open a directory to read it as it is now; another process may write meanwhile.

        Raises:
            DirectoryError: nothing was ever collected there.
            KeystoreError: its keys cannot be used.
        """
        database = path / DATABASE_NAME
        if not database.is_file() or _is_fresh(database):
            raise DirectoryError(f"{path} holds nothing that was collected")
        with _plain_errors(database):
            uri = f"{database.absolute().as_uri()}?mode=ro"
            connection = sqlite3.connect(uri, _BUSY_S, uri=True, isolation_level=None)
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return cls(path, connection, Keystore.open(path), None)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is written meanwhile is durable at the end, or nothing of it is there.

        Raises:
            StorageFailedError: nothing of it is there.
        """
        with _plain_errors(self.path / DATABASE_NAME):
            try:
                self.connection.execute("BEGIN IMMEDIATE")
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database and let another process write; what is not committed is not there."""
        with contextlib.suppress(sqlite3.Error):
            self.connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def is_of_meter(path: Path) -> bool:
    """Whether an electricity meter owns a directory; of one that cannot be read it is not known.

    A meter counts its schema's versions in the database's header, from 1 on.
    """
    with contextlib.suppress(DirectoryError):
        return int.from_bytes(_header(path / DATABASE_NAME)[60:64]) > 0
    return False


def _locked(path: Path) -> int:
    number = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(number, 20).decode("ascii", "replace").strip()
        os.close(number)
        process = f"process {holder}" if holder.isdigit() else "another process"
        raise DirectoryInUseError(f"{path} is in use by {process}") from None
    os.ftruncate(number, 0)
    os.write(number, f"{os.getpid()}\n".encode())
    return number


def _is_fresh(database: Path) -> bool:
    """Whether there is no database yet; judged by its first bytes, without SQLite."""
    return not _header(database)


def _header(database: Path) -> bytes:
    """The first bytes of our database, which tell whose it is; none where there is none yet.

    Raises:
        DirectoryError: another program's file, or it cannot be read.
    """
    try:
        with database.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise DirectoryError(f"{database} cannot be read: {error.strerror}") from None
    if header and (
        not header.startswith(_MAGIC) or int.from_bytes(header[68:72]) != APPLICATION_ID
    ):
        raise DirectoryError(f"{database} is another program's file")
    return header


@contextmanager
def _plain_errors(database: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StorageFailedError(f"{database}: {_reason(error)}") from None
    except OSError as error:
        raise DirectoryError(f"{database}: {error.strerror}") from None


def _reason(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return {
        sqlite3.SQLITE_FULL: "the disk is full",
        sqlite3.SQLITE_BUSY: "another program has locked it",
        sqlite3.SQLITE_READONLY: "it may not be written",
        sqlite3.SQLITE_IOERR: "the disk does not work",
    }.get(code, str(error))
