"""The paired units and their state in SQLite, and how often frames were refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from collector.entries import TelegramKey
from collector.fleet import WINDOW, UnitRecord
from collector.silence import Standing
from shared.timegrid import from_unix_ms, unix_ms
from shared.units import PulseWeight

from .tables import Tables

UNKNOWN_SERIALS_MAX: Final = 64
"""Serials that are not paired and whose refusals are counted apart from each other's."""

_UNIT: Final = (
    "serial",
    "manufacturer",
    "channel",
    "medium",
    "litres_per_pulse",
    "max_flow_l_h",
    "period_s",
    "allow_unauthenticated",
    "paired_ms",
    "base_count",
    "base_boot",
    "base_counter",
    "address",
    "selector",
    "wh_per_count",
    "max_power_w",
    "is_log_readable",
    "base_advert",
)


@dataclass(frozen=True, slots=True)
class PhaseState:
    """What a unit has been told of the time.

    Attributes:
        command_counter: the last command's.
        phasings: how often it was told.
        phased_ms: when last, in UNIX milliseconds.
        phased_boot: in which of its boots.
    """

    command_counter: int = 0
    phasings: int = 0
    phased_ms: int | None = None
    phased_boot: int | None = None


class Registry:
    """What the collector knows of units beside their telegrams.

    Args:
        connection: as for `Tables`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._tables = Tables(connection)
        self._refused: set[str] | None = None

    def units(self) -> Iterator[UnitRecord]:
        """All paired units, by serial."""
        # A database that is only read may be of a version that had fewer columns.
        known = self._tables.columns("collector_unit")
        names = [name for name in _UNIT if name in known]
        rows = self._tables.connection.execute(
            f"SELECT {', '.join(names)} FROM collector_unit ORDER BY serial"
        )
        logged = self._tables.logged() or ()
        for row in rows:
            values = dict(zip(names, row, strict=True))
            values["is_log_readable"] = bool(values.get("is_log_readable")) or row[0] in logged
            yield _record(values)

    def add(self, record: UnitRecord) -> None:
        """Keep a pairing."""
        self._tables.change(
            f"INSERT INTO collector_unit ({', '.join(_UNIT)})"
            f" VALUES ({', '.join('?' * len(_UNIT))})",
            _row(record),
        )

    def amend(self, record: UnitRecord) -> None:
        """Keep another pairing in the place of the one of the same unit."""
        self._tables.change(
            f"UPDATE collector_unit SET {', '.join(f'{name} = ?' for name in _UNIT)}"
            " WHERE serial = ?",
            (*_row(record), record.serial),
        )

    def remember(self, serial: str, key: TelegramKey, *, is_advert: bool, alone: bool) -> None:
        """Keep what was accepted, so that it is a replay after every restart.

        Args:
            serial: the unit.
            key: the reading's place in the order of sending.
            is_advert: whether that is the order of its adverts, not of its telegrams.
            alone: forget all others: the unit's telegrams have no counter, and must rise.
        """
        place = (serial, is_advert)
        if alone:
            self._tables.change(
                "DELETE FROM collector_seen WHERE serial = ? AND is_advert = ?", place
            )
        self._tables.change(
            "INSERT OR REPLACE INTO collector_seen VALUES (?, ?, ?, ?)",
            (*place, key.counter, key.boot),
        )
        # What is behind the window is forgotten, but for one: by it a later one's boot is known.
        self._tables.change(
            "DELETE FROM collector_seen WHERE serial = ?1 AND is_advert = ?2 AND counter <"
            " (SELECT max(counter) FROM collector_seen WHERE serial = ?1 AND is_advert = ?2"
            " AND counter <= (SELECT max(counter) FROM collector_seen"
            " WHERE serial = ?1 AND is_advert = ?2) - ?3)",
            (*place, WINDOW),
        )

    def seen(self, serial: str, *, is_advert: bool) -> list[TelegramKey]:
        """What was accepted of a unit's adverts, or of its telegrams, as far back as is kept."""
        rows = self._tables.connection.execute(
            "SELECT boot, counter FROM collector_seen WHERE serial = ? AND is_advert = ?",
            (serial, is_advert),
        )
        return [TelegramKey(*row) for row in rows]

    def phase(self, serial: str) -> PhaseState:
        """What a unit has been told of the time."""
        return PhaseState(
            *self._tables.row(
                "SELECT command_counter, phasings, phased_ms, phased_boot FROM collector_unit"
                " WHERE serial = ?",
                (serial,),
            )
        )

    def set_phase(self, serial: str, phase: PhaseState) -> None:
        """Keep what a unit is told, before it is."""
        self._tables.change(
            "UPDATE collector_unit SET command_counter = ?, phasings = ?, phased_ms = ?,"
            " phased_boot = ? WHERE serial = ?",
            (phase.command_counter, phase.phasings, phase.phased_ms, phase.phased_boot, serial),
        )

    def standing(self, serial: str) -> Standing:
        """How a unit is heard."""
        query = "SELECT is_silent FROM collector_unit WHERE serial = ?"
        return Standing(self._tables.row(query, (serial,))[0])

    def set_standing(self, serial: str, standing: Standing) -> None:
        """Keep how a unit is heard."""
        statement = "UPDATE collector_unit SET is_silent = ? WHERE serial = ?"
        self._tables.change(statement, (int(standing), serial))

    def alarms(self, serial: str) -> int | None:
        """Which of a unit's flags have been told of, as `collector.alarms` has it.

        None if an earlier version was the last to hear it.
        """
        if "alarms" not in self._tables.columns("collector_unit"):
            return None
        query = "SELECT alarms FROM collector_unit WHERE serial = ?"
        known: int | None = self._tables.row(query, (serial,))[0]
        return known

    def set_alarms(self, serial: str, alarms: int) -> None:
        """Keep which of a unit's flags have been told of."""
        self._tables.change(
            "UPDATE collector_unit SET alarms = ? WHERE serial = ?", (alarms, serial)
        )

    def refuse(self, serial: str | None, kind: str, *, is_paired: bool) -> None:
        """Count a refusal.

        A flood of invented serials fills no disk: beyond the first few, serials that are not paired
        are counted together, under "".
        """
        counted = serial or ""
        if self._refused is None:
            query = "SELECT DISTINCT serial FROM collector_refusal"
            self._refused = {known for (known,) in self._tables.connection.execute(query)}
        if not is_paired and counted not in self._refused:
            if len(self._refused) >= UNKNOWN_SERIALS_MAX:
                counted = ""
            self._refused.add(counted)
        self._tables.change(
            "INSERT INTO collector_refusal VALUES (?, ?, 1)"
            " ON CONFLICT (serial, kind) DO UPDATE SET refused = refused + 1",
            (counted, kind),
        )

    def refusals(self, serial: str = "") -> dict[str, int]:
        """How often frames of a unit were refused, by kind; "" is for all that name no unit."""
        query = "SELECT kind, refused FROM collector_refusal WHERE serial = ?"
        return dict(self._tables.connection.execute(query, (serial,)))


def _row(record: UnitRecord) -> tuple[object, ...]:
    base = record.base_key or (None, None)
    return (
        record.serial,
        record.manufacturer,
        record.channel,
        record.medium,
        str(record.weight.litres_per_pulse),
        record.max_flow_l_h,
        record.period_s,
        record.allow_unauthenticated,
        unix_ms(record.paired_utc),
        record.base_count,
        *base,
        record.address,
        record.selector,
        record.wh_per_count,
        record.max_power_w,
        record.is_log_readable,
        record.base_advert,
    )


def _record(row: dict[str, Any]) -> UnitRecord:
    boot = row.pop("base_boot")
    counter = row.pop("base_counter")
    row["weight"] = PulseWeight(Fraction(row.pop("litres_per_pulse")))
    row["paired_utc"] = from_unix_ms(row.pop("paired_ms"))
    row["allow_unauthenticated"] = bool(row["allow_unauthenticated"])
    row["base_key"] = None if boot is None else TelegramKey(boot, counter)
    return UnitRecord(**row)
