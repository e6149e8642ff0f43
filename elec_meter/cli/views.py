"""What `elec-meter show` can show: each view is a list of rows, plain enough for JSON and CSV."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from elec_meter.clock import from_unix_us
from elec_meter.config import terminal_block
from elec_meter.events import log_of
from elec_meter.objects import Clock, MeterFault, object_rows, register_rows
from elec_meter.objects.profiles import CLOCK
from elec_meter.switchgear import CONTACTOR
from shared.timegrid import (
    LONDON,
    from_unix_s,
    half_hours_of_settlement_day,
    iso_utc,
    settlement_period,
)

from .billing_views import billing, demand
from .observed import Observed, Row
from .tariff_view import tariff

_FAULTS: Final = "0-0:97.97.0"
_ALARMS: Final = "0-0:97.98.20"


def registers(seen: Observed) -> list[Row]:
    """The registers of the directory; nobody measures in one at rest."""
    return register_rows(seen.meter.objects)


def objects(seen: Observed) -> list[Row]:
    """Everything that has a single value, in the order of the OBIS codes."""
    return object_rows(seen.meter.objects)


def profile(seen: Observed) -> list[Row]:
    """The closed rows of a settlement day; of the newest without one.

    Where the integration period is not a half-hour, half-hours of gas are rows of their own.
    """
    meter = seen.meter
    closed_s = meter.ledger.closed_s or 0
    day = seen.day
    if day is None:
        day = settlement_period(from_unix_s(closed_s - 1)).settlement_date
    half_hours = half_hours_of_settlement_day(day)
    rows = []
    closed = meter.ledger.rows(half_hours[0].start_s, half_hours[-1].end_s)
    for row in sorted(closed, key=lambda row: row.start_s):
        period = settlement_period(from_unix_s(row.start_s))
        rows.append(
            {
                "start": iso_utc(from_unix_s(row.start_s)),
                "end": iso_utc(from_unix_s(row.end_s)),
                "settlement_date": period.settlement_date.isoformat(),
                "settlement_period": period.settlement_period,
                "channels": row.deltas,
                "status": int(row.status),
                "channel_status": {key: int(bits) for key, bits in row.channel_status.items()},
                "revision": row.revision,
            }
        )
    return rows


def display(seen: Observed) -> list[Row]:
    """What stands on the display; that nobody measures in a copy is no alarm of the meter's."""
    meter = seen.meter
    face = meter.display.snapshot(meter.now)
    faults, alarms = (meter.objects[code].value for code in (_FAULTS, _ALARMS))
    if faults == MeterFault.NO_MEASUREMENT and not alarms:
        face = replace(face, icons=replace(face.icons, alarm=False))
    return [
        {
            "object": face.object,
            "mnemonic": face.mnemonic,
            "text": face.text,
            "unit": face.unit,
            "screen": face.screen,
            "screens": face.screens,
            "icons": face.icons_lit(),
        }
    ]


def events(seen: Observed) -> list[Row]:
    """The event log; of one settlement day with one."""
    return [
        {
            "number": e.number,
            "at": iso_utc(e.at),
            "log": log_of(e.code).name.lower(),
            "code": e.code,
            "text": e.text,
        }
        for e in seen.events
        if seen.day in (None, settlement_period(e.at).settlement_date)
    ]


def units(seen: Observed) -> list[Row]:
    """The paired pulse units."""
    meter, rows = seen.meter, []
    for config in meter.config.gas_units:
        report = meter.unit_report(config.serial)
        if report is None:
            continue
        heard = report.last_received_utc
        rows.append(
            {
                "serial": config.serial,
                "channel": config.channel,
                "pulse_weight": str(config.weight),
                "pulses": meter.ledger.total(config.channel),
                "not_final": meter.ledger.unrated(config.channel),
                "last_received": None if heard is None else iso_utc(heard),
                "battery_left_d": report.battery_left_d,
                "faults": [flag.name.lower() for flag in report.faults if flag.name],
            }
        )
    return rows


def clock(seen: Observed) -> list[Row]:
    """The meter's time at the last durable instant."""
    meter, time, spell = seen.meter, seen.time, seen.meter.ledger.spell
    face = meter.objects[CLOCK]
    assert isinstance(face, Clock)
    period = None if time is None else settlement_period(time)
    return [
        {
            "utc": None if time is None else iso_utc(time),
            "local": None if time is None else time.astimezone(LONDON).isoformat(),
            "valid": time is not None,
            "status": int(face.status_at(meter.now)),
            "unknown_since": None if spell is None else iso_utc(from_unix_us(spell.from_us)),
            "settlement_date": None if period is None else period.settlement_date.isoformat(),
            "settlement_period": None if period is None else period.settlement_period,
            "outstanding_s": meter.clock.outstanding_s(meter.now),
        }
    ]


def terminals(seen: Observed) -> list[Row]:
    """The terminal block, and how each place is."""
    gear = seen.meter.switchgear
    states: dict[int, int | str] = {
        line: "on" if is_on else "off" for line, is_on in gear.outputs().items()
    }
    states[CONTACTOR] = gear.contactor.state.name.lower()
    states |= {line: contact.count for line, contact in gear.terminals.inputs.items()}
    states |= {line: output.count for line, output in gear.terminals.outputs.items()}
    return [
        {
            "terminal": place.label,
            "rating_a": place.rating_a,
            "use": place.use,
            "state": None if place.line is None else states.get(place.line),
        }
        for place in terminal_block(seen.meter.config)
    ]


VIEWS: Final[dict[str, Callable[[Observed], list[Row]]]] = {
    "registers": registers,
    "profile": profile,
    "demand": demand,
    "billing": billing,
    "display": display,
    "events": events,
    "tariff": tariff,
    "units": units,
    "clock": clock,
    "objects": objects,
    "terminals": terminals,
}
