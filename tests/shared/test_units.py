from __future__ import annotations

import contextlib
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import units
from shared.errors import SharedError, UnitsError
from shared.units import PulseWeight


class TestPulseWeight:
    """What one pulse stands for."""

    @pytest.mark.parametrize(
        ("text", "litres"),
        [
            ("0.01 m3", Fraction(10)),
            ("10 l", Fraction(10)),
            ("10 L/imp", Fraction(10)),
            ("0.001m3", Fraction(1)),
            (" 0.1 m³ ", Fraction(100)),
            ("1 ft3", Fraction("28.316846592")),
            ("1 ft3/pulse", Fraction("28.316846592")),
            ("0.1 l", Fraction(1, 10)),
        ],
    )
    def test_reads_a_badge(self, text: str, litres: Fraction) -> None:
        """A badge's text gives the exact number of litres."""
        assert PulseWeight(litres) == PulseWeight.parse(text)

    @pytest.mark.parametrize(
        "text", ["", "10", "l", "0 l", "0.0 m3", "-1 l", "1..0 l", "1 gal", "1/3 l", "1 lm3", "٣ l"]
    )
    def test_refuses_what_is_no_weight(self, text: str) -> None:
        """Anything else on the badge is a typed refusal."""
        with pytest.raises(UnitsError):
            PulseWeight.parse(text)

    def test_refuses_inexact_and_impossible_weights(self) -> None:
        """A float, zero or a negative weight is refused."""
        for weight in (0.01, 0, Fraction(-1), Decimal("0.1"), "10"):
            with pytest.raises(UnitsError):
                PulseWeight(weight)

    @pytest.mark.parametrize(
        ("badge", "text"),
        [
            ("10 l", "0.01 m3"),
            ("0.010 m³/imp", "0.01 m3"),
            ("0.1 l", "0.0001 m3"),
            ("1000 l", "1 m3"),
            ("1 ft3", "1 ft3"),
            ("10.0 ft³", "10 ft3"),
        ],
    )
    def test_has_one_spelling(self, badge: str, text: str) -> None:
        """However a badge spells it, it is shown as most badges do, and reads back."""
        assert text == str(PulseWeight.parse(badge))
        assert PulseWeight.parse(badge) == PulseWeight.parse(text)

    def test_twenty_years_of_cubic_feet_are_exact(self) -> None:
        """The index of 4.8 million pulses of a cubic foot is exact to the microlitre."""
        assert 135_920_863_641_600 == units.PULSE_1_FT3.litres(4_800_000) * 10**6

    @given(first=st.integers(0, 2**32), second=st.integers(0, 2**32))
    def test_volumes_add(self, first: int, second: int) -> None:
        """The volume of two spells is the sum of their volumes, for every weight."""
        for weight in (units.PULSE_1_L, units.PULSE_10_L, units.PULSE_100_L, units.PULSE_1_FT3):
            total = weight.litres(first) + weight.litres(second)
            assert weight.litres(first + second) == total

    def test_orders_by_volume(self) -> None:
        """Weights compare by volume, whatever unit they came from."""
        assert units.PULSE_10_L < units.PULSE_1_FT3 < units.PULSE_100_L
        assert PulseWeight(10) == units.PULSE_10_L


class TestKwhText:
    """Decimal kWh as files give it."""

    @pytest.mark.parametrize(
        ("text", "wh"),
        [
            ("0.1", 100),
            (" 1.234\n", 1234),
            ("0", 0),
            ("7.", 7000),
            (".5", 500),
            ("-0.25", -250),
            ("+2", 2000),
            ("1e-05", Fraction(1, 100)),
            ("0.0004999999", Fraction(4999999, 10**7)),
        ],
    )
    def test_is_exact(self, text: str, wh: Fraction | int) -> None:
        """A text of decimals gives exactly its Wh."""
        assert wh == 1000 * units.exact_decimal(text)

    @pytest.mark.parametrize(
        "text",
        [
            *("", "Null", "nan", "inf", "1/3", "1_000", "1,5", "0x10", "1e999", "1e", ".", "1 2"),
            *("٣", "9" * 19),
        ],
    )
    def test_refuses_what_is_no_number(self, text: str) -> None:
        """Words, fractions, separators and absurd sizes are a typed refusal."""
        with pytest.raises(UnitsError, match="not a decimal number"):
            units.exact_decimal(text)

    @given(wh=st.integers(-(10**15), 10**15))
    def test_leads_back(self, wh: int) -> None:
        """Whole Wh written as kWh read as the same Wh."""
        assert wh == 1000 * units.exact_decimal(units.kwh_text(wh))

    @given(text=st.text(max_size=40))
    def test_nothing_else_is_raised(self, text: str) -> None:
        """Any text is a number or the package's own error."""
        with contextlib.suppress(SharedError):
            units.exact_decimal(text)


class TestGasEnergy:
    """Volume of gas as energy."""

    def test_is_the_bills_formula(self) -> None:
        """100 m3 at 39.5 MJ/m3 are 100 x 1.02264 x 39.5 / 3.6 kWh, exactly."""
        expected_wh = Fraction(102264 * 395, 36)
        assert expected_wh == units.gas_energy_wh(100_000, Fraction("39.5"))
        assert "1122.063" == units.kwh_text(round(expected_wh))

    def test_correction_is_a_parameter(self) -> None:
        """Without correction 3.6 MJ are a kWh."""
        assert 1000 == units.gas_energy_wh(1000, Fraction("3.6"), 1)

    def test_refuses_floats(self) -> None:
        """A float anywhere in the formula is refused."""
        for volume, calorific_value, correction in ((1.0, 39, 1), (1, 39.5, 1), (1, 39, 1.02264)):
            with pytest.raises(UnitsError, match="not exact"):
                units.gas_energy_wh(volume, calorific_value, correction)

    def test_millijoules_of_a_watt_hour(self) -> None:
        """A watt-hour is 3600 J of 1000 mJ each."""
        assert 3600 * 1000 == units.MJ_PER_WH


class TestPowersOfTen:
    """Integers and decimals times a power of ten."""

    @given(number=st.integers(-(10**40), 10**40), exponent=st.integers(-40, 6))
    def test_scaling_keeps_every_digit(self, number: int, exponent: int) -> None:
        """The value is exact, an int where it is whole by its exponent, with the sender's zeros."""
        value = units.scaled(number, exponent)
        assert number * Fraction(10) ** exponent == Fraction(value)
        assert (exponent >= 0) == isinstance(value, int)
        if exponent < 0:
            assert -exponent == len(f"{value:f}".partition(".")[2])

    def test_shifting_rounds_nothing(self) -> None:
        """More digits than a decimal context holds move as they are; infinity has none to move."""
        assert Decimal("12345678901234567890123456789012.34500") == units.shifted(
            Decimal("12345678901234567890123456789012345.00"), -3
        )
        with pytest.raises(UnitsError):
            units.shifted(Decimal("Infinity"), 1)
