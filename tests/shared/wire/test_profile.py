"""Compact profiles, against the examples of EN 13757-3, Annex F."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.wire.profile import unrolled
from shared.wire.records import Record, encode_record, parse_records
from shared.wire.values import integer

# F.2.6: absolute readings, month by month, in two profiles
ABSOLUTE = bytes.fromhex(
    "868081006d0000a0411135"
    "8490810003f0490200"
    "8d908100831e0a34fea0860100d0fb0100"
    "c68181006d0b0c8d59130c"
    "c491810003905f0100"
    "868281006d00008041140d"
    "849281000350c30000"
    "8d928100831e0634fe00710200"
)
# F.2.7: increments from the base on; F.2.8: the same backwards
FORWARD = bytes.fromhex("84046d002041118b04150030128d04951f056901030211")
INVERSE = bytes.fromhex("84046d002341118b04151630128d049513056901110203")


def numbers(data: bytes, vif: bytes, modulus: int | None = None) -> list[tuple[int, int | None]]:
    """(storage, number) of the records with this unit, profiles unrolled."""
    found = unrolled(parse_records(data), modulus)
    return [(record.storage, integer(record)) for record in found if record.vif == vif]


def profile(control: str, elements: str, *, vif: str = "9313", base: str = "04130a000000") -> bytes:
    """A base record in storage 0 and a profile of it."""
    content = bytes.fromhex(control + elements)
    head = bytes.fromhex("0d" + vif)
    return bytes.fromhex(base) + head + bytes([len(content)]) + content


def test_increments_forward() -> None:
    """Each reading adds its increment to the one before; storage counts up; hours apart."""
    assert [(8, 123000), (9, 123003), (10, 123005), (11, 123016)] == numbers(FORWARD, b"\x15")
    assert [(1, "h")] * 3 == [record.spacing for record in unrolled(parse_records(FORWARD))[2:]]


def test_increments_backward() -> None:
    """The inverse profile takes them away again: the newest reading is the base."""
    assert [(8, 123016), (9, 123005), (10, 123003), (11, 123000)] == numbers(INVERSE, b"\x15")


def test_absolute_readings() -> None:
    """Absolute readings need no base, though they follow its storage; month apart."""
    expected = [(32, 150_000), (33, 100_000), (34, 130_000), (35, 90_000), (36, 50_000)]
    assert [*expected, (37, 160_000)] == numbers(ABSOLUTE, b"\x03")
    spacings = [record.spacing for record in unrolled(parse_records(ABSOLUTE)) if record.spacing]
    assert [(1, "month")] * 3 == spacings


@pytest.mark.parametrize(
    ("control", "elements", "readings"),
    [
        ("511e", "010203", [9, 7, 4]),
        ("921e", "01000200", [11, 13]),  # falling: older readings were higher
        ("d11e", "ff01", [11, 10]),  # signed differences
        ("511e", "01ff03", [9]),  # an invalid increment ends what can be known
        ("111e", "0580fb", [5, None, -5]),  # an absolute reading may be invalid alone
        ("511e", "", []),
    ],
)
def test_modes(control: str, elements: str, readings: list[int | None]) -> None:
    """Every kind of increment, backwards from a base of 10."""
    assert readings == [number for _, number in numbers(profile(control, elements), b"\x13")][1:]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (profile("511e", "01", base="44130a000000"), "the base has another storage"),
        (profile("511e", "01", base="04140a000000"), "the base has another unit"),
        (profile("511e", "01", base="0513000020 41"), "the base is a single"),
        (profile("551e", "00000000"), "elements are singles"),
        (profile("521e", "010203"), "half an element"),
        (profile("51", ""), "no spacing"),
    ],
)
def test_what_cannot_be_unrolled_stays(data: bytes, why: str) -> None:
    """Without a base record or with elements of no known kind the profile stays one record."""
    assert 2 == len(unrolled(parse_records(data))), why
    assert 2 == len(parse_records(data))


def test_cyclic_counts_wrap() -> None:
    """Where a counter is known to wrap, so do its past readings; its base is any 32 bits."""
    data = profile("511e", "0502", base="04fd3a03000000", vif="fdba13")
    wrapped = [(0, 3), (1, 2**32 - 2), (2, 2**32 - 4)]
    assert wrapped == numbers(data, b"\xfd\x3a", 1 << 32)
    assert [(0, 3), (1, -2), (2, -4)] == numbers(data, b"\xfd\x3a")
    data = profile("511e", "05", base="04fd3a00000080", vif="fdba13")
    assert (1, 2**31 - 5) == numbers(data, b"\xfd\x3a", 1 << 32)[1]


@pytest.mark.parametrize(
    ("control", "spacing"),
    [
        ("410a", (10, "s")),
        ("511e", (30, "min")),
        ("6101", (1, "h")),
        ("7107", (7, "d")),
        ("71fe", (1, "month")),
        ("71fd", (1, "half_month")),
    ],
)
def test_spacings(control: str, spacing: tuple[int, str]) -> None:
    """The time between readings, by unit and number."""
    assert spacing == unrolled(parse_records(profile(control, "01")))[1].spacing


@given(
    st.integers(-(2**31) + 1, 2**31 - 1),
    st.lists(st.integers(-(2**15) + 1, 2**15 - 1), max_size=90),
)
@settings(max_examples=60)
def test_differences_add_up(newest: int, differences: list[int]) -> None:
    """Unrolled backwards, neighbouring readings differ by what was sent."""
    content = b"\xd2\x1e" + b"".join(d.to_bytes(2, "little", signed=True) for d in differences)
    base = Record(4, b"\x13", newest.to_bytes(4, "little", signed=True), storage=3, tariff=1)
    history = Record(13, b"\x93\x13", content, variable=len(content), storage=3, tariff=1)
    data = encode_record(history) + encode_record(base)
    readings = [integer(record) for record in unrolled(parse_records(data))]
    older = readings[:-1]
    newer = [readings[-1], *older][: len(older)]
    assert differences == [n - o for n, o in zip(newer, older, strict=True)]


@given(st.binary(max_size=120))
@settings(max_examples=100)
def test_any_profile_is_unrolled_or_stays(content: bytes) -> None:
    """No content of a profile is an error or more readings than bytes."""
    history = Record(13, b"\x93\x13", content, variable=len(content))
    found = unrolled([Record(4, b"\x13", b"\x01\x02\x03\x04"), history])
    assert 1 <= len(found) <= 1 + max(1, len(content))
