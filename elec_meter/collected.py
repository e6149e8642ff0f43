"""What the collector tells, in the meter's own terms: event codes, sentences, unit reports."""

from __future__ import annotations

from typing import Final

from collector import (
    BadCrc,
    Collector,
    CountRolledBack,
    Event,
    HeardAfterEnd,
    ImplausibleFlow,
    LowBattery,
    NoCount,
    Refusal,
    Replayed,
    TamperSeen,
    UnitEnded,
    UnitReset,
    UnitSilent,
    UnknownUnit,
)
from shared.wire.address import MANUFACTURER, VERSION
from shared.wire.telegram import (
    FLAG_CLOCK,
    FLAG_EDGES,
    FLAG_LOW_BATTERY,
    FLAG_MAGNET,
    FLAG_NVM,
    FLAG_TAMPER,
)

from .events import EventCode
from .objects import UnitFault, UnitReport

_FAULTS: Final = (
    (FLAG_TAMPER, UnitFault.TAMPER),
    (FLAG_MAGNET, UnitFault.MAGNET),
    (FLAG_LOW_BATTERY, UnitFault.LOW_BATTERY),
    (FLAG_NVM, UnitFault.MEMORY),
    (FLAG_CLOCK, UnitFault.CLOCK),
    (FLAG_EDGES, UnitFault.EDGES),
)

# What any neighbour's radio and any noise brings is counted by the collector, and not logged, nor
# what a meter says of other things by turns, nor a unit in a drawer again and again.
_EVERYDAY: Final = (BadCrc, UnknownUnit, UnitEnded, Replayed, NoCount)


def log_entry(event: Event) -> tuple[EventCode, str] | None:
    """The event log's entry for something that the collector told; None if it needs none."""
    unit = f"unit {event.serial}" if event.serial else "a unit"
    match event:
        case Refusal():
            if isinstance(event, _EVERYDAY):
                return None
            return EventCode.TELEGRAM_REFUSED, f"a telegram of {unit} was refused: {event.reason}"
        case HeardAfterEnd():
            text = f"{unit} is still heard, and was taken off its meter: its telegrams are refused"
            return EventCode.TELEGRAM_REFUSED, text
        case UnitReset():
            return EventCode.UNIT_RESET, f"{unit} started anew, boot {event.boot}"
        case ImplausibleFlow():
            return (
                EventCode.UNIT_FLOW_IMPLAUSIBLE,
                f"{unit} counted {event.pulses} pulses in {event.elapsed_s} s",
            )
        case CountRolledBack():
            return EventCode.UNIT_COUNT_ROLLED_BACK, f"{unit} told a lower count, {event.count}"
        case TamperSeen():
            return EventCode.UNIT_TAMPERED, f"{unit} reports tampering"
        case LowBattery():
            left = event.battery_left_d
            text = f"{unit} has {'little' if left is None else f'{left} days of'} battery left"
            return EventCode.UNIT_BATTERY_LOW, text
        case UnitSilent():
            return (
                EventCode.UNIT_SILENT,
                f"{unit} has not been heard since {event.heard_utc:%Y-%m-%d %H:%M} UTC",
            )
        case _:
            return None


def unit_report(collector: Collector, serial: str) -> UnitReport | None:
    """How a unit is; None if none of that serial is paired, or not any more."""
    if serial not in collector.serials or collector.ended_utc(serial) is not None:
        return None
    state = collector.state(serial)
    faults = UnitFault.SILENT if state.is_silent else UnitFault(0)
    for flag, fault in _FAULTS:
        if (state.error_flags or 0) & flag:
            faults |= fault
    heard, record = state.heard, state.record
    return UnitReport(
        last_received_utc=None if heard is None else heard.heard_utc,
        battery_left_d=None if heard is None else heard.battery_left_d,
        faults=faults,
        signal_dbm=None if heard is None else heard.rssi_dbm,
        manufacturer=record.manufacturer,
        version=VERSION if record.manufacturer == MANUFACTURER else None,
        medium=record.medium,
        access_number=None if heard is None else heard.key.counter % 256,
        is_keyed=not record.allow_unauthenticated,
    )
