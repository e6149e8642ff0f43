"""Which orders the page offers at which level, and the draft of a configuration."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Final

import msgspec
from playwright.sync_api import Browser, Page, expect

from elec_meter import Storage
from elec_meter.access import Level
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


def changed(standing: Standing) -> None:
    """Somebody else changes the configuration."""
    meter = standing.life.meter
    display = msgspec.structs.replace(meter.config.display, return_s=45)
    meter.apply_config(msgspec.structs.replace(meter.config, display=display), standing.now())
    standing.panel.live.hurry()


def kept(page: Page) -> dict[str, str]:
    """What the tab keeps when the page is loaded again; never a password."""
    found = page.evaluate("Object.entries(sessionStorage)")
    drafts = {key: json.loads(value)["text"] for key, value in found}
    assert PASSWORDS[Level.SUPPLIER] not in "".join(value for _, value in found)
    return drafts


def test_a_draft_outlives_orders_and_other_peoples_changes(browser: Browser) -> None:
    """What is typed stays until it is in force or thrown away; a change of others is told."""
    meter = Served(Standing)
    try:
        with looking(browser, meter.url) as page:
            page.get_by_label("Level").select_option("3")
            page.get_by_label("Password").fill("supplier")
            page.get_by_role("button", name="Sign on").click()
            page.get_by_text("Edit", exact=True).click()
            text = page.get_by_label("Configuration as TOML")
            stale = page.locator("#config .notice")
            draft = text.input_value() + "\n# a draft\n"
            text.fill(draft)
            page.on("dialog", lambda dialog: dialog.accept())
            with page.expect_response("**/api/config"):
                page.get_by_role("button", name="Reset maximum demand").click()
            expect(page.locator("#access .answer")).to_have_text("demand begins anew")
            expect(text).to_have_value(draft)
            expect(text).to_be_visible()
            expect(stale).to_be_hidden()
            meter.do(changed)
            expect(stale).to_contain_text("has changed since this draft was begun")
            expect(text).to_have_value(draft)
            page.reload()
            expect(text).to_be_visible()
            expect(text).to_have_value(draft)
            expect(stale).to_contain_text("has changed since this draft was begun")
            page.get_by_role("button", name="Throw the draft away").click()
            expect(text).to_have_value(re.compile("return_s = 45"))
            expect(stale).to_be_hidden()
            text.fill(text.input_value().replace("return_s = 45", "return_s = 50"))
            page.get_by_role("button", name="Put in force").click()
            expect(page.locator("#config .answer")).to_contain_text("is in force: display changed")
            expect(page.get_by_role("button", name="Throw the draft away")).to_be_hidden()
            expect(text).to_have_value(re.compile("return_s = 50"))
            assert {} == kept(page)
            text.fill(draft)
            assert draft in "".join(kept(page).values())
            page.get_by_role("button", name="Sign off").click()
            expect(page.get_by_label("Password")).to_be_visible()
            assert {} == kept(page)
            expect(text).to_have_value(re.compile("return_s = 50"))
    finally:
        meter.close()
