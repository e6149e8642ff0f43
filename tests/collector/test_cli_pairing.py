from __future__ import annotations

import csv
import io
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from collector import cli_options
from collector.bearers.opening import open_bearers
from collector.certificate import certificate_lines
from collector.cli import main
from collector.storage.directory import DataDirectory
from elec_meter.config import MeterConfig
from elec_meter.meter import Meter
from elec_meter.storage import Storage
from pulse_unit.cli.label import label as print_label
from shared.label import UnitLabel
from tests.collector.bench import BEGIN_MS, LABEL, MPRN, Bench, house_call, recorded
from tests.collector.frames import KEY, SERIAL

METER = ["--mprn", MPRN, "--meter-serial", "G4A123", "--weight", "0.01 m3"]

pytestmark = pytest.mark.usefixtures("hasty")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data directory to be."""
    return tmp_path / "home"


def run(*words: object, **how: Any) -> Result:
    """Run the command; what is no plain error is raised."""
    return CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False, **how)


def pair(home: Path, call: Path, *words: object, dial: str = "01234.567", **how: Any) -> Result:
    """Pair by script."""
    how.setdefault("input", LABEL.qr_text)
    options = ["--data", home, "--replay", call, "--label", "-", *METER, "--dial", dial]
    return run("pair", *options, "--yes", "--json", *words, **how)


def refused(result: Result) -> str:
    """The sentence of a refusal."""
    assert 1 == result.exit_code, result.output
    assert result.stderr.startswith("Error: ")
    assert 1 == result.stderr.count("\n")
    assert KEY.hex() not in result.output.lower()
    return result.stderr.removeprefix("Error: ").strip()


def test_from_qr_to_certificate_by_script(home: Path, call: Path, tmp_path: Path) -> None:
    """One command, no question: the certificate as JSON, and as a page."""
    page = tmp_path / "certificate.html"
    result = pair(home, call, "--installer", "Ada", "--certificate", page)
    assert 0 == result.exit_code, result.output
    document = json.loads(result.stdout)
    assert (1, "Ada", SERIAL, MPRN, "1234.567 m3") == (
        document["certificate"],
        document["installer"],
        document["unit"]["serial"],
        document["meter"]["mprn"],
        document["index"]["dial"],
    )
    assert {"pulses": 3, "expected": "1234.597 m3"} == document["test_burn"]
    assert MPRN in page.read_text()
    (unit,) = json.loads(run("units", "--data", home, "--json").stdout)
    assert (SERIAL, 3, "1234.597 m3", None) == (
        unit["serial"],
        unit["pulses"],
        unit["dial"],
        unit["ended"],
    )
    again = json.loads(run("certificate", 1, "--data", home, "--json").stdout)
    assert document == again


def test_no_output_has_the_key(home: Path, call: Path, tmp_path: Path) -> None:
    """Neither listings nor certificates nor refusals."""
    page = tmp_path / "certificate.json"
    told = pair(home, call, "--certificate", page).output + page.read_text()
    told += pair(home, call).output
    for words in (["units"], ["certificate"], ["certificate", 1], ["profile"], ["energy"]):
        told += run(*words, "--data", home).output
    assert KEY.hex() not in told.lower()
    assert LABEL.passkey not in told
    assert 0o600 == (home / "keys.json").stat().st_mode & 0o777


@pytest.mark.parametrize(
    ("left_d", "words"), [(7300, "7300 days left"), (65_534, "none that runs down")]
)
def test_a_battery_on_a_certificate(home: Path, call: Path, left_d: int, words: str) -> None:
    """A unit on the mains says the greatest number of days, which is no battery's."""
    document = json.loads(pair(home, call).stdout)
    document["unit"]["battery_left_d"] = left_d
    assert words == dict(certificate_lines(document))["Battery"]


def test_wrong_key(home: Path, call: Path) -> None:
    """The sentence says that the unit is heard and the key is not its; nothing is kept."""
    wrong = UnitLabel(SERIAL, bytes(16), "123456")
    assert "the key is not its" in refused(pair(home, call, input=wrong.qr_text))
    assert not (home / "keys.json").exists()


