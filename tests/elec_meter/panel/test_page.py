"""The page in Debian's Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from playwright.sync_api import Browser, expect

from elec_meter import Storage
from elec_meter.config import ClockConfig
from tests.elec_meter.objects.lived import HOUR, Life, lived_config
from tests.elec_meter.panel.browsing import Served, chromium, looking
from tests.elec_meter.panel.standing import Standing, Toy


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A meter that has lived, with its panel open."""
    meter = Served(lambda: Standing(demo=Toy()))
    try:
        yield meter
    finally:
        meter.close()


def changed_clocks() -> Standing:
    """A meter that lived through two clock-change days, and slept between them."""
    config = msgspec.structs.replace(lived_config(30), clock=ClockConfig())
    life = Life(Storage.in_memory(), config)
    for evening in (datetime(2026, 10, 24, 21, tzinfo=UTC), datetime(2027, 3, 27, 21, tzinfo=UTC)):
        life.sleep(evening - life.now)
        life.live(28 * HOUR, 5_600, 100)
    return Standing(life=life)


@pytest.fixture(scope="module")
def changing() -> Iterator[Served]:
    """The same, with its panel open."""
    meter = Served(changed_clocks)
    try:
        yield meter
    finally:
        meter.close()


def test_the_display_follows_the_button_and_the_time(browser: Browser, served: Served) -> None:
    """A press shows the next screen at once; time that passes is seen without asking."""
    with looking(browser, served.url) as page:
        picture = page.locator("#lcd svg")
        expect(page.locator("#link")).to_have_text("live")
        before = picture.get_attribute("aria-label")
        page.get_by_role("button", name="Button", exact=True).click()
        expect(picture).not_to_have_attribute("aria-label", before or "")
        clock = page.locator("#clock").inner_text()
        served.do(lambda standing: standing.life.live(timedelta(minutes=1), 10))
        expect(page.locator("#clock")).not_to_have_text(clock)
        page.get_by_role("button", name="Hold 2 s").click()
        expect(picture).to_have_attribute("aria-label", re.compile("^########"))


@pytest.mark.parametrize(
    ("day", "bars", "words"),
    [
        ("2027-03-28", 46, "46 half-hours, an hour less"),
        ("2026-10-25", 50, "50 half-hours, an hour more"),
    ],
)
def test_a_clock_change_day_has_its_bars(
    browser: Browser, changing: Served, day: str, bars: int, words: str
) -> None:
    """One bar a half-hour, in the chart and in the map."""
    with looking(browser, changing.url) as page:
        page.get_by_label("Day", exact=True).fill(day)
        expect(page.locator("#day-summary")).to_contain_text(words)
        expect(page.locator("#day-charts .import .bars rect")).to_have_count(bars)
        page.locator("#day-charts .import svg").focus()
        page.keyboard.press("End")
        expect(page.locator("#day-reading")).to_contain_text(f"period {bars}:")


def test_a_wrong_password_is_told_and_the_right_one_opens(browser: Browser, served: Served) -> None:
    """The refusal stands beside the form; whoever signs on may give orders."""
    with looking(browser, served.url) as page:
        page.get_by_label("Level").select_option("3")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign on").click()
        expect(page.locator("#access .answer")).to_have_text("the sign-on was refused")
        page.get_by_label("Password").fill("supplier")
        page.get_by_role("button", name="Sign on").click()
        page.on("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Reset maximum demand").click()
        expect(page.locator("#access .answer")).to_have_text("demand begins anew")


def test_it_fits_a_phone_in_the_dark(browser: Browser, served: Served) -> None:
    """At 360 pixels nothing is cut off; a budget that is passed is warned of."""
    phone = {"width": 360, "height": 740}
    with looking(browser, served.url, viewport=phone, color_scheme="dark") as page:
        expect(page.locator("#month-map .line")).not_to_have_count(0)
        expect(page.locator("#registers table")).not_to_have_count(0)
        assert 360 == page.evaluate("document.documentElement.scrollWidth")
        page.get_by_label("Daily budget").fill("0.1")
        expect(page.get_by_role("alert")).to_contain_text("of your 0.1 kWh")
