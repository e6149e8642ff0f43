"""A database connection that can repeat what a failed commit undid."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, NoReturn

from elec_meter.errors import StorageLostError

WRITES_MAX: Final = 250_000
"""Rows that are remembered between two commits: about a month without a disk, at a row in 10 s."""
WRITTEN_BYTES_MAX: Final = 32 << 20
"""Bytes of their texts and values."""

CACHE_KIB: Final = 512
"""Pages that SQLite keeps between two transactions; a checkpoint touches fewer than half as many.

Without a limit of ours they are 2,000 KiB, which a meter fills within a month.
"""

_WRITING: Final = ("INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "ALTER", "DROP")

# What a statement may be refused for without harm to the transaction that it is in.
_HARMLESS: Final = (
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_TOOBIG,
)


class _Written(NamedTuple):
    statement: str
    rows: list[Any]
    is_many: bool
    size: int


class RepeatingConnection(sqlite3.Connection):
    """Remembers the statements that wrote since the last commit, and can write them again.

    SQLite rolls back whatever a commit could not make durable. Objects that wrote through the
    connection do not know: `repeat` makes the database agree with them again. Use `execute`,
    `executemany`, `put` and `commit` of the connection itself, no cursor.

    What is written in a transaction stays in memory until the commit, so that a full disk is met
    there and nowhere else. A statement that fails for the disk's sake earlier has undone what was
    written before it, and nobody knows what its caller made of it: the connection is lost.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._written: dict[object, _Written] = {}
        self._writes = self._written_bytes = 0
        self._is_remembering = False
        self._is_whole = True
        self.lost: str | None = None
        super().execute("PRAGMA cache_spill = OFF")
        super().execute("PRAGMA temp_store = MEMORY")

    @property
    def writes(self) -> int:
        """How many rows wait for a commit, without those of `unremembered`."""
        return self._writes

    @property
    def is_repeatable(self) -> bool:
        """Whether all that waits is remembered: there was not more than the limits allow."""
        return self._is_whole

    def execute(self, statement: str, values: Any = (), /) -> sqlite3.Cursor:
        """As `sqlite3.Connection.execute`.

        Raises:
            StorageLostError: the connection is lost, now or before.
        """
        with self._watching(statement):
            cursor = super().execute(statement, values)
        self._remember(None, statement, [values], is_many=False)
        return cursor

    def executemany(self, statement: str, rows: Iterable[Any], /) -> sqlite3.Cursor:
        """As `sqlite3.Connection.executemany`.

        Raises:
            StorageLostError: the connection is lost, now or before.
        """
        rows = list(rows)
        with self._watching(statement):
            cursor = super().executemany(statement, rows)
        self._remember(None, statement, rows, is_many=True)
        return cursor

    def put(self, key: str, statement: str, values: tuple[object, ...]) -> None:
        """Execute a statement that makes an earlier one with this key needless.

        Raises:
            StorageLostError: the connection is lost, now or before.
        """
        with self._watching(statement):
            super().execute(statement, values)
        self._remember(key, statement, [values], is_many=False)

    @contextmanager
    def unremembered(self) -> Iterator[None]:
        """What is written here is written again by its owner, after any failure."""
        was_remembering, self._is_remembering = self._is_remembering, False
        try:
            yield
        finally:
            self._is_remembering = was_remembering

    def remember(self) -> None:
        """Begin: what was done up to now is durable."""
        self._is_remembering = True

    def commit(self) -> None:
        """As `sqlite3.Connection.commit`; what was remembered is forgotten.

        Raises:
            StorageLostError: the connection is lost.
        """
        if self.lost is not None:
            self.lose(self.lost)
        super().commit()
        self._forget()

    def _forget(self) -> None:
        self._written.clear()
        self._writes = self._written_bytes = 0
        self._is_whole = True

    def repeat(self) -> None:
        """Roll back what is left of the transaction and write what is remembered into a new one.

        Raises:
            StorageLostError: there was more than could be remembered, or it cannot be written.
        """
        if not self._is_whole:
            self.lose(f"more than {WRITES_MAX} rows waited for a disk")
        try:
            super().rollback()
            for statement, rows, is_many, _ in self._written.values():
                if not self.in_transaction:
                    super().execute("BEGIN IMMEDIATE")
                if is_many:
                    super().executemany(statement, rows)
                else:
                    super().execute(statement, rows[0])
        except sqlite3.Error as error:
            self.lose(str(error))

    @contextmanager
    def _watching(self, statement: str) -> Iterator[None]:
        if self.lost is not None:
            self.lose(self.lost)
        try:
            yield
        except UnicodeDecodeError:  # from a damaged schema, of which the message tells
            raise sqlite3.DatabaseError("its list of tables is no text") from None
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            is_harmful = _is_writing(statement) or self._written or not self._is_whole
            if self._is_remembering and is_harmful and code not in _HARMLESS:
                self.lose(str(error))
            raise

    def _remember(self, key: str | None, statement: str, rows: list[Any], *, is_many: bool) -> None:
        if not self._is_remembering or not self._is_whole:
            return
        if not rows or not _is_writing(statement):
            return
        earlier = None if key is None else self._written.pop(key, None)
        if earlier is not None:
            self._writes -= 1
            self._written_bytes -= earlier.size
        size = len(statement) + sum(map(_size, rows))
        self._writes += len(rows)
        self._written_bytes += size
        if self._writes > WRITES_MAX or self._written_bytes > WRITTEN_BYTES_MAX:
            self._forget()
            self._is_whole = False
            return
        self._written[object() if key is None else key] = _Written(statement, rows, is_many, size)

    def lose(self, reason: str) -> NoReturn:
        """Give up for good.

        Raises:
            StorageLostError: always.
        """
        self.lost = reason
        raise StorageLostError(
            f"what was written since the last checkpoint is lost ({reason});"
            " start again to go on from the last durable instant"
        )


def _is_writing(statement: str) -> bool:
    return statement.lstrip()[:7].upper().startswith(_WRITING)


def _size(values: Iterable[object]) -> int:
    return sum(len(value) if isinstance(value, (str, bytes)) else 8 for value in values)
