"""What the panel's JSON tells: the directory in rows, as `elec-meter show --json` has them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from elec_meter.access import Level, may_read
from elec_meter.config import MeterConfig
from elec_meter.objects import (
    Clock,
    DemandRegister,
    Directory,
    ExtendedRegister,
    ProfileGeneric,
    Scalar,
    UnitFault,
    accumulating,
    object_row,
    register_row,
)
from elec_meter.objects.electricity import ACTIVE
from shared.timegrid import (
    LONDON,
    half_hours_of_settlement_day,
    iso_utc,
    settlement_period,
)

from .profile import Row

CLOCK: Final = "0-0:1.0.0"
EVENTS_SHOWN: Final = 500
_LOGS: Final = ("standard", "tamper", "contactor", "m_bus", "power_quality", "communication")
_VALUE: Final = 2
_CAPTURED: Final = 5
_WINDOW_E: Final = 128
_HIGHEST_E: Final = 160
_LAST, _LAST_AT, _BEGUN, _STEP, _STEPS = 3, 6, 7, 8, 9


def object_rows(directory: Directory, level: Level) -> list[Row]:
    """All that are single values and that a level may read, in the order of their codes."""
    now = directory.now()
    return [
        object_row(each, now)
        for each in directory
        if not isinstance(each, ProfileGeneric)
        and may_read(level, each.obis, each.class_id, _VALUE)
    ]


def registers(directory: Directory, level: Level) -> list[Row]:
    """Registers with what they hold."""
    now = directory.now()
    return [
        register_row(each, now)
        for each in accumulating(directory)
        if may_read(level, each.obis, each.class_id, _VALUE)
    ]


def clock(directory: Directory) -> list[Row]:
    """The meter's time."""
    face, now = directory[CLOCK], directory.now()
    assert isinstance(face, Clock)
    shown = face.value_at(now)
    utc = shown if isinstance(shown, datetime) else None
    period = None if utc is None else settlement_period(utc)
    return [
        {
            "utc": None if utc is None else iso_utc(utc),
            "local": None if utc is None else utc.astimezone(LONDON).isoformat(),
            "valid": utc is not None,
            "status": int(face.status_at(now)),
            "settlement_date": None if period is None else period.settlement_date.isoformat(),
            "settlement_period": None if period is None else period.settlement_period,
            "outstanding_s": directory["0-0:128.40.0"].value_at(now) or 0,
        }
    ]


def demand(directory: Directory) -> list[Row]:
    """Running and last demand, the maxima since the last reset, and what earlier ones add up to."""
    now = directory.now()
    reset = directory["1-0:0.1.2"].value_at(now)
    common = {
        "resets": directory["1-0:0.1.0"].value_at(now),
        "last_reset": iso_utc(reset) if isinstance(reset, datetime) else None,
    }
    return [
        {"channel": channel.name, **row, **common}
        for channel in ACTIVE
        for row in _demand_of(directory, channel.c, now)
    ]


def _demand_of(directory: Directory, c: int, now: datetime) -> Iterator[Row]:
    running = directory[f"1-0:{c}.4.0"]
    assert isinstance(running, DemandRegister)
    begun, power = running.read(_BEGUN, now), running.value_at(now)
    ends = None
    if isinstance(begun, datetime) and power is not None:
        step_s, steps = running.read(_STEP, now), running.read(_STEPS, now)
        assert isinstance(step_s, int)
        assert isinstance(steps, int)
        ends = begun + timedelta(seconds=step_s * steps)
    yield _peak("running", None, power, ends)
    yield _peak("last", None, running.present(_LAST, now), running.read(_LAST_AT, now))
    yield _maximum(directory, "maximum", None, f"1-0:{c}.6.0", now)
    for quantity, first in (("rate", 0), ("window", _WINDOW_E), ("highest", _HIGHEST_E)):
        number = 1
        while (code := f"1-0:{c}.6.{first + number}") in directory:
            row = _maximum(directory, quantity, number, code, now)
            if quantity != "highest" or row["power_w"] is not None:
                yield row
            number += 1
    yield _peak("cumulative", None, directory[f"1-0:{c}.2.0"].value_at(now), None)


def _maximum(
    directory: Directory, quantity: str, number: int | None, code: str, now: datetime
) -> Row:
    each = directory[code]
    assert isinstance(each, ExtendedRegister)
    return _peak(quantity, number, each.value_at(now), each.read(_CAPTURED, now))


def _peak(quantity: str, number: int | None, power: Scalar, ends: object) -> Row:
    return {
        "quantity": quantity,
        "number": number,
        "power_w": power,
        "period_end": iso_utc(ends) if isinstance(ends, datetime) else None,
    }


def events(directory: Directory, day: date | None) -> list[Row]:
    """The events of all logs, oldest first; of one settlement day with one, else the newest."""
    start, end = None, None
    if day is not None:
        half_hours = half_hours_of_settlement_day(day)
        start, end = half_hours[0].start, half_hours[-1].end - timedelta(seconds=1)
    rows = []
    for number, log in enumerate(_LOGS):
        profile = directory[f"0-0:99.98.{number}"]
        assert isinstance(profile, ProfileGeneric)
        rows += [
            {"at": iso_utc(at), "log": log, "code": code, "text": text}
            for at, code, text in profile.rows(start, end)
            if isinstance(at, datetime)
        ]
    return sorted(rows, key=lambda row: str(row["at"]))[-EVENTS_SHOWN:]


def units(directory: Directory, config: MeterConfig) -> list[Row]:
    """The paired pulse units."""
    now, rows = directory.now(), []
    for unit in config.gas_units:
        n = unit.number
        faults = directory[f"0-{n}:97.97.0"].value_at(now)
        if not isinstance(faults, int):
            continue
        heard = directory[f"0-{n}:24.2.1"].read(_CAPTURED, now)
        rows.append(
            {
                "serial": unit.serial,
                "channel": unit.channel,
                "pulse_weight": str(unit.weight),
                "pulses": directory[f"0-{n}:128.0.0"].value_at(now),
                "not_final": directory[f"0-{n}:128.2.0"].value_at(now),
                "last_received": iso_utc(heard) if isinstance(heard, datetime) else None,
                "battery_left_d": directory[f"0-{n}:96.6.6"].value_at(now),
                "faults": [flag.name.lower() for flag in UnitFault(faults) if flag.name],
                "signal_dbm": directory[f"0-{n}:128.5.0"].value_at(now),
            }
        )
    return rows


def standing_p_day(config: MeterConfig, channel: str) -> Decimal | None:
    """What every day costs before anything is used, in pence; None without prices."""
    prices = config.tariff.calendar(channel).prices
    return None if prices is None else prices.standing_p_day


def cost(directory: Directory, config: MeterConfig) -> list[Row]:
    """What either direction has cost, in pence, and what a kWh costs now; None without prices.

    The standing charge is included from a day's beginning.
    """
    now = directory.now()
    return [
        {
            "channel": channel.name,
            "today_p": directory[f"0-0:128.{20 + order}.0"].value_at(now),
            "yesterday_p": directory[f"0-0:128.{20 + order}.1"].value_at(now),
            "billing_period_p": directory[f"0-0:128.{20 + order}.2"].value_at(now),
            "price_p_kwh": directory[f"0-0:128.22.{order}"].value_at(now),
            "standing_p_day": standing_p_day(config, channel.name),
        }
        for order, channel in enumerate(ACTIVE)
    ]
