"""The page in Debian's Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from elec_meter import Storage
from elec_meter.config import ClockConfig
from elec_meter.demo.spare import LABEL, MPRN
from shared.label import UnitLabel
from tests.elec_meter.demo.test_controls import MINUTE
from tests.elec_meter.objects.lived import HOUR, Life, lived_config
from tests.elec_meter.panel.browsing import Served, looking
from tests.elec_meter.panel.standing import Standing
from tests.elec_meter.panel.visiting import Visiting


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


def test_nobody_waits_for_the_first_values(browser: Browser, served: Served) -> None:
    """What is loaded again every few seconds at most is loaded at once with the page."""
    with looking(browser, served.url) as page:
        page.clock.install()
        page.clock.pause_at(datetime.now(UTC) + timedelta(days=1))
        page.reload()
        expect(page.locator("#link")).to_have_text("live")
        page.clock.run_for(100)
        for loaded in ("#config details", "#day-charts figure"):
            expect(page.locator(loaded).first).to_be_visible()


def test_the_demand_of_now_is_one_number(browser: Browser, served: Served) -> None:
    """What flows now and the table tell the same, and a period that runs has not ended."""
    with looking(browser, served.url) as page:
        line = page.locator("#demand tr").filter(has_text="import, this period")
        before = line.inner_text()
        served.do(lambda standing: standing.life.live(timedelta(minutes=1), 500))
        served.do(lambda standing: standing.panel.live.hurry())
        expect(line).not_to_have_text(before)
        power = served.do(lambda standing: standing.life.meter.objects["1-0:1.4.0"].value)
        now = page.locator("#now dt").filter(has_text="Demand, this period").locator("+ dd")
        expect(now).to_have_text(f"{power:,} W")
        expect(line.locator("td")).to_have_text(["import, this period", f"{power:,}", "so far"])


def test_the_lamp_flashes_with_the_meters_pulses(browser: Browser, served: Served) -> None:
    """Energy that is registered is seen in the lamp, which counts as the meter does."""
    with looking(browser, served.url) as page:
        lamp = page.locator("#led-text")
        expect(lamp).to_have_text(re.compile("^1,?000 imp/kWh, [0-9,]+ so far$"))
        before = lamp.inner_text()
        page.evaluate(FLASHES)
        served.do(lambda standing: standing.life.live(timedelta(minutes=1), 10))
        expect(lamp).not_to_have_text(before)
        page.wait_for_function("window.flashes > 0")
        pulses = served.do(lambda standing: standing.life.meter.objects["0-0:128.63.0"].value)
        expect(lamp).to_contain_text(f"{pulses:,} so far")


@pytest.mark.parametrize(
    ("day", "bars", "words"),
    [
        ("2027-03-28", 46, "28 March 2027: 46 half-hours, an hour less"),
        ("2026-10-25", 50, "25 October 2026: 50 half-hours, an hour more"),
    ],
)
def test_a_clock_change_day_has_its_bars(
    browser: Browser, changing: Served, day: str, bars: int, words: str
) -> None:
    """One bar a half-hour, in the chart and in the map; its date is there in words too.

    A browser writes the field's as its own language does, whatever the page's.
    """
    with looking(browser, changing.url) as page:
        page.get_by_label("Day", exact=True).fill(day)
        expect(page.locator("#day-summary")).to_contain_text(words)
        expect(page.locator("#day-charts .import .bars rect")).to_have_count(bars)
        page.locator("#day-charts .import svg").focus()
        page.keyboard.press("End")
        expect(page.locator("#day-reading")).to_contain_text(f"period {bars}:")


def test_a_half_hour_without_a_value_has_no_bar(browser: Browser, changing: Served) -> None:
    """The highest of nothing but zeros is zero, and low; a power cut is told beneath the axis."""
    with looking(browser, changing.url) as page:
        page.get_by_label("Day", exact=True).fill("2026-10-26")
        charts = page.locator("#day-charts figure").filter(has_text="kvarh")
        off = charts.first.locator(".bars rect.off")
        expect(off).not_to_have_count(0)
        for told in charts.locator("figcaption span").all_inner_texts():
            assert "0.000 kvarh, highest 0.000 kvarh" == told
        expect(charts.first).to_contain_class("idle")
        expect(page.locator("#day-charts figure.import")).not_to_contain_class("idle")
        axis = float(charts.first.locator("line.axis").first.get_attribute("y1") or "")
        assert axis < min(off.evaluate_all("(bars) => bars.map((bar) => bar.y.baseVal.value)"))


def test_a_page_without_rows_asks_for_no_channel(browser: Browser, changing: Served) -> None:
    """There is nothing to choose from in a month before the first row."""
    with looking(browser, changing.url) as page:
        choice = page.locator("#month-channel")
        expect(choice.locator("option")).not_to_have_count(0)
        expect(choice).to_be_visible()
        page.locator("#month").fill("2026-01")
        expect(choice).to_be_hidden()


def test_a_month_shows_what_is_not_known(browser: Browser, changing: Served) -> None:
    """Months without power are grey, never pale; what is yet to come is empty."""
    with looking(browser, changing.url) as page:
        lines = page.locator("#month-map .line")
        for month, day, words in (
            ("2026-11", 15, "2026-11-15: no data"),
            ("2027-03", 27, re.compile(r"2027-03-27: 0\.\d+ kWh, 42 half-hours without data$")),
            ("2027-03", 31, "2027-03-31: yet to come"),
        ):
            page.locator("#month").fill(month)
            picture = lines.nth(day - 1).locator("svg")
            expect(picture).to_have_attribute("aria-label", words)
            gaps = picture.locator("rect.gap")
            expect(gaps).to_have_count(0 if day == 31 else 1)
            shades = picture.locator("rect:not(.gap)")
            assert (day == 27) == bool(shades.count())
        page.locator("#month").fill("2026-01")
        expect(page.locator("#month-map")).to_have_text("The meter began later.")
        expect(page.locator("#month-legend")).to_contain_text("no data")


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


def channels(standing: Standing) -> list[tuple[str, str]]:
    """The configured units, each with its channel."""
    return [(unit.serial, unit.channel) for unit in standing.desk.config.gas_units]


def fall_silent(page: Page, visiting: Visiting) -> None:
    """A unit that says nothing for long has to have its button pressed again."""
    silent = page.get_by_text("The unit has fallen silent: press its button again.")
    visiting.live(2 * MINUTE)
    expect(silent).to_be_visible()
    visiting.live(MINUTE / 12, unit="press")
    expect(silent).to_have_count(0)


def deny_the_dial(page: Page) -> None:
    """Whoever sees another dial reads it again, and types nothing else twice."""
    expect(page.locator("#pairing strong")).to_have_text("1234.667 m3")
    page.get_by_role("button", name="It does not").click()
    expect(page.locator("#pairing")).to_contain_text("The dial did not show what was expected")
    expect(page.get_by_label("The dial")).to_be_focused()
    expect(page.get_by_label("The dial")).to_have_value("")
    expect(page.get_by_label("MPRN again")).to_have_value(MPRN)
    expect(page.get_by_label("Serial on the badge")).to_have_value("G4A123")
    page.get_by_label("The dial").fill("01234.667")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#pairing")).not_to_have_attribute("data-step", "meter")


def test_a_unit_takes_the_place_of_another_and_goes_without_a_successor(browser: Browser) -> None:
    """Chosen from the list, it goes on in the channel of the old one; then it is unpaired too."""
    visiting = Visiting()
    try:
        with looking(browser, visiting.url) as page:
            page.get_by_label("Level").select_option("2")
            page.get_by_label("Password").fill("installer")
            page.get_by_role("button", name="Sign on").click()
            old = page.get_by_label("Takes the place of")
            unpair = page.get_by_role("button", name="Unpair that unit")
            expect(unpair).to_be_disabled()
            expect(page.get_by_role("textbox", name="Channel")).to_have_value("gas_2")
            old.select_option("00000001 on gas")
            expect(page.get_by_role("textbox", name="Channel")).to_have_value("gas")
            page.get_by_label("The label").fill(UnitLabel(LABEL.serial, LABEL.key).printed_text)
            page.get_by_label("Any telegram will do").check()
            with page.expect_request("**/api/pairing") as begun:
                page.get_by_role("button", name="Begin").click()
            assert begun.value.post_data_json["any_telegram"] is True
            expect(page.locator("#pairing")).to_have_attribute("data-step", "signal")
            visiting.live(MINUTE / 6, unit="press")
            page.get_by_label("MPRN", exact=True).fill(MPRN)
            page.get_by_label("MPRN again").fill(MPRN)
            page.get_by_label("Serial on the badge").fill("G4A123")
            page.get_by_label("The dial").fill("01234.567")
            page.get_by_role("button", name="Go on").click()
            expect(page.locator("#pairing")).to_have_attribute("data-step", "setting")
            fall_silent(page, visiting)
            visiting.live(MINUTE, unit="burn")
            deny_the_dial(page)
            visiting.live(MINUTE / 12, unit="press")
            visiting.live(MINUTE, unit="burn")
            expect(page.locator("#pairing strong")).to_have_text("1234.767 m3")
            under_way = begun.value.response().json()["pairing"]
            with page.expect_request("**/api/pairing") as agreed:
                page.get_by_role("button", name="It does", exact=True).click()
            with page.expect_request("**/api/pairing") as kept:
                page.get_by_role("button", name="Keep the pairing").click()
            steps = (agreed.value.post_data_json, kept.value.post_data_json)
            assert [under_way, under_way] == [step["pairing"] for step in steps]
            units = page.locator("#units")
            expect(units).to_contain_text("Unit 00000002")
            expect(units).not_to_contain_text("Unit 00000001")
            expect(page.locator("#pairing")).to_contain_text("its pulses count from 10 on")
            expect(page.locator("#pairing")).not_to_contain_text("waits for")

            page.on("dialog", lambda dialog: dialog.accept())
            old.select_option("00000002 on gas")
            unpair.click()
            expect(units).not_to_contain_text("Unit 00000002")
            pairing = page.locator("#pairing")
            expect(pairing).to_contain_text("The unit 00000002 was unpaired")
            expect(pairing).not_to_contain_text("is paired")
            expect(pairing).to_have_attribute("data-step", "label")
            assert [("00000002", "gas")] == visiting.do(channels)
    finally:
        visiting.close()


def test_it_fits_a_phone_in_the_dark(browser: Browser, served: Served) -> None:
    """At 360 pixels nothing is cut off and no word of a table broken; a budget passed is told."""
    phone = {"width": 360, "height": 740}
    with looking(browser, served.url, viewport=phone, color_scheme="dark") as page:
        expect(page.locator("#month-map .line")).not_to_have_count(0)
        expect(page.locator("#registers table")).not_to_have_count(0)
        expect(page.locator("#demand th")).not_to_have_count(0)
        page.get_by_label("as a table").check()
        expect(page.locator("#day-charts td")).not_to_have_count(0)
        assert 2 >= max(page.locator("#day-charts td:first-child").evaluate_all(LINES))
        assert [] == page.evaluate(BROKEN_HEADS)
        assert 360 == page.evaluate("document.documentElement.scrollWidth")
        page.get_by_label("Daily budget").fill("0.1")
        expect(page.get_by_role("alert")).to_contain_text("of your 0.1 kWh")


def test_a_page_that_is_open_for_days_grows_by_nothing(browser: Browser, served: Served) -> None:
    """An hour of snapshots, one behind the other, leaves as many nodes and as much memory."""
    with looking(browser, served.url) as page:
        for loaded in ("#month-map .line", "#registers tr", "#events tr", "#demand tr", "#use p"):
            expect(page.locator(loaded)).not_to_have_count(0)
        for loaded in ("#config details", "#day-charts figure", "#access form", "#cost *"):
            expect(page.locator(loaded)).not_to_have_count(0)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")

        def used() -> tuple[int, float]:
            session.send("HeapProfiler.collectGarbage")
            told = session.send("Performance.getMetrics")["metrics"]
            values = {each["name"]: each["value"] for each in told}
            return values["Nodes"], values["JSHeapUsedSize"]

        page.evaluate(SNAPSHOTS, 200)
        nodes, heap = used()
        page.evaluate(SNAPSHOTS, 3_600)
        nodes_after, heap_after = used()

    assert nodes_after <= nodes + 100
    assert heap_after <= heap + 500_000


def test_a_page_that_is_hidden_closes_its_stream(browser: Browser, served: Served) -> None:
    """Nothing is sent to a page that nobody sees; seen again, it is live again."""
    with looking(browser, served.url) as page:
        link = page.locator("#link")
        expect(link).to_have_text("live")
        page.evaluate(SEEN, True)
        expect(link).to_have_text("paused")
        for _ in range(100):
            if not served.do(lambda standing: standing.panel.live.clients):
                break
            page.wait_for_timeout(50)
        assert 0 == served.do(lambda standing: standing.panel.live.clients)
        page.evaluate(SEEN, False)
        expect(link).to_have_text("live")


SEEN = """(hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""
LINES = """(cells) => cells.map((cell) => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    return new Set([...range.getClientRects()].map((line) => line.top)).size;
})"""
BROKEN_HEADS = f"""() => {{
    const heads = [...document.querySelectorAll("th")];
    const lines = ({LINES})(heads);
    return heads.map((head) => head.textContent)
        .filter((text, n) => lines[n] > text.split(" ").length);
}}"""
FLASHES = """() => {
    window.flashes = 0;
    new MutationObserver(() => { window.flashes += 1; })
        .observe(document.getElementById("led"), { attributeFilter: ["class"] });
}"""
SNAPSHOTS = """async (count) => {
    const { showFace } = await import("./face.js");
    const { showNow } = await import("./now.js");
    const shown = await new Promise((resolve) => {
        const stream = new EventSource("api/live");
        stream.addEventListener("snapshot", (message) => {
            stream.close();
            resolve(message.data);
        });
    });
    for (let n = 0; n < count; n += 1) {
        const each = JSON.parse(shown.replaceAll('"power_w": null', `"power_w": ${n}`));
        each.face.svg = each.face.svg.replace("</svg>", `<!--${n % 7}--></svg>`);
        each.values.power_w = n;
        showFace(each);
        showNow(each);
    }
}"""
