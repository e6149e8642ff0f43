"""What the collector has journalled, after some of it was lost."""

from __future__ import annotations

import sqlite3
from typing import Final

from elec_meter.errors import RepairError

_LATE_MS: Final = 86_400_000
"""How far behind the last durable instant no telegram may be stamped."""
_STAMPS: Final = {
    "collector_journal": ("stamp_ms", "latest_ms"),
    "collector_count": ("stamp_ms", "latest_ms"),
    "collector_log": ("stamp_ms",),
    "collector_end": ("stamp_ms",),
}
"""What the collector has stamped, and the instants in it."""


def drop_from_the_future(connection: sqlite3.Connection, durable_s: int) -> list[str]:
    """Forget entries that were stamped when nothing was durable yet: they make no sense."""
    latest_ms = durable_s * 1000 + _LATE_MS
    dropped = 0
    for table, stamps in _STAMPS.items():
        senseless = " OR ".join(f"{stamp} > ?1 OR {stamp} <= 0" for stamp in stamps)
        dropped += connection.execute(
            f"DELETE FROM {table} WHERE {senseless}", (latest_ms,)
        ).rowcount
    return [f"{dropped} telegrams made no sense and were dropped"] if dropped > 0 else []


def tell_the_time(connection: sqlite3.Connection, durable_s: int) -> None:
    """Set the collector's clock behind everything that it has stamped."""
    stamped = " UNION ALL ".join(f"SELECT stamp_ms, epoch FROM {table}" for table in _STAMPS)
    (stamp_ms, epoch) = connection.execute(
        f"SELECT coalesce(max(stamp_ms), 0), coalesce(max(epoch), 0) FROM ({stamped})"
    ).fetchone()
    told_ms = max(stamp_ms, durable_s * 1000)
    connection.execute(
        "UPDATE collector_clock SET told_ms = ?, epoch = max(epoch, ?)", (told_ms, epoch)
    )


def retell(connection: sqlite3.Connection, serial: str, missing: int, durable_s: int) -> None:
    """Add the telegram that a register proves was heard, with the count that it must have had.

    The unit's next telegram has a later counter, and goes on from that count.

    Raises:
        RepairError: no telegram of the unit is left.
    """
    (told_ms,) = connection.execute("SELECT told_ms FROM collector_clock").fetchone()
    stamp_ms = max(told_ms, durable_s * 1000) + 1
    columns = ", ".join(
        row[1]
        for row in connection.execute("PRAGMA table_info(collector_journal)")
        if row[1] not in _RETOLD
    )
    added = connection.execute(
        f"INSERT INTO collector_journal ({columns}, {', '.join(_RETOLD)})"
        f" SELECT {columns}, ?1, counter + 1, NULL, ?1, uptime_s + (?1 - latest_ms) / 1000,"
        " (count + ?2) & 4294967295, NULL, NULL, NULL, x'01' FROM collector_journal"
        " WHERE serial = ?3 AND narrows = 0 ORDER BY boot DESC, counter DESC LIMIT 1",
        (stamp_ms, missing, serial),
    ).rowcount
    if added != 1:
        raise RepairError(f"no telegram of the unit {serial} is left")
    connection.execute("UPDATE collector_clock SET told_ms = ?", (stamp_ms,))


_RETOLD: Final = (
    "stamp_ms",
    "counter",
    "earliest_ms",
    "latest_ms",
    "uptime_s",
    "count",
    "last_pulse_age_s",
    "grid_count",
    "grid_age_s",
    "increments",
)
