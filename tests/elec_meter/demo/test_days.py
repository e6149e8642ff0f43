"""The whole system, from mains and reed to rows, on the two odd days of the year."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.elec_meter.cli.commands import shown, succeeding

DERIVED = ("ledger_pulse_row", "ledger_pulse_channel", "collector_boundary", "collector_flag")


class Part(NamedTuple):
    """A settlement day, or its beginning.

    Attributes:
        date: of the settlement day.
        start: when it begins; the clock changes two hours or one hour later.
        hours: for how long the demo lives.
        periods: how many half-hours of the day that has.
        export_wh: exported at least.
    """

    date: str
    start: str
    hours: int
    periods: int
    export_wh: int


# Over the change into the morning's gas; and both days whole, with the sun and all loads.
PARTS = [
    Part("2025-10-26", "2025-10-25T23:00:00Z", 9, 18, 0),
    Part("2025-10-26", "2025-10-25T23:00:00Z", 26, 50, 1),
    Part("2025-03-30", "2025-03-30T00:00:00Z", 26, 46, 1),
]


@pytest.fixture(
    scope="module",
    params=[PARTS[0], *(pytest.param(part, marks=pytest.mark.slow) for part in PARTS[1:])],
    ids=lambda part: f"{part.date}-{part.hours}h",
)
def part(request: pytest.FixtureRequest) -> Part:
    """A settlement day, or its beginning."""
    given: Part = request.param
    return given


@pytest.fixture(scope="module")
def home(part: Part, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A data directory with some hours of the demo, sampled at 4 kHz, and the demo's summary."""
    data_dir = tmp_path_factory.mktemp("home")
    words = ("--speed", 0, "--start", part.start, "--for", f"{part.hours}h", "--data", data_dir)
    summary = json.loads(succeeding("demo", *words, "--json"))
    return data_dir, summary


def test_the_day_has_all_its_periods(part: Part, home: tuple[Path, dict[str, Any]]) -> None:
    """The settlement day has 46 or 50 half-hours, numbered from 1, without a hole."""
    rows = shown("profile", home[0], "--date", part.date)
    start = datetime.fromisoformat(part.start)
    starts = [start + timedelta(minutes=30) * n for n in range(part.periods)]
    assert list(range(1, part.periods + 1)) == [row["settlement_period"] for row in rows]
    assert starts == [datetime.fromisoformat(row["start"]).astimezone(UTC) for row in rows]
    assert {part.date} == {row["settlement_date"] for row in rows}
    assert {0} == {row["status"] for row in rows}
    final = rows[: 2 * (part.hours - 1)]  # the unit tells of the last hour in the next one
    assert {0} == {row["channel_status"]["gas_pulses"] for row in final}


def test_the_books_balance(part: Part, home: tuple[Path, dict[str, Any]]) -> None:
    """`audit` finds nothing, and all that was turned and metered is in the registers."""
    data_dir, summary = home
    assert "balance" in succeeding("audit", "--data", data_dir)
    registers = {row["obis"]: row["value"] for row in shown("registers", data_dir)}
    assert summary["balanced"]
    assert summary["gas"]["turned"] == summary["gas"]["register"] == summary["gas"]["counted"]
    assert summary["gas"]["turned"] > 100
    assert summary["import_wh"] == registers["1-0:1.8.0"] > 1000
    assert part.export_wh <= summary["export_wh"] == registers["1-0:2.8.0"]
    assert registers["1-0:1.8.0"] == registers["1-0:1.8.1"] + registers["1-0:1.8.2"]


def test_folding_again_gives_the_same_rows(
    part: Part, home: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """With every derived row of gas deleted, the journal alone gives the same rows."""
    data_dir, _ = home
    before = shown("profile", data_dir, "--date", part.date)
    copy = tmp_path / "copy"
    copy.mkdir()
    original = sqlite3.connect(data_dir / "meter.sqlite")
    damaged = sqlite3.connect(copy / "meter.sqlite")
    original.backup(damaged)
    for table in DERIVED:
        assert damaged.execute(f"DELETE FROM {table}").rowcount or table == "collector_flag"
    damaged.commit()
    damaged.close()
    original.close()
    assert before == shown("profile", copy, "--date", part.date)
