from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from elec_meter.config import (
    ECONOMY_7_LOCAL,
    ECONOMY_7_UTC,
    SINGLE_RATE,
    DatePattern,
    TariffConfig,
    config_from_toml,
)
from elec_meter.errors import ConfigError
from elec_meter.storage import read_reference_tariff, reference_tariff_names
from elec_meter.tariff import Calendar, price_millipence, rate_at

from .calendars import agree, around, at_s

PAGE = (Path(__file__).parents[3] / "docs" / "tariffs.md").read_text("utf-8")

RATES = {
    "single-rate": {at_s(2026, 1, 1): 1, at_s(2026, 7, 1, 3): 1},
    "economy-7-utc": {
        at_s(2026, 7, 1, 0, 29): 1,
        at_s(2026, 7, 1, 0, 30): 2,
        at_s(2026, 7, 1, 7, 29): 2,
        at_s(2026, 7, 1, 7, 30): 1,
    },
    "economy-7-local": {
        at_s(2026, 6, 30, 23, 29): 1,
        at_s(2026, 6, 30, 23, 30): 2,
        at_s(2026, 7, 1, 6, 30): 1,
        at_s(2026, 1, 1, 0, 29): 1,
        at_s(2026, 1, 1, 0, 30): 2,
    },
    "economy-10": {
        at_s(2026, 7, 1, 0, 29): 2,
        at_s(2026, 7, 1, 0, 30): 1,
        at_s(2026, 7, 1, 4, 30): 2,
        at_s(2026, 7, 1, 7, 30): 1,
        at_s(2026, 7, 1, 13, 30): 2,
        at_s(2026, 7, 1, 16, 30): 1,
        at_s(2026, 7, 1, 20, 30): 2,
    },
    "half-hourly-48": {
        at_s(2026, 7, 1): 1,
        at_s(2026, 3, 29, 1, 30): 4,
        at_s(2026, 10, 25, 0, 30): 2,
        at_s(2026, 7, 1, 23, 59): 48,
    },
    "weekday-weekend-seasons": {
        at_s(2026, 7, 1, 15, 59): 1,  # a Wednesday, 16:59 by the clock on the wall
        at_s(2026, 7, 1, 16): 3,
        at_s(2026, 7, 1, 18): 1,
        at_s(2026, 7, 1, 22): 2,
        at_s(2026, 7, 4, 17): 2,  # a Saturday
        at_s(2026, 1, 7, 16): 3,  # a Wednesday of winter
        at_s(2026, 1, 7, 19, 59): 3,
        at_s(2026, 10, 2, 15): 1,  # a Friday, and winter begins on Monday the 5th
        at_s(2026, 10, 5, 15): 3,
        at_s(2026, 5, 4, 16): 2,  # the early May holiday
        at_s(2026, 5, 11, 16): 3,
        at_s(2026, 12, 28, 17): 2,  # instead of Saturday the 26th
        at_s(2027, 12, 24, 17): 3,
    },
}


def easter(year: int) -> date:
    """Easter Sunday: the Sunday after the first full moon of spring, by Gauss's rule."""
    moon = (19 * (year % 19) + 24) % 30
    weekday = (2 * (year % 4) + 4 * (year % 7) + 6 * moon + 5) % 7
    return date(year, 3, 22) + timedelta(moon + weekday)


def test_every_reference_tariff_has_named_instants() -> None:
    """What is shipped is what is tested here, and what the page lists."""
    names = reference_tariff_names()
    assert sorted(RATES) == list(names)
    listed = re.findall(r"^\| `([a-z0-9-]+)` \| (\d+) \|", PAGE, re.MULTILINE)
    assert [(each, str(read_reference_tariff(each).import_.rates)) for each in names] == listed


@pytest.mark.parametrize("name", RATES)
def test_reference_tariff_has_its_rates(name: str) -> None:
    """At instants that tell it from the others, the rate is what the tariff's name promises."""
    calendar = Calendar.from_config(read_reference_tariff(name).import_)
    assert RATES[name] == {instant_s: rate_at(calendar, instant_s) for instant_s in RATES[name]}


@pytest.mark.parametrize("name", RATES)
def test_reference_tariff_agrees_with_the_watcher(name: str) -> None:
    """Also around the days on which clocks change, and over the new year."""
    config = read_reference_tariff(name).import_
    for day in (date(2026, 3, 29), date(2026, 10, 25), date(2027, 1, 1)):
        agree(config, around(day, 2))


def test_files_are_the_calendars_of_the_presets() -> None:
    """The same tariff in Python and as a file is one value."""
    assert ECONOMY_7_UTC == read_reference_tariff("economy-7-utc").import_
    assert ECONOMY_7_LOCAL == read_reference_tariff("economy-7-local").import_
    assert TariffConfig(import_=SINGLE_RATE) == read_reference_tariff("single-rate")


@pytest.mark.parametrize("year", range(2026, 2031))
def test_bank_holidays_are_all_there(year: int) -> None:
    """Eight days of each year are no working days: those of Christmas, Easter, May and August."""
    config = read_reference_tariff("weekday-weekend-seasons").import_
    patterns = [DatePattern.parse(special.date) for special in config.special_days]
    days = [date(year, 1, 1) + timedelta(n) for n in range(366 if year % 4 == 0 else 365)]
    holidays = [day for day in days if any(pattern.matches(day) for pattern in patterns)]
    working = [day for day in holidays if day.weekday() < 5]
    assert 8 == len(working)
    assert {easter(year) - timedelta(2), easter(year) + timedelta(1)} <= set(working)


def test_unknown_reference_tariff_is_refused() -> None:
    """The sentence says which ones there are."""
    with pytest.raises(ConfigError, match="no reference tariff 'economy-8', but economy-10, econ"):
        read_reference_tariff("economy-8")


def test_the_pages_example_is_a_tariff() -> None:
    """The document on the page loads, and what its tables say is in force."""
    (example,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    config = config_from_toml(example, "tariffs.md").tariff.import_
    calendar = Calendar.from_config(config)
    assert 2 == rate_at(calendar, at_s(2026, 12, 25, 12))
    assert 1 == rate_at(calendar, at_s(2026, 12, 24, 12))
    assert config.prices is not None
    priced = [price_millipence(config.prices, *each, None) for each in ((1, 2), (1, 3), (2, 3))]
    assert [26_125, 30_000, -1_500] == priced


def test_the_pages_dates_are_dates() -> None:
    """Each date in the table of wildcards is read and written back."""
    dates = re.findall(r"^\| `([0-9*]+-[^`]+)` \|", PAGE, re.MULTILINE)
    assert 8 == len(dates)
    assert dates == [str(DatePattern.parse(each)) for each in dates]
