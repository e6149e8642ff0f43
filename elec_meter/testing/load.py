"""What a channel draws in a settlement day, exactly."""

from __future__ import annotations

from typing import Final

from shared.timegrid import HALF_HOUR_S, half_hour_floor_s
from shared.units import MJ_PER_WH

_MJ_PER_S_PER_W: Final = 1_000
_MJ_PER_S_PER_WH: Final = MJ_PER_WH // HALF_HOUR_S
"""A watt-hour over a half-hour is 2 W: a whole number of millijoules in every second of it."""


class Load:
    """Watt-hours for some half-hours, drawn evenly, and a constant power in all others."""

    def __init__(self) -> None:
        self.watts = 0
        self._wh: dict[int, int] = {}

    def draw(self, start_s: int, energy_wh: int) -> None:
        """Draw so much, in whole Wh, in the half-hour that starts then."""
        self._wh[start_s] = energy_wh

    def energy_mj(self, from_s: int, to_s: int) -> int:
        """What is drawn in `[from_s, to_s)`, a part of one half-hour."""
        energy_wh = self._wh.get(half_hour_floor_s(from_s))
        if energy_wh is None:
            return self.watts * _MJ_PER_S_PER_W * (to_s - from_s)
        return energy_wh * _MJ_PER_S_PER_WH * (to_s - from_s)
