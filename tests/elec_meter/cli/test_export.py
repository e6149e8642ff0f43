from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from elec_meter import Meter, Storage
from elec_meter.cli.main import main
from elec_meter.config import demo_config

EVENING = datetime(2025, 10, 25, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A meter that lived through the night on which the clocks go back."""
    directory = tmp_path_factory.mktemp("house")
    with Storage.open(directory) as storage:
        meter = Meter(demo_config(), storage, EVENING)
        meter.handle_timer(EVENING + timedelta(hours=30))
        meter.checkpoint()
    return directory


def printed(*words: object) -> str:
    """What the command prints."""
    result = CliRunner().invoke(main, list(map(str, ("export", *words))), catch_exceptions=False)
    assert 0 == result.exit_code, result.output
    return result.stdout


def test_json_is_what_show_has(house: Path) -> None:
    """Day by day, all 50 half-hours of the long one among them."""
    rows = json.loads(printed("--data", house, "--format", "json"))
    assert 60 == len(rows)
    assert 50 == len([row for row in rows if row["settlement_date"] == "2025-10-26"])
    words = ["show", "profile", "--data", str(house), "--date", "2025-10-26", "--json"]
    shown = json.loads(CliRunner().invoke(main, words, catch_exceptions=False).stdout)
    assert shown == [row for row in rows if row["settlement_date"] == "2025-10-26"]


def test_csv_has_the_same_rows(house: Path, tmp_path: Path) -> None:
    """Into a file, of the days that were asked for; what is not known is empty."""
    file = tmp_path / "rows.csv"
    assert "" == printed("--data", house, "--from", "2025-10-26", "--to", "2025-10-26", "-o", file)
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert 50 == len(rows)
    assert list(map(str, range(1, 51))) == [row["settlement_period"] for row in rows]
    assert {""} == {row["gas_pulses"] for row in rows}
    assert {"0"} == {row["import_wh"] for row in rows}


def test_days_without_rows_give_an_empty_list(house: Path) -> None:
    """It is still JSON."""
    assert [] == json.loads(printed("--data", house, "--format", "json", "--from", "2026-01-01"))


def test_days_in_the_wrong_order_are_misuse(house: Path) -> None:
    """Exit code 2, in a sentence."""
    words = ["export", "--data", str(house), "--from", "2025-10-26", "--to", "2025-10-25"]
    result = CliRunner().invoke(main, words)
    assert 2 == result.exit_code
    assert "--to comes before --from." in result.stderr
