"""The page under axe-core, and its colours under the rules of contrast (WCAG 2.2, AA)."""

from __future__ import annotations

import math
import re
from importlib.resources import files
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.elec_meter.objects.lived import SERIAL
from tests.elec_meter.panel.browsing import Served, looking
from tests.elec_meter.panel.standing import Standing

AXE: Final = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
RUN: Final = """(where) => axe.run(where ?? document, { resultTypes: ["violations"] })
    .then((found) => found.violations.map(({ id, impact, nodes }) =>
        `${impact} ${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`))"""
PARTS: Final = (
    *("#month-map .line", "#registers tr", "#events tr", "#demand tr", "#use p", "#cost *"),
    *("#config details", "#day-charts figure", "#access .stack", "#demo .stack"),
)
EVERY_LOOK: Final = [("light", 360), ("light", 1_200), ("dark", 360), ("dark", 1_200)]


def looks(chosen: tuple[str, int]) -> list[Any]:
    """Every look of the page; all but the chosen one are slow, and differ by colour and width."""
    slow = {each: [] if each == chosen else [pytest.mark.slow] for each in EVERY_LOOK}
    return [pytest.param(*each, marks=marks) for each, marks in slow.items()]


PAIRING: Final[dict[str, Any]] = {
    "serial": "00000002",
    "waits_for": "the unit's button",
    "left_s": 60,
    "rssi_dbm": -60,
    "authentic": 2,
    "test_pulses": 3,
    "test_pulses_wanted": 10,
    "expected": "01234.667",
    "advice": ["go nearer to the meter"],
    "count": 17,
    "heard": "2026-01-01T00:00:00Z",
}
STATES: Final = ("signal", "meter", "test_burn", "confirm", "commit", "paired")
"""Those whose forms differ; before the first and after the last there is that of the label."""


def faults(page: Page, where: str | None = None) -> list[str]:
    """What axe-core finds, of whatever impact, in a part of a page or in all of it."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE)
    found: list[str] = page.evaluate(RUN, where)
    return found


def whole(page: Page) -> None:
    """Wait until every part of the page is there."""
    expect(page.locator("#link")).to_have_text("live")
    for part in PARTS:
        expect(page.locator(part)).not_to_have_count(0)


def signed_on(page: Page) -> None:
    """Sign on at the level that sees most."""
    page.get_by_label("Level").select_option("3")
    page.get_by_label("Password").fill("supplier")
    page.get_by_role("button", name="Sign on").click()
    expect(page.locator("#access")).to_contain_text("Signed on at level 3")


@pytest.mark.parametrize(("scheme", "width"), looks(("dark", 360)))
def test_a_visitor_meets_no_barrier(
    browser: Browser, served: Served, scheme: str, width: int
) -> None:
    """The whole page passes, with a warning, a refusal, charts and a connection that is lost."""
    viewport = {"width": width, "height": 900}
    with looking(browser, served.url, viewport=viewport, color_scheme=scheme) as page:
        whole(page)
        page.get_by_label("Daily budget").fill("0.1")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign on").click()
        expect(page.locator("#access .answer")).to_have_class(re.compile("refused"))
        page.locator("#link").evaluate("(link) => link.classList.add('lost')")
        assert [] == faults(page)


@pytest.mark.parametrize(("scheme", "width"), looks(("light", 1_200)))
def test_whoever_signed_on_meets_no_barrier(
    browser: Browser, served: Served, scheme: str, width: int
) -> None:
    """Orders, the configuration's editor, half-hours as a table, every step of a pairing."""
    viewport = {"width": width, "height": 900}
    with looking(browser, served.url, viewport=viewport, color_scheme=scheme) as page:
        whole(page)
        signed_on(page)
        page.get_by_text("Edit", exact=True).click()
        page.locator("#config details").first.locator("summary").click()
        page.get_by_label("as a table").check()
        expect(page.locator("#day-charts td")).not_to_have_count(0)
        found = {"page": faults(page)}
        for state in STATES:
            served.do(lambda standing, state=state: in_step(standing, state))
            expect(page.locator("#pairing")).to_have_attribute("data-step", state)
            found[state] = faults(page, "#pairing")
    assert {part: [] for part in found} == found


def in_step(standing: Standing, state: str) -> None:
    """Let a pairing have come so far."""
    serial = SERIAL if state == "paired" else PAIRING["serial"]
    status = PAIRING | {"state": state, "serial": serial}
    standing.desk.pairing = lambda: status  # type: ignore[method-assign]  # of this one
    standing.panel.live.hurry()


CSS: Final = files("elec_meter.panel").joinpath("static/panel.css").read_text("utf-8")
TEXT: Final = [
    *((ink, ground) for ink in ("ink", "soft", "doubt", "accent") for ground in ("card", "ground")),
    *(("export", "card"), ("warn-ink", "warn-ground")),
]
CHANNELS: Final = ("import", "export", "gas", "other")
STANDINGS: Final = ("doubt", "late", "none")
DRAWN: Final = [(name, "card") for name in (*CHANNELS, "doubt", "late")]
LEAST_APART: Final = 50
"""Of red, green and blue together, each from 0 to 255: less is one colour to most eyes."""


def palettes() -> dict[str, dict[str, str]]:
    """The colours of the page by name, by day and by night."""
    day, night = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    return {
        scheme: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", text))
        for scheme, text in (("light", day), ("dark", night))
    }


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_stands_out(scheme: str) -> None:
    """Text has 4.5 to 1 to what is behind it, what is drawn 3 to 1 (1.4.3, 1.4.11)."""
    colours = palettes()[scheme]
    faint = [
        f"{ink} on {ground}"
        for pairs, least in ((TEXT, 4.5), (DRAWN, 3.0))
        for ink, ground in pairs
        if contrast(colours[ink], colours[ground]) < least
    ]
    assert [] == faint


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_channel_has_the_colour_of_a_doubt(scheme: str) -> None:
    """What is measured is never taken for what is interpolated, doubtful or off."""
    colours = {name: bytes.fromhex(colour[1:]) for name, colour in palettes()[scheme].items()}
    alike = [
        f"{channel} as {standing}"
        for channel in CHANNELS
        for standing in STANDINGS
        if math.dist(colours[channel], colours[standing]) < LEAST_APART
    ]
    assert [] == alike