def test_no_signal(home: Path, call: Path) -> None:
    """Another unit's label: what is heard is not that unit."""
    other = UnitLabel("00000002", KEY, "123456")
    sentence = refused(pair(home, call, input=other.qr_text))
    assert "00000002 is not heard" in sentence
    assert "1 other units are heard" in sentence


def test_no_pulses(home: Path, tmp_path: Path) -> None:
    """The test burn's time is over: nothing is kept."""
    call = tmp_path / "quiet.txt"

    def quiet(bench: Bench) -> None:
        bench.press()
        bench.step(lambda *_: None, 60)

    recorded(call, quiet)
    assert "gas flow" in refused(pair(home, call))
    assert not (home / "keys.json").exists()
    assert 0 == pair(home, call, "--test-pulses", 0).exit_code


def test_mistyped(home: Path, call: Path) -> None:
    """A wrong digit anywhere is a sentence of its own."""
    sentences = {
        "check digits disagree": pair(home, call, "--mprn", "3938424404"),
        "no reading of a dial": pair(home, call, dial="1234,5"),
        "no pulse weight": pair(home, call, "--weight", "10 gallons"),
        "not the text of a unit's label": pair(home, call, input="HHY2:1"),
        "disagree: read it again": pair(home, call, input=LABEL.qr_text.replace("5", "6")),
    }
    for words, result in sentences.items():
        assert words in refused(result)
    assert not (home / "keys.json").exists()


def test_a_label_from_a_file(home: Path, call: Path, tmp_path: Path) -> None:
    """The printed lines do as well as the code's text; no file is one sentence."""
    label = tmp_path / "unit.label"
    assert "cannot be read" in refused(pair(home, call, "--label", label))
    label.write_text(LABEL.printed_text + "\n")
    assert 0 == pair(home, call, "--label", label).exit_code


@pytest.mark.parametrize("words", [[], ["--json"], ["--qr"]])
def test_a_label_as_the_unit_prints_it(
    home: Path, call: Path, tmp_path: Path, words: list[str]
) -> None:
    """Whatever `pulse-unit label` puts into a file pairs that unit."""
    label = tmp_path / "unit.label"
    given = ["--serial", LABEL.serial, "--key", LABEL.key.hex(), "--passkey", LABEL.passkey]
    label.write_text(CliRunner().invoke(print_label, [*given, *words]).stdout)
    assert 0 == pair(home, call, "--label", label).exit_code


def test_an_empty_label(home: Path, call: Path, tmp_path: Path) -> None:
    """The sentence names the file and says that it is empty."""
    label = tmp_path / "unit.label"
    label.write_text("\n")
    sentence = f"{label}: a label is wanted, and this is empty."
    assert sentence == refused(pair(home, call, "--label", label))


def test_paired_already(home: Path, call: Path) -> None:
    """The same channel, and the same unit for another channel."""
    assert 0 == pair(home, call).exit_code
    assert "feeds the channel gas already" in refused(pair(home, call))
    assert "paired already" in refused(pair(home, call, "--channel", "gas2"))


def test_a_script_asks_nothing(home: Path) -> None:
    """What is missing is misuse, before anything is done."""
    result = run("pair", "--data", home, "--json")
    assert 2 == result.exit_code
    assert "--label, or --serial and --key, --mprn" in result.stderr
    assert not home.exists()
    assert 2 == run("pair", "--data", home, "--serial", SERIAL).exit_code


def test_index_lower_than_before(home: Path, call: Path) -> None:
    """After an unpairing the same meter's dial may not go back."""
    assert 0 == pair(home, call).exit_code
    assert 0 == run("unpair", SERIAL, "--data", home, "--json").exit_code
    assert "and 1234.500 m3 is less" in refused(pair(home, call, dial="1234.500"))
    assert 0 == pair(home, call, "--turned-over", dial="1234.500").exit_code


