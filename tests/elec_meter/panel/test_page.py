"""The page in Debian's Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

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


def test_the_display_follows_the_button_and_the_time(browser: Browser, served: Served) -> None:
    """A press shows the next screen at once; time that passes is seen without asking."""
    with looking(browser, served.url) as page:
        picture = page.locator("#lcd svg")
        expect(page.locator("#link")).to_have_text("live")
        before = picture.get_attribute("aria-label")
        page.get_by_role("button", name="Button").click()
        expect(picture).not_to_have_attribute("aria-label", before or "")
        clock = page.locator("#clock").inner_text()
        served.do(lambda standing: standing.life.live(timedelta(minutes=1), 10))
        expect(page.locator("#clock")).not_to_have_text(clock)
        page.get_by_role("button", name="Hold 2 s").click()
        expect(picture).to_have_attribute("aria-label", re.compile("^########"))
