"""Which record is the count, and how a total becomes whole steps."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import UnitRecordError
from collector.selector import CountSaid, RecordSelector
from shared.units import PULSE_1_FT3, PULSE_1_L, PULSE_10_L, PulseWeight
from shared.wire.records import parse_records
from tests.collector.frames import record


def _read(
    selector: str, digits: str, weight: PulseWeight = PULSE_10_L, wh_per_count: int = 1
) -> CountSaid | str:
    records = parse_records(bytes.fromhex(digits))
    return RecordSelector(selector, weight, wh_per_count).read(records)


def _count(selector: str, digits: str, weight: PulseWeight = PULSE_10_L, wh: int = 1) -> int:
    said = _read(selector, digits, weight, wh)
    assert isinstance(said, CountSaid), said
    return said.count


@pytest.mark.parametrize(
    ("selector", "digits", "count"),
    [
        ("volume", "0c1427048502", 2_850_427),  # 28504.27 m3 in decimal digits
        ("gas volume", "0c1427048502", 2_850_427),
        ("volume", "041387d61200", 123_456),  # 1234.567 m3: the last 7 litres are no whole step
        ("volume", "0416d2040000", 123_400),  # 1234 m3
        ("volume", "05160000c03f", 150),  # 1.5 m3 as a single
        ("volume", "04933a87d61200", 123_456),  # said to be uncorrected: what the dial shows
        ("volume", "0413ffff0000 0c1427048502", 6_553),  # the first of two
        ("count", "04fd3a39300000", 12_345),
        ("count", "0efd3a114700000000", 4_711),
        ("count", "04fd3a000000f0", 0xF0000000),
        ("energy", "0e035040691500 00", 15_694_050),  # 15694.050 kWh
        ("energy", "04fb0003000000", 300_000),  # 0.3 MWh
        ("energy", "040e01000000", 277),  # 1 MJ = 277.7... Wh
        ("8440fd3a", "0efd3a114700000000 8440fd3a34120000", 0x1234),  # the second input
        ("4413", "041387d61200 441310270000", 1_000),  # a past total, if that is asked for
    ],
)
def test_count_is_the_whole_steps_of_the_total(selector: str, digits: str, count: int) -> None:
    """Steps of 10 litres or 1 Wh that the selected total holds."""
    assert count == _count(selector, digits)


@pytest.mark.parametrize(
    ("selector", "digits"),
    [
        ("volume", "04fd3a39300000"),  # a count
        ("volume", "441387d61200"),  # a past one
        ("volume", "84101387d61200"),  # one tariff's
        ("volume", "84401387d61200"),  # another input's
        ("volume", "141387d61200"),  # a maximum
        ("volume", "04933e87d61200"),  # converted to base conditions
        ("volume", "04933c87d61200"),  # what flowed backwards
        ("energy", "0c1427048502"),
        ("count", ""),
        ("4413", "041387d61200"),
    ],
)
def test_other_records_are_not_taken(selector: str, digits: str) -> None:
    """A telegram without the record has no count, whatever else is in it."""
    assert f"the telegram has no {selector}" == _read(selector, digits)


@pytest.mark.parametrize(
    ("selector", "digits"),
    [
        ("volume", "0413ffffffff"),
        ("volume", "0c13ffffffff"),
        ("volume", "0c1312345a78"),  # a digit above nine
        ("volume", "041300000080"),  # the code of an invalid number
        ("volume", "0316ffffff"),
        ("volume", "0416ffffff00"),  # 0xFFFFFF m3
        ("volume", "05130000807f"),  # infinity
        ("volume", "04931501000000"),  # "no data" in its place
        ("volume", "0013"),
        ("count", "04fd3affffffff"),
    ],
)
def test_placeholder_is_no_count(selector: str, digits: str) -> None:
    """All ones, errors and what is no number give none."""
    assert f"the {selector} is a placeholder" == _read(selector, digits)


def test_weight_and_energy_are_the_step() -> None:
    """The pulse weight is the step of a volume, also where the meter counts cubic feet."""
    assert 1_234_567 == _count("volume", "041387d61200", PULSE_1_L)
    assert 77 == _count("volume", "04fb204d000000", PULSE_1_FT3)
    assert 15_694 == _count("energy", "0e0350406915 0000", wh=1_000)


def test_clock_and_boot_are_told_with_it() -> None:
    """Seconds of uptime and a reset counter are read where a meter sends them."""
    digits = "04fd3a39300000 042020bf0200 02fd600200"
    assert CountSaid(12_345, 180_000, 2) == _read("count", digits)
    assert CountSaid(12_345, None, None) == _read("count", "04fd3a39300000 042205000000")


@pytest.mark.parametrize(
    "selector", ["", "gas", "04", "0413ff", "04fd", "0f", "2f", "0422", "0459", "zz", "4f13"]
)
def test_what_counts_nothing_is_refused(selector: str) -> None:
    """A selector is a name, or the head of a record of a count, a volume or an energy."""
    with pytest.raises(UnitRecordError):
        record(selector=selector)


def test_most_counts_of_energy_follow_from_power() -> None:
    """23 kW for an hour are 23,000 counts of 1 Wh, and 23 of 1 kWh, and one for the start."""
    assert 23_001 == record(selector="energy").pulses_max(3600)
    assert 24 == record(selector="0e03", wh_per_count=1_000).pulses_max(3600)


@given(st.lists(st.integers(0, 10**7), min_size=2), st.integers(1, 5_000))
def test_steps_add_up_to_the_total(litres: list[int], step_l: int) -> None:
    """However a meter's total rises, its steps are those of the last total: none is lost."""
    weight = PulseWeight(Fraction(step_l))
    counts = [
        _count("volume", "0413" + total.to_bytes(4, "little").hex(), weight)
        for total in sorted(litres)
    ]
    assert sorted(counts) == counts
    assert max(litres) // step_l == counts[-1]
