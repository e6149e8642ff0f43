"""What `elec-meter show` prints of a data directory."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from collector import UnitRecord
from elec_meter import Meter, MeterConfig, Storage
from elec_meter.cli.main import main
from elec_meter.cli.show import VIEW_NAMES
from elec_meter.config import (
    CalendarConfig,
    DayConfig,
    GasUnitConfig,
    PassiveTariff,
    SeasonConfig,
    SpecialDayConfig,
    SwitchConfig,
    TariffConfig,
    WeekConfig,
)
from elec_meter.events import EventCode
from elec_meter.ledger import imbalances
from shared.timegrid import settlement_day_start
from shared.units import PULSE_1_FT3
from tests.collector.frames import KEY, SERIAL, START, at, heard
from tests.elec_meter.cli.commands import succeeding
from tests.elec_meter.objects.lived import HOUR, Life, lived_config, whole_life

APRIL = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a meter that lived."""
    directory = tmp_path_factory.mktemp("lived")
    with Storage.open(directory) as storage:
        whole_life(storage)
    return directory


@pytest.fixture(scope="module")
def timeless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same; then it lost the time."""
    directory = tmp_path_factory.mktemp("timeless")
    with Storage.open(directory) as storage:
        life = whole_life(storage)
        life.meter.lose_clock(life.now)
        life.live(HOUR, 50)
    return directory


def test_a_display_has_no_alarm_that_the_meter_has_not(tmp_path: Path) -> None:
    """That nobody measures in what is looked at is none; an alarm that was raised is one."""
    with Storage.open(tmp_path) as storage:
        meter = Meter(MeterConfig(), storage, APRIL)
        meter.checkpoint()
    (icons,) = [row["icons"] for row in view("display", tmp_path)]
    assert "alarm" not in icons
    with Storage.open(tmp_path) as storage:
        meter = Meter(MeterConfig(), storage, APRIL + timedelta(hours=1))
        storage.record_event(EventCode.UNIT_TAMPERED, "it was opened", APRIL + timedelta(hours=1))
        meter.checkpoint()
    (icons,) = [row["icons"] for row in view("display", tmp_path)]
    assert "alarm" in icons


def printed(what: str, directory: Path, *words: str) -> str:
    """The output of a command that succeeds."""
    arguments = ["show", what, "--data", str(directory), *words]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert 0 == result.exit_code, result.output
    return result.stdout


def view(what: str, directory: Path, *words: str) -> list[dict[str, Any]]:
    """The rows, with exact numbers."""
    rows = json.loads(printed(what, directory, *words, "--json"), parse_float=Decimal)
    assert isinstance(rows, list)
    return rows


def test_cubic_feet_keep_their_digits(tmp_path: Path) -> None:
    """2,999,276 ft3 are 84930.038379067392 m3, to the last digit: more than a float holds."""
    config = MeterConfig(gas_units=(GasUnitConfig(serial=SERIAL, pulse_weight="1 ft3"),))
    unit = UnitRecord(
        serial=SERIAL, channel="gas", paired_utc=START, base_count=0, weight=PULSE_1_FT3
    )
    with Storage.open(tmp_path) as storage:
        meter = Meter(config, storage, START)
        meter.pair(unit, KEY, START)
        meter.receive_frame(heard(2_999_276, 60, 1), at(60))
        meter.checkpoint()
    text = succeeding("show", "registers", "--data", tmp_path, "--json")
    values = {row["obis"]: row["value"] for row in json.loads(text, parse_float=Decimal)}
    assert Decimal("84930.038379067392") == values["0-1:24.2.1"]
    assert '"value": 84930.038379067392,' in text


@pytest.mark.parametrize("what", VIEW_NAMES)
@pytest.mark.parametrize("house", ["lived", "timeless"])
def test_every_view_has_every_form(what: str, house: str, request: pytest.FixtureRequest) -> None:
    """A table, JSON, and CSV with a line for each row; whether the time is known or not."""
    directory: Path = request.getfixturevalue(house)
    rows = view(what, directory)

    assert rows
    assert len(rows) == len(list(csv.DictReader(io.StringIO(printed(what, directory, "--csv")))))
    assert len(rows) < len(printed(what, directory).splitlines())


def test_a_table_of_objects_begins_with_their_codes_and_leaves_nothing_out(lived: Path) -> None:
    """The longest value, a whole configuration, squeezes no column out."""
    heading, *lines = printed("objects", lived).splitlines()
    rows = view("objects", lived)
    assert ["obis", "class", "name", "unit", "value"] == heading.split()
    assert [row["obis"] for row in rows] == [line.split()[0] for line in lines]
    longest = max((str(row["value"]) for row in rows), key=len)
    assert len(longest) > 1_000
    assert [] == [line for line in lines if line != line.rstrip()]
    assert any(line.endswith(longest) for line in lines)


def test_a_clock_says_that_it_is_valid_in_the_words_of_json(lived: Path) -> None:
    """A table and its CSV have `true`, as the JSON has."""
    assert "true" in printed("clock", lived).split()
    (row,) = csv.DictReader(io.StringIO(printed("clock", lived, "--csv")))
    assert "true" == row["valid"]


def test_rows_that_there_are_none_of_are_no_line_of_csv(lived: Path) -> None:
    """Not even an empty one: columns are those of rows."""
    assert "" == printed("profile", lived, "--csv", "--date", "2037-01-01")


def test_a_clock_that_is_lost_says_since_when(timeless: Path) -> None:
    """Nothing stands in for the time, and what depends on it is null."""
    (clock,) = view("clock", timeless)
    assert (None, False, 1, "2026-04-01T18:02:00Z") == tuple(
        clock[name] for name in ("utc", "valid", "status", "unknown_since")
    )
    assert {None} == {row["active_rate"] for row in view("tariff", timeless)}
    assert {None} == {row["power_w"] for row in demand(timeless, "running")}
    assert view("billing", timeless)[-1]["at"] is None


def demand(directory: Path, quantity: str) -> list[dict[str, Any]]:
    """Rows of `show demand`."""
    return [row for row in view("demand", directory) if row["quantity"] == quantity]


def test_demand_is_that_of_the_running_meter(lived: Path) -> None:
    """The period under way, which a restart would forget; maxima; what resets have ended."""
    running = demand(lived, "running")[0]
    assert ("import", 80, "2026-04-01T18:15:00Z") == (
        running["channel"],
        running["power_w"],
        running["period_end"],
    )
    assert [220, 0] == [row["power_w"] for row in demand(lived, "maximum")]
    assert [(1, 220), (2, 100), (1, 0)] == [
        (row["number"], row["power_w"]) for row in demand(lived, "rate")
    ]
    assert [1_000, 0] == [row["power_w"] for row in demand(lived, "cumulative")]
    assert {(1, "2026-04-01T00:00:00Z")} == {
        (row["resets"], row["last_reset"]) for row in view("demand", lived)
    }


def test_billing_ends_with_the_period_that_is_open(lived: Path) -> None:
    """Registers, maxima, gas and cost at the end of each period, and now."""
    ended, now = view("billing", lived)

    assert ("billing", "2026-04-01T00:00:00Z", "date") == (
        ended["kind"],
        ended["at"],
        ended["reason"],
    )
    assert (8_600, 3, 37) == tuple(
        ended["channels"][key] for key in ("import_wh", "export_wh", "gas_pulses")
    )
    assert [4_600, 4_000] == ended["rates"]["import_wh"]
    assert (1_000, Decimal("167.45"), None) == (
        ended["maximum_w"]["import"],
        ended["cost_p"]["import"],
        ended["cost_p"]["export"],
    )
    assert ("open", 10_260, Decimal("29.45")) == (
        now["kind"],
        now["channels"]["import_wh"],
        now["cost_p"]["import"],
    )


def test_a_days_snapshots_are_those_of_its_midnights(lived: Path) -> None:
    """Of 1 April: the end of a period, and the day's own."""
    rows = view("billing", lived, "--date", "2026-04-01")

    assert [("billing", "date"), ("daily", "midnight")] == [(r["kind"], r["reason"]) for r in rows]
    assert [8_600, 8_600] == [row["channels"]["import_wh"] for row in rows]


