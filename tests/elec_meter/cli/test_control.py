"""Orders from the command line where no meter runs, and what users get wrong."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pexpect
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from collector import UnitRecord
from elec_meter import Meter, Storage
from elec_meter.access import Level
from elec_meter.at_rest import gate_of
from elec_meter.cli import control, pairing
from elec_meter.cli.main import main
from elec_meter.config import DisplayConfig, config_to_toml, demo_config, encode_change
from elec_meter.control import Request
from elec_meter.errors import ControlError
from elec_meter.pulse_units import Units, channel_fed_by
from elec_meter.storage.lock import DirectoryLock
from tests.elec_meter.cli.commands import fingerprint

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
DEMO = demo_config()
BARE = replace(DEMO, display=DisplayConfig())
HALF_HOURS = "start,p_kwh\n2026-04-01T00:30:00Z,23.45\n\n# night\n2026-04-01T01:00Z, -1.005\n"


def run(*words: object, code: int = 0, text: str | None = None) -> str:
    """What a command prints, or the one sentence of a refusal."""
    result = CliRunner().invoke(main, list(map(str, words)), catch_exceptions=False, input=text)
    assert code == result.exit_code, result.output
    if code != 1:
        return result.stdout
    assert "" == result.stdout
    sentence = result.stderr.rpartition("Error: ")[2].strip()
    assert 1 == len(sentence.splitlines())
    assert sentence.endswith(".")
    return sentence


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data directory of the demo's meter, which does not run."""
    with Storage.open(tmp_path / "home") as storage:
        Meter(DEMO, storage, NOON).checkpoint()
    return tmp_path / "home"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A document without a display of its own."""
    path = tmp_path / "meter.toml"
    path.write_text(config_to_toml(BARE))
    return path


def test_a_document_is_in_force_from_the_next_start(home: Path, file: Path) -> None:
    """The command says so, and so does the history."""
    said = run("config", "apply", file, "--data", home)
    assert "Configuration 2 is in force from the next start on: display.\n" == said
    said = run("config", "apply", file, "--data", home)
    assert "Configuration 2 says the same: nothing was changed.\n" == said
    assert [
        "2  2026-04-01T12:00:00Z  the command line  from the next start on",
        "1  2026-04-01T12:00:00Z  the program  in force",
    ] == run("config", "history", "--data", home).splitlines()
    rows = json.loads(run("config", "history", "--data", home, "--json"))
    assert [(2, 3, False), (1, 4, True)] == [
        (row["number"], row["level"], row["in_force"]) for row in rows
    ]
    said = json.loads(run("config", "rollback", 1, "--data", home, "--json"))
    assert {"number": 3, "changed": ["display"], "from": "next start"} == said
    with Storage.open(home, read_only=True) as storage:
        assert (DEMO, 1) == (storage.load_config(), storage.config_in_force)


def test_a_compact_change_is_applied(home: Path) -> None:
    """To the document that is stored; a change of another one is refused."""
    change = encode_change(DEMO, BARE).hex()
    assert "Configuration 2" in run("config", "apply", "--change", change, "--data", home)
    sentence = run("config", "apply", "--change", change, "--data", home, code=1)
    assert "the change was made for another document" in sentence
    assert "hexadecimal" in run("config", "apply", "--change", "x", "--data", home, code=1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("colour = 1", "there is no key 'colour'"),
        ("[tariff.import]\nrates = 99", "tariff.import.rates: expected a whole number of at most"),
        ("[[", "is not TOML"),
        ('serial = "00000002"', "level 3 may not change serial"),
        ('[flag]\nreadout = ["1-0:99.1.0"]', "the FLAG readout cannot show 1-0:99.1.0"),
    ],
)
def test_a_bad_document_changes_nothing(text: str, reason: str, home: Path, tmp_path: Path) -> None:
    """The sentence names file, path and reason."""
    path = tmp_path / "bad.toml"
    path.write_text(text)
    before = fingerprint(home)
    sentence = run("config", "apply", path, "--data", home, code=1)
    assert reason in sentence
    if "level" not in reason:
        assert sentence.startswith(f"{path}")
    assert before == fingerprint(home)


ORDERS = [
    ("arm",),
    ("boost", "1"),
    ("clear-alarms",),
    ("clock-set", "2026-04-01T12:00:00Z"),
    ("clock-adjust", "-3"),
    ("clock-sync", "2026-04-01T12:00:00Z"),
    ("end-billing",),
    ("reset-demand",),
    ("prices", "-"),
    ("status",),
    ("unpair", "00000001", "--yes"),
]


@pytest.mark.parametrize("words", ORDERS, ids=lambda words: words[0])
def test_an_order_needs_a_running_meter(words: tuple[str, ...], home: Path) -> None:
    """Where none runs it is refused, and where none ever was."""
    before = fingerprint(home)
    sentence = run("control", *words, "--data", home, code=1, text=HALF_HOURS)
    assert f"no meter runs on {home}, and only a running one can do this." == sentence
    assert before == fingerprint(home)
    nowhere = home / "nowhere"
    sentence = run("control", *words, "--data", nowhere, code=1, text=HALF_HOURS)
    assert f"{nowhere} holds no meter's data." == sentence
    assert not nowhere.exists()


def test_the_status_has_what_a_module_said_last(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong password is seen without the log; a module that said nothing has no sentence."""
    row = {"power": "running", "average_ma": 32}
    refusal = "cannot reach broker:1883: Not authorized; tries again in 2 s"
    names = ("serial", "version", "pid", "meter_utc", "config_number", "durable")
    reply = dict.fromkeys(names, 1) | {
        "ports": {},
        "addons": [row | {"name": "home", "said": refusal}, row | {"name": "p1", "said": ""}],
    }
    monkeypatch.setattr(control, "order", lambda *_: reply)
    assert [
        f"add-on home: running, 32 mA: {refusal}",
        "add-on p1: running, 32 mA",
    ] == run("control", "status", "--data", home).splitlines()[-2:]