def test_exchange_and_unpair(home: Path, call: Path, tmp_path: Path) -> None:
    """Old final index, new first; then the end, with the dial as it was read."""
    assert 0 == pair(home, call).exit_code
    options = ["--data", home, "--replay", call, "--label", "-", *METER, "--dial", "1234.6"]
    result = run("exchange", SERIAL, *options, "--yes", "--json", input=LABEL.qr_text)
    assert 0 == result.exit_code, result.output
    assert "1234.597 m3" == json.loads(result.stdout)["replaces"]["final_index"]
    page = tmp_path / "end.html"
    result = run("unpair", SERIAL, "--data", home, "--yes", "--dial", "1240", "--certificate", page)
    assert "1240.000 m3" in result.stdout
    assert "Gas unit unpaired" in page.read_text()
    rows = json.loads(run("units", "--data", home, "--json").stdout)
    assert [True, True] == [row["ended"] is not None for row in rows]
    listed = json.loads(run("certificate", "--data", home, "--json").stdout)
    assert ["pairing", "exchange", "unpairing"] == [each["kind"] for each in listed]
    assert "00000001" in refused(run("unpair", SERIAL, "--data", home, "--yes"))


def test_a_meters_directory_is_the_meters(home: Path, call: Path) -> None:
    """Nothing is paired, exchanged or unpaired behind a meter's back, and not a byte is changed."""
    pair(home, call)
    with Storage.open(home):
        pass
    before = contents(home)
    for order in (
        ["pair", "--replay", call, "--channel", "gas_2"],
        ["exchange", SERIAL, "--replay", call],
        ["unpair", SERIAL, "--yes"],
    ):
        at_rest = refused(run(*order, "--data", home))
        assert "is an electricity meter's" in at_rest
        assert "pairing page of its panel" in at_rest
        with DataDirectory.open(home):
            assert at_rest == refused(run(*order, "--data", home))
    assert before == contents(home)


def test_units_of_a_meter_are_listed_by_the_meter(tmp_path: Path) -> None:
    """A meter's directory is not empty: the sentence names the command that lists its units."""
    with Storage.open(tmp_path) as storage:
        Meter(MeterConfig(), storage, datetime(2026, 1, 1, tzinfo=UTC)).checkpoint()
    for words in (
        *(["units"], ["units", "--json"], ["profile"], ["energy"]),
        *(["events"], ["events", "--json"], ["export"]),
    ):
        sentence = refused(run(*words, "--data", tmp_path))
        assert f"`elec-meter show units --data {tmp_path}` lists them" in sentence


def contents(directory: Path) -> dict[str, bytes]:
    """Every file but the lock."""
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.name != "lock"}


def test_a_recording_is_collected(home: Path, call: Path, tmp_path: Path) -> None:
    """Two days of telegrams: half-hours, energy of days, a bill, and exports, all exact."""
    assert 0 == pair(home, call).exit_code
    log = tmp_path / "days.txt"

    def two_days(bench: Bench) -> None:
        house_call(bench)
        for _ in range(96):
            bench.turn(10)
            bench.step(lambda *_: None, 1800)

    recorded(log, two_days)
    result = run("run", "--data", home, "--replay", log, "--replay-delay", 0)
    assert 0 == result.exit_code, result.output
    assert f"{SERIAL} count 968" in result.stdout
    rows = json.loads(run("profile", "--data", home, "--date", "2026-01-01", "--json").stdout)
    assert (48, "2026-01-01", 1) == (
        len(rows),
        rows[0]["settlement_date"],
        rows[0]["settlement_period"],
    )
    pulses = [row["channels"]["gas_pulses"] for row in rows]
    # One of a half-hour's ten may lie on its boundary.
    assert 480 <= sum(pulses) <= 483
    assert {0} == {row["channel_status"]["gas_pulses"] for row in rows[1:]}
    assert all(row["channels"]["gas_l"] == 10 * row["channels"]["gas_pulses"] for row in rows)
    assert [None] * 48 == [row["channels"]["gas_wh"] for row in rows]
    assert 0 == run("calorific", "set", "2025-12-01", "39.5", "--data", home).exit_code
    (day, _) = json.loads(run("energy", "--data", home, "--to", "2026-01-02", "--json").stdout)
    assert sum(pulses) == day["pulses"]
    assert f"{sum(pulses) / 100:g}" == day["volume_m3"]
    assert int(sum(pulses) * 10 * 1.02264 * 39.5 / 3.6) == day["energy_wh"]
    exported = run("export", "--data", home, "--format", "csv").stdout
    assert exported == run("export", "--data", home).stdout
    table = list(csv.DictReader(io.StringIO(exported)))
    assert "2026-01-01T00:00:00Z" == table[0]["start"]
    known = [int(row["gas_pulses"]) for row in table if row["gas_pulses"]]
    assert pulses == known[:48]
    asjson = json.loads(run("export", "--data", home, "--format", "json").stdout)
    assert len(table) == len(asjson)


