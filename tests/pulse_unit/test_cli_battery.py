from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from pulse_unit.battery import DayPlan, daily_terms
from pulse_unit.boards import esp32, stm32wb
from pulse_unit.cli.sources import COUNTED, SOURCES
from tests.pulse_unit.command_line import run as run_command

PAGE = Path(__file__).parents[2] / "docs" / "battery.md"
SENDS = {
    "an advert a minute, connectable 10 s every 4 h": (),
    "a telegram every 15 minutes": ("--telegram-period", "900"),
    "an advert a second": ("--advert-period", "1"),
}
ONE = {"one AA": "aa", "one D": "d"}


def run(*arguments: str) -> Result:
    """Run the command."""
    return run_command("battery", *arguments)


def told(*arguments: str) -> dict[str, Any]:
    """What it says as JSON."""
    return json.loads(run(*arguments, "--json").output, parse_float=Decimal)


def rows(heading: str) -> list[list[str]]:
    """The rows of the page's first table under a heading."""
    text = f"\n{PAGE.read_text()}".split(f"\n{heading}\n", 1)[1].split("\n## ")[0]
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines[2:]]


@pytest.mark.parametrize(
    "arguments", [(), ("--telegram-period", "900"), ("--advert-period", "0")], ids=str
)
def test_the_goal_is_reached_on_the_target(arguments: tuple[str, ...]) -> None:
    """If nothing else is asked: one AA cell, 20 years, by an advert a minute or by telegrams."""
    said = told(*arguments)
    assert ("stm32wb", Decimal("2.6"), 85) == (
        said["board"],
        said["cell"]["capacity_ah"],
        said["cell"]["usable_percent"],
    )
    assert (20_000, 30) == (said["pulses_per_month"], said["closed_percent"])
    assert Decimal("12.60") == said["goal_ua"]
    assert said["years"] >= 20
    assert said["reaches_goal"] is True


@pytest.mark.parametrize(
    "arguments",
    [
        ("--advert-period", "1"),
        ("--telegram-period", "60"),
        ("--closed-share", "100%"),
        ("--pulses-per-month", "500000"),
        ("--cell", "1.5Ah"),
        ("--board", "esp32"),
        ("--board", "esp32", "--cell", "aa"),
    ],
    ids=" ".join,
)
def test_worse_conditions_miss_it_and_it_says_so(arguments: tuple[str, ...]) -> None:
    """A worse parameter gives fewer years, below 20, in the text too."""
    said = told(*arguments)
    assert said["years"] < min(20, told()["years"])
    assert said["reaches_goal"] is False
    assert f"but lasts {said['years']} years" in run(*arguments).output


def test_terms_are_the_ledgers() -> None:
    """Every term that costs anything, as the unit books it, with its source; they add up."""
    said = told("--telegram-period", "900", "--advert-period", "60")
    terms = [term for term in daily_terms(stm32wb(), DayPlan(telegram_period_s=900)) if term.day_nc]
    assert [(term.name, COUNTED[term.per], term.times, term.each_nc) for term in terms] == [
        (term["name"], term["counts"], term["times_per_day"], term["each_nc"])
        for term in said["terms"]
    ]
    assert all(term["source"] for term in said["terms"])
    assert said["measured"] is False
    assert abs(said["average_ua"] - sum(term["average_ua"] for term in said["terms"])) < Decimal(
        "0.01"
    )


def test_what_shortens_it_is_worse_and_sorted() -> None:
    """Each change leaves fewer years, the worst is first and is the one named most."""
    for arguments in ((), ("--telegram-period", "900"), ("--board", "esp32")):
        said = told(*arguments)
        years = [change["years"] for change in said["shortens"]]
        assert sorted(years) == years
        assert years[-1] < said["years"]
        assert said["shortens"][0] == said["shortens_most"]


