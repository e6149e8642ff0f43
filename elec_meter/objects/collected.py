"""Objects of what is collected: the units side by side, each as an M-Bus device, its log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from elec_meter.config import GasUnitConfig
from elec_meter.events import Log
from elec_meter.objects.classes.base import CosemObject, Scalar
from elec_meter.objects.classes.data import Data
from elec_meter.objects.classes.mbus_client import MBusClient
from elec_meter.objects.classes.mbus_master_port import CommSpeed, MBusMasterPort
from elec_meter.objects.classes.profile_generic import CaptureObject, ProfileGeneric, ProfileSource
from elec_meter.objects.event_logs import EVENT_DEPTH
from elec_meter.objects.profiles import CLOCK_COLUMN, Bounds, captured, range_s
from elec_meter.objects.sources import Sources
from elec_meter.unit_report import UnitReport
from shared.obis import Obis
from shared.timegrid import from_unix_s, unix_s

MASTER_PORT: Final = "0-0:24.6.0"
_LOGS: Final = (Log.M_BUS, Log.TAMPER)
_LOG_COLUMNS: Final = (
    CLOCK_COLUMN,
    CaptureObject(1, Obis.parse("0-0:96.11.3"), 2),
    CaptureObject(1, Obis.parse("0-0:128.11.3"), 2),
)


class _UnitEvents(ProfileSource):
    """The entries of the M-Bus and tamper logs that are about a unit."""

    def __init__(self, sources: Sources, serial: str) -> None:
        self._events = sources.events
        self._serial = serial

    def rows(self, from_utc: datetime | None, to_utc: datetime | None) -> list[tuple[Scalar, ...]]:
        bounds = range_s(from_utc, to_utc)
        found = [row for log in _LOGS for row in self._events.rows(log, *bounds, self._serial)]
        found.sort(key=lambda row: row.at_s)
        return [(from_unix_s(row.at_s), row.code, row.text) for row in found]

    def count(self) -> int:
        return sum(self._events.count(log, self._serial) for log in _LOGS)


class _Units(ProfileSource):
    """The units that were heard, in the order in which they were heard last."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def rows(self, from_utc: datetime | None, to_utc: datetime | None) -> list[tuple[Scalar, ...]]:
        bounds = Bounds.of(from_utc, to_utc)
        found = [
            (heard, unit.number, unit.serial, report.battery_left_d, int(report.faults))
            for heard, unit, report in heard_units(self._sources)
            if unix_s(heard) in bounds
        ]
        return list(found)

    def count(self) -> int:
        return len(heard_units(self._sources))


def heard_units(sources: Sources) -> list[tuple[datetime, GasUnitConfig, UnitReport]]:
    """When each paired unit was heard last, the newest behind; none that never was."""
    found = []
    for unit in sources.config.gas_units:
        report = sources.unit(unit.serial)
        if report is not None and report.last_received_utc is not None:
            found.append((report.last_received_utc, unit, report))
    return sorted(found, key=lambda each: each[0])


def collected_objects(sources: Sources) -> Iterator[CosemObject]:
    """The port, the list of units, and each unit's client and log."""
    now = sources.now
    yield MBusMasterPort(MASTER_PORT, "Port to collected devices", now, CommSpeed.B2400)
    columns = [
        Data(f"0-0:128.72.{e}", f"Unit heard last: {name}", now, _last(sources, place))
        for e, (place, name) in enumerate(
            ((1, "channel"), (2, "serial number"), (3, "days of battery left"), (4, "errors")), 1
        )
    ]
    yield from columns
    yield ProfileGeneric(
        "0-0:128.72.0",
        "Units, by when they were heard",
        now,
        (CLOCK_COLUMN, *map(captured, columns)),
        _Units(sources),
        period_s=lambda: 0,
        depth=len(sources.config.gas_units),
    )
    for unit in sources.config.gas_units:
        yield MBusClient(
            f"0-{unit.number}:24.1.0",
            f"Channel {unit.number}: unit",
            now,
            port=MASTER_PORT,
            serial=unit.serial,
            report=_report(sources, unit.serial),
        )
        yield ProfileGeneric(
            f"0-{unit.number}:24.5.0",
            f"Channel {unit.number}: log",
            now,
            _LOG_COLUMNS,
            _UnitEvents(sources, unit.serial),
            period_s=lambda: 0,
            depth=EVENT_DEPTH,
        )


def _report(sources: Sources, serial: str) -> Callable[[], UnitReport | None]:
    return lambda: sources.unit(serial)


def _last(sources: Sources, place: int) -> Callable[[datetime], Scalar]:
    units = _Units(sources)

    def read(_: datetime) -> Scalar:
        rows = units.rows(None, None)
        return rows[-1][place] if rows else None

    return read
