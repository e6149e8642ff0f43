"""What people see of single cycles: floats, derived from the integer sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from elec_meter.metrology import kernels
from shared.timegrid import unix_s

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from elec_meter.metrology.calibration import Calibration


@dataclass(frozen=True, slots=True, eq=False)
class CycleQuantities:
    """Each cycle's values, all of shape (n,); signs as in `Quantities`.

    Power is that of the cycle, whether it registers or not. The frequency is NaN where no crossing
    was seen; flags have the values of `Flags`. Cycles follow one another without gaps except where
    samples are missing.
    """

    start_us: NDArray[np.int64]
    end_us: NDArray[np.int64]
    v_rms_v: NDArray[np.float64]
    i_rms_a: NDArray[np.float64]
    power_w: NDArray[np.float64]
    reactive_var: NDArray[np.float64]
    apparent_va: NDArray[np.float64]
    power_factor: NDArray[np.float64]
    frequency_hz: NDArray[np.float64]
    flags: NDArray[np.int64]


def cycle_quantities_of(
    rows: NDArray[np.int64], calibration: Calibration, rate_hz: int, anchor_utc: datetime
) -> CycleQuantities:
    """The values of rows of cycles (columns as in `kernels`) of a stream with this anchor."""
    volt = float(calibration.voltage_mv_per_count / 1000)
    ampere = float(calibration.current_ma_per_count / 1000)
    end, count, length = rows[:, kernels.END], rows[:, kernels.COUNT], rows[:, kernels.LENGTH]
    v_rms_v = np.sqrt(rows[:, kernels.SQUARE_V].clip(min=0) / count) * volt
    i_rms_a = np.sqrt(rows[:, kernels.SQUARE_I].clip(min=0) / count) * ampere
    power_w = rows[:, kernels.ACTIVE] * (volt * ampere) / count
    apparent_va = v_rms_v * i_rms_a
    is_loaded = (apparent_va > 0) & (power_w != 0)
    found = length > 0
    return CycleQuantities(
        start_us=_us(end - count, rate_hz, anchor_utc),
        end_us=_us(end, rate_hz, anchor_utc),
        v_rms_v=v_rms_v,
        i_rms_a=i_rms_a,
        power_w=power_w,
        reactive_var=rows[:, kernels.REACTIVE] * (volt * ampere) / count,
        apparent_va=apparent_va,
        power_factor=np.divide(power_w, apparent_va, where=is_loaded, out=np.ones(count.size)),
        frequency_hz=np.divide(
            rate_hz * 65536.0, length, where=found, out=np.full(count.size, np.nan)
        ),
        flags=rows[:, kernels.FLAGS] & (kernels.IDLE - 1),
    )


def _us(sample: NDArray[np.int64], rate_hz: int, anchor_utc: datetime) -> NDArray[np.int64]:
    """When samples were taken, UNIX microseconds, rounded down; no intermediate is too long."""
    whole_s, rest = np.divmod(sample, rate_hz)
    rest_us = anchor_utc.microsecond + rest * 1_000_000 // rate_hz
    us: NDArray[np.int64] = (unix_s(anchor_utc) + whole_s) * 1_000_000 + rest_us
    return us
