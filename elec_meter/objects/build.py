"""The directory of a meter, from its configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from elec_meter.objects.base import CosemObject, Scalar
from elec_meter.objects.clock import Clock
from elec_meter.objects.data import Data
from elec_meter.objects.directory import Directory
from elec_meter.objects.electricity import ENERGY_CHANNELS, energy_objects, live_objects
from elec_meter.objects.gas import gas_objects
from elec_meter.objects.profiles import CLOCK, Column, event_log, half_hour_profile, newest
from elec_meter.objects.register import Register, ScalerUnit
from elec_meter.objects.sources import NO_EVENTS, EventLog, MeterClock, Sources, UnitReport
from elec_meter.objects.units import Unit

if TYPE_CHECKING:
    from elec_meter.config import MeterConfig
    from elec_meter.ledger import Books, ProfileRow
    from elec_meter.metrology import Quantities

EVENT_DEPTH: Final = 100_000
_NAME_LENGTH: Final = 16
_WH: Final = ScalerUnit(0, Unit.WATT_HOUR)


def build_directory(
    config: MeterConfig,
    ledger: Books,
    clock: MeterClock,
    live: Callable[[datetime], Quantities | None],
    *,
    now: Callable[[], datetime],
    firmware: str,
    unit: Callable[[str], UnitReport | None] = lambda _serial: None,
    events: EventLog = NO_EVENTS,
    storage_failed: Callable[[], bool] = lambda: False,
) -> Directory:
    """Everything that can be read of a meter.

    Args:
        config: what the meter is.
        ledger: registers and rows.
        clock: the meter's time.
        live: gives the quantities of a second just before an instant, None when there are none.
        now: gives the host's UTC, for reads without an instant.
        firmware: the version of this program.
        unit: gives what is known of a pulse unit by its serial.
        events: the event log.
        storage_failed: whether the last checkpoint did not become durable.
    """
    sources = Sources(config, firmware, ledger, clock, live, now, unit, events, storage_failed)
    return Directory(_objects(sources), now)


def _objects(sources: Sources) -> Iterator[CosemObject]:
    yield from _identity(sources)
    yield from _time(sources)
    yield from energy_objects(sources)
    yield from live_objects(sources)
    yield from _load_profile(sources)
    yield from _event_log(sources)
    for unit in sources.config.gas_units:
        yield from gas_objects(sources, unit)


def _identity(sources: Sources) -> Iterator[CosemObject]:
    config, now = sources.config, sources.now
    maker = config.flag.manufacturer
    name = f"{maker}{config.serial:0>{_NAME_LENGTH - len(maker)}}"
    yield Data("0-0:42.0.0", "Logical device name", now, lambda _: name)
    yield Data("0-0:96.1.0", "Serial number", now, lambda _: config.serial)
    yield Data("1-0:0.0.0", "Meter number", now, lambda _: config.serial)
    yield Data("1-0:0.2.0", "Firmware version", now, lambda _: sources.firmware)
    yield Data("0-0:97.97.0", "Errors", now, lambda at: int(sources.faults(at)))


def _time(sources: Sources) -> Iterator[CosemObject]:
    now = sources.now
    yield Clock(CLOCK, "Clock", now, sources.time)
    yield Data("0-0:1.1.0", "UNIX clock", now, sources.time_s)

    def time_of_day(at: datetime) -> Scalar:
        time = sources.time(at)
        return None if time is None else time.time()

    def day(at: datetime) -> Scalar:
        time = sources.time(at)
        return None if time is None else time.date()

    yield Data("1-0:0.9.1", "Time, UTC", now, time_of_day)
    yield Data("1-0:0.9.2", "Date, UTC", now, day)


def _load_profile(sources: Sources) -> Iterator[CosemObject]:
    """Status and energy of the last half-hour, and the profile that captures them."""
    now = sources.now
    status = Data(
        "0-0:96.10.1",
        "Status of the last half-hour",
        now,
        newest(sources, lambda row: int(row.status)),
    )
    columns = [Column(status, lambda row: int(row.status))]
    for channel, c, title in ENERGY_CHANNELS:
        key = f"{channel}_wh"
        energy = Register(
            f"1-0:{c}.29.0",
            f"{title} of the last half-hour",
            now,
            newest(sources, _delta(key)),
            _WH,
        )
        columns.append(Column(energy, _delta(key)))
    yield from (column.captured for column in columns)
    yield half_hour_profile("1-0:99.1.0", "Load profile", sources, columns)


def _event_log(sources: Sources) -> Iterator[CosemObject]:
    code = Data("0-0:96.11.0", "Last event: number", sources.now, _last_event(sources, 1))
    text = Data("0-0:128.11.0", "Last event: text", sources.now, _last_event(sources, 2))
    yield from (code, text)
    yield event_log("0-0:99.98.0", "Event log", sources, code, text, EVENT_DEPTH)


def _last_event(sources: Sources, column: int) -> Callable[[datetime], Scalar]:
    def read(_: datetime) -> Scalar:
        last = sources.events.newest()
        return None if last is None else last[column]

    return read


def _delta(key: str) -> Callable[[ProfileRow], int | None]:
    return lambda row: row.deltas.get(key)
