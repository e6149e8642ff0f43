from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from elec_meter import Storage
from elec_meter.cli.observed import Observed
from elec_meter.cli.views import VIEWS
from elec_meter.config import ClockConfig
from elec_meter.objects import ProfileGeneric, Register
from elec_meter.panel import guard
from elec_meter.panel.guard import CONTENT_SECURITY_POLICY
from shared.exact_json import exact_json
from shared.timegrid import half_hours_of_settlement_day, iso_utc
from tests.elec_meter.objects.lived import BEGUN, HOUR, Life, lived_config, whole_life
from tests.elec_meter.panel.standing import ELSEWHERE, Browser, Standing, refusal

STATIC = Path(guard.__file__).parent / "static"


@pytest.fixture(scope="module")
def standing() -> Standing:
    """A meter that has lived through everything."""
    return Standing()


@pytest.fixture
def browser(standing: Standing) -> Iterator[Browser]:
    """Somebody at the meter's own computer."""
    return standing.browser()


def exact(browser: Browser, path: str) -> Any:
    """What a path tells, with every digit."""
    return json.loads(browser.get(path).text, parse_float=Decimal)


def shown(standing: Standing, what: str, day: date | None = None) -> Any:
    """What `elec-meter show --json` shows of the same meter."""
    meter, storage = standing.life.meter, standing.life.storage
    seen = Observed(meter, storage, day, storage.events(), meter.ledger)
    return json.loads(exact_json(VIEWS[what](seen)), parse_float=Decimal)


def without(rows: Any, *names: str) -> Any:
    """The rows without some columns."""
    return [{key: value for key, value in row.items() if key not in names} for row in rows]


def test_every_scalar_is_the_directorys(standing: Standing, browser: Browser) -> None:
    """Each object's value over HTTP is what the object says, to the last digit."""
    rows = {row["obis"]: row for row in exact(browser, "/api/objects")}
    scalars = [each for each in standing.life.meter.objects if not isinstance(each, ProfileGeneric)]

    assert {str(each.obis) for each in scalars} == set(rows)
    for each in scalars:
        value, row = each.value, rows[str(each.obis)]
        text = value.isoformat() if isinstance(value, (date, time)) else value
        if isinstance(value, datetime):
            text = iso_utc(value)
        assert (text, each.unit, each.class_id) == (row["value"], row["unit"], row["class"]), each
    assert any(isinstance(each, Register) and each.value for each in scalars)


@pytest.mark.parametrize(
    ("what", "only_shown", "only_told"),
    [
        ("registers", (), ()),
        ("demand", (), ()),
        ("clock", ("unknown_since",), ()),
        ("units", (), ("signal_dbm",)),
        ("display", (), ("svg",)),
    ],
)
def test_views_tell_what_show_shows(
    standing: Standing,
    browser: Browser,
    what: str,
    only_shown: tuple[str, ...],
    only_told: tuple[str, ...],
) -> None:
    """The same rows in the same order, though one reads the ledger and one the directory."""
    wanted, told = shown(standing, what), exact(browser, f"/api/{what}")

    assert without(wanted, *only_shown) == without(told, *only_told)
    assert wanted


def recorded(rows: Any) -> Any:
    """The rows without what no data channel recorded, and with sums of reactive energy."""
    for row in rows:
        quadrants = [row["channels"].pop(f"reactive_q{q}_varh", None) for q in range(1, 5)]
        if quadrants[0] is not None:
            row["channels"]["reactive_import_varh"] = quadrants[0] + quadrants[1]
            row["channels"]["reactive_export_varh"] = quadrants[2] + quadrants[3]
        for name in ("counted", "highest"):
            if row["channels"].get(name) is None:
                row["channels"].pop(name, None)
    return rows


@pytest.mark.parametrize("period_min", [15, 30, 60])
def test_days_are_those_of_show_profile(period_min: int) -> None:
    """Rows of every length, with gas of its own, data channels, an outage and amendments."""
    standing = Standing(life=whole_life(Storage.in_memory(), lived_config(period_min)))
    browser, filled = standing.browser(), 0
    for day in (date(2026, 3, 30), date(2026, 3, 31), date(2026, 4, 1)):
        wanted = shown(standing, "profile", day)
        told = exact(browser, f"/api/profile?date={day}")
        assert recorded(wanted) == recorded(told)
        filled += len(told)
    assert filled > 40
    assert recorded(shown(standing, "profile")) == recorded(exact(browser, "/api/profile"))


def test_events_are_those_of_show(standing: Standing, browser: Browser) -> None:
    """The newest of all logs, and those of a day."""
    wanted = without(shown(standing, "events"), "number")
    told = exact(browser, "/api/events")
    by_all = lambda row: (row["at"], row["code"], row["text"])  # noqa: E731 - one key for both

    assert sorted(wanted, key=by_all)[-500:] == sorted(told, key=by_all)
    of_day = exact(browser, "/api/events?date=2026-04-01")
    assert 0 < len(of_day) < len(told)


