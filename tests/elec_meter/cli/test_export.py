from __future__ import annotations

import csv
import io
import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from elec_meter import Meter, Storage
from elec_meter.cli.main import main
from elec_meter.config import demo_config
from tests.elec_meter.cli.commands import EVENING

HALF_HOUR = timedelta(minutes=30)


def printed(*words: object) -> str:
    """What the command prints."""
    result = CliRunner().invoke(main, list(map(str, ("export", *words))), catch_exceptions=False)
    assert 0 == result.exit_code, result.output
    return result.stdout


def test_json_is_what_show_has(autumn_house: Path) -> None:
    """Day by day, all 50 half-hours of the long one among them."""
    rows = json.loads(printed("--data", autumn_house, "--format", "json"))
    assert 60 == len(rows)
    assert 50 == len([row for row in rows if row["settlement_date"] == "2025-10-26"])
    words = ["show", "profile", "--data", str(autumn_house), "--date", "2025-10-26", "--json"]
    shown = json.loads(CliRunner().invoke(main, words, catch_exceptions=False).stdout)
    assert shown == [row for row in rows if row["settlement_date"] == "2025-10-26"]


def test_csv_has_the_same_rows(autumn_house: Path, tmp_path: Path) -> None:
    """Into a file, of the days that were asked for; what is not known is empty."""
    file = tmp_path / "rows.csv"
    assert "" == printed(
        "--data", autumn_house, "--from", "2025-10-26", "--to", "2025-10-26", "-o", file
    )
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert 50 == len(rows)
    assert list(map(str, range(1, 51))) == [row["settlement_period"] for row in rows]
    assert {""} == {row["gas_pulses"] for row in rows}
    assert {"0"} == {row["import_wh"] for row in rows}


def test_days_without_rows_give_an_empty_list(autumn_house: Path) -> None:
    """It is still JSON."""
    assert [] == json.loads(
        printed("--data", autumn_house, "--format", "json", "--from", "2026-01-01")
    )


def test_days_in_the_wrong_order_are_misuse(autumn_house: Path) -> None:
    """Exit code 2, in a sentence."""
    words = ["export", "--data", str(autumn_house), "--from", "2025-10-26", "--to", "2025-10-25"]
    result = CliRunner().invoke(main, words)
    assert 2 == result.exit_code
    assert "--to comes before --from." in result.stderr


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_file_that_cannot_be_written_is_named(
    autumn_house: Path, tmp_path: Path, form: str
) -> None:
    """As whoever gave its name knows it, not as it is called meanwhile."""
    file = tmp_path / "nowhere" / "home"
    words = ["export", "--data", str(autumn_house), "--format", form, "-o", str(file)]
    result = CliRunner().invoke(main, words)
    assert (1, "") == (result.exit_code, result.stdout)
    assert f"Error: {file}: No such file or directory.\n" == result.stderr


@pytest.mark.parametrize("form", ["csv", "json", "nem12", "home-assistant", "parquet"])
def test_a_file_is_written_whole_or_not_at_all(
    autumn_house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """Stopped half way, the old file stays, and nothing is left beside it."""
    file = tmp_path / "home"
    file.write_text("old")
    from elec_meter.cli import days

    whole = days.rows_of

    def stopped(*words: object) -> object:
        for number, row in enumerate(whole(*words)):  # type: ignore[arg-type]  # as it is called
            if number == 30:
                raise KeyboardInterrupt
            yield row

    words = ["export", "--data", str(autumn_house), "--format", form, "-o", str(file)]
    monkeypatch.setattr(days, "rows_of", stopped)
    assert 0 != CliRunner().invoke(main, words).exit_code
    assert ["home"] == [each.name for each in tmp_path.iterdir()]
    assert "old" == file.read_text()
    monkeypatch.undo()
    assert 0 == CliRunner().invoke(main, words, catch_exceptions=False).exit_code
    assert ["home"] == [each.name for each in tmp_path.iterdir()]
    assert file.stat().st_size > 100


def test_parquet_wants_a_file_and_its_library(
    autumn_house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Misuse without the one, one sentence without the other."""
    words = ["export", "--data", str(autumn_house), "--format", "parquet"]
    assert 2 == CliRunner().invoke(main, words).exit_code
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = CliRunner().invoke(main, [*words, "-o", str(tmp_path / "it.parquet")])
    assert 1 == result.exit_code
    assert "install -e '.[parquet]'" in result.stderr


def test_statistics_end_at_the_register(tmp_path: Path) -> None:
    """The last sum is what the meter shows, also from a later day on."""
    with Storage.open(tmp_path) as storage:
        meter = Meter(demo_config(), storage, EVENING)
        for hours in range(1, 31):
            now = EVENING + timedelta(hours=hours)
            begun = now - timedelta(hours=1)
            meter.receive_energy("import", 1_000 * hours * 3_600, begun, now, now)
            meter.handle_timer(now + timedelta(seconds=3))
        meter.checkpoint()
    words = ("--data", tmp_path, "--format", "home-assistant")
    (told, *_) = json.loads(printed(*words))
    (later, *_) = json.loads(printed(*words, "--from", "2025-10-26"))
    assert told["stats"][-1] == later["stats"][-1]
    assert 1 + 30 == len(told["stats"])
    assert 0 == told["stats"][0]["sum"]
    assert later["stats"] == told["stats"][-len(later["stats"]) :]
    assert sum(range(1, 31)) == round(told["stats"][-1]["sum"] * 1_000)


@settings(max_examples=5, deadline=None)
@given(loads=st.lists(st.integers(0, 5_000_000), min_size=1, max_size=60))
def test_an_export_is_replayed_as_it_was(
    loads: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Another meter that is given the CSV as its load has the same half-hours of import."""
    old, new = (tmp_path_factory.mktemp(name) for name in ("old", "new"))
    with Storage.open(old) as storage:
        meter = Meter(demo_config(), storage, EVENING)
        for number, energy_mj in enumerate(loads, start=1):
            now = EVENING + number * HALF_HOUR
            meter.receive_energy("import", energy_mj * 1_000, now - HALF_HOUR, now, now)
        meter.checkpoint()
    printed("--data", old, "-o", old / "old.csv")
    words = ["replay", "--data", str(new), "--load", f"{old / 'old.csv'}:revision=0", "--json"]
    told = json.loads(CliRunner().invoke(main, words, catch_exceptions=False).stdout)
    first, second = (json.loads(printed("--data", each, "--format", "json")) for each in (old, new))
    assert told["import_wh"] == sum(row["channels"]["import_wh"] for row in first)
    assert [(row["start"], row["channels"]["import_wh"]) for row in first] == [
        (row["start"], row["channels"]["import_wh"]) for row in second
    ]
