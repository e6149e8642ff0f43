"""The table of events: six logs in one, and how often each event ever happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

import msgspec

from elec_meter.events import APART, Log, codes_of, log_of

from .connection import RepeatingConnection

MAX_EVENTS: Final = 20_000
"""When a log has more, the oldest event leaves of the kind that it has most of.

So no log can push out what another holds, and nobody can have the meter forget what he has no part
in: whoever fills a log with what he may do pushes out that.
"""

_COUNTS: Final = "event counts"
_BOUND_S: Final = 1 << 50


class EventTable:
    """Events as rows; errors are SQLite's.

    Args:
        connection: the database.
        get_state: reads a small value that is kept beside them.
        put_state: keeps one.
    """

    def __init__(
        self,
        connection: RepeatingConnection,
        get_state: Callable[[str], bytes | None],
        put_state: Callable[[str, bytes], None],
    ) -> None:
        self._connection = connection
        self._get_state = get_state
        self._put_state = put_state
        self._totals: dict[int, int] | None = None
        self._kept: Counter[int] | None = None

    def record(self, code: int, text: str, at_ms: int, subject: str | None) -> None:
        """Append an event to its log; where that is full, one leaves: see `MAX_EVENTS`."""
        log, totals, kept = log_of(code), self.totals(), self._kept_by_code()
        self._connection.execute(
            "INSERT INTO meter_event (at_ms, code, text, subject) VALUES (?, ?, ?, ?)",
            (at_ms, code, text, subject),
        )
        totals[code] = totals.get(code, 0) + 1
        self._put_state(_COUNTS, msgspec.msgpack.encode(totals))
        kept[code] += 1
        while self.count(log) > MAX_EVENTS:
            _, leaving = max((count, kind) for kind, count in kept.items() if log_of(kind) is log)
            self._connection.execute(
                "DELETE FROM meter_event WHERE number ="
                " (SELECT number FROM meter_event WHERE code = ? ORDER BY number LIMIT 1)",
                (leaving,),
            )
            kept[leaving] -= 1

    def rows(
        self,
        from_s: int | None,
        to_s: int | None,
        newest: int | None,
        log: Log | None,
        subject: str | None,
    ) -> list[tuple[int, int, int, str, str | None]]:
        """Number, UNIX milliseconds, code, text and subject of `[from_s, to_s)`, oldest first."""
        from_ms = 1000 * (-_BOUND_S if from_s is None else from_s)
        to_ms = 1000 * (_BOUND_S if to_s is None else to_s)
        which, wanted = _asked(log, subject)
        rows = self._connection.execute(
            "SELECT number, at_ms, code, text, subject FROM meter_event"
            f" WHERE at_ms >= ? AND at_ms < ? AND {which} ORDER BY number DESC LIMIT ?",
            (from_ms, to_ms, *wanted, -1 if newest is None else newest),
        ).fetchall()
        return rows[::-1]

    def count_of(self, log: Log | None, subject: str) -> int:
        """How many of a log, or of all together, are about a subject."""
        which, wanted = _asked(log, subject)
        query = f"SELECT count(*) FROM meter_event WHERE {which}"
        (count,) = self._connection.execute(query, wanted).fetchone()
        return int(count)

    def count(self, log: Log | None) -> int:
        """How many a log has, or all together."""
        kept = self._kept_by_code().items()
        return sum(count for code, count in kept if log is None or log_of(code) is log)

    def totals(self) -> dict[int, int]:
        """How many of each code were ever recorded."""
        if self._totals is None:
            self._totals = self._saved_totals() or self._counted()
        return self._totals

    def _kept_by_code(self) -> Counter[int]:
        if self._kept is None:
            self._kept = Counter(self._counted())
        return self._kept

    def _saved_totals(self) -> dict[int, int]:
        saved = self._get_state(_COUNTS)
        try:
            return {} if saved is None else msgspec.msgpack.decode(saved, type=dict[int, int])
        except msgspec.MsgspecError:
            return {}  # what the logs still have is the next best

    def _counted(self) -> dict[int, int]:
        rows = self._connection.execute("SELECT code, count(*) FROM meter_event GROUP BY code")
        return dict(rows.fetchall())


def _asked(log: Log | None, subject: str | None) -> tuple[str, tuple[int | str, ...]]:
    """What a query asks of events of a log and about a subject, and its parameters."""
    which, codes = _of_log(log)
    return (which, codes) if subject is None else (f"{which} AND subject = ?", (*codes, subject))


def _of_log(log: Log | None) -> tuple[str, tuple[int, ...]]:
    """What a query asks of the code of a log's events, and its parameters."""
    if log is None:
        return "1", ()
    codes = APART if log is Log.STANDARD else codes_of(log)
    marks = ", ".join("?" * len(codes))
    return f"code {'NOT ' * (log is Log.STANDARD)}IN ({marks})", codes
