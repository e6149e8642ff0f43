"""The snapshot that every open page is sent once a second."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from elec_meter.objects import Directory, ProfileGeneric
from shared.timegrid import LONDON, iso_utc, settlement_period

from .meter import HouseControls, PanelMeter
from .profile import LOAD_PROFILE, Row
from .views import CLOCK, standing_p_day, units

_MOMENTARY: Final = {
    "power_w": "1-0:16.7.0",
    "voltage_v": "1-0:32.7.0",
    "current_a": "1-0:31.7.0",
    "power_factor": "1-0:13.7.0",
    "frequency_hz": "1-0:14.7.0",
    "reactive_var": "1-0:3.7.0",
    "demand_w": "1-0:1.4.0",
    "demand_export_w": "1-0:2.4.0",
    "rate": "0-0:96.14.0",
    "price_p_kwh": "0-0:128.22.0",
    "cost_today_p": "0-0:128.20.0",
    "import_wh": "1-0:1.8.0",
    "export_wh": "1-0:2.8.0",
    "errors": "0-0:97.97.0",
    "alarms": "0-0:97.98.20",
}
_CONTACTOR: Final = "0-0:96.3.10"
_LED: Final = {"pulses": "0-0:128.63.0", "is_lit": "0-0:128.63.1"}
_STATE: Final = 3
_MODE: Final = 4
_STATES: Final = ("open", "closed", "armed")
_ROWS: Final = 7
_DEMAND: Final = "1-0:1.4.0"
_ENDED: Final = 6


def snapshot(meter: PanelMeter, demo: HouseControls | None) -> Row:
    """What changes while somebody looks.

    `rows` and `events` change with half-hours and events: a page then asks for more. Where the
    profile is full its number of rows stays; the end of the last period of demand goes on.
    """
    directory, now = meter.directory, meter.now()
    time = directory[CLOCK].value_at(now)
    return {
        "clock": _clock(time if isinstance(time, datetime) else None),
        "face": face(meter),
        "values": {
            name: directory[code].value_at(now) if code in directory else None
            for name, code in _MOMENTARY.items()
        }
        | {"standing_p_day": standing_p_day(meter.config, "import")},
        "contactor": contactor(directory, now),
        "led": {
            "imp_per_kwh": meter.config.led.imp_per_kwh,
            **{name: directory[code].value_at(now) for name, code in _LED.items()},
        },
        "rows": f"{_count(directory, LOAD_PROFILE, now)} {directory[_DEMAND].read(_ENDED, now)}",
        "events": sum(
            value
            for number in range(6)
            if isinstance(value := directory[f"0-0:96.15.{number}"].value_at(now), int)
        ),
        "units": units(directory, meter.config),
        "pairing": _pairing(meter.pairing(), now),
        "free_channel": meter.free_channel(),
        "demo": None if demo is None else demo.status(),
    }


def face(meter: PanelMeter) -> Row:
    """The display, as `show display --json` has it, and as a picture."""
    shown = meter.face()
    return {
        "object": shown.object,
        "mnemonic": shown.mnemonic,
        "text": shown.text,
        "unit": shown.unit,
        "screen": shown.screen,
        "screens": shown.screens,
        "icons": shown.icons_lit(),
        "svg": shown.svg(),
    }


def contactor(directory: Directory, now: datetime) -> str | None:
    """`open`, `closed` or `armed`; None where there is none."""
    if _CONTACTOR not in directory or not directory[_CONTACTOR].read(_MODE, now):
        return None
    state: Any = directory[_CONTACTOR].read(_STATE, now)
    return _STATES[state]


def _pairing(status: Row | None, now: datetime) -> Row | None:
    """Where a pairing is, with how long ago its unit was heard; None for never."""
    if status is None:
        return None
    heard = status["heard"]
    silent = None if heard is None else now - datetime.fromisoformat(heard)
    return status | {"silent_s": None if silent is None else int(silent.total_seconds())}


def _clock(time: datetime | None) -> Row:
    if time is None:
        return {"utc": None, "local": None, "settlement_date": None, "settlement_period": None}
    period = settlement_period(time)
    return {
        "utc": iso_utc(time),
        "local": time.astimezone(LONDON).strftime("%a %-d %b %Y %H:%M:%S %Z"),
        "settlement_date": period.settlement_date.isoformat(),
        "settlement_period": period.settlement_period,
    }


def _count(directory: Directory, obis: str, now: datetime) -> int:
    profile = directory[obis]
    assert isinstance(profile, ProfileGeneric)
    count = profile.read(_ROWS, now)
    assert isinstance(count, int)
    return count
