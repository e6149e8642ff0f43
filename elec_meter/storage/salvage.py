"""Copying what can be read of one database into another of the same tables."""

from __future__ import annotations

import sqlite3
from typing import Final, NamedTuple

from elec_meter.errors import RepairError

from .btree import Pages, Salvage, Value

ESSENTIAL: Final = frozenset(
    (
        "ledger_instant",
        "ledger_account",
        "ledger_rate",
        "ledger_block",
        "ledger_spell",
        "ledger_unallocated",
        "ledger_book",
        "clock_stretch",
        "meter_configuration",
        "collector_unit",
        "collector_end",
        "collector_condensed",
        "collector_base",
        "collector_past",
        "collector_past_flag",
        "collector_overtaken",
        "collector_pairing",
        "collector_dial_offset",
        "collector_correction",
    )
)
"""Tables in which nothing may be lost: registers, and what they are registers of."""

MENDABLE: Final = frozenset(
    (
        "meter_event",
        "meter_state",
        "ledger_row",
        "ledger_run",
        "ledger_pulse_channel",
        "ledger_pulse_row",
        "ledger_pulse_run",
        "ledger_snapshot",
        "ledger_data_row",
        "collector_clock",
        "collector_journal",
        "collector_count",
        "collector_log",
        "collector_event",
        "collector_refusal",
        "collector_seen",
        "collector_certificate",
        "collector_calorific_value",
    )
)
"""Tables of which what is lost is said: no register depends on it, or another table has it too."""

DERIVED: Final = frozenset(("collector_boundary", "collector_flag"))
"""They follow from the journal, and are folded again."""

_OWN_NAMES: Final = "sqlite_"
_KINDS: Final = {"INTEGER": int, "TEXT": str, "BLOB": bytes}


class Copied(NamedTuple):
    """What became of a table.

    Attributes:
        name: the table.
        rows: how many rows were saved.
        unreadable: pages, cells and rows that make no sense.
    """

    name: str
    rows: int
    unreadable: int


class _Column(NamedTuple):
    number: int
    name: str
    kind: str
    is_required: int
    default: str | None
    key: int

    def takes(self, value: Value) -> bool:
        if value is None:
            return not self.is_required
        return isinstance(value, _KINDS.get(self.kind, object))


def copy_tables(content: bytes, target: sqlite3.Connection) -> list[Copied]:
    """Copy every row that can be read into the tables of the same name; commit nothing.

    Tables that the target lacks are made as they were: those of a collector that was here before
    the meter, and those of other versions of this program.

    Args:
        content: a database file without a log.
        target: has no transaction or one of the caller's.

    Raises:
        RepairError: the list of tables cannot be read, or a table cannot be made.
    """
    pages = Pages(content)
    roots = {name: root for name, root in pages.roots().items() if not name.startswith(_OWN_NAMES)}
    found = {name: pages.table(root.page) for name, root in sorted(roots.items())}
    columns = {}
    for name in found:
        if name not in DERIVED:
            columns[name] = _columns(target, name) or _made(target, name, roots[name].statements)
    for orphan in pages.orphans():
        _adopt(orphan, found, columns)
    return [_copy(name, found[name], columns[name], target) for name in columns]


def _made(connection: sqlite3.Connection, table: str, statements: list[str]) -> list[_Column]:
    """Make a table and its indexes; return its columns."""
    try:
        for statement in statements:
            if statement.startswith("CREATE "):
                connection.execute(statement)
        columns = _columns(connection, table)
    except (sqlite3.Error, ValueError):
        columns = []
    if not columns:
        raise RepairError(f"the table {table[:40]!r} cannot be made again")
    return columns


def _adopt(orphan: Salvage, found: dict[str, Salvage], columns: dict[str, list[_Column]]) -> None:
    """Give a page's rows to the damaged table that they fit, if they fit no other."""
    fitting = [
        name
        for name, of in columns.items()
        if found[name].unreadable and all(_named(of, *row) is not None for row in orphan.rows)
    ]
    if len(fitting) == 1:
        found[fitting[0]].rows += orphan.rows


def _columns(connection: sqlite3.Connection, table: str) -> list[_Column]:
    if not table.isidentifier():
        return []
    return [_Column(*row) for row in connection.execute(f"PRAGMA table_info({table})")]


def _copy(
    name: str, salvage: Salvage, columns: list[_Column], target: sqlite3.Connection
) -> Copied:
    saved, unreadable = 0, salvage.unreadable
    for number, record in salvage.rows:
        named = _named(columns, number, record)
        if named is None:
            unreadable += 1
            continue
        marks = ", ".join("?" * len(named))
        # A row that the tables were made with gives way to the one that was read.
        verb = "REPLACE" if name == "collector_clock" else "INSERT"
        try:
            target.execute(
                f"{verb} INTO {name} ({', '.join(named)}) VALUES ({marks})", tuple(named.values())
            )
            saved += 1
        except (sqlite3.Error, OverflowError):
            unreadable += 1
    return Copied(name, saved, unreadable)


def _named(
    columns: list[_Column], number: int | None, record: list[Value]
) -> dict[str, Value] | None:
    """A record's values by column; None if it is none of this table's."""
    if number is None:  # the key comes first, in its own order
        stored = sorted(columns, key=lambda column: (column.key or len(columns), column.number))
    else:
        stored = columns
    if not record or len(record) > len(stored):
        return None
    named = dict(zip((column.name for column in stored), record, strict=False))
    if number is not None:
        for column in stored:
            if column.key and column.kind == "INTEGER":
                named[column.name] = number  # stored as the row's number alone
    is_whole = all(
        column.takes(named[column.name])
        if column.name in named
        else column.default is not None or not column.is_required
        for column in columns
    )
    return named if is_whole else None
