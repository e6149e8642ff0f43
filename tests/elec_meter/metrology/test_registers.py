"""What registers where: the two directions and the four quadrants."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from elec_meter.metrology import Calibration, Metrology, kernels

from .waves import Wave, metrology_for, parts, sampled

# Lag of the current behind the voltage, and which column of reactive_mvars it belongs to.
QUADRANTS = [(math.pi / 4, 0), (3 * math.pi / 4, 1), (-3 * math.pi / 4, 2), (-math.pi / 4, 3)]


@pytest.mark.parametrize(("lag_rad", "quadrant"), QUADRANTS)
def test_quadrants(lag_rad: float, quadrant: int) -> None:
    """Each quadrant of IEC 62053-23 has its own register, and only that one moves."""
    wave = Wave(lag_rad=lag_rad, seconds=2)
    metrology = metrology_for(wave)
    reactive_mvars = metrology.process(wave.block()).reactive_mvars.sum(axis=0)
    measured_s = int(metrology.cycles[:, kernels.COUNT].sum()) / wave.rate_hz
    expected_mvars = [0.0] * 4
    expected_mvars[quadrant] = wave.voltage_v * wave.current_a * math.sqrt(0.5) * 1000 * measured_s
    assert expected_mvars == pytest.approx(reactive_mvars.tolist(), rel=1e-3)


def test_signs_of_the_quadrants() -> None:
    """I and IV import, II and III export; in I and II the reactive power is positive."""
    for lag_rad, quadrant in QUADRANTS:
        wave = Wave(lag_rad=lag_rad)
        measurement = metrology_for(wave).process(wave.block())
        assert measurement.quantities is not None
        assert (quadrant in (0, 3)) == (measurement.quantities.power_w > 0)
        assert (quadrant in (0, 1)) == (measurement.quantities.reactive_var > 0)
        assert (quadrant in (0, 3)) == (measurement.import_mj.sum() > 0)


def test_reactive_energy_is_the_floor_of_an_exact_sum() -> None:
    """Millivar-seconds are the floor of cycles x gain in each quadrant, block after block."""
    wave = Wave(seconds=4, current_a=0.05)
    swing = np.sin(2 * math.pi * 0.7 * np.arange(wave.angle.size) / wave.rate_hz)
    amperes = wave.current_a * np.sin(wave.angle - math.pi * swing)
    calibration = Calibration(Fraction(9973, 811), Fraction(4583, 1009), starting_current_ma=1)
    gain = calibration.energy_mj_per_count(wave.rate_hz)
    metrology = Metrology(calibration, rate_hz=wave.rate_hz)
    totals, counts = [0] * 4, [0] * 4
    for part in parts(sampled(wave.volts(), amperes, wave), [777] * 20):
        reactive_mvars = metrology.process(part).reactive_mvars
        assert (reactive_mvars >= 0).all()
        for row in metrology.cycles.tolist():
            active, reactive = row[kernels.ACTIVE], row[kernels.REACTIVE]
            quadrant = (0 if reactive >= 0 else 3) if active >= 0 else (1 if reactive >= 0 else 2)
            counts[quadrant] += abs(reactive)
        totals = [a + b for a, b in zip(totals, reactive_mvars.sum(axis=0).tolist(), strict=True)]
        assert [int(count * gain) for count in counts] == totals
    assert min(totals) > 0


def test_reactive_below_the_starting_current() -> None:
    """Below the starting current no quadrant registers either."""
    wave = Wave(current_a=0.01, lag_rad=1.2, seconds=3)
    assert 0 == metrology_for(wave).process(wave.block()).reactive_mvars.sum()
