"""What has been collected, to read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from shared.quoting import quoted
from shared.timegrid import from_unix_ms

from .alarms import ALARM_FLAGS
from .errors import UnitUnknownError
from .fleet import UnitRecord
from .journal import Journal, LastHeard
from .rows import PulseHalfHour, PulseRun
from .storage.registry import Registry
from .storage.tables import Tables
from .unit import PairedUnit

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class UnitState:
    """How a unit is, for those who look after it.

    Attributes:
        record: its pairing.
        register: pulses since the pairing.
        heard: what it told last; None if it was never heard.
        is_silent: whether it has been silent for more than twice its period.
        alarms: `FLAG_LOW_BATTERY`, `FLAG_TAMPER` and `FLAG_MAGNET` of `shared.wire.telegram` as far
            as they are up, by telegrams and adverts.
        refusals: how often frames in its name were refused, by the refusal's class name.
    """

    record: UnitRecord
    register: int
    heard: LastHeard | None
    is_silent: bool
    alarms: int
    refusals: dict[str, int]

    @property
    def error_flags(self) -> int | None:
        """All flags, `shared.wire.telegram.FLAG_...`; None where it has told none."""
        if self.heard is None:
            return self.alarms or None
        return self.heard.error_flags & ~ALARM_FLAGS | self.alarms


class Readings:
    """What has been collected, to read. Nothing is written: the database may be read-only.

    Args:
        connection: the database; without the collector's tables no unit is paired.
    """

    _writes = False

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._journal = Journal(connection)
        self._registry = Registry(connection)
        tables = Tables(connection)
        if tables.exist:
            tables.stand_in()
        records = self._registry.units() if tables.exist else ()
        self._units = {
            record.serial: PairedUnit(connection, record, writes=self._writes) for record in records
        }

    @property
    def serials(self) -> tuple[str, ...]:
        """The units that were ever paired, in order; also those that have ended."""
        return tuple(sorted(self._units))

    def unit(self, serial: str) -> UnitRecord:
        """A unit's pairing.

        Raises:
            UnitUnknownError: it never was paired; so do the methods below.
        """
        return self._paired(serial).record

    def ended_utc(self, serial: str) -> datetime | None:
        """When a unit was taken off its meter (`Collector.end`); None while it is on it."""
        self._paired(serial)
        end = self._journal.end(serial)
        return None if end is None else from_unix_ms(end.ended_ms)

    def heard_utc(self, serial: str) -> datetime:
        """When a unit was heard last; when it was paired, if it never was."""
        return self._paired(serial).heard_utc

    def state(self, serial: str) -> UnitState:
        """How a unit is."""
        unit = self._paired(serial)
        return UnitState(
            record=unit.record,
            register=unit.register,
            heard=unit.heard,
            is_silent=unit.is_silent,
            alarms=unit.alarms,
            refusals=self._registry.refusals(serial),
        )

    def refusals(self, serial: str = "") -> dict[str, int]:
        """How often frames were refused in the name of a serial, or of none that is counted."""
        return self._registry.refusals(serial)

    def register(self, serial: str) -> int:
        """Pulses since the pairing; advances on receipt, and never falls."""
        return self._paired(serial).register

    def final_through_s(self, serial: str) -> int:
        """UNIX seconds; all half-hours that end by then are final."""
        return self._paired(serial).final_through_s

    def final_pulses(self, serial: str) -> int:
        """Pulses of all half-hours that end by `final_through_s`."""
        return self._paired(serial).final_pulses

    def half_hours(self, serial: str, from_s: int, to_s: int) -> list[PulseHalfHour]:
        """Half-hours that start from one UNIX second to before another, none before the pairing."""
        return self._paired(serial).half_hours(from_s, to_s)

    def runs(self, serial: str, from_s: int, to_s: int) -> Iterator[PulseRun]:
        """As `half_hours`; a long silence comes as one, whatever its length."""
        return self._paired(serial).runs(from_s, to_s)

    def refold(self, serial: str) -> list[PulseHalfHour]:
        """All half-hours that have ended, from the whole journal: what is stored is ignored."""
        return self._paired(serial).refold()

    def _paired(self, serial: str) -> PairedUnit:
        try:
            return self._units[serial]
        except KeyError:
            raise UnitUnknownError(f"no unit {quoted(serial)} is paired") from None
