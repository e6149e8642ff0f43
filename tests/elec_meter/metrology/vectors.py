"""A few samples through the kernels; prints every integer, for runs with and without the JIT."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np

from elec_meter.metrology import Metrology
from elec_meter.sampling import Converter, SampleBlock

from .extremes import RATE_HZ, fast_block, wide_block, wide_calibration
from .waves import Wave, metrology_for, parts, sampled


def traces() -> list[list[list[int]]]:
    """The rows of all cycles of short streams, cut in odd places, and of extreme ones."""
    extremes = [_step(phase_urad, offset_uw) for phase_urad, offset_uw in _settings()]
    fast = _rows(metrology_for(Wave()), [fast_block()])
    return [*(_trace(wave, jump) for wave, jump in _waves()), *extremes, fast]


def _waves() -> list[tuple[Wave, int]]:
    fine = Converter(bits=24)
    return [
        (Wave(rate_hz=2000, seconds=0.5, lag_rad=0.6, frequency_hz=49.6, noise=3.0), 0),
        (Wave(rate_hz=2000, seconds=0.5, lag_rad=2.5, converter=fine, offset_v=2.0), 0),
        (Wave(rate_hz=2000, seconds=0.6, current_a=150.0, voltage_harmonics=((3, 0.1, 2.0),)), 500),
    ]


def _trace(wave: Wave, jump: int) -> list[list[int]]:
    volts, amperes = wave.volts(), wave.amperes()
    if jump:
        volts[jump : jump + 200] = 0.0
        volts[jump + 200 :] = np.roll(volts, 13)[jump + 200 :]
    metrology = metrology_for(wave, phase_urad=12_345)
    return _rows(metrology, parts(sampled(volts, amperes, wave), [130, 3, 400]))


def _settings() -> list[tuple[int, int]]:
    return [(100_000, 5_000_000), (-100_000, -5_000_000)]


def _step(phase_urad: int, offset_uw: int) -> list[list[int]]:
    """A whole second as large as can be: mains on a direct part that jumps over the whole range.

    The second begins with the jump. Then come squares of full scale.
    """
    calibration = wide_calibration(phase_urad, offset_uw)
    metrology = Metrology(calibration, rate_hz=RATE_HZ, nominal_hz=40)
    before, squares = 30 * RATE_HZ // 40, (8000, 0.0, 0.0, 40.0)
    step = [(before, -0.985, -0.985, 0.0149), (RATE_HZ + 1600, 0.985, 0.985, 0.0149), squares]
    return _rows(metrology, [wide_block(step, 40.0, RATE_HZ - before)])


def _rows(metrology: Metrology, blocks: Iterable[SampleBlock]) -> list[list[int]]:
    rows: list[list[int]] = []
    for block in blocks:
        measurement = metrology.process(block)
        rows += metrology.cycles.tolist()
        rows += [measurement.second_s.tolist(), measurement.import_mj.tolist()]
        rows += [measurement.export_mj.tolist(), [int(measurement.flags)]]
        rows += measurement.reactive_mvars.tolist()
    return rows


if __name__ == "__main__":
    print(json.dumps(traces()))  # noqa: T201 - its output is read by the test