@pytest.mark.parametrize(
    ("day", "periods"), [("2026-03-29", 46), ("2026-03-30", 48), ("2026-10-25", 50)]
)
def test_a_month_has_its_half_hours(browser: Browser, day: str, periods: int) -> None:
    """Each day of the map has as many places as it has half-hours."""
    rows = {row["date"]: row for row in browser.ask(f"/api/month?month={day[:7]}")}

    assert periods == rows[day]["periods"]
    assert all(
        row["periods"] == len(cells) for row in rows.values() for cells in row["channels"].values()
    )


def test_a_month_adds_up_to_its_days(browser: Browser) -> None:
    """A cell is the sum of the rows that begin in its half-hour."""
    cells = next(r for r in browser.ask("/api/month?month=2026-03") if r["date"] == "2026-03-31")
    day = browser.ask("/api/profile?date=2026-03-31")

    assert sum(
        row["channels"]["import_wh"] for row in day if "import_wh" in row["channels"]
    ) == sum(filter(None, cells["channels"]["import_wh"]))


def test_a_month_tells_where_it_knows_nothing() -> None:
    """A power cut is a gap; what was before the first row is none, and what is yet to come.

    What a pulse unit counted meanwhile is known.
    """
    life = Life(Storage.in_memory(), lived_config(30))
    life.live(3 * HOUR, 5_600)
    life.sleep(3 * HOUR)
    life.live(2 * HOUR, 5_600)
    rows = Standing(life=life).browser().ask("/api/month?month=2026-03")
    gaps = {row["date"]: row["gaps"] for row in rows}

    assert [] == gaps["2026-03-29"]["import_wh"] == gaps["2026-03-30"]["gas_pulses"]
    assert [46, 46, 0] == [row["before"] for row in rows[-3:]]
    assert list(range(5, 11)) == gaps["2026-03-31"]["import_wh"]
    assert not {5, 6, 7, 8, 9, 10} & set(gaps["2026-03-31"]["gas_pulses"])


@pytest.mark.parametrize("period_min", [15, 30, 60])
def test_a_half_hour_is_known_when_its_rows_are(period_min: int) -> None:
    """Rows that are shorter or longer than it leave no gap between them."""
    life = Life(Storage.in_memory(), lived_config(period_min))
    life.live(4 * HOUR, 5_600)
    today = Standing(life=life).browser().ask("/api/month?month=2026-03")[-1]

    assert [] == today["gaps"]["import_wh"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/profile?date=2026-02-30",
        "/api/profile?date=20260201",
        "/api/profile?date=9999-12-31",
        "/api/profile?date=",
        "/api/profile?date=2026-01-01%00",
        "/api/month?month=2026-13",
        "/api/month",
        "/api/objects/nothing",
        "/api/objects/1-0:99.1.0",
        "/api/nope",
    ],
)
def test_nonsense_is_told_in_a_sentence(browser: Browser, path: str) -> None:
    """A refusal has a status of its own and one sentence; nothing fails inside."""
    status, sentence = browser.refused(path)

    assert status in (400, 404)
    assert sentence
    assert not sentence.endswith(".")


def test_what_takes_no_such_request_says_so(browser: Browser) -> None:
    """As any other refusal, with what it does take."""
    response = browser.request("PUT", "/api/clock")
    assert (405, "what is there takes no PUT") == refusal(response)
    assert {"GET", "HEAD"} == set(response.headers["allow"].split(", "))


@pytest.mark.parametrize(
    "path",
    [
        "/static/index.html",
        "/../../etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/panel.js/../app.py",
        "/%2e%2e/app.py",
        "//etc/passwd",
        "/app.py",
        "/api",
        "/api/profile/",
        "/panel.js%00",
    ],
)
def test_no_path_leads_out(browser: Browser, path: str) -> None:
    """Only the page's own files and views have a path."""
    assert 404 == browser.get(path).status_code or path.endswith("/")


def test_another_name_is_not_answered(browser: Browser) -> None:
    """A page of another site that has its name point here learns nothing."""
    for host in ("evil.example", "localhost.evil.example", "", "127.0.0.1.evil.example:8062"):
        assert 421 == browser.get("/api/clock", host=host).status_code
    for host in ("localhost:8062", "127.0.0.1:8062", "[::1]:8062", "192.168.1.9", "LOCALHOST"):
        assert 200 == browser.get("/api/clock", host=host).status_code


