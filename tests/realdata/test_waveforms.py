"""Recorded appliances through `Metrology`, against floats computed from the same samples.

PLAID (125 x one 60 Hz cycle at 30 kHz) and HFHAD (50 Hz, 6.4 kHz) have no licence to copy them:
they are used where they lie.
"""

from __future__ import annotations

import math
import os
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from elec_meter.metrology import Calibration, Flags, Metrology, kernels
from elec_meter.sampling import Converter, SampleBlock

DATA = Path(os.environ.get("HALFHOURLY_DATA", Path(__file__).parents[3] / "shared" / "data"))
PLAID = DATA / "plaid" / "voltage.npy"
HFHAD = sorted((DATA / "hfhad").glob("*.hex.txt"))
ANCHOR = datetime(2024, 1, 1, tzinfo=UTC)
Reals = NDArray[np.float64]

needs_plaid = pytest.mark.skipif(not PLAID.exists(), reason="needs PLAID's waveforms")
needs_hfhad = pytest.mark.skipif(not HFHAD, reason="needs HFHAD's waveforms")


def repeated(cycle: Reals, gain: Fraction, converter: Converter, times: int) -> NDArray[np.int32]:
    """One recorded cycle as counts, over and over."""
    counts = np.rint(cycle * (1000 / float(gain)))
    return np.tile(counts, times).astype(converter.dtype)


def root_mean_square(values: Reals) -> float:
    """Without the mean, as a meter coupled to the line sees it."""
    return float(np.std(values))


@needs_plaid
@pytest.mark.parametrize("bits", [16, 24])
def test_plaid(bits: int) -> None:
    """Power, voltage and current of 125 appliances are those of the samples, to quantisation."""
    voltages, currents = np.load(PLAID), np.load(PLAID.with_name("current.npy"))
    converter = Converter(voltage_peak_mv=250_000, current_peak_ma=10_000, bits=bits)
    calibration = Calibration.for_converter(converter, starting_current_ma=0)
    count_v = float(converter.voltage_mv_per_count) / 1000
    count_a = float(converter.current_ma_per_count) / 1000
    for volts, amperes in zip(voltages, currents, strict=True):
        v = repeated(volts, converter.voltage_mv_per_count, converter, 160)
        i = repeated(amperes, converter.current_ma_per_count, converter, 160)
        metrology = Metrology(calibration, rate_hz=30_000, nominal_hz=60)
        measurement = metrology.process(SampleBlock(v, i, 0, 30_000, ANCHOR))
        quantities = measurement.quantities
        assert quantities is not None
        assert Flags(0) == measurement.flags
        assert {500} == set(metrology.cycles[:, kernels.COUNT].tolist())
        power_w = float(np.mean((volts - volts.mean()) * (amperes - amperes.mean())))
        v_rms_v, i_rms_a = root_mean_square(volts), root_mean_square(amperes)
        # A rounding of half a count at most, at each of 500 samples, mostly cancels.
        tolerance_w = 0.25 * (v_rms_v * count_a + i_rms_a * count_v)
        assert power_w == pytest.approx(quantities.power_w, abs=tolerance_w)
        assert v_rms_v == pytest.approx(quantities.v_rms_v, abs=count_v / 8)
        assert math.hypot(i_rms_a, count_a / math.sqrt(12)) == pytest.approx(
            quantities.i_rms_a, abs=count_a / 8
        )
        assert 60.0 == pytest.approx(quantities.frequency_hz, abs=0.001)


@needs_plaid
def test_published_powers() -> None:
    """The first three appliances take 9.398, 3.582 and 7.511 W, the part at DC included."""
    voltages, currents = np.load(PLAID), np.load(PLAID.with_name("current.npy"))
    converter = Converter(voltage_peak_mv=250_000, current_peak_ma=10_000, bits=24)
    calibration = Calibration.for_converter(converter)
    seen = []
    for volts, amperes in zip(voltages[:3], currents[:3], strict=True):
        v = repeated(volts, converter.voltage_mv_per_count, converter, 160)
        i = repeated(amperes, converter.current_ma_per_count, converter, 160)
        metrology = Metrology(calibration, rate_hz=30_000, nominal_hz=60)
        quantities = metrology.process(SampleBlock(v, i, 0, 30_000, ANCHOR)).quantities
        assert quantities is not None
        seen.append(round(quantities.power_w + float(volts.mean() * amperes.mean()), 3))
    assert [9.398, 3.582, 7.511] == seen


@needs_hfhad
@pytest.mark.parametrize("path", HFHAD, ids=lambda path: path.name.split(".")[0])
def test_hfhad(path: Path) -> None:
    """Each appliance's cycles are found where they are, and their sums are the samples' own."""
    text = "".join(line for line in path.read_text().split() if line != "FFFFFFFF")
    pairs = np.frombuffer(bytes.fromhex(text), "<i2").reshape(-1, 2)
    current, voltage = (np.ascontiguousarray(column) for column in pairs.T)
    calibration = Calibration(Fraction(64), Fraction(10), starting_current_ma=0)
    metrology = Metrology(calibration, rate_hz=6400)
    total_mj = unsteady = 0
    for first in range(0, len(pairs), 1000):
        v, i = voltage[first : first + 1000], current[first : first + 1000]
        measurement = metrology.process(SampleBlock(v, i, first, 6400, ANCHOR))
        assert Flags(0) == measurement.flags
        total_mj += int(measurement.import_mj.sum()) - int(measurement.export_mj.sum())
        for row in metrology.cycles.tolist():
            unsteady += not 126 <= row[kernels.COUNT] <= 130
            part = slice(row[kernels.END] - row[kernels.COUNT], row[kernels.END])
            v_ac = voltage[part] - voltage[part].mean()
            i_ac = current[part] - current[part].mean()
            assert np.dot(v_ac, i_ac) == pytest.approx(row[kernels.ACTIVE], abs=2)
            assert np.dot(v_ac, v_ac) == pytest.approx(row[kernels.SQUARE_V], abs=2)
            assert np.dot(i_ac, i_ac) == pytest.approx(row[kernels.SQUARE_I], abs=2)
    # Two of the recordings have lost or gained a few samples near their start.
    assert unsteady <= 1
    ac = (voltage - voltage.mean()) * (current - current.mean())
    whole_mj = float(ac.sum()) * float(calibration.energy_mj_per_count(6400))
    assert whole_mj == pytest.approx(total_mj, rel=0.03)
    quantities = measurement.quantities
    assert quantities is not None
    assert 50.0 == pytest.approx(quantities.frequency_hz, abs=0.2)