def test_calorific_values(home: Path, call: Path) -> None:
    """They are kept, shown and forgotten; what no gas has is refused."""
    assert 0 == pair(home, call).exit_code
    for words in (["2026-01-01", "39.5"], ["2026-02-01", "38.9"], ["2026-01-01", "none"]):
        assert 0 == run("calorific", "set", *words, "--data", home).exit_code
    assert 0 == run("calorific", "correction", "1.05", "--data", home).exit_code
    shown = json.loads(run("calorific", "show", "--data", home, "--json").stdout)
    assert {"channel": "gas", "correction": 1.05, "values": {"2026-02-01": 38.9}} == shown
    assert "natural gas has" in refused(
        run("calorific", "set", "2026-01-01", "11.2", "--data", home)
    )
    assert "no correction" in refused(run("calorific", "correction", "9", "--data", home))


def test_nothing_collected(home: Path) -> None:
    """A directory that is not there is not made by looking at it."""
    for words in (["units"], ["profile"], ["energy"], ["certificate"], ["unpair", SERIAL, "--yes"]):
        assert "holds nothing that was collected" in refused(run(*words, "--data", home))
    assert not home.exists()


def test_a_locked_database(home: Path, call: Path) -> None:
    """Another program's lock is said, and nothing is half done."""
    assert 0 == pair(home, call).exit_code
    other = sqlite3.connect(home / "meter.sqlite")
    other.execute("BEGIN IMMEDIATE")
    assert "another program has locked it" in refused(
        run("unpair", SERIAL, "--data", home, "--yes")
    )
    other.rollback()
    other.close()
    assert 0 == run("unpair", SERIAL, "--data", home, "--yes").exit_code


def test_a_certificate_that_cannot_be_written(home: Path, call: Path, tmp_path: Path) -> None:
    """The pairing is done, and the sentence says how to see the certificate."""
    result = pair(home, call, "--certificate", tmp_path / "no" / "where.html")
    assert 1 == result.exit_code
    assert "`collector certificate 1` shows it again" in result.stderr
    assert 0 == run("certificate", 1, "--data", home).exit_code


def test_scan(home: Path, call: Path) -> None:
    """Who is heard, and whether its button was pressed, without any key; and what it feeds."""
    words = ("scan", "--data", home, "--replay", call, "--for", "5m", "--json")
    (row,) = json.loads(run(*words).stdout)
    told = {"manufacturer": "HHY", "serial": SERIAL, "medium": "gas", "security": 7}
    told |= {"installing": True, "channel": None}
    assert told == {name: row[name] for name in told}
    assert row["telegrams"] > 10
    assert not home.exists()
    assert 0 == pair(home, call).exit_code
    assert "gas" == json.loads(run(*words).stdout)[0]["channel"]
    assert 2 == run("scan").exit_code


def test_recordings_have_a_clock_of_their_own(call: Path) -> None:
    """It begins a second before them, and passes only while somebody waits."""
    bearers = open_bearers(lambda: None, replays=[call])
    clock = cli_options.clock_for(bearers)
    begin = clock.now()
    assert BEGIN_MS / 1000 + 4 == begin.timestamp()
    clock.sleep(90)
    assert 90 == (clock.now() - begin).total_seconds()
    assert not isinstance(cli_options.clock_for([]), cli_options.RecordedClock)


@pytest.mark.parametrize("words", [("pair",), ("exchange", SERIAL)])
def test_without_a_bearer_it_is_said_at_once(home: Path, words: tuple[str, ...]) -> None:
    """As misuse, whether there is a directory yet or not; nothing is waited for, nothing made."""
    options = ["--data", home, "--label", "-", *METER, "--dial", "1", "--yes", "--json"]
    for _ in range(2):
        result = run(*words, *options, input=LABEL.qr_text)
        assert 2 == result.exit_code
        assert "Nothing to listen with: give --stick, --wire, --ble or --replay." in result.stderr
        assert [] == list(home.glob("*.json"))
        with DataDirectory.open(home):
            pass
