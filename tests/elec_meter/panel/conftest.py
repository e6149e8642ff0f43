"""What the tests of the page share: a browser, and a panel to look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.elec_meter.panel.browsing import Served, chromium
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
