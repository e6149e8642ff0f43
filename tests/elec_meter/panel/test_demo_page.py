"""The whole system in Debian's Chromium: a unit is paired over the demo's radio, the mains fail."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.elec_meter.demo.running import demo
from tests.elec_meter.panel.browsing import chromium, looking

LISTENING = re.compile(r"panel listens on (http://\S+)")
PATIENCE_MS = 60_000
DARK = "the mains are off; the page comes back when they do"


def test_a_unit_is_paired_and_the_mains_fail(tmp_path: Path) -> None:
    """An installer takes every step on the page, which comes back by itself after a power cut."""
    with demo(tmp_path, "--speed", 10) as (process, _):
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        told = next(filter(None, (LISTENING.search(line) for line in lines)))
        with chromium() as browser, looking(browser, f"{told[1]}/") as page:
            page.set_default_timeout(PATIENCE_MS)
            pair(page)
            expect(page.locator("#units")).to_contain_text("Unit 00000002", timeout=PATIENCE_MS)
            page.get_by_role("button", name="Cut the power").click()
            answer = page.locator("#demo .answer")
            expect(answer).to_contain_text("the mains are off", timeout=PATIENCE_MS)
            link = page.locator("#link")
            expect(link).to_have_text(DARK, timeout=PATIENCE_MS)
            expect(link).not_to_contain_class("lost")
            expect(link).to_have_text("live", timeout=PATIENCE_MS)
            expect(answer).to_have_text("")
            restarted = "The meter has restarted: sign on again."
            expect(page.locator("#access .answer")).to_have_text(restarted)
            expect(page.locator("#events")).to_contain_text("power came back", timeout=PATIENCE_MS)


@pytest.mark.slow  # test_controls and test_pace have the same wishes in-process
def test_every_wish_of_a_visitor_is_seen(tmp_path: Path) -> None:
    """Cost, speed and a lossy radio are shown; the next change of the clocks comes as its day."""
    with demo(tmp_path, "--speed", 1) as (process, _):
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        told = next(filter(None, (LISTENING.search(line) for line in lines)))
        with chromium() as browser, looking(browser, f"{told[1]}/") as page:
            page.set_default_timeout(PATIENCE_MS)
            expect(page.locator("#cost")).to_contain_text("£", timeout=PATIENCE_MS)
            included = "Standing charge included: of import 53.8 p a day"
            expect(page.locator("#cost")).to_contain_text(included)
            expect(page.locator("#now")).to_contain_text("53.8 p of it standing charge")
            expect(page.locator("#now")).to_contain_text(" p", timeout=PATIENCE_MS)
            page.get_by_label("Meter time").select_option("600")
            expect(page.get_by_label("Meter time")).to_have_value("600")
            page.get_by_label("Radio").fill("50")
            expect(page.locator("#demo")).to_contain_text("50 % of telegrams are lost")
            page.get_by_role("button", name="Go to").click()
            link = page.locator("#link")
            expect(link).to_have_text(DARK, timeout=PATIENCE_MS)
            expect(link).to_have_text("live", timeout=PATIENCE_MS)
            summary = page.locator("#day-summary")
            expect(summary).to_contain_text("the clocks go", timeout=PATIENCE_MS)


def pair(page: Page) -> None:
    """From the label to the certificate."""
    page.get_by_label("Level").select_option("2")
    page.get_by_label("Password").fill("installer")
    page.get_by_role("button", name="Sign on").click()
    label = page.locator("#demo .label").inner_text()
    page.get_by_label("The label").fill(label)
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("button", name="Press the unit's button").click()
    page.get_by_label("MPRN", exact=True).fill("3938424403")
    page.get_by_label("MPRN again").fill("3938424403")
    page.get_by_label("Serial on the badge").fill("G4A123")
    page.get_by_label("The dial").fill("01234.567")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Light its hob").click()
    expect(page.get_by_label("Meter time")).to_have_value("2")
    page.get_by_label("Meter time").select_option("10")
    page.get_by_role("button", name="It does", exact=True).click()
    page.get_by_label("Who installed it").fill("A. Fitter")
    page.get_by_role("button", name="Keep the pairing").click()
