from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import msgspec
import pytest

from elec_meter import Meter, Storage, demo_config
from elec_meter.access import Level
from elec_meter.calibrated import new_metrology
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
CALIBRATED = MeterConfig(calibration=STORED)


def test_the_stored_calibration() -> None:
    """A meter's own counts mean what its configuration says."""
    for metrology in (
        new_metrology(CALIBRATED, 4000),
        new_metrology(CALIBRATED, 4000, converter=Converter()),
    ):
        calibration = metrology.calibration
        assert Fraction(24_414_062_500, 10**9) == calibration.voltage_mv_per_count
        assert Fraction(2_288_818_359, 10**9) == calibration.current_ma_per_count
        assert (-3, 500, -600) == (
            calibration.phase_urad,
            calibration.power_offset_uw,
            calibration.reactive_offset_uvar,
        )
        assert 1 << 15 == calibration.full_scale_count


@pytest.mark.parametrize("converter", [Converter(bits=24), Converter(current_peak_ma=10_000)])
def test_another_front_end(converter: Converter) -> None:
    """Counts of another converter are taken by their own word."""
    metrology = new_metrology(CALIBRATED, 4000, converter=converter)
    assert Calibration.for_converter(converter) == metrology.calibration


def test_a_meter_measures_by_it() -> None:
    """Twice the current's gain is twice the energy."""
    double = msgspec.structs.replace(
        STORED,
        voltage_pv_per_count=STORED.voltage_pv_per_count // 2,
        current_pa_per_count=STORED.current_pa_per_count * 4,
        phase_urad=0,
        power_offset_uw=0,
        reactive_offset_uvar=0,
    )
    registers = []
    for calibration in (None, double):
        config = msgspec.structs.replace(demo_config(), calibration=calibration)
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
        config = msgspec.structs.replace(meter.config, calibration=STORED)
        with pytest.raises(NotAllowedError, match="calibration"):
            meter.apply_config(config, START, level=Level.SUPPLIER)
        assert meter.apply_config(config, START, level=Level.FACTORY) > 1