def test_every_term_of_every_board_has_a_source() -> None:
    """Nothing is left without one, and there is none of what is no term."""
    for board, figures in (("stm32wb", stm32wb()), ("esp32", esp32())):
        names = {term.name for term in daily_terms(figures, DayPlan())}
        assert names == set(SOURCES[board])


def test_table_has_every_term_and_its_bar() -> None:
    """For people: a line for each term, its bar, the total, the changes and the sources."""
    output = run().output
    for term in told()["terms"]:
        assert re.search(rf"^ {term['name']} .*{term['times_per_day']:,} .*█", output, re.MULTILINE)
        assert f"  {term['name']}: {term['source']}" in output
    assert "It may take 12.60 µA for 20 years, takes 9.66 µA and lasts 26.0 years." in output
    assert "  23.8 years with twice as many adverts" in output


@pytest.mark.parametrize(
    ("cell", "capacity_ah"),
    [("aa", "2.6"), ("2aa", "5.2"), ("c", "7.7"), ("D", "17"), ("8.5Ah", "8.5"), ("3", "3")],
)
def test_cells(cell: str, capacity_ah: str) -> None:
    """A size, or a capacity."""
    assert Decimal(capacity_ah) == told("--cell", cell)["cell"]["capacity_ah"]


def test_two_cells_last_twice_as_long() -> None:
    """But for what the second loses by itself."""
    assert told()["years"] * Decimal("1.5") < told("--cell", "2aa")["years"]
    assert told("--cell", "2aa")["years"] < told()["years"] * 2


def test_picture_has_a_bar_for_each_term(tmp_path: Path) -> None:
    """An SVG whose bars of the terms are as wide as their currents are large."""
    path = tmp_path / "battery.svg"
    said = told("-o", str(path))
    bars = ET.parse(path).findall(".//{http://www.w3.org/2000/svg}rect[@fill]")[1:]
    titled = [(bar[0].text, Decimal(bar.get("width", "0"))) for bar in bars]
    names = [term["name"] for term in said["terms"]]
    assert names * 2 == [name for name, _ in titled]
    widest = max(term["average_ua"] for term in said["terms"])
    for term, (_, width) in zip(said["terms"], titled[len(names) :], strict=True):
        assert abs(width - 440 * term["average_ua"] / widest) <= Decimal("0.1")
    assert 440 > sum(width for _, width in titled[: len(names)])  # short of what the goal allows


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("-o", "b.png"), 2, "A picture of a battery is an SVG"),
        (("-o", "no/such/folder/b.svg"), 1, "cannot be written"),
        (("--window-period", "1"), 2, "every 60 to 604,800 seconds"),
        (("--pulses-per-month", "2_0"), 2, "no whole number"),
        (("--cell", "2_6"), 2, "or a capacity such as 8.5Ah"),
        (("--cell", "\u0662.6"), 2, "or a capacity such as 8.5Ah"),
        (("--flow-max", "1_0"), 2, "is no number"),
        (("--closed-share", "30"), 2, "30% is 0.3"),
        (("--weight", "1l", "--flow-max", "7"), 1, "too fast for a reed"),
        (("--telegram-period", "9"), 2, "every 10 to 86,400 seconds"),
        (("--cell", "aaa"), 2, "or a capacity such as 8.5Ah"),
        (("--cell", "0"), 2, "or a capacity such as 8.5Ah"),
        (("--cell", "nan"), 2, "or a capacity such as 8.5Ah"),
        (("--closed-share", "101%"), 2, "a share is 0% to 100%"),
        (("--closed-share", "-1"), 2, "a share is 0% to 100%"),
        (("--board", "linux"), 2, "linux"),
        (("--pulses-per-month", "-1"), 2, "-1"),
    ],
    ids=str,
)
def test_misuse_is_refused(arguments: tuple[str, ...], code: int, sentence: str) -> None:
    """With a sentence that says what is wanted."""
    result = run(*arguments)
    assert code == result.exit_code
    assert sentence in result.stderr


