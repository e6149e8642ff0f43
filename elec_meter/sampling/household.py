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
_SOLAR_NOON_H = 12.1
_DAY_MIN = DAY_S // 60


class HouseholdLoad:
    """A family home with solar panels; the same seed is the same home for ever.

    Args:
        seed: Which home.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._day = -1
        # A day is worked out in place: arrays that come and go leave holes in a small heap.
        self._day_w, self._habits_w, self._sun_w = np.zeros((3, DAY_S))
        self._past_noon_h = np.arange(DAY_S) / 3_600 - _SOLAR_NOON_H

    def power_w(self, start_s: int, seconds: int) -> NDArray[np.float64]:
        """Net active power of each second from `start_s` (UTC), W; negative is export."""
        power = np.empty(seconds)
        filled = 0
        while filled < seconds:
            day, offset = divmod(start_s + filled, DAY_S)
            if day != self._day:
                self._day = day
                self._work_out(day)
            part = self._day_w[offset : offset + seconds - filled]
            power[filled : filled + len(part)] = part
            filled += len(part)
        return power

    def _work_out(self, day: int) -> None:
        noon = datetime.fromtimestamp(day * DAY_S + DAY_S // 2, UTC)
        # People and their appliances keep local time; the sun does not.
        local_shift_s = int((noon.astimezone(LONDON).utcoffset() or timedelta(0)).total_seconds())
        rng = np.random.default_rng([self._seed, day])
        habits_w, sun_w = self._habits_w, self._sun_w
        _fill_appliances(habits_w, rng, weekend=noon.weekday() >= 5)
        _fill_solar(sun_w, rng, noon.timetuple().tm_yday, self._past_noon_h)
        midnight = DAY_S - local_shift_s
        np.subtract(habits_w[local_shift_s:], sun_w[:midnight], out=self._day_w[:midnight])
        np.subtract(habits_w[:local_shift_s], sun_w[midnight:], out=self._day_w[midnight:])


def _fill_appliances(
    power: NDArray[np.float64], rng: np.random.Generator, *, weekend: bool
) -> None:
    """One local day of appliances, W for each second."""
    power.fill(85.0)  # router, standby, alarm: the always-on base

    fridge_period_s = int(rng.integers(2_400, 3_000))
    first_s = -int(rng.integers(fridge_period_s))
    for on_s in range(first_s, DAY_S, fridge_period_s):
        power[max(0, on_s) : max(0, on_s + 900)] += 95.0

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
    by_minute = power.reshape(_DAY_MIN, 60)
    by_minute *= 1.0 + 0.01 * rng.standard_normal((_DAY_MIN, 1))


def _fill_solar(
    power: NDArray[np.float64],
    rng: np.random.Generator,
    day_of_year: int,
    past_noon_h: NDArray[np.float64],
) -> None:
    """One UTC day of a south-facing roof at 52 degrees north, W for each second."""
    season = math.cos(2 * math.pi * (day_of_year - 172) / 365)
    half_day_h = 6.0 + 2.3 * season
    np.divide(past_noon_h, half_day_h, out=power)
    np.clip(power, -1, 1, out=power)
    power *= math.pi
    power /= 2
    np.cos(power, out=power)
    np.power(power, 1.3, out=power)
    power *= SOLAR_PEAK_W * (0.6 + 0.35 * season)
    cloud = np.convolve(rng.standard_normal(_DAY_MIN + 30), np.ones(31) / 31, "valid") * 3.0
    by_minute = power.reshape(_DAY_MIN, 60)
    by_minute *= np.clip(0.55 + 0.35 * cloud, 0.08, 1.0).reshape(_DAY_MIN, 1)


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
