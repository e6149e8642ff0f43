"""The paired units and their state in SQLite, and how often frames were refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from collector.entries import TelegramKey
from collector.fleet import UnitRecord
from shared.timegrid import from_unix_ms, unix_ms
from shared.units import PulseWeight

from .tables import Tables

UNKNOWN_SERIALS_MAX: Final = 64
"""Serials that are not paired and whose refusals are counted apart from each other's."""

_UNIT: Final = (
    "serial, manufacturer, channel, medium, litres_per_pulse, max_flow_l_h, period_s,"
    " allow_unauthenticated, paired_ms, base_count, base_boot, base_counter"
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
        rows = self._tables.connection.execute(
            f"SELECT {_UNIT} FROM collector_unit ORDER BY serial"
        )
        for serial, manufacturer, channel, medium, litres, flow, period, open_, *paired in rows:
            paired_ms, base_count, boot, counter = paired
            yield UnitRecord(
                serial=serial,
                manufacturer=manufacturer,
                channel=channel,
                medium=medium,
                weight=PulseWeight(Fraction(litres)),
                max_flow_l_h=flow,
                period_s=period,
                allow_unauthenticated=bool(open_),
                paired_utc=from_unix_ms(paired_ms),
                base_count=base_count,
                base_key=None if boot is None else TelegramKey(boot, counter),
            )

    def add(self, record: UnitRecord) -> None:
        """Keep a pairing."""
        base = record.base_key or (None, None)
        self._tables.change(
            f"INSERT INTO collector_unit ({_UNIT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
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
            ),
        )

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

    def is_silent(self, serial: str) -> bool:
        """Whether a unit's silence has been reported."""
        query = "SELECT is_silent FROM collector_unit WHERE serial = ?"
        return bool(self._tables.row(query, (serial,))[0])

    def set_silent(self, serial: str, *, is_silent: bool) -> None:
        """Keep whether a unit's silence has been reported."""
        statement = "UPDATE collector_unit SET is_silent = ? WHERE serial = ?"
        self._tables.change(statement, (is_silent, serial))

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
