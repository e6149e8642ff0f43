from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from elec_meter import Meter, Storage, panel
from elec_meter.cli import pictures, plot, rows_plot
from elec_meter.cli.main import main
from elec_meter.config import demo_config
from shared.timegrid import half_hours_of_settlement_day, iso_utc
from tests.elec_meter.cli.commands import EVENING

PNG = b"\x89PNG\r\n\x1a\n"


def plotted(*words: object) -> Result:
    """What the command comes to."""
    return CliRunner().invoke(main, ["plot", *map(str, words)], catch_exceptions=False)


def day_rows(day: date, **changes: Any) -> list[dict[str, Any]]:
    """Half-hours of a day as `show profile` has them; period n has n Wh."""
    return [
        {
            "start": iso_utc(each.start),
            "end": iso_utc(each.end),
            "settlement_date": day.isoformat(),
            "settlement_period": number,
            "channels": {"import_wh": number, "export_wh": 1, "gas_pulses": 2},
            "status": 0,
            "channel_status": {},
            "revision": 0,
            **changes,
        }
        for number, each in enumerate(half_hours_of_settlement_day(day), start=1)
    ]


@pytest.fixture
def figure(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The figures that are drawn, instead of files."""
    drawn: list[Any] = []
    monkeypatch.setattr(rows_plot, "save", lambda figure, _path: drawn.append(figure))
    yield drawn
    for each in drawn:
        each.canvas.draw()


@pytest.mark.parametrize("what", ["profile", "day", "month"])
@pytest.mark.parametrize("kind", ["png", "svg"])
def test_pictures_of_a_house(autumn_house: Path, tmp_path: Path, what: str, kind: str) -> None:
    """Each is a file of its kind, and the JSON says which half-hours are on it."""
    picture = tmp_path / f"it.{kind}"
    told = json.loads(plotted(what, "--data", autumn_house, "-o", picture, "--json").stdout)
    assert str(picture) == told["picture"]
    assert told["rows"] in (8, 60)
    begin = picture.read_bytes()[:256]
    assert begin.startswith(PNG) if kind == "png" else b"<svg" in begin or b"<?xml" in begin


def test_the_same_half_hours_give_the_same_picture(autumn_house: Path, tmp_path: Path) -> None:
    """Byte by byte."""
    for name in ("one.svg", "two.svg"):
        plotted("day", "--data", autumn_house, "--date", "2025-10-26", "-o", tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


@pytest.mark.parametrize(
    ("day", "count", "hours", "first", "change"),
    [
        (date(2025, 3, 30), 46, 23, "00:00\nGMT", "03:00\nBST"),
        (date(2025, 10, 26), 50, 25, "00:00\nBST", "01:00\nGMT"),
        (date(2025, 10, 27), 48, 24, "00:00", "02:00"),
    ],
)
def test_a_day_is_as_long_as_it_is(
    figure: list[Any], day: date, count: int, hours: int, first: str, change: str
) -> None:
    """46, 48 and 50 bars, an axis of 23, 24 or 25 hours, and local times on it."""
    rows_plot.draw_rows(day_rows(day), "a day", Path("day.svg"))
    energy, gas = figure[0].axes
    imports, exports = energy.containers
    assert count == len(imports) == len(exports) == len(gas.containers[0])
    assert [n / 500 for n in range(1, count + 1)] == pytest.approx(
        [b.get_height() for b in imports]
    )
    assert {-0.002} == {round(bar.get_height(), 9) for bar in exports}
    assert (0, hours) == gas.get_xlim()
    labels = [label.get_text() for label in gas.get_xticklabels()]
    assert [first, change] == labels[:2]


def test_statuses_are_seen(figure: list[Any]) -> None:
    """Each has its colour and its name; neighbours are one piece, and pending gas is grey."""
    rows = day_rows(date(2025, 10, 27))
    for row in rows[4:8]:
        row["status"] = 128
    for row in rows[10:12]:
        row["status"] = 4
    rows[20]["channels"] = {"import_wh": None, "export_wh": 0, "gas_pulses": None}
    rows_plot.draw_rows(rows, "a day", Path("day.svg"))
    energy, gas = figure[0].axes
    shaded = {patch.get_label(): patch for patch in energy.patches if patch.get_label()}
    assert {"power down", "data not valid"} <= shaded.keys()
    assert (2.0, 2.0) == (shaded["power down"].get_x(), shaded["power down"].get_width())
    assert 47 == len(energy.containers[0])
    assert "gas not known yet" in {patch.get_label() for patch in gas.patches}
    legend = {text.get_text() for text in figure[0].legends[0].get_texts()}
    assert {"import", "export", "gas", "power down", "data not valid"} <= legend


def test_a_month_has_every_period(figure: list[Any]) -> None:
    """A line a day and 50 columns: what a day does not have is blank, one without rows is grey."""
    rows = [row for n in (25, 26, 28) for row in day_rows(date(2025, 10, n))]
    rows_plot.draw_month(rows, "import_wh", "October 2025", Path("month.svg"))
    axes, colours = figure[0].axes
    (mesh,) = axes.collections
    grid = mesh.get_array()
    assert (4, 50) == grid.shape
    assert [2, 0, 2, 2] == [int(line.mask.sum()) for line in grid]
    assert [0, 0, 48, 0] == [int((line < 0).sum()) for line in grid]
    assert 0.050 == pytest.approx(float(grid[1, 49]))
    assert "import, kWh a half-hour" == colours.get_ylabel()


def test_a_month_has_no_low_value_where_nothing_was_measured(figure: list[Any]) -> None:
    """A power cut is not known; a pulse unit counts on in it, and a late row is known."""
    rows = day_rows(date(2025, 10, 26))
    for at, status in enumerate((1, 2, 4, 128, 128, 32, 64)):
        rows[at]["status"] = status
        rows[at]["channels"]["gas_pulses"] = 1
    for channel, unknown in (("import_wh", 5), ("gas_pulses", 0)):
        rows_plot.draw_month(rows, channel, "October 2025", Path("month.svg"))
        grid = figure.pop().axes[0].collections[0].get_array()
        assert unknown == int((grid[0, :7] < 0).sum())


def test_a_month_is_blank_where_there_was_no_meter_yet(figure: list[Any]) -> None:
    """Neither what was before the first row nor what is yet to come is grey."""
    rows = [row for n in (27, 28) for row in day_rows(date(2025, 10, n))][20:-8]
    rows_plot.draw_month(rows, "import_wh", "October 2025", Path("month.svg"))
    grid = figure[0].axes[0].collections[0].get_array()
    assert [20 + 2, 8 + 2] == [int(line.mask.sum()) for line in grid]
    assert not (grid < 0).any()


@pytest.mark.parametrize("minutes", [10, 15, 60])
def test_other_periods_are_drawn_as_long_as_they_are(figure: list[Any], minutes: int) -> None:
    """A month adds them up to half-hours, or shares them out; nothing is lost."""
    day, length = date(2025, 10, 26), timedelta(minutes=minutes)
    begun = datetime(2025, 10, 25, 23, tzinfo=UTC)
    rows = [
        {
            **day_rows(day)[0],
            "start": iso_utc(begun + n * length),
            "end": iso_utc(begun + (n + 1) * length),
        }
        for n in range(25 * 60 // minutes)
    ]
    for row in rows:
        row["channels"] = {"import_wh": 60}
    rows_plot.draw_month(rows, "import_wh", "October 2025", Path("month.svg"))
    grid = figure[0].axes[0].collections[0].get_array()
    assert 25 * 60 / minutes * 0.06 == pytest.approx(float(grid.sum()))
    assert {60 / minutes * 0.03} == {round(float(cell), 9) for cell in grid[0]}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("day", "--date", "2026-01-01"), "2025-10-25 to 2025-10-27, and none of 2026-01-01"),
        (("month", "--month", "2026-01"), "and none of 2026-01"),
        (("profile", "--from", "2026-01-01"), "and none is asked for"),
        (("month", "--channel", "heat_wh"), "no half-hour of October 2025 has a known heat_wh"),
        (("day", "-o", "it.gif"), "ends neither in .png nor in .svg"),
        (("day", "-o", "nowhere/it.svg"), "nowhere is no directory"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    autumn_house: Path, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    """With exit code 1, one sentence and no file."""
    more = () if "-o" in words else ("-o", tmp_path / "it.svg")
    if words[1:2] == ("--month",) or "--channel" in words:
        more = (*more, *(("--month", "2025-10") if "--channel" in words else ()))
    result = plotted(*words, "--data", autumn_house, *more)
    assert 1 == result.exit_code
    assert re.sub(r"\s+", " ", result.stderr).count("Error") == 1
    assert sentence in result.stderr
    assert not (tmp_path / "it.svg").exists()


def test_a_meter_without_half_hours_is_said(tmp_path: Path) -> None:
    """There is nothing to be drawn yet."""
    with Storage.open(tmp_path) as storage:
        Meter(demo_config(), storage, EVENING).checkpoint()
    result = plotted("day", "--data", tmp_path, "-o", tmp_path / "it.svg")
    assert (1, True) == (result.exit_code, "has no closed half-hour yet" in result.stderr)


def test_days_in_the_wrong_order_are_misuse(autumn_house: Path, tmp_path: Path) -> None:
    """Exit code 2."""
    words = ("--from", "2025-10-26", "--to", "2025-10-25", "-o", tmp_path / "it.svg")
    assert 2 == plotted("profile", "--data", autumn_house, *words).exit_code


@pytest.mark.parametrize("words", [(), ("--telegram-period", "900"), ("--board", "esp32")])
def test_a_battery_is_that_of_the_unit(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Its years are those of `pulse-unit battery`, and its terms stand on the picture."""
    from pulse_unit.cli.main import main as pulse_unit

    picture = tmp_path / "battery.svg"
    told = json.loads(plotted("battery", *words, "-o", picture, "--json").stdout)
    asked = CliRunner().invoke(pulse_unit, ["battery", *words, "--json"], catch_exceptions=False)
    of_unit = json.loads(asked.stdout)
    assert of_unit["years"] == told["years"]
    text = picture.read_text()
    assert all(f"<!-- {term['name']} -->" in text for term in of_unit["terms"])


def test_the_boards_are_those_that_have_a_battery() -> None:
    """The command names them without loading them."""
    from elec_meter.demo.battery import BOARDS

    assert BOARDS == plot._BOARDS


def test_without_matplotlib_it_is_said_what_brings_it(
    autumn_house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any work, in one sentence."""
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    assert pictures.new_figure
    result = plotted("day", "--data", autumn_house, "-o", tmp_path / "it.svg")
    assert 1 == result.exit_code
    assert "install -e '.[plot]'" in result.stderr


def test_colours_are_those_of_the_panel() -> None:
    """Import, export and gas look the same on a picture as on the page."""
    style = (Path(panel.__file__).parent / "static" / "panel.css").read_text("utf-8")
    of_page = dict(reversed(re.findall(r"--(import|export|gas): (#[0-9a-f]{6});", style)))
    drawn = {key.removesuffix("_wh"): colour for key, colour in rows_plot._COLOURS.items()}
    assert {**drawn, "gas": rows_plot._PULSES} == of_page