def test_quarters_of_an_hour_are_named_by_the_half_hour_they_lie_in(lived: Path) -> None:
    """Two rows of energy for each settlement period; gas has one of its own."""
    rows = view("profile", lived, "--date", "2026-03-31")
    energy = [row for row in rows if "import_wh" in row["channels"]]
    gas = [row for row in rows if "gas_pulses" in row["channels"]]

    assert [n // 2 for n in range(2, 98)] == [row["settlement_period"] for row in energy]
    assert list(range(1, 49)) == [row["settlement_period"] for row in gas]
    assert [row["start"] for row in rows] == sorted(row["start"] for row in rows)
    assert ["start", "end", "settlement_date", "settlement_period", "channels", "status"] == list(
        rows[0]
    )[:6]
    assert {"channel_status", "revision"} == set(list(rows[0])[6:])
    assert "minutes" in printed("profile", lived, "--date", "2026-03-31")


@pytest.mark.parametrize(
    ("day", "periods"), [("2026-03-29", 46), ("2026-03-30", 48), ("2025-10-26", 50)]
)
def test_a_day_has_its_46_48_or_50_rows(tmp_path: Path, day: str, periods: int) -> None:
    """Half-hours of import, export, reactive energy and gas together, numbered from 1."""
    begun = settlement_day_start(date.fromisoformat(day)) - timedelta(days=1)
    with Storage.open(tmp_path) as storage:
        meter = Meter(MeterConfig(gas_units=(GasUnitConfig(serial=SERIAL),)), storage, begun)
        unit = UnitRecord(serial=SERIAL, channel="gas", paired_utc=begun, base_count=0)
        meter.pair(unit, KEY, begun)
        meter.handle_timer(begun + timedelta(days=3))
    rows = view("profile", tmp_path, "--date", day)

    assert list(range(1, periods + 1)) == [row["settlement_period"] for row in rows]
    reactive = [f"reactive_q{q}_varh" for q in range(1, 5)]
    channels = ("import_wh", "export_wh", *reactive, "gas_pulses")
    assert {channels} == {tuple(row["channels"]) for row in rows}


def test_a_change_of_the_integration_period_shows(tmp_path: Path) -> None:
    """An hour begins when no row of a quarter does; gas has its half-hours always."""
    with Storage.open(tmp_path) as storage:
        life = Life(storage)
        life.live(HOUR, 60)
        life.meter.apply_config(lived_config(60), life.now)
        life.live(3 * HOUR, 300)
        assert [] == imbalances(life.meter.ledger)
    rows = view("profile", tmp_path, "--date", "2026-03-31")
    energy = [row["channels"]["import_wh"] for row in rows if "import_wh" in row["channels"]]
    gas = [row["settlement_period"] for row in rows if "gas_pulses" in row["channels"]]

    assert [25, 25, 25, 25, 100, 100] == energy
    assert [1, 2, 3, 4, 5, 6] == gas


def test_the_tariff_shows_calendars_and_the_one_that_comes_next(tmp_path: Path) -> None:
    """Day and week profiles, seasons and special days of the passive one; blocks and prices."""
    night = SwitchConfig(at="00:00", rate=1)
    calendar = CalendarConfig(
        rates=2,
        days=(
            DayConfig(name="work", switches=(night, SwitchConfig(at="07:00", rate=2))),
            DayConfig(name="rest", switches=(night,)),
        ),
        weeks=(WeekConfig(name="all", days=(*["work"] * 5, "rest", "rest")),),
        seasons=(SeasonConfig(start="04-01", week="all"),),
        special_days=(SpecialDayConfig(date="*-12-25", day="rest"),),
    )
    passive = PassiveTariff(APRIL + timedelta(days=30), TariffConfig(import_=calendar))
    with Storage.open(tmp_path) as storage:
        Life(storage, msgspec.structs.replace(lived_config(), passive=passive)).live(HOUR, 60)
    rows = {(row["channel"], row["activates"]): row for row in view("tariff", tmp_path)}

    now = rows["import", None]
    assert [[1_000], [2_000]] == now["blocks"]
    assert [[Decimal("24.5"), 30], [8, 9]] == now["prices_p_kwh"]
    assert (Decimal("24.5"), Decimal("0.5"), 1) == (
        now["price_p_kwh"],
        now["standing_p_day"],
        now["active_rate"],
    )
    coming = rows["import", "2026-05-01T00:00:00Z"]
    assert ["work: 00:00 rate 1; 07:00 rate 2", "rest: 00:00 rate 1"] == coming["days"]
    assert ["all: work work work work work rest rest"] == coming["weeks"]
    assert (["04-01 all"], ["*-12-25 rest"]) == (coming["seasons"], coming["special_days"])
    assert coming["active_rate"] is None
    assert ["half-hourly"] == rows["export", None]["prices_p_kwh"]
    assert "24.5 / 30" in printed("tariff", tmp_path)
