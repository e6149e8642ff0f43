"""A few samples through the kernels; prints every integer, for runs with and without the JIT."""

from __future__ import annotations

import json

import numpy as np

from elec_meter.metrology import Metrology
from elec_meter.sampling import Converter

from .waves import Wave, metrology_for, parts, sampled


def traces() -> list[list[list[int]]]:
    """The rows of all cycles of three short streams, cut in odd places."""
    return [_trace(wave, jump) for wave, jump in _waves()]


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
    metrology: Metrology = metrology_for(wave, phase_urad=12_345)
    rows: list[list[int]] = []
    for part in parts(sampled(volts, amperes, wave), [130, 3, 400]):
        measurement = metrology.process(part)
        rows += metrology.cycles.tolist()
        rows += [measurement.second_s.tolist(), measurement.import_mj.tolist()]
        rows += [measurement.export_mj.tolist(), [int(measurement.flags)]]
        rows += measurement.reactive_mvars.tolist()
    return rows


if __name__ == "__main__":
    print(json.dumps(traces()))  # noqa: T201 - its output is read by the test
