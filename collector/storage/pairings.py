"""Pairings, certificates, dials and calorific values in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from collector.dial import DialReading
from collector.segments import Segment
from shared.exact_json import exact_json
from shared.timegrid import from_unix_ms, unix_ms
from shared.units import PulseWeight

from .tables import Tables

_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS collector_pairing (
        number INTEGER PRIMARY KEY, serial TEXT NOT NULL, channel TEXT NOT NULL,
        mprn TEXT NOT NULL, meter_serial TEXT NOT NULL, litres_per_pulse TEXT NOT NULL,
        dial_unit TEXT NOT NULL, dial_litres TEXT NOT NULL, from_ms INTEGER NOT NULL,
        from_pulses INTEGER NOT NULL, to_ms INTEGER, to_pulses INTEGER)""",
    """CREATE UNIQUE INDEX IF NOT EXISTS collector_pairing_open
        ON collector_pairing (serial) WHERE to_ms IS NULL""",
    """CREATE UNIQUE INDEX IF NOT EXISTS collector_pairing_channel
        ON collector_pairing (channel) WHERE to_ms IS NULL""",
    """CREATE TABLE IF NOT EXISTS collector_certificate (
        number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, kind TEXT NOT NULL,
        serial TEXT NOT NULL, document TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS collector_dial_offset (
        number INTEGER PRIMARY KEY, channel TEXT NOT NULL, at_ms INTEGER NOT NULL,
        offset_litres TEXT NOT NULL, unmetered_litres TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS collector_calorific_value (
        from_day TEXT PRIMARY KEY, mj_per_m3 TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS collector_correction (
        channel TEXT PRIMARY KEY, factor TEXT NOT NULL) WITHOUT ROWID""",
)


class Pairings:
    """What pairings fixed beside what the collector itself needs.

    Args:
        connection: as for `Tables`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._tables = Tables(connection)

    @property
    def exist(self) -> bool:
        """Whether the tables have been made."""
        query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'collector_pairing'"
        return self._tables.row(query) is not None

    def make(self) -> None:
        """Make the tables that are missing."""
        if not self.exist:
            for statement in _TABLES:
                self._tables.change(statement)

    def begin(self, segment: Segment) -> None:
        """Keep a pairing, or a meter's place in one, that begins."""
        self._tables.change(
            "INSERT INTO collector_pairing (serial, channel, mprn, meter_serial, litres_per_pulse,"
            " dial_unit, dial_litres, from_ms, from_pulses) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                segment.serial,
                segment.channel,
                segment.mprn,
                segment.meter_serial,
                str(segment.weight.litres_per_pulse),
                segment.dial.unit,
                str(segment.dial.litres),
                unix_ms(segment.from_utc),
                segment.from_pulses,
            ),
        )

    def end(self, serial: str, to_ms: int, to_pulses: int) -> None:
        """End a unit's open pairing."""
        self._tables.change(
            "UPDATE collector_pairing SET to_ms = ?, to_pulses = ?"
            " WHERE serial = ? AND to_ms IS NULL",
            (to_ms, to_pulses, serial),
        )

    def segments(self) -> Iterator[Segment]:
        """All pairings, in the order in which they were made."""
        if not self.exist:
            return
        rows = self._tables.connection.execute(
            "SELECT serial, channel, mprn, meter_serial, litres_per_pulse, dial_unit, dial_litres,"
            " from_ms, from_pulses, to_ms, to_pulses FROM collector_pairing ORDER BY number"
        )
        for serial, channel, mprn, meter, weight, unit, dial, from_ms, first, to_ms, last in rows:
            yield Segment(
                serial=serial,
                channel=channel,
                mprn=mprn,
                meter_serial=meter,
                weight=PulseWeight(Fraction(weight)),
                dial=DialReading(Fraction(dial), unit),
                from_utc=from_unix_ms(from_ms),
                from_pulses=first,
                to_utc=None if to_ms is None else from_unix_ms(to_ms),
                to_pulses=last,
            )

    def log_offset(self, channel: str, at_ms: int, offset: Fraction, unmetered: Fraction) -> None:
        """Log by how many litres the dial is ahead of the channel's register, and what passed by.

        Args:
            channel: the channel.
            at_ms: when, UNIX milliseconds.
            offset: litres on the dial and not in the register.
            unmetered: those of them that passed while no unit counted.
        """
        self._tables.change(
            "INSERT INTO collector_dial_offset (channel, at_ms, offset_litres, unmetered_litres)"
            " VALUES (?, ?, ?, ?)",
            (channel, at_ms, str(offset), str(unmetered)),
        )

    def certify(self, at_ms: int, kind: str, serial: str, document: dict[str, Any]) -> int:
        """Keep a certificate; return its number, which it then has too."""
        row = self._tables.row("SELECT coalesce(max(number), 0) + 1 FROM collector_certificate")
        number = int(row[0])
        text = exact_json({"certificate": number, **document})
        self._tables.change(
            "INSERT INTO collector_certificate VALUES (?, ?, ?, ?, ?)",
            (number, at_ms, kind, serial, text),
        )
        return number

    def certificate(self, number: int) -> dict[str, Any] | None:
        """A certificate's document; None if there is none of that number."""
        if not self.exist:
            return None
        query = "SELECT document FROM collector_certificate WHERE number = ?"
        row = self._tables.row(query, (number,))
        return None if row is None else _read(row[0])

    def certificates(self) -> list[dict[str, Any]]:
        """All certificates, oldest first."""
        if not self.exist:
            return []
        rows = self._tables.connection.execute(
            "SELECT document FROM collector_certificate ORDER BY number"
        )
        return [_read(document) for (document,) in rows]

    def set_calorific_value(self, from_day: date, mj_m3: Fraction | None) -> None:
        """Keep a calorific value from a gas day on, or forget the one from that day."""
        if mj_m3 is None:
            statement = "DELETE FROM collector_calorific_value WHERE from_day = ?"
            self._tables.change(statement, (from_day.isoformat(),))
            return
        self._tables.change(
            "INSERT INTO collector_calorific_value VALUES (?, ?)"
            " ON CONFLICT (from_day) DO UPDATE SET mj_per_m3 = excluded.mj_per_m3",
            (from_day.isoformat(), str(mj_m3)),
        )

    def calorific_values(self) -> dict[date, Fraction]:
        """The calorific values in MJ/m3 by the gas day from which they hold, oldest first."""
        if not self.exist:
            return {}
        rows = self._tables.connection.execute(
            "SELECT from_day, mj_per_m3 FROM collector_calorific_value ORDER BY from_day"
        )
        return {date.fromisoformat(day): Fraction(mj_m3) for day, mj_m3 in rows}

    def set_correction(self, channel: str, factor: Fraction) -> None:
        """Keep a channel's factor from metered to standard volume."""
        self._tables.change(
            "INSERT INTO collector_correction VALUES (?, ?)"
            " ON CONFLICT (channel) DO UPDATE SET factor = excluded.factor",
            (channel, str(factor)),
        )

    def correction(self, channel: str) -> Fraction | None:
        """A channel's factor from metered to standard volume; None if none was set."""
        if not self.exist:
            return None
        query = "SELECT factor FROM collector_correction WHERE channel = ?"
        row = self._tables.row(query, (channel,))
        return None if row is None else Fraction(row[0])


def _read(document: str) -> dict[str, Any]:
    return dict(json.loads(document, parse_float=Decimal))
