"""What homes draw and feed in, half-hour by half-hour: a pure function of seed and number.

Power is in floats, as people's habits are; energy is whole millijoules from there on, and a
register gets whole Wh with the rest carried, as in one meter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from elec_meter.errors import EstateError
from shared.timegrid import DAY_HALF_HOURS, HALF_HOUR_S, LONDON, from_unix_s, require_utc, unix_s
from shared.units import MJ_PER_WH

METERS_MAX: Final = 10_000_000
DAYS_MAX: Final = 3_660
BLOCK_CELLS: Final = 4_000_000
"""Half-hours of meters in one block, at most: 48 MB while it is made."""

_SOLAR_SHARE: Final = 0.25
_HOURS: Final = (np.arange(DAY_HALF_HOURS) + 0.5) / 2
_MJ_PER_WS: Final = 1_000
_MINUTES_PER_HALF_HOUR: Final = 30


@dataclass(frozen=True, slots=True)
class Plan:
    """Which meters, and when.

    Attributes:
        meters: how many.
        days: of 24 hours, from `start_s` on.
        start_s: UNIX seconds in UTC, a midnight.
        seed: another estate; the same one is the same for ever.

    Raises:
        EstateError: a number out of range.
    """

    meters: int
    days: int
    start_s: int
    seed: int

    def __post_init__(self) -> None:
        if not 1 <= self.meters <= METERS_MAX:
            raise EstateError(f"an estate has 1 to {METERS_MAX} meters, not {self.meters}")
        if not 1 <= self.days <= DAYS_MAX:
            raise EstateError(f"an estate lives for 1 to {DAYS_MAX} days, not {self.days}")
        if self.start_s % (DAY_HALF_HOURS * HALF_HOUR_S):
            raise EstateError("an estate begins at midnight UTC")
        if self.seed < 0:
            raise EstateError(f"a seed is not below zero, and {self.seed} is")

    @classmethod
    def of(cls, meters: int, days: int, start: datetime, seed: int) -> Plan:
        """The plan that begins at an instant in UTC."""
        return cls(meters, days, unix_s(require_utc(start)), seed)

    @property
    def half_hours(self) -> int:
        """In all."""
        return self.days * DAY_HALF_HOURS

    @property
    def block_meters(self) -> int:
        """Meters of a block; the last one may have fewer."""
        return max(1, min(1_024, BLOCK_CELLS // self.half_hours))


@dataclass(frozen=True, slots=True)
class Block:
    """Some meters' half-hours and registers.

    Attributes:
        first: number of the first meter, from 0.
        import_wh: shape (meters, half-hours), whole Wh.
        export_wh: likewise.
        import_register_wh: shape (meters,): what each meter shows in the end.
        export_register_wh: likewise.
        import_residual_mj: shape (meters,): below a Wh, kept for what would come next.
        export_residual_mj: likewise.
    """

    first: int
    import_wh: NDArray[np.uint32]
    export_wh: NDArray[np.uint32]
    import_register_wh: NDArray[np.int64]
    export_register_wh: NDArray[np.int64]
    import_residual_mj: NDArray[np.int64]
    export_residual_mj: NDArray[np.int64]


def simulate_block(plan: Plan, number: int) -> Block:
    """A block of a plan; which meters are in it changes nothing of any of them.

    Args:
        plan: the estate.
        number: of the block, from 0.
    """
    first = number * plan.block_meters
    count = min(plan.block_meters, plan.meters - first)
    shift_half_hours = _local_shifts(plan)
    net_mj = np.empty((count, plan.half_hours), np.int64)
    for index in range(count):
        net_mj[index] = _net_mj(plan, first + index, shift_half_hours)
    import_wh, import_register_wh, import_residual_mj = _registered(np.maximum(net_mj, 0))
    export_wh, export_register_wh, export_residual_mj = _registered(np.maximum(-net_mj, 0))
    return Block(
        first,
        import_wh,
        export_wh,
        import_register_wh,
        export_register_wh,
        import_residual_mj,
        export_residual_mj,
    )


def _registered(
    energy_mj: NDArray[np.int64],
) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64]]:
    """Whole Wh of each half-hour, the register, and what is left below a Wh."""
    reached_mj = np.cumsum(energy_mj, axis=1)
    reached_wh = reached_mj // MJ_PER_WH
    wh = np.diff(reached_wh, axis=1, prepend=0).astype(np.uint32)
    return wh, reached_wh[:, -1].copy(), reached_mj[:, -1] - reached_wh[:, -1] * MJ_PER_WH


def _local_shifts(plan: Plan) -> NDArray[np.int64]:
    """Half-hours by which local time is ahead of UTC, by day: people keep it, the sun does not."""
    noons = (
        from_unix_s(plan.start_s + day * DAY_HALF_HOURS * HALF_HOUR_S + 43_200)
        for day in range(plan.days)
    )
    shifts = (noon.astimezone(LONDON).utcoffset() or timedelta(0) for noon in noons)
    half_hour = timedelta(minutes=_MINUTES_PER_HALF_HOUR)
    return np.array([shift // half_hour for shift in shifts], np.int64)


def _net_mj(plan: Plan, meter: int, shift_half_hours: NDArray[np.int64]) -> NDArray[np.int64]:
    """A home's net energy by half-hour; below zero it feeds in."""
    rng = np.random.default_rng([plan.seed, meter])
    first_day = plan.start_s // (DAY_HALF_HOURS * HALF_HOUR_S)
    days = first_day + np.arange(plan.days)
    habits_w = _habits_w(rng, days)
    local = np.arange(plan.half_hours) + shift_half_hours.repeat(DAY_HALF_HOURS)
    power_w = habits_w.ravel()[np.minimum(local, plan.half_hours - 1)]
    if rng.random() < _SOLAR_SHARE:
        power_w = power_w - _solar_w(rng, days).ravel()
    net_mj: NDArray[np.int64] = np.rint(power_w * (HALF_HOUR_S * _MJ_PER_WS)).astype(np.int64)
    return net_mj


