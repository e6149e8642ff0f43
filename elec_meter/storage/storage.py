"""A data directory: what is committed there survives whatever happens next."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple, Self

from elec_meter.config import MeterConfig, config_from_json, config_to_json
from elec_meter.errors import (
    CheckpointFailedError,
    CorruptError,
    MeterError,
    NotADataDirectoryError,
    StorageError,
    StorageLostError,
)
from elec_meter.events import Log
from elec_meter.ledger import Ledger, LedgerState
from shared.timegrid import from_unix_ms, from_unix_s, unix_ms

from .connection import RepeatingConnection
from .database import damaged, open_for_reading, open_for_writing, open_in_memory, refuse_foreign
from .event_table import EventTable
from .lock import DirectoryLock
from .tables import load_ledger, save_ledger

DATABASE_NAME: Final = "meter.sqlite"
_NUMBERS_END: Final = 1 << 63


class Event(NamedTuple):
    """An entry of the event log.

    Attributes:
        number: counts all that were ever recorded.
        at: when, by the host's time.
        code: what kind of event it is.
        text: a sentence.
        subject: the serial of the unit that it is about, if it is about one.
    """

    number: int
    at: datetime
    code: int
    text: str
    subject: str | None = None


class ConfigVersion(NamedTuple):
    """A configuration that was put in force, when by the host's time, by whom and at what level."""

    number: int
    applied: datetime
    author: str
    level: int


class Backlog(NamedTuple):
    """What waits since a checkpoint failed, beside the ledger's own changes.

    Attributes:
        reason: what SQLite said of the last attempt.
        writes: how many rows of journal, events and states.
    """

    reason: str
    writes: int


