"""Objects of what happened: event logs with their counters, and alarms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from elec_meter.access import Level
from elec_meter.alarms import Alarm, alarms_named
from elec_meter.events import Log
from elec_meter.objects.classes.base import CosemObject, Scalar
from elec_meter.objects.classes.data import Data
from elec_meter.objects.classes.entry import Actions, number_entry
from elec_meter.objects.classes.errors import ValueNotTakenError
from elec_meter.objects.profiles import event_log
from elec_meter.objects.sources import MeterFault, Sources
from elec_meter.unit_report import UnitFault

EVENT_DEPTH: Final = 20_000
_CODE: Final = 1
_TEXT: Final = 2
_EVERY: Final = 0xFFFFFFFF
_NAMES: Final = {
    Log.STANDARD: "Standard event log",
    Log.TAMPER: "Tamper log",
    Log.CONTACTOR: "Contactor log",
    Log.M_BUS: "M-Bus log",
    Log.POWER_QUALITY: "Power quality log",
    Log.COMMUNICATION: "Communication log",
}
_METER_ALARMS: Final = {
    MeterFault.CLOCK_INVALID: Alarm.CLOCK_INVALID,
    MeterFault.STORAGE_FAILED: Alarm.STORAGE_FAILED,
    MeterFault.CONTACTOR_FAILED: Alarm.CONTACTOR_FAILED,
}
_UNIT_ALARMS: Final = {
    UnitFault.LOW_BATTERY: Alarm.BATTERY_LOW,
    UnitFault.TAMPER: Alarm.TAMPER,
    UnitFault.MAGNET: Alarm.TAMPER,
    UnitFault.SILENT: Alarm.UNIT_SILENT,
}


def event_objects(sources: Sources) -> Iterator[CosemObject]:
    """The six logs, what is last in each and how many there were, and the alarms."""
    for log, name in _NAMES.items():
        code = Data(
            f"0-0:96.11.{log:d}", f"{name}: last number", sources.now, _last(sources, log, _CODE)
        )
        text = Data(
            f"0-0:128.11.{log:d}", f"{name}: last text", sources.now, _last(sources, log, _TEXT)
        )
        yield from (code, text)
        yield Data(f"0-0:96.15.{log:d}", f"{name}: events", sources.now, _total(sources, log))
        yield event_log(f"0-0:99.98.{log:d}", name, sources, log, (code, text), EVENT_DEPTH)
    yield from _alarms(sources)


def _alarms(sources: Sources) -> Iterator[CosemObject]:
    """What is now (0), what may raise an alarm (10), and what did since the last clearing (20)."""
    now, minded = sources.now, _EVERY & ~int(alarms_named(sources.config.alarms.quiet))
    yield Data("0-0:97.98.0", "Alarms now", now, lambda at: _current(sources, at) & minded)
    yield Data("0-0:97.98.10", "Alarms that are minded", now, lambda _: minded)
    yield Data(
        "0-0:97.98.20",
        "Alarms since the last clearing",
        now,
        lambda _: _raised(sources) & minded,
        entry=number_entry(_clear, Level.INSTALLER),
    )


def _clear(actions: Actions, number: int) -> None:
    if number:
        raise ValueNotTakenError("alarms are cleared together, by a 0")
    actions.clear_alarms()


def _raised(sources: Sources) -> int:
    return int(sources.alarms.raised)


def _current(sources: Sources, now: datetime) -> int:
    alarms, faults = Alarm(0), sources.faults(now)
    for fault, alarm in _METER_ALARMS.items():
        alarms |= alarm if fault in faults else Alarm(0)
    for unit in sources.config.gas_units:
        report = sources.unit(unit.serial)
        for each, alarm in _UNIT_ALARMS.items():
            alarms |= alarm if report is not None and each in report.faults else Alarm(0)
    switchgear = sources.switchgear
    if switchgear.limiter.saved.is_locked:
        alarms |= Alarm.LIMITER_LOCKED
    if not switchgear.contactor.is_closed:
        alarms |= Alarm.CONTACTOR_OPENED
    return int(alarms)


def _last(sources: Sources, log: Log, column: int) -> Callable[[datetime], Scalar]:
    def read(_: datetime) -> Scalar:
        last = sources.events.newest(log)
        return None if last is None else last[column]

    return read


def _total(sources: Sources, log: Log) -> Callable[[datetime], int]:
    return lambda _: sources.events.total(log)
