"""What a home draws, second by second: appliances and a solar roof, or a recorded series.

Both are `Load`s of `SyntheticMains`: pure functions of UTC time, so that a demo which resumes draws
exactly what it would have drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from shared.timegrid import DAY_S, HALF_HOUR_S, LONDON, half_hour_floor_s

SOLAR_PEAK_W = 3_600.0


class HouseholdLoad:
    """A family home with solar panels; the same seed is the same home for ever.

    Args:
        seed: Which home.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._day = -1
        self._day_w: NDArray[np.float64] = np.zeros(DAY_S)

    def power_w(self, start_s: int, seconds: int) -> NDArray[np.float64]:
        """Net active power of each second from `start_s` (UTC), W; negative is export."""
        power = np.empty(seconds)
        filled = 0
        while filled < seconds:
            day, offset = divmod(start_s + filled, DAY_S)
            if day != self._day:
                self._day, self._day_w = day, self._whole_day(day)
            part = self._day_w[offset : offset + seconds - filled]
            power[filled : filled + len(part)] = part
            filled += len(part)
        return power

    def _whole_day(self, day: int) -> NDArray[np.float64]:
        noon = datetime.fromtimestamp(day * DAY_S + DAY_S // 2, UTC)
        # People and their appliances keep local time; the sun does not.
        local_shift_s = int((noon.astimezone(LONDON).utcoffset() or timedelta(0)).total_seconds())
        rng = np.random.default_rng([self._seed, day])
        habits = _appliances(rng, weekend=noon.weekday() >= 5)
        return np.roll(habits, -local_shift_s) - _solar(rng, noon.timetuple().tm_yday)


def _appliances(rng: np.random.Generator, *, weekend: bool) -> NDArray[np.float64]:
    """One local day of appliances, W for each second."""
    second = np.arange(DAY_S)
    power = np.full(DAY_S, 85.0)  # router, standby, alarm: the always-on base

    fridge_period_s = int(rng.integers(2_400, 3_000))
    power += np.where((second + rng.integers(fridge_period_s)) % fridge_period_s < 900, 95.0, 0.0)

    def run(start_h: float, minutes: float, watts: float, spread_h: float = 0.5) -> None:
        start = int((start_h + rng.normal(0, spread_h)) * 3_600) % DAY_S
        power[start : start + int(minutes * 60)] += watts

    wake_h = 8.5 if weekend else 6.75
    for hour in (wake_h, wake_h + 1.0, 13.0, 16.5, 20.5):
        run(hour, rng.uniform(2.0, 3.5), 2_850.0)  # kettle
    run(wake_h + 0.25, 4.0, 900.0, 0.1)  # toaster
    run(wake_h, 75.0, 130.0, 0.1)  # morning lights
    run(17.0, 330.0, 210.0, 0.4)  # evening lights
    run(19.0, 180.0, 140.0)  # television
    run(18.2, 5.0, 1_200.0)  # microwave
    oven_start_h = 17.8 + rng.normal(0, 0.3)
    for burst in range(int(rng.integers(4, 9))):  # the oven's thermostat
        run(oven_start_h + burst * 0.12, 4.0, 2_100.0, 0.0)
    if weekend or rng.random() < 0.3:
        wash_h = 10.0 + rng.normal(0, 1.5)
        run(wash_h, 18.0, 2_050.0, 0.0)  # washing machine: heating,
        run(wash_h + 0.3, 55.0, 190.0, 0.0)  # then turning
    power *= 1.0 + 0.01 * rng.standard_normal(DAY_S // 60).repeat(60)
    return power


def _solar(rng: np.random.Generator, day_of_year: int) -> NDArray[np.float64]:
    """One UTC day of a south-facing roof at 52 degrees north, W for each second."""
    season = math.cos(2 * math.pi * (day_of_year - 172) / 365)
    half_day_h = 6.0 + 2.3 * season
    hour = np.arange(DAY_S) / 3_600
    height = np.cos(np.clip((hour - 12.1) / half_day_h, -1, 1) * math.pi / 2)
    clear_w = SOLAR_PEAK_W * (0.6 + 0.35 * season) * height**1.3
    minutes = DAY_S // 60 + 30
    cloud = np.convolve(rng.standard_normal(minutes), np.ones(31) / 31, "valid") * 3.0
    return np.asarray(clear_w * np.clip(0.55 + 0.35 * cloud.repeat(60)[:DAY_S], 0.08, 1.0))


class SeriesLoad:
    """A recorded half-hourly series, drawn evenly within each half-hour.

    Args:
        wh_by_start_s: Energy of each half-hour in Wh, by its UTC start in UNIX seconds.
    """

    def __init__(self, wh_by_start_s: Mapping[int, Fraction]) -> None:
        self._watts = {start: float(wh) * 2.0 for start, wh in wh_by_start_s.items()}

    def power_w(self, start_s: int, seconds: int) -> NDArray[np.float64]:
        """Active power of each second from `start_s` (UTC), W; nothing outside the series."""
        power = np.zeros(seconds)
        at = start_s
        while at < start_s + seconds:
            half_hour_s = half_hour_floor_s(at)
            until = min(half_hour_s + HALF_HOUR_S, start_s + seconds)
            power[at - start_s : until - start_s] = self._watts.get(half_hour_s, 0.0)
            at = until
        return power
