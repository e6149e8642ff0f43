"""Recorded appliances at a front end that is wrong, and a calibration derived from one of them.

PLAID (125 x one 60 Hz cycle at 30 kHz) has no licence to copy it: it is used where it lies.
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

from elec_meter.metrology import Calibration, Metrology, ReferenceReading, derive, observe
from elec_meter.sampling import Converter, SampleBlock

DATA = Path(os.environ.get("HALFHOURLY_DATA", Path(__file__).parents[3] / "shared" / "data"))
PLAID = DATA / "plaid" / "voltage.npy"
RATE_HZ = 30_000
WRONG_V, WRONG_A = 1.03, 0.97
LATE_SAMPLES = 1
Reals = NDArray[np.float64]

pytestmark = pytest.mark.skipif(not PLAID.exists(), reason="needs PLAID's waveforms")


def shown(volts: Reals, amperes: Reals, converter: Converter) -> SampleBlock:
    """Two seconds of counts: gains are wrong, and the current comes a thirtieth of a ms late."""
    late = np.roll(amperes - amperes.mean(), LATE_SAMPLES)
    counts = [
        np.tile(np.rint(values * (1000 / float(gain))), 120).astype(converter.dtype)
        for values, gain in (
            ((volts - volts.mean()) / WRONG_V, converter.voltage_mv_per_count),
            (late / WRONG_A, converter.current_ma_per_count),
        )
    ]
    return SampleBlock(*counts, 0, RATE_HZ, datetime(2024, 1, 1, tzinfo=UTC))


def read(volts: Reals, amperes: Reals) -> tuple[float, float, float, float]:
    """RMS of both, active power, and reactive power of the fundamental, from the samples."""
    v, i = np.fft.rfft(volts)[1], np.fft.rfft(amperes)[1]
    reactive_var = 2 * float((v * i.conjugate()).imag) / volts.size**2
    power_w = float(np.mean((volts - volts.mean()) * (amperes - amperes.mean())))
    return float(np.std(volts)), float(np.std(amperes)), power_w, reactive_var


@pytest.mark.parametrize("bits", [16, 24])
def test_plaid(bits: int) -> None:
    """Calibrated by the appliance that draws most, the meter is right about all of them."""
    voltages, currents = np.load(PLAID), np.load(PLAID.with_name("current.npy"))
    converter = Converter(voltage_peak_mv=250_000, current_peak_ma=20_000, bits=bits)
    truth = [read(volts, amperes) for volts, amperes in zip(voltages, currents, strict=True)]
    most = max(range(len(truth)), key=lambda k: truth[k][2])
    block = shown(voltages[most], currents[most], converter)
    load = observe([block], rate_hz=RATE_HZ, bits=bits, nominal_hz=60)
    derived = derive(load, ReferenceReading(*(Fraction(f"{each:.9f}") for each in truth[most])))
    late_urad = 2 * math.pi * 60 * LATE_SAMPLES / RATE_HZ * 1e6
    assert late_urad == pytest.approx(derived.phase_urad, abs=100)
    calibration = Calibration.from_integers(**derived.integers())
    for k, (volts, amperes) in enumerate(zip(voltages, currents, strict=True)):
        metrology = Metrology(calibration, rate_hz=RATE_HZ, nominal_hz=60)
        quantities = metrology.process(shown(volts, amperes, converter)).quantities
        assert quantities is not None
        v_rms_v, i_rms_a, power_w, _ = truth[k]
        if i_rms_a < calibration.starting_current_ma / 1000:
            continue
        # The phase is the fundamental's: what harmonics have of the power is turned too little.
        assert power_w == pytest.approx(quantities.power_w, abs=0.003 * v_rms_v * i_rms_a)
