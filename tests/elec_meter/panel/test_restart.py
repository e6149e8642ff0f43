"""What the page says when the meter has restarted: sign-ons and pairings are gone then."""

from __future__ import annotations

import secrets
import time

from playwright.sync_api import Browser, Page, expect

from elec_meter.panel.sessions import Sessions
from tests.elec_meter.panel.browsing import Served, looking
from tests.elec_meter.panel.standing import Standing
from tests.elec_meter.panel.test_accessibility import in_step, signed_on

BROKEN_OFF = (
    "The meter has restarted: the pairing of the unit 00000002 was broken off, and nothing of it"
    " was kept. Begin again."
)


def restarted(standing: Standing) -> None:
    """Nobody is signed on, and nothing is paired any more."""
    standing.panel._desk.sessions = Sessions(time.monotonic, secrets.token_bytes)
    standing.desk.pairing = lambda: None  # type: ignore[method-assign]  # of this one
    standing.panel.live.hurry()


def idle(standing: Standing) -> None:
    """Nobody is signed on any more, and the meter runs on."""
    standing.panel._desk.sessions._sessions.clear()


def refused_step(page: Page) -> None:
    """Take a step that takes a level."""
    page.get_by_role("button", name="Clear alarms").click()


def test_whoever_was_signed_on_is_told_why_no_more(browser: Browser, served: Served) -> None:
    """At the next step, before it seems to fail for another reason; then they sign on again."""
    with looking(browser, served.url) as page:
        access = page.locator("#access")
        for end, sentence in (
            (restarted, "The meter has restarted: sign on again."),
            (idle, "Your sign-on has ended: sign on again."),
        ):
            signed_on(page)
            served.do(end)
            refused_step(page)
            expect(access.locator(".answer")).to_have_text(sentence)
        signed_on(page)
        page.get_by_role("button", name="Sign off").click()
        expect(access.locator(".answer")).to_have_text("")


def test_a_pairing_that_a_restart_broke_off_is_told(browser: Browser, served: Served) -> None:
    """By the unit, with what to do; one that was over before has nothing to lose."""
    with looking(browser, served.url) as page:
        signed_on(page)
        pairing = page.locator("#pairing")
        for state, sentence in (("paired", ""), ("signal", BROKEN_OFF)):
            served.do(lambda standing, state=state: in_step(standing, state))
            expect(pairing).to_have_attribute("data-step", state)
            served.do(restarted)
            expect(pairing).to_have_attribute("data-step", "label")
            expect(pairing.locator(".answer")).to_have_text(sentence)