@pytest.mark.parametrize("words", [("control", "status"), ("config", "rollback", "1")])
def test_a_directory_in_use_is_never_opened_for_writing(words: tuple[str, ...], home: Path) -> None:
    """What runs there and has no socket takes no orders."""
    lock = DirectoryLock(home)
    try:
        sentence = run(*words, "--data", home, code=1)
    finally:
        lock.release()
    assert sentence.endswith("which takes no orders.")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "has no prices"),
        ("start,price\n", "has no prices"),
        ("2026-04-01T00:30:00Z,1\nsoon,1\n", "line 2: 'soon,1' is no price such as"),
        ("2026-04-01T00:30:00Z,1\n2026-04-01T01:00:00Z\n", "line 2"),
        ("2026-04-01T00:30:00Z,1\n2026-04-01T01:00:00Z,cheap\n", "line 2"),
        ("2026-04-01T00:30:00Z,1\n2026-04-01T01:30:00Z,1\n", "line 2: half-hours must follow"),
        ("2026-04-01T00:30:00Z,1\n2026-04-01T00:30:00Z,1\n", "line 2: half-hours must follow"),
    ],
)
def test_a_bad_list_of_prices(text: str, reason: str, home: Path, tmp_path: Path) -> None:
    """Refused before any meter is asked; the sentence says where."""
    path = tmp_path / "prices.csv"
    path.write_text(text)
    sentence = run("control", "prices", path, "--data", home, code=1)
    assert sentence.startswith(str(path))
    assert reason in sentence
    assert "standard input" in run("control", "prices", "-", "--data", home, code=1, text=text)
    assert "missing.csv cannot be read" in run(
        "control", "prices", tmp_path / "missing.csv", "--data", home, code=1
    )


@pytest.mark.parametrize(
    "words",
    [
        ("config", "apply"),
        ("config", "apply", "a.toml", "--change", "00"),
        ("config", "rollback", "0"),
        ("control", "clock-set", "noon"),
        ("control", "clock-adjust", "much"),
        ("control", "brew"),
    ],
)
def test_misuse(words: tuple[str, ...], home: Path) -> None:
    """Words that make no sense exit with 2."""
    run(*words, "--data", home, code=2)


def test_a_password_is_given_to_a_meter_that_rests(home: Path) -> None:
    """A script's first line, kept as what checks it: a second level has the same salt."""
    for level, secret in ((3, "swordfish"), (1, "red herring")):
        said = run("control", "password", level, "--data", home, text=f"{secret}\n")
        assert f"Level {level} has a new password.\n" == said
    with Storage.open(home) as storage:
        gate = gate_of(storage)
        assert (Level.READER, Level.SUPPLIER) == gate.levels
        for level, secret in ((Level.SUPPLIER, "swordfish"), (Level.READER, "red herring")):
            assert level is gate.sign_on_clear("FLAG optical", secret, (level,), NOON).level
        texts = [event.text for event in storage.events() if event.code == 242]
    assert "the password of level 3 was changed by the command line" == texts[0]
    found = b"".join(path.read_bytes() for path in home.iterdir() if path.is_file())
    assert b"swordfish" not in found


