"""Which orders the page offers at which level."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

from playwright.sync_api import Browser, expect

from elec_meter import Storage
from tests.elec_meter.objects.lived import Life
from tests.elec_meter.panel.browsing import Served, looking
from tests.elec_meter.panel.standing import PASSWORDS, Standing

SCRIPT: Final = files("elec_meter.panel").joinpath("static/access.js").read_text("utf-8")
ORDERS: Final = re.findall(r'order\("([^"]+)", (\d), .*?request: "([a-z.]+)"', SCRIPT)
"""Title, level and request of each button."""


def test_the_page_knows_which_level_an_order_takes() -> None:
    """What it has beside an order is the least level that the meter does not refuse."""
    standing = Standing(life=Life(Storage.in_memory()))
    least: dict[str, int] = {}
    for level, password in PASSWORDS.items():
        browser = standing.browser()
        browser.sign_on(level, password)
        for _, _, request in ORDERS:
            order = {"request": request} | ({"by_s": 5} if request == "clock.adjust" else {})
            if browser.post("/api/orders", order).status_code != 403:
                least.setdefault(request, int(level))

    assert 6 == len(ORDERS)
    assert {request: int(level) for _, level, request in ORDERS} == least


def test_an_installer_is_offered_no_orders_of_the_supplier(
    browser: Browser, served: Served
) -> None:
    """Their buttons cannot be pressed, and the page says why."""
    with looking(browser, served.url) as page:
        page.get_by_label("Level").select_option("2")
        page.get_by_label("Password").fill("installer")
        page.get_by_role("button", name="Sign on").click()
        expect(page.locator("#access")).to_contain_text("the contactor take level 3")
        for title, level, _ in ORDERS:
            button = page.get_by_role("button", name=title)
            expect(button).to_be_enabled(enabled=int(level) <= 2)
