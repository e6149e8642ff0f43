from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.config import DatePattern, SeasonConfig
from tests.naive.dates import ticked

FIRST, LAST = date(2023, 1, 1), date(2028, 12, 31)
DAYS = [FIRST + timedelta(n) for n in range((LAST - FIRST).days + 1)]
YEARS = range(FIRST.year - 1, LAST.year + 1)
FORMS = {
    "year": ("*", "2024", "2025"),
    "month": ("*", "01", "02", "04", "12"),
    "day": ("*", "01", "15", "29", "30", "31", "L", "L-1"),
    "weekday": ("", " Mon", " Tue", " Wed", " Thu", " Fri", " Sat", " Sun"),
}
IMPOSSIBLE = ("-02-30", "-02-31", "-04-31", "2025-02-29")


def wildcard_forms(year: str, month: str) -> list[str]:
    """Every combination with this year and month that some day matches."""
    ends = itertools.product(FORMS["day"], FORMS["weekday"])
    texts = [f"{year}-{month}-{day}{weekday}" for day, weekday in ends]
    return [text for text in texts if not any(each in text for each in IMPOSSIBLE)]


@pytest.mark.parametrize("year", FORMS["year"])
@pytest.mark.parametrize("month", FORMS["month"])
def test_every_wildcard_form_names_the_days_ticked(year: str, month: str) -> None:
    """Over six years, two of them leap years, each form matches what a person would tick."""
    for text in wildcard_forms(year, month):
        pattern, ticks = DatePattern.parse(text), ticked(text, YEARS)
        matched = {day for day in DAYS if pattern.matches(day)}
        assert ticks.intersection(DAYS) == matched, text
        assert matched, text
        assert text == str(pattern)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-12-25", date(2026, 12, 25)),
        ("*-05-01 Mon", date(2026, 5, 4)),
        ("*-03-L Sun", date(2026, 3, 29)),
        ("*-02-L", date(2028, 2, 29)),
        ("*-02-L-1", date(2027, 2, 27)),
        ("*-05-L-1 Sun", date(2026, 5, 24)),
        ("2026-12-31 Mon", date(2027, 1, 4)),
    ],
)
def test_date_names_its_day(text: str, day: date) -> None:
    """It matches that day, and neither the day before nor the one after."""
    pattern = DatePattern.parse(text)
    matched = [pattern.matches(day + timedelta(days)) for days in (-1, 0, 1)]
    assert [False, True, False] == matched


@given(
    st.integers(1, 12),
    st.sampled_from(["01", "15", "28", "L", "L-1"]),
    st.sampled_from(FORMS["weekday"]),
    st.integers(2000, 2037),
)
def test_day_in_a_year_is_the_one_that_matches(
    month: int, day: str, weekday: str, year: int
) -> None:
    """Month and day name one day of every year, and it is that which is ticked."""
    text = f"{year}-{month:02d}-{day}{weekday}"
    named = DatePattern.parse(f"*{text[4:]}").day_in(year)
    assert ticked(text, [year]) == {named}
    assert named == DatePattern.parse(text).day_in(year)
    assert named is not None
    assert DatePattern.parse(text).matches(named)


@pytest.mark.parametrize(
    ("text", "year"), [("*-02-29", 2025), ("2024-05-01", 2025), ("*-*-01", 2025), ("*-05-*", 2025)]
)
def test_date_that_names_no_single_day_of_a_year(text: str, year: int) -> None:
    """A day that the year does not have, another year's, and many days are none."""
    assert DatePattern.parse(text).day_in(year) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026-1-1", "*-13-01", "0000-01-01", "*-02-30", "2025-02-29", "*-04-31 Mon"),
        *("*-*-00", "*-*-32", "*-*-L-2", "*-*-* mon", "*-*-* Mon ", "2026-01-01\n", "٢٠٢٦-01-01"),
    ],
)
def test_what_names_no_day_is_refused(text: str) -> None:
    """Neither another form nor a day that no year has is a date."""
    with pytest.raises(ValueError, match=r"no date such as|no day of any year"):
        DatePattern.parse(text)


@pytest.mark.parametrize("start", ["*-01", "04-*", "02-29", "02-29 Mon", "2026-04-01", "april"])
def test_season_begins_once_in_every_year(start: str) -> None:
    """What many days of a year are, or only some years have, begins no season."""
    with pytest.raises(ValueError, match=r"season|no date"):
        SeasonConfig(start=start, week="a")