def test_a_password_is_asked_for_twice_at_a_terminal(home: Path) -> None:
    """Until both are the same; nothing of them is shown."""
    words = ["-m", "elec_meter", "control", "password", "3", "--data", str(home)]
    with pexpect.spawn(sys.executable, words, timeout=120, encoding="utf-8") as terminal:
        for first, again in (("swordfish", "swordfisk"), ("swordfish", "swordfish")):
            terminal.expect("New password of level 3:")
            terminal.waitnoecho()
            terminal.sendline(first)
            terminal.expect("Repeat for confirmation:")
            terminal.sendline(again)
        terminal.expect("Level 3 has a new password.")
        assert "swordfis" not in str(terminal.before)
        terminal.expect(pexpect.EOF)
    assert 0 == terminal.exitstatus
    with Storage.open(home) as storage:
        assert (Level.SUPPLIER,) == gate_of(storage).levels


def test_a_password_is_given_before_the_first_start(tmp_path: Path) -> None:
    """The directory is made for it, and whoever has mistyped its name is told."""
    home = tmp_path / "new"
    said = run("control", "password", 3, "--data", home, text="swordfish\nswordfish\n")
    assert (
        f"Level 3 has a new password.\n{home} is new: it is for the meter that begins there.\n"
        == said
    )
    assert "is new" not in run(
        "control", "password", 1, "--data", home, text="swordfishes\nswordfishes\n"
    )
    with Storage.open(home) as storage:
        assert (Level.READER, Level.SUPPLIER) == gate_of(storage).levels


def test_a_password_needs_a_directory(tmp_path: Path) -> None:
    """One sentence where there is a file."""
    file = tmp_path / "file"
    file.touch()
    sentence = run("control", "password", 3, "--data", file, code=1, text="swordfish\nswordfish\n")
    assert "is a file, not a data directory" in sentence


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("sardine", "a password has 8 to 128 characters that can be printed"),
        ("x" * 129, "a password has 8 to 128 characters that can be printed"),
        ("sword\tfish", "a password has 8 to 128 characters that can be printed"),
        ("installer", "this is a password of the demo, which everybody knows"),
    ],
)
def test_a_password_that_is_none_is_refused(secret: str, reason: str, home: Path) -> None:
    """One sentence, and nobody is let in by it."""
    assert reason in run("control", "password", 3, "--data", home, code=1, text=f"{secret}\n" * 2)
    with Storage.open(home) as storage:
        assert () == gate_of(storage).levels


def test_who_unpairs_is_asked_about_a_unit_that_there_is(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistyped serial, or a unit that is only configured, is refused before it is for good."""
    asked: list[str] = []

    def reply(_: Path, request: Request) -> dict[str, object]:
        asked.append(type(request).__name__)
        return {"channel": "gas", "pulses": 12}

    monkeypatch.setattr(pairing, "order", reply)
    for serial, sentence in (
        ("00000009", "no unit '00000009' is paired to a channel of this meter."),
        ("00000001", "the unit 00000001 is in the configuration, for gas, but was never paired."),
    ):
        assert sentence == run("control", "unpair", serial, "--data", home, code=1)
    assert "UnpairUnit" not in asked
    with Storage.open(home) as storage:
        unit = UnitRecord(serial="00000001", channel="gas", paired_utc=NOON, base_count=0)
        Meter(DEMO, storage, NOON).pair(unit, bytes(16), NOON)
    said = run("control", "unpair", "00000001", "--data", home, text="y\n")
    assert "Unpair the unit 00000001 for good?" in said
    assert "gas has no unit now; it has counted 12 pulses." in said
    assert "UnpairUnit" == asked[-1]


def test_a_unit_that_feeds_nothing_is_told_why() -> None:
    """Whichever of configuration and collector has it, and also when it has left."""
    for config, units, sentence in (
        (DEMO, Units(ended={"00000001": "gas"}), "was taken off this meter already"),
        (DEMO, Units(), "is in the configuration, for gas, but was never paired"),
        (replace(DEMO, gas_units=()), Units(["00000001"]), "whose configuration has no channel"),
        (replace(DEMO, gas_units=()), Units(), "no unit '00000001' is paired"),
    ):
        with pytest.raises(ControlError, match=sentence):
            channel_fed_by("00000001", config, units)
    assert "gas" == channel_fed_by("00000001", DEMO, Units(["00000001"]))
