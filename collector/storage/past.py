"""What is left of the condensed beginning of a journal, in SQLite: what its entries came to."""

from __future__ import annotations

import sqlite3
from typing import Final

from collector.advance import AdvanceBase
from collector.entries import TelegramKey
from collector.fleet import WINDOW

from .tables import Tables

_TELEGRAM: Final = "telegram"
_COUNT: Final = "count"
_JOURNALS: Final = {_TELEGRAM: "collector_journal", _COUNT: "collector_count"}


class Past:
    """The condensed beginnings of units' journals. Nothing of it can be folded again.

    Args:
        connection: as for `Tables`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._tables = Tables(connection)

    def before_ms(self, serial: str) -> int:
        """The stamp before which what became final is kept as it is; 0 if nothing is condensed."""
        query = "SELECT before_ms FROM collector_condensed WHERE serial = ?"
        row = self._tables.row(query, (serial,))
        return 0 if row is None else int(row[0])

    def set_before_ms(self, serial: str, before_ms: int) -> None:
        """Keep that stamp."""
        self._tables.change(
            "INSERT OR REPLACE INTO collector_condensed VALUES (?, ?)", (serial, before_ms)
        )

    def telegrams(self, serial: str) -> AdvanceBase | None:
        """What the condensed telegrams come to; None if none is condensed."""
        return self._base(serial, _TELEGRAM)

    def counts(self, serial: str) -> AdvanceBase | None:
        """As `telegrams`, of the frames that tell a count and no clock."""
        return self._base(serial, _COUNT)

    def has(self, serial: str, key: TelegramKey) -> bool:
        """Whether a telegram is so old that it is condensed, or would be."""
        base = self.telegrams(serial)
        return base is not None and key <= base.key

    def has_count(self, serial: str, key: TelegramKey) -> bool:
        """As `has`, of a frame that tells a count and no clock."""
        base = self.counts(serial)
        return base is not None and key <= base.key

    def first_kept(self, serial: str, first_ms: int) -> tuple[TelegramKey, TelegramKey]:
        """The first telegram, and the first frame of the other kind, that cannot be condensed.

        Those are kept that were stamped from an instant on, all that were sent after any of them,
        and as many as a replay window has.
        """
        return self._first_kept(serial, _TELEGRAM, first_ms), self._first_kept(
            serial, _COUNT, first_ms
        )

    def condense(
        self, serial: str, telegrams: AdvanceBase | None, counts: AdvanceBase | None
    ) -> int:
        """Forget entries up to these; return how many there were."""
        forgotten = 0
        for kind, base in ((_TELEGRAM, telegrams), (_COUNT, counts)):
            if base is not None:
                self._put(serial, kind, base)
                forgotten += self._tables.connection.execute(
                    f"DELETE FROM {_JOURNALS[kind]} WHERE serial = ? AND (boot, counter) <= (?, ?)",
                    (serial, *base.key),
                ).rowcount
        return forgotten

    def close(self, serial: str, telegrams: AdvanceBase, counts: AdvanceBase) -> None:
        """Keep what all entries come to, and let them be."""
        self._put(serial, _TELEGRAM, telegrams)
        self._put(serial, _COUNT, counts)

    def _first_kept(self, serial: str, kind: str, first_ms: int) -> TelegramKey:
        table = _JOURNALS[kind]
        is_first = "" if kind == _COUNT else " AND narrows = 0"
        rows = (
            self._tables.row(
                f"SELECT boot, counter FROM {table} WHERE serial = ? AND stamp_ms >= ?"
                " ORDER BY boot, counter LIMIT 1",
                (serial, first_ms),
            ),
            self._tables.row(
                f"SELECT boot, counter FROM {table} WHERE serial = ?{is_first}"
                f" ORDER BY boot DESC, counter DESC LIMIT 1 OFFSET {WINDOW}",
                (serial,),
            ),
        )
        return min(TelegramKey(*row) if row else _FIRST for row in rows)

    def _base(self, serial: str, kind: str) -> AdvanceBase | None:
        row = self._tables.row(
            "SELECT boot, counter, uptime_s, count, count_boot, count_counter, count_uptime_s,"
            " pulses FROM collector_base WHERE serial = ? AND kind = ?",
            (serial, kind),
        )
        if row is None:
            return None
        boot, counter, uptime_s, count, count_boot, count_counter, count_uptime_s, pulses = row
        return AdvanceBase(
            key=TelegramKey(boot, counter),
            uptime_s=uptime_s,
            told=count,
            count_key=None if count_boot is None else TelegramKey(count_boot, count_counter),
            count_uptime_s=count_uptime_s,
            pulses=pulses,
        )

    def _put(self, serial: str, kind: str, base: AdvanceBase) -> None:
        self._tables.change(
            "INSERT OR REPLACE INTO collector_base VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                serial,
                kind,
                *base.key,
                base.uptime_s,
                base.told,
                *(base.count_key or (None, None)),
                base.count_uptime_s,
                base.pulses,
            ),
        )


_FIRST: Final = TelegramKey(-(1 << 40), 0)  # before all: nothing can be condensed
