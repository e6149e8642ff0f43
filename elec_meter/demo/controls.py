"""What a visitor can do to the demo's house: its speed, its radio, its supply, its date."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Final

from elec_meter.errors import ControlError
from shared.timegrid import (
    half_hours_of_settlement_day,
    iso_utc,
    settlement_day_start,
    settlement_period,
    unix_ms,
)

from .spare import LABEL, MPRN, spare_dial
from .world import DemoWorld

SPEED_MAX: Final = 3_600.0
CHANGE_DAY_SPEED: Final = 600.0
"""A day in two and a half minutes."""

PAIRING_SPEED_MAX: Final = 2.0
"""The 90 s for which a unit's button has it speak are then 45 s of a visitor's."""

CUT_MAX_MIN: Final = 1_440
_EVENING: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_ORDINARY: Final = 48


class Pace:
    """How fast meter time passes.

    Args:
        speed: seconds of meter time a second; 0 is as fast as it can.
        begun: the meter time that it begins at.
        clock_s: seconds that only rise.

    Attributes:
        changes: how often it was changed.
    """

    def __init__(self, speed: float, begun: datetime, clock_s: Callable[[], float]) -> None:
        self._speed = speed
        self.changes = 0
        self._clock_s = clock_s
        self._begun, self._begun_s = begun, clock_s()

    @property
    def speed(self) -> float:
        """See `Pace`."""
        return self._speed

    def change(self, speed: float, now: datetime) -> None:
        """From now on it passes at another speed; what was due and has not passed is forgotten."""
        self._speed, self._begun, self._begun_s = speed, now, self._clock_s()
        self.changes += 1

    def due(self) -> datetime | None:
        """How far meter time should have come; None for as far as it can."""
        if not self._speed:
            return None
        return self._begun + timedelta(seconds=(self._clock_s() - self._begun_s) * self._speed)


class DemoControls:
    """The `panel.HouseControls` of the demo.

    Args:
        world: the house.
        pace: how fast its time passes.

    Attributes:
        dark_until: when the supply is to come back, once it has been cut; None while it is not.
    """

    def __init__(self, world: DemoWorld, pace: Pace) -> None:
        self._world = world
        self._pace = pace
        self.dark_until: datetime | None = None

    def status(self) -> dict[str, Any]:
        """How the house stands."""
        world = self._world
        return {
            "speed": self._pace.speed,
            "loss": world.loss,
            "turned": world.turned,
            "telegrams_sent": world.telegrams_sent,
            "telegrams_received": world.telegrams_received,
            "unit": {
                "label": LABEL.printed_text,
                "qr_text": LABEL.qr_text,
                "mprn": MPRN,
                "dial": spare_dial(0 if world.spare is None else world.spare.unit.count),
            },
            "change_day": next_change_day(world.now).isoformat(),
            "dark_until": None if self.dark_until is None else iso_utc(self.dark_until),
        }

    def steer(self, wish: dict[str, Any]) -> None:
        """Do one of `speed`, `loss`, `cut_power_min`, `change_day` and `unit` (`press`, `burn`).

        Raises:
            ControlError: it is something else, more than one, or a number out of range.
        """
        if len(wish) > 1:
            raise ControlError(f"one wish at a time, not {' and '.join(map(str, wish))[:80]}")
        match wish:
            case {"speed": value}:
                self._pace.change(_within(value, "the speed", 0.1, SPEED_MAX), self._world.now)
            case {"loss": value}:
                self._world.loss = _within(value, "the loss", 0, 1)
            case {"cut_power_min": value}:
                minutes = _within(value, "a power cut in minutes", 1, CUT_MAX_MIN)
                self.dark_until = self._world.now + timedelta(minutes=minutes)
            case {"change_day": True}:
                evening = settlement_day_start(next_change_day(self._world.now)) - _EVENING
                self.dark_until = max(evening, self._world.now + timedelta(minutes=1))
                self._pace.change(max(self._pace.speed, CHANGE_DAY_SPEED), self._world.now)
            case {"unit": "press" | "burn" as what}:
                self._touch_unit(what)
            case _:
                raise ControlError("wish for one of speed, loss, cut_power_min, change_day, unit")

    def _touch_unit(self, what: str) -> None:
        """Whoever pairs has to keep up with what the unit does."""
        speed = self._pace.speed or PAIRING_SPEED_MAX
        self._pace.change(min(speed, PAIRING_SPEED_MAX), self._world.now)
        unit, now_ms = self._world.bring_spare(), unix_ms(self._world.now)
        if what == "press":
            unit.press(now_ms)
        else:
            unit.burn(now_ms)

    def has_come_back(self) -> None:
        """The supply is on again."""
        self.dark_until = None
        self._pace.change(self._pace.speed, self._world.now)


def next_change_day(now: datetime) -> date:
    """The next settlement day that has 46 or 50 half-hours."""
    day = settlement_period(now).settlement_date + _DAY
    while len(half_hours_of_settlement_day(day)) == _ORDINARY:
        day += _DAY
    return day


def _within(value: object, what: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ControlError(f"{what} is a number")
    if not math.isfinite(value) or not least <= value <= most:
        raise ControlError(f"{what} is from {least:g} to {most:g}")
    return float(value)
