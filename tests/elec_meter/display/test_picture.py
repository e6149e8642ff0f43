from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.config.places import DISPLAY_DIGITS as DIGITS
from elec_meter.display.picture import Picture, right_aligned, write_text


@pytest.mark.parametrize(
    ("picture", "value", "text"),
    [
        ("000000.0", "123.456", "000123.4"),
        ("#####0.0", "123.456", "123.4"),
        ("00000.000", "0", "00000.000"),
        ("0", "7", "7"),
        ("000000.0", "999999.999", "999999.9"),
    ],
)
def test_a_register_is_cut_off_behind_its_last_digit(picture: str, value: str, text: str) -> None:
    """An index never shows more than was counted."""
    parsed = Picture.parse(picture)

    assert parsed is not None
    assert text == parsed.write(Decimal(value), cumulative=True)


@pytest.mark.parametrize(
    ("picture", "value", "text"),
    [
        ("#####0", "290.5", "291"),
        ("#####0", "-1500", "-1500"),
        ("#####0", "-0.4", "0"),
        ("##0.00", "239.874", "239.87"),
        ("##0.00", "-12.345", "-12.35"),
        ("##0.00", "-123.456", "-123.5"),
        ("##0.0", "99999.9", "OL"),
        ("0.0", "12345", "OL"),
    ],
)
def test_a_quantity_is_rounded_and_gives_up_decimals_first(
    picture: str, value: str, text: str
) -> None:
    """A sign takes a place; what does not fit without decimals either reads OL."""
    parsed = Picture.parse(picture)

    assert parsed is not None
    assert text == parsed.write(Decimal(value), cumulative=False)


@given(
    st.from_regex(r"#{0,4}0{1,4}(\.0{1,3})?", fullmatch=True),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9),
    st.booleans(),
)
def test_no_value_needs_more_places_than_the_picture(
    picture: str, value: Decimal, cumulative: bool
) -> None:
    """Whatever is shown fits."""
    parsed = Picture.parse(picture)
    assert parsed is not None

    text = parsed.write(value, cumulative=cumulative)
    assert max(2, parsed.whole + parsed.decimals) >= len(text) - text.count(".")


@pytest.mark.parametrize("form", ["time", "date", "text", "12", ".0", "#", "0#", "0."])
def test_other_formats_are_no_picture(form: str) -> None:
    """A picture ends in zeros before its point."""
    assert Picture.parse(form) is None


def test_clocks_and_texts_have_formats_of_their_own() -> None:
    """Time and date of an instant, and eight characters of anything else."""
    instant = datetime(2012, 10, 28, 1, 30, 5, tzinfo=UTC)

    assert "01:30:05" == write_text(instant, "time")
    assert "28.10.12" == write_text(instant, "date")
    assert "HALFHOUR" == write_text("HALFHOURLY", "text")
    assert "7" == write_text(7, "text")


@pytest.mark.parametrize("text", ["", "1", "12.5", "01:30:05", "28.10.12", "00000.000"])
def test_text_stands_at_the_right_of_eight_places(text: str) -> None:
    """Points and colons take no place."""
    aligned = right_aligned(text)

    assert aligned.endswith(text)
    assert DIGITS == len(aligned) - text.count(".") - text.count(":")
