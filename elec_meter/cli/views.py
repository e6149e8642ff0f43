"""What `elec-meter show` can show: each view is a list of rows, plain enough for JSON and CSV."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from elec_meter.ledger import Books
from elec_meter.objects import Register
from shared.timegrid import (
    LONDON,
    HalfHour,
    from_unix_s,
    half_hours_of_settlement_day,
    settlement_period,
)

from .observed import Observed

Row: TypeAlias = dict[str, Any]


def registers(seen: Observed) -> list[Row]:
    """Every cumulative register of the directory, in the order of its OBIS codes."""
    return [
        {"obis": str(each.obis), "name": each.name, "value": each.value, "unit": each.unit}
        for each in seen.meter.objects
        if isinstance(each, Register) and each.modulus is not None
    ]


def profile(seen: Observed) -> list[Row]:
    """The closed half-hours of a settlement day; of the newest without one."""
    meter = seen.meter
    closed_s = meter.ledger.closed_s or 0
    day = seen.day
    if day is None:
        day = HalfHour.from_unix(closed_s).previous.settlement_date
    half_hours = half_hours_of_settlement_day(day)
    rows = []
    for row in meter.ledger.rows(half_hours[0].start_s, half_hours[-1].end_s):
        period = settlement_period(from_unix_s(row.start_s))
        rows.append(
            {
                "start": utc_text(from_unix_s(row.start_s)),
                "end": utc_text(from_unix_s(row.end_s)),
                "settlement_date": period.settlement_date.isoformat(),
                "settlement_period": period.settlement_period,
                "channels": row.deltas,
                "status": int(row.status),
                "channel_status": {key: int(bits) for key, bits in row.channel_status.items()},
            }
        )
    return rows


def display(seen: Observed) -> list[Row]:
    """What stands on the display."""
    face = seen.meter.display.snapshot(seen.meter.now)
    return [
        {
            "object": face.object,
            "mnemonic": face.mnemonic,
            "text": face.text,
            "unit": face.unit,
            "screen": face.screen,
            "screens": face.screens,
        }
    ]


def events(seen: Observed) -> list[Row]:
    """The event log; of one settlement day with one."""
    return [
        {"number": e.number, "at": utc_text(e.at), "code": e.code, "text": e.text}
        for e in seen.events
        if seen.day in (None, settlement_period(e.at).settlement_date)
    ]


def tariff(seen: Observed) -> list[Row]:
    """Every channel's rates, and when they begin."""
    meter = seen.meter
    config = meter.config.tariff
    now_s = meter.clock.read_s(meter.now)
    rows = []
    for channel in meter.ledger.channels:
        calendar = {"import": config.import_, "export": config.export}.get(channel, config.gas)
        switches = [f"{switch.at} rate {switch.rate}" for switch in calendar.switches]
        rows.append(
            {
                "channel": channel,
                "rates": calendar.rates,
                "time_base": calendar.time_base,
                "switches": switches,
                "active_rate": _rate_now(meter.ledger, channel, now_s),
            }
        )
    return rows


def _rate_now(ledger: Books, channel: str, now_s: int | None) -> int | None:
    """The rate in force, None while the time is unknown."""
    return None if now_s is None else ledger.active_rate(channel, now_s)


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
                "pulse_weight": config.pulse_weight,
                "pulses": meter.ledger.total(config.channel),
                "not_final": meter.ledger.unrated(config.channel),
                "last_received": None if heard is None else utc_text(heard),
                "battery_left_d": report.battery_left_d,
                "faults": [flag.name.lower() for flag in report.faults if flag.name],
            }
        )
    return rows


def clock(seen: Observed) -> list[Row]:
    """The meter's time at the last durable instant."""
    meter = seen.meter
    time = meter.clock.read(meter.now)
    period = None if time is None else settlement_period(time)
    return [
        {
            "utc": None if time is None else utc_text(time),
            "local": None if time is None else time.astimezone(LONDON).isoformat(),
            "valid": time is not None,
            "settlement_date": None if period is None else period.settlement_date.isoformat(),
            "settlement_period": None if period is None else period.settlement_period,
            "outstanding_s": meter.clock.outstanding_s(meter.now),
        }
    ]


def utc_text(instant: datetime) -> str:
    """ISO 8601 in UTC, to the second."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


VIEWS: Final[dict[str, Callable[[Observed], list[Row]]]] = {
    "registers": registers,
    "profile": profile,
    "display": display,
    "events": events,
    "tariff": tariff,
    "units": units,
    "clock": clock,
}