_IN_FORCE: Final = "configuration in force"
_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Storage:
    """One database: configuration, ledger, journal, events and small states, committed together.

    `attempts` counts the commits that were tried.

    `connection` is for what lives in the same transaction, such as the collector's journal. Nobody
    but `checkpoint` and `commit` commits on it.

    Use `open` or `in_memory`; as a context manager it closes itself.
    """

    def __init__(
        self,
        connection: RepeatingConnection,
        directory: Path | None = None,
        lock: DirectoryLock | None = None,
        *,
        read_only: bool = False,
    ) -> None:
        self.connection = connection
        self.directory = directory
        self.read_only = read_only
        self.attempts = 0
        self._lock = lock
        self._failure: str | None = None
        self._events = EventTable(connection, self.get_state, self.put_state)

    @classmethod
    def open(cls, directory: Path | str, *, read_only: bool = False) -> Self:
        """Open a data directory; to write, it is created if it does not exist, and locked.

        Reading sees the directory as it is at this moment, also while another process writes.

        Raises:
            NotADataDirectoryError: there is something else; it was not touched.
            NewerSchemaError: a later version of this program wrote it; it was not touched.
            DirectoryInUseError: another process writes there.
            CorruptError: it is damaged; it was not touched.
            StorageError: it cannot be read or written.
        """
        directory = Path(directory)
        path = directory / DATABASE_NAME
        if directory.exists() and not directory.is_dir():
            raise NotADataDirectoryError(f"{directory} is a file, not a data directory")
        with plain_errors(path):
            if read_only:
                return cls(open_for_reading(path), directory, read_only=True)
            if path.exists():
                refuse_foreign(path)
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = DirectoryLock(directory)
            try:
                return cls(open_for_writing(path), directory, lock)
            except BaseException:
                lock.release()
                raise

    @classmethod
    def in_memory(cls) -> Self:
        """A storage that lives as long as the object."""
        return cls(open_in_memory())

    def load_config(self, number: int | None = None) -> MeterConfig | None:
        """The newest configuration, or that of a number; None if there is none."""
        if number is not None and not 0 < number < _NUMBERS_END:
            return None
        with self._reading():
            row = self.connection.execute(
                "SELECT document FROM meter_configuration WHERE number = coalesce(?, number)"
                " ORDER BY number DESC LIMIT 1",
                (number,),
            ).fetchone()
        return None if row is None else config_from_json(row[0], "the stored configuration")

    def save_config(
        self, config: MeterConfig, applied_s: int, *, author: str = "", level: int = 4
    ) -> int:
        """Put a configuration in force with the next commit, and return its number.

        Earlier ones are kept.
        """
        return self._write(
            "INSERT INTO meter_configuration (applied_s, document, author, level)"
            " VALUES (?, ?, ?, ?)",
            (applied_s, config_to_json(config).decode(), author, int(level)),
        )

    @property
    def config_number(self) -> int:
        """The number of the newest configuration; 0 before the first."""
        history = self.config_history(newest=1)
        return history[0].number if history else 0

    @property
    def config_in_force(self) -> int:
        """The number of the configuration that a meter last worked with; 0 before the first.

        A newer one was written while no meter ran, for its next start.
        """
        marked = self.get_state(_IN_FORCE)
        return self.config_number if marked is None else int(marked)

    def mark_config_in_force(self, number: int) -> None:
        """A meter works with this configuration from the next commit on."""
        self.put_state(_IN_FORCE, str(number).encode())

    def config_history(self, newest: int = 1_000) -> list[ConfigVersion]:
        """The configurations that were in force, newest first."""
        with self._reading():
            rows = self.connection.execute(
                "SELECT number, applied_s, author, level FROM meter_configuration"
                " ORDER BY number DESC LIMIT ?",
                (newest,),
            ).fetchall()
        return [ConfigVersion(row[0], from_unix_s(row[1]), *row[2:]) for row in rows]

    def load(self) -> LedgerState:
        """The ledger as the last checkpoint left it."""
        with self._reading():
            return load_ledger(self.connection)

    def checkpoint(self, ledger: Ledger, durable_s: int) -> None:
        """Make durable, in one transaction, the ledger's changes and all that waits here.

        Args:
            ledger: what was booked up to now.
            durable_s: the meter's time now: power is known to have been there until then.

        Raises:
            CheckpointFailedError: nothing of it is durable; the next checkpoint tries again.
            StorageLostError: nor will it ever be; open the directory again.
        """
        with self._committing(), self.connection.unremembered():
            changes = ledger.changes()
            save_ledger(self.connection, changes, durable_s)
        ledger.mark_saved(changes, durable_s)

    def commit(self) -> None:
        """Make durable what waits here, without a ledger: events, states, a pairing.

        Raises:
            CheckpointFailedError: as for `checkpoint`.
        """
        with self._committing():
            pass

    @property
    def backlog(self) -> Backlog | None:
        """What waits for the disk to recover; None unless the last checkpoint failed."""
        if self._failure is None:
            return None
        return Backlog(self._failure, self.connection.writes)

    def put_state(self, key: str, value: bytes) -> None:
        """Keep a small value under a name, from the next commit on."""
        with self._writing():
            self.connection.put(
                f"state {key}",
                "INSERT INTO meter_state (key, value) VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key, value),
            )

    def get_state(self, key: str) -> bytes | None:
        """What `put_state` kept, or None."""
        with self._reading():
            row = self.connection.execute(
                "SELECT value FROM meter_state WHERE key = ?", (key,)
            ).fetchone()
        return None if row is None else bytes(row[0])

    def record_event(
        self, code: int, text: str, at: datetime, *, subject: str | None = None
    ) -> None:
        """Append to the event log that the code is in, from the next commit on: see `Event`.

        Characters that cannot be printed are left out: a terminal would obey some of them.
        """
        with self._writing():
            self._events.record(
                int(code), "".join(filter(str.isprintable, text)), unix_ms(at), subject
            )

    def events(
        self,
        from_s: int | None = None,
        to_s: int | None = None,
        *,
        newest: int | None = None,
        log: Log | None = None,
        subject: str | None = None,
    ) -> list[Event]:
        """The newest events of `[from_s, to_s)`, in the order in which they were recorded.

        Args:
            from_s: UNIX seconds; None for no bound.
            to_s: likewise.
            newest: at most so many.
            log: of one log alone.
            subject: about one unit alone.
        """
        with self._reading():
            rows = self._events.rows(from_s, to_s, newest, log, subject)
        return [Event(row[0], from_unix_ms(row[1]), *row[2:]) for row in rows]

    def event_count(self, log: Log | None = None, subject: str | None = None) -> int:
        """How many entries a log has, or all of them together; those about one unit alone."""
        with self._reading():
            if subject is not None:
                return self._events.count_of(log, subject)
            return self._events.count(log)

    def event_totals(self) -> dict[int, int]:
        """How many events of each code were ever recorded, those that have left among them."""
        with self._reading():
            return self._events.totals()

    def faults(self) -> list[str]:
        """What SQLite finds wrong with the file itself, for the audit; empty when it is sound."""
        try:
            findings = [row[0] for row in self.connection.execute("PRAGMA integrity_check")]
        except sqlite3.DatabaseError as error:
            findings = [str(error)]
        return [f"database: {' '.join(text.split())}" for text in findings if text != "ok"]

    def close(self) -> None:
        """Let go of the directory; what was not committed is gone."""
        self.connection.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, statement: str, values: tuple[object, ...]) -> int:
        with self._writing():
            return self.connection.execute(statement, values).lastrowid or 0

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StorageError(f"{self._name} cannot be written: {error}") from None

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise StorageError(f"{self._name} cannot be read: {error}") from None
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from None

    @contextmanager
    def _committing(self) -> Iterator[None]:
        if self.read_only:
            raise StorageError(f"{self._name} is open for reading only")
        self.attempts += 1
        try:
            yield
            self.connection.commit()
        except StorageLostError:
            raise
        except (sqlite3.Error, OverflowError) as error:
            self._failure = str(error)
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE:
                self.connection.lose(str(error))
            self.connection.repeat()
            raise CheckpointFailedError(
                f"a checkpoint failed: {error}; nothing is lost, the next one tries again"
            ) from None
        self._failure = None

    def _damaged(self, error: sqlite3.Error) -> CorruptError:
        if self.directory is None:
            return CorruptError(f"the memory is damaged: {error}")
        return damaged(self.directory / DATABASE_NAME, error)

    @property
    def _name(self) -> str:
        return "the memory" if self.directory is None else str(self.directory)


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """What SQLite and the system say of a database's file becomes one of our sentences."""
    try:
        yield
    except MeterError:
        raise
    except sqlite3.OperationalError as error:
        raise StorageError(f"{path} cannot be opened: {error}") from None
    except sqlite3.DatabaseError as error:
        raise damaged(path, error) from None
    except OSError as error:
        raise StorageError(f"{path} cannot be opened: {error.strerror or error}") from None
