from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.config import GasUnitConfig, MeterConfig
from elec_meter.objects import Digits, Register, ScalerUnit, Unit, UnitMismatchError, in_unit
from elec_meter.objects.gas import volume_scaler
from shared.units import scaled
from tests.elec_meter.objects.fixed_meter import START, FixedMeter


@given(st.integers(-(10**30), 10**30), st.integers(-12, 6))
def test_scaling_is_exact(raw: int, scaler: int) -> None:
    """No digit of any register is lost to a decimal context."""
    assert raw * Fraction(10) ** scaler == Fraction(scaled(raw, scaler))


@given(st.integers(-(10**40), 10**40))
def test_another_multiple_of_the_unit_is_exact(wh: int) -> None:
    """Wh as kWh have three decimals, and no rounding."""
    whole, rest = divmod(abs(wh), 1000)

    assert f"{'-' if wh < 0 else ''}{whole}.{rest:03d}" == f"{in_unit(wh, 'Wh', 'kWh'):f}"


def test_a_foreign_unit_is_refused() -> None:
    """A voltage is no energy."""
    with pytest.raises(UnitMismatchError, match="kWh"):
        in_unit(1, "V", "kWh")


@pytest.mark.parametrize(
    ("modulus", "scaler", "unit", "digits"),
    [
        (10**9, 0, "Wh", Digits(9, 0)),
        (10**9, 0, "kWh", Digits(6, 3)),
        (10**6, 0, "MWh", Digits(1, 6)),
        (10**6, 3, "Wh", Digits(9, 0)),
        (None, -2, "Wh", Digits(None, 2)),
    ],
)
def test_digits_are_those_of_the_largest_value(
    modulus: int | None, scaler: int, unit: str, digits: Digits
) -> None:
    """A register knows how many places it needs before it rolls over."""
    register = Register(
        "1.8.0",
        "",
        lambda: START,
        lambda _: 0,
        ScalerUnit(scaler, Unit.WATT_HOUR),
        modulus=modulus,
    )
    assert digits == register.digits(unit)


@pytest.mark.parametrize(
    ("weight", "scaler", "volume"),
    [
        ("0.01 m3", -3, "0.030"),
        ("1 m3", -3, "3.000"),
        ("0.1 l", -4, "0.0003"),
        ("1 ft3", -12, "0.084950539776"),
    ],
)
def test_every_pulse_weight_is_shown_exactly(weight: str, scaler: int, volume: str) -> None:
    """The scaler follows from the weight: litres at least, and as fine as a cubic foot needs."""
    unit = GasUnitConfig(serial="00000001", pulse_weight=weight)
    meter = FixedMeter(config=MeterConfig(gas_units=(unit,)))
    meter.pulses.received = 3

    assert scaler == volume_scaler(unit)
    assert volume == str(meter.directory["0-1:24.2.1"].value)


def test_a_gas_index_rolls_over_at_its_modulus() -> None:
    """10^8 l and 10 l more are 0.010 m3."""
    meter = FixedMeter()
    meter.pulses.received = 10**7 + 1

    assert Decimal("0.010") == meter.directory["0-1:24.2.1"].value