def test_wear_is_said_for_the_conditions_asked() -> None:
    """More pulses and more that is sent wear the memory more; the text says what JSON says."""
    wear = told()["wear"]
    for arguments in (("--pulses-per-month", "40000"), ("--telegram-period", "10")):
        assert wear["store_page_erases"] < told(*arguments)["wear"]["store_page_erases"]
    assert (20, 10_000) == (wear["years"], wear["endurance_erases"])
    assert (
        f"In 20 years each page of the store is erased {wear['store_page_erases']:,} times and"
        f" each of the log {wear['log_page_erases']} times; the flash stands 10,000."
    ) in run().output


def test_the_units_page_says_what_the_command_says() -> None:
    """How often the pages of the memory are erased in twenty years."""
    wear = told("--telegram-period", "900", "--advert-period", "60")["wear"]
    text = " ".join(PAGE.with_name("pulse-unit.md").read_text().split())
    assert (
        "In twenty years at 20,000 pulses a month, with an advert a minute and a telegram every 15"
        f" minutes, each page of the store is erased {wear['store_page_erases']:,} times and each"
        f" of the log {wear['log_page_erases']} times; the flash of the target stands"
        f" {wear['endurance_erases']:,}"
    ) in text


def test_a_picture_is_replaced_only_when_asked(tmp_path: Path) -> None:
    """As a label is."""
    path = tmp_path / "battery.svg"
    path.write_text("mine")
    refused = run("-o", str(path))
    assert (1, True) == (refused.exit_code, "--force replaces it" in refused.stderr)
    assert "mine" == path.read_text()
    assert 0 == run("-o", str(path), "--force").exit_code
    assert path.read_text().startswith("<svg")


@pytest.mark.parametrize("columns", ["20", "60", "70", "80"])
def test_the_table_fits_a_narrow_terminal(columns: str) -> None:
    """Its bars are shortened or left out, and nothing of its numbers; lines that are piped stay."""
    result = run_command("battery", columns=columns)
    lines = result.output.splitlines()
    begin = next(number for number, line in enumerate(lines) if "takes charge" in line)
    terms = told()["terms"]
    for term, line in zip(terms, lines[begin + 1 :], strict=False):
        assert len(line) <= max(60, int(columns))
        assert re.match(rf" {term['name']} .*{term['times_per_day']:,} .*{term['counts']} ", line)
    assert f"  windows: {SOURCES['stm32wb']['windows']}" in lines


def test_a_litre_a_pulse_is_never_parked() -> None:
    """Its closed contact draws the pull-up's current, and no change for the worse is that."""
    said = told("--weight", "1l")
    assert (0, 750) == (said["sample_interval_ms"], told()["sample_interval_ms"])
    watched = [each for each in told()["shortens"] if "watched, not parked" in each["change"]]
    assert watched[0]["years"] == said["years"]
    assert all("not parked" not in each["change"] for each in said["shortens"])
    assert "and never parked" in run("--weight", "1l").output
    assert f"`pulse-unit battery --weight 1l` plans one as it is: {said['years']} years" in (
        PAGE.read_text()
    )


def test_the_page_says_what_the_command_says() -> None:
    """Every number of the page's three tables."""
    for board, battery, sends, takes, lasts in rows("# How long the battery lasts")[:-1]:
        words = ("--board", board.split("`")[1], "--cell", ONE[battery], *SENDS[sends])
        said = told(*words)
        assert (f"{said['average_ua']:.2f} µA", f"{said['years']} years") == (takes, lasts)
    said = told()
    assert [
        [
            term["name"],
            f"{term['times_per_day']:,}",
            term["counts"],
            f"{term['average_ua']:.2f}",
            f"{term['day_mc']:.1f}",
            str(term["share_percent"]),
        ]
        for term in said["terms"]
    ] == rows("## Where it goes")
    shortens = [[str(change["years"]), change["change"]] for change in said["shortens"]]
    assert shortens == rows("## What shortens it")