def test_every_answer_forbids_other_hosts(browser: Browser) -> None:
    """Whatever is answered, the browser may load from here alone and guesses no types."""
    for path in ("/", "/panel.js", "/api/clock", "/nothing", "/api/profile?date=x"):
        headers = browser.get(path).headers
        assert CONTENT_SECURITY_POLICY == headers["content-security-policy"]
        assert "nosniff" == headers["x-content-type-options"]
    assert "http:" not in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY


def test_the_page_names_no_other_host(browser: Browser) -> None:
    """Neither the page nor its scripts and styles ask for anything elsewhere."""
    for each in sorted(STATIC.iterdir()):
        text = browser.get("/" if each.name == "index.html" else f"/{each.name}").text
        assert each.read_text() == text
        assert [] == re.findall(r"""https?:(?!//www\.w3\.org/2000/svg)|["'(]//""", text), each.name


def test_a_page_that_is_known_is_not_sent_again(browser: Browser) -> None:
    """The browser's copy is asked about, and stands."""
    tag = browser.get("/panel.css").headers["etag"]
    again = browser.request("GET", "/panel.css", headers={"if-none-match": tag})

    assert (304, b"") == (again.status_code, again.content)


def test_what_is_told_is_durable(standing: Standing, browser: Browser) -> None:
    """Every view commits before it answers."""
    for path in ("/api/registers", "/api/profile", "/api/objects/1-0:1.8.0", "/api/units"):
        before = standing.durable_calls
        browser.ask(path)
        assert before < standing.durable_calls


def test_another_computer_reads_what_the_public_may(standing: Standing) -> None:
    """Registers and the time, but neither half-hours nor power nor what follows from them."""
    stranger = standing.browser(ELSEWHERE)
    codes = {row["obis"] for row in stranger.ask("/api/objects")}

    assert "1-0:1.8.0" in codes
    assert not {"1-0:1.7.0", "1-0:16.7.0", "1-0:1.6.0", "0-0:128.20.0"} & codes
    assert 1 == len(stranger.ask("/api/clock"))
    for view in ("profile", "month", "demand", "events", "cost", "use", "units", "config", "live"):
        assert 401 == stranger.refused(f"/api/{view}")[0], view
    assert 400 == stranger.refused("/api/objects/1-0:1.6.0")[0]


def test_a_reader_reads_from_anywhere(standing: Standing) -> None:
    """Level 1 signs on at another computer and sees half-hours."""
    reader = standing.browser(ELSEWHERE)

    assert 200 == reader.sign_on(1, "reader").status_code
    assert reader.ask("/api/profile")


def test_use_compares_the_same_hours() -> None:
    """Today so far, and yesterday and last week until the same time of day."""
    life = Life(Storage.in_memory(), lived_config(30))
    for _ in range(8):
        life.live(24 * HOUR, 4_800)
    life.live(10 * HOUR, 1_000)
    use = Standing(life=life).browser().ask("/api/use")

    assert BEGUN.hour == 22
    assert (900, 1_800, 1_800) == (use["today_wh"], use["yesterday_wh"], use["last_week_wh"])
    assert use["today_is_whole"]
    assert 4_700 == use["yesterday_whole_wh"]
    assert (200, 7) == (use["base_load_w"], use["base_load_days"])
    assert 1_753 == use["base_load_kwh_a_year"]


def test_a_day_without_mains_is_not_compared() -> None:
    """What was not measured whole is not known, never nothing; today has what was measured."""
    config = msgspec.structs.replace(lived_config(30), clock=ClockConfig())
    life = Life(Storage.in_memory(), config)
    life.live(2 * HOUR, 400)
    life.sleep(23 * HOUR)
    life.live(4 * HOUR, 800)
    use = Standing(life=life).browser().ask("/api/use")

    assert (None, None, None) == (
        use["yesterday_wh"],
        use["last_week_wh"],
        use["yesterday_whole_wh"],
    )
    assert (800, True) == (use["today_wh"], use["today_is_whole"])
    life.sleep(HOUR)
    life.live(HOUR, 200)
    use = Standing(life=life).browser().ask("/api/use")
    assert (1_000, False) == (use["today_wh"], use["today_is_whole"])


def test_use_of_a_new_meter_is_not_known() -> None:
    """Nothing is compared with nothing."""
    use = Standing(life=Life(Storage.in_memory())).browser().ask("/api/use")

    assert {None} == set(use.values())


def test_a_day_has_its_bounds(browser: Browser) -> None:
    """Where a chart begins and ends, on a day that has 50 half-hours too."""
    day = browser.ask("/api/day?date=2026-10-25")

    assert 50 == day["periods"] == len(half_hours_of_settlement_day(date(2026, 10, 25)))
    assert ("2026-10-24T23:00:00Z", "2026-10-26T00:00:00Z") == (day["start"], day["end"])