def _habits_w(rng: np.random.Generator, days: NDArray[np.int64]) -> NDArray[np.float64]:
    """Average power by local day and half-hour: base, morning, evening, now and then a big one."""
    size = rng.lognormal(0.0, 0.45)
    base_w = rng.uniform(50.0, 180.0)
    weekend = ((days + 3) % 7 >= 5)[:, None]  # day 0 was a Thursday
    winter = 1.0 + 0.25 * np.cos(2 * np.pi * (days[:, None] % 365.25 - 15) / 365.25)
    shape = np.full((len(days), DAY_HALF_HOURS), base_w)
    for hour, width_h, watts, later_h in (
        (rng.normal(7.0, 0.7), 0.8, 450.0, 1.5),
        (rng.normal(13.0, 1.0), 1.5, 220.0, 0.0),
        (rng.normal(18.5, 0.8), 1.8, 850.0, 0.0),
        (rng.normal(21.5, 0.8), 1.2, 350.0, 0.3),
    ):
        at_h = hour + later_h * weekend + rng.normal(0.0, 0.4, (len(days), 1))
        shape = shape + size * watts * np.exp(-(((_HOURS - at_h) / width_h) ** 2))
    runs = rng.random((len(days), DAY_HALF_HOURS)) < 0.02 * size
    big_w = rng.uniform(400.0, 2_200.0, (len(days), DAY_HALF_HOURS)) * runs
    noise = rng.gamma(8.0, 1 / 8.0, (len(days), DAY_HALF_HOURS))
    power_w: NDArray[np.float64] = shape * winter * noise + big_w
    return power_w


def _solar_w(rng: np.random.Generator, days: NDArray[np.int64]) -> NDArray[np.float64]:
    """Average power of a roof at 52 degrees north by day and half-hour of UTC."""
    peak_w = rng.uniform(1_500.0, 5_000.0)
    season = np.cos(2 * np.pi * (days[:, None] % 365.25 - 172) / 365.25)
    half_day_h = 6.0 + 2.3 * season
    height = np.cos(np.clip((_HOURS - 12.0) / half_day_h, -1.0, 1.0) * (math.pi / 2))
    clear = rng.uniform(0.15, 1.0, (len(days), 1))
    share: NDArray[np.float64] = np.maximum(height, 0.0) ** 1.5
    strongest_w: NDArray[np.float64] = peak_w * (0.6 + 0.3 * season) * clear
    return share * strongest_w
