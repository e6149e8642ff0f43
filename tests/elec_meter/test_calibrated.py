from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from msgspec.structs import replace

from elec_meter import Meter, Storage, demo_config
from elec_meter.access import Level
from elec_meter.calibrated import FrontEnd, MeteringPipeline, calibration_of
from elec_meter.config import CalibrationConfig, MeterConfig
from elec_meter.errors import NotAllowedError
from elec_meter.metrology import Calibration
from elec_meter.sampling import ConstantLoad, Converter, SyntheticMains

START = datetime(2026, 1, 1, tzinfo=UTC)
# Twice the volts of the drawing, half the amperes, and a little more.
STORED = CalibrationConfig(
    bits=16,
    voltage_pv_per_count=24_414_062_500,
    current_pa_per_count=2_288_818_359,
    phase_urad=-3,
    power_offset_uw=500,
    reactive_offset_uvar=-600,
)


def test_the_stored_calibration() -> None:
    """A meter's own counts mean what its configuration says."""
    for front_end in (FrontEnd(), FrontEnd(Converter())):
        calibration = calibration_of(STORED, front_end)
        assert Fraction(24_414_062_500, 10**9) == calibration.voltage_mv_per_count
        assert Fraction(2_288_818_359, 10**9) == calibration.current_ma_per_count
        assert (-3, 500, -600) == (
            calibration.phase_urad,
            calibration.power_offset_uw,
            calibration.reactive_offset_uvar,
        )
        assert 1 << 15 == calibration.full_scale_count


@pytest.mark.parametrize(
    "front_end",
    [
        FrontEnd(Converter(bits=24)),
        FrontEnd(Converter(current_peak_ma=10_000)),
        FrontEnd(Converter(), is_ideal=True),
    ],
)
def test_another_front_end(front_end: FrontEnd) -> None:
    """Counts of another converter, and what was volts and amperes, are taken by their own word."""
    assert front_end.converter is not None
    expected = Calibration.for_converter(front_end.converter)
    assert expected == calibration_of(STORED, front_end)


def test_another_rate_or_front_end_begins_a_stream() -> None:
    """What was asked for is measured in the new one, and a sag that lasted ends with the old."""
    pipeline = MeteringPipeline(MeterConfig())
    low = replace(MeterConfig().supply, sag_below_mv=247_000, sag_until_mv=247_100)
    pipeline.configure(replace(MeterConfig(), supply=low))
    first, second = (
        SyntheticMains(seed=1, rate_hz=rate_hz, anchor_utc=START, load=ConstantLoad(9_000.0))
        for rate_hz in (4000, 8000)
    )
    assert pipeline.process(first.block(0, 400)).harmonics is None
    pipeline.request_harmonics()
    lasting = pipeline.process(first.block(400, 400)).supply_under_way
    measurement = pipeline.process(second.block(8_000, 8_000))
    assert measurement.harmonics is not None
    assert lasting is not None
    assert lasting.at == measurement.supply[0].at
    pipeline.front_end = FrontEnd(Converter(current_peak_ma=300_000))
    power_w = []
    for at in (16_000, 24_000):
        quantities = pipeline.process(second.block(at, 8_000)).quantities
        power_w.append(None if quantities is None else quantities.power_w)
    assert [None, 18_000] == [power_w[0], pytest.approx(power_w[1], rel=0.2)]


def test_a_meter_measures_by_it() -> None:
    """Twice the current's gain is twice the energy."""
    double = replace(
        STORED,
        voltage_pv_per_count=STORED.voltage_pv_per_count // 2,
        current_pa_per_count=STORED.current_pa_per_count * 4,
        phase_urad=0,
        power_offset_uw=0,
        reactive_offset_uvar=0,
    )
    registers = []
    for calibration in (None, double):
        config = replace(demo_config(), calibration=calibration)
        with Storage.in_memory() as storage:
            meter = Meter(config, storage, START)
            mains = SyntheticMains(seed=1, anchor_utc=START, load=ConstantLoad(9_000.0))
            meter.receive_block(mains.block(0, 40_000), START + timedelta(seconds=10))
            registers.append(meter.ledger.total("import"))
    assert [25, 50] == pytest.approx(registers, abs=1)


def test_who_may_change_it() -> None:
    """The factory alone: a supplier's document with another calibration is refused."""
    with Storage.in_memory() as storage:
        meter = Meter(demo_config(), storage, START)
        config = replace(meter.config, calibration=STORED)
        with pytest.raises(NotAllowedError, match="calibration"):
            meter.apply_config(config, START, level=Level.SUPPLIER)
        assert meter.apply_config(config, START, level=Level.FACTORY) > 1
