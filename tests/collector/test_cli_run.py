from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from collector.cli import main
from collector.runtime import Runtime
from shared import telling
from tests.collector.bench import LABEL, MPRN, Bench, house_call, recorded
from tests.collector.frames import SERIAL
from tests.shared.unread import unread_pipe

ROOT = Path(__file__).parents[2]
METER = ["--mprn", MPRN, "--meter-serial", "G4", "--weight", "0.01 m3", "--dial", "1234.567"]

pytestmark = pytest.mark.usefixtures("hasty")


@pytest.fixture
def home(tmp_path: Path, call: Path) -> Path:
    """A directory with one paired unit."""
    path = tmp_path / "home"
    label = ["--label", "-", *METER, "--yes", "--json"]
    paired = run("pair", "--data", path, "--replay", call, *label, text=LABEL.qr_text)
    assert 0 == paired.exit_code, paired.output
    return path


def run(*words: object, text: str | None = None) -> Result:
    """Run the command; what is no plain error is raised."""
    return CliRunner().invoke(
        main, [str(word) for word in words], input=text, catch_exceptions=False
    )


def strangers(home: Path) -> int:
    """How many telegrams of units that are not paired the event log counts, in its one line."""
    rows = json.loads(run("events", "--data", home, "--json").stdout)
    (row,) = [each for each in rows if each["event"] == "UnknownUnit"]
    times: int = row["times"]
    return times


def test_a_mistyped_directory(tmp_path: Path, call: Path) -> None:
    """It is refused, told how a unit is paired, and not made."""
    result = run("run", "--data", tmp_path / "hoem", "--replay", call)
    assert 1 == result.exit_code
    assert f"Error: no unit is paired in {tmp_path / 'hoem'}: collector pair.\n" == result.stderr
    assert not (tmp_path / "hoem").exists()


def test_a_directory_without_a_unit(tmp_path: Path, call: Path) -> None:
    """Nothing can be paired through a run that only has a recording: it is refused."""
    result = run("run", "--data", tmp_path, "--replay", call)
    assert 1 == result.exit_code
    assert "no unit is paired" in result.stderr


def test_a_key_that_is_missing(home: Path, call: Path) -> None:
    """It is said at the start, and where it is missing from."""
    (home / "keys.json").unlink()
    result = run("run", "--data", home, "--replay", call)
    assert f"the key of the unit {SERIAL} is missing from keys.json.\n" == result.stderr


def test_a_key_of_a_unit_that_the_database_does_not_know(home: Path, call: Path) -> None:
    """It is said: the database was lost, or is another's."""
    (home / "keys.json").write_text(json.dumps({SERIAL: "00" * 16, "00000009": "00" * 16}))
    result = run("run", "--data", home, "--replay", call)
    assert "a key for the unit 00000009, and the database does not know it" in result.stderr


def test_units_that_are_not_paired_are_one_event(home: Path, tmp_path: Path) -> None:
    """However many of their telegrams come in a day, it is one line with a count."""
    before = strangers(home)  # the unit itself, until it was paired
    other = Bench("00000009")
    frames = other.unit.advance(int(other.now.timestamp() * 1000) + 4 * 3_600_000)
    path = tmp_path / "other.txt"
    path.write_text("".join(f"{other.now.isoformat()} {frame.hex()}\n" for _, frame in frames))
    assert 0 == run("run", "--data", home, "--replay", path).exit_code
    assert len(frames) == strangers(home) - before


def test_a_scan_of_a_recording_is_of_all_of_it(tmp_path: Path) -> None:
    """It lists what the recording has, however long that is, and ends."""
    path = tmp_path / "days.txt"
    recorded(path, lambda bench: bench.step(lambda *_: None, 2 * 86_400))
    (row,) = json.loads(run("scan", "--replay", path, "--for", "1s", "--json").stdout)
    assert len(path.read_text().splitlines()) == row["telegrams"]


def to_a_full_disk(package: str, *words: object) -> tuple[int, str]:
    """Run a command whose standard output has no room; return its exit code and its complaint."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", package, *map(str, words)],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "words", [("units",), ("profile",), ("export", "--format", "csv"), ("scan",)]
)
def test_standard_output_without_room(home: Path, call: Path, words: tuple[str, ...]) -> None:
    """It is one sentence and 1, as of any other file."""
    place = ["--replay", call] if words == ("scan",) else ["--data", home]
    sentence = "Error: Standard output cannot be written: No space left on device.\n"
    assert (1, sentence) == to_a_full_disk("collector", *words, *place)


@pytest.mark.parametrize(
    ("package", "words"),
    [
        ("elec_meter", ["config", "schema"]),
        ("elec_meter", ["--help"]),
        ("pulse_unit", ["--version"]),
        ("collector", ["--help"]),
    ],
)
def test_any_command_without_room(package: str, words: list[str]) -> None:
    """It is the same sentence."""
    sentence = "Error: Standard output cannot be written: No space left on device.\n"
    assert (1, sentence) == to_a_full_disk(package, *words)


def test_a_run_whose_log_cannot_be_written(home: Path, tmp_path: Path) -> None:
    """It is said once, and everything is collected all the same."""
    path = tmp_path / "day.txt"

    def day(bench: Bench) -> None:
        house_call(bench)
        bench.turn(500)
        bench.step(lambda *_: None, 86_400)

    recorded(path, day)
    sentence = "what is told cannot be written: No space left on device; the collector goes on.\n"
    run_words = ("run", "--data", home, "--replay", path)
    assert (0, sentence) == to_a_full_disk("collector", *run_words)
    (unit,) = json.loads(run("units", "--data", home, "--json").stdout)
    assert 503 == unit["pulses"]


def test_a_run_whose_lines_nobody_reads(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is collected meanwhile; whoever reads then has the lines and the warnings."""
    path = tmp_path / "hour.txt"
    recorded(path, lambda bench: (house_call(bench), bench.turn(5)))
    (home / "keys.json").write_text(json.dumps({SERIAL: LABEL.key.hex(), "00000009": "00" * 16}))

    async def run_unread(runtime: Runtime) -> None:
        await gather(runtime)
        out.read()
        err.read()

    gather = Runtime.run
    monkeypatch.setattr(Runtime, "run", run_unread)
    monkeypatch.setattr(telling, "_LAST_S", 600.0)
    words = ["run", "--data", str(home), "--replay", str(path), "--json"]
    with unread_pipe() as out, unread_pipe() as err, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", out.stream)
        patched.setattr(sys, "stderr", err.stream)
        main(words, standalone_mode=False)
        rows = [json.loads(line) for line in out.lines()]
        (warning,) = err.lines()
    assert rows
    assert all({"at", "event", "text"} <= set(row) for row in rows)
    assert "a key for the unit 00000009" in warning


@pytest.mark.parametrize(
    "port",
    ["socket://1.2.3", "socket://:5", "socket://host:x", "socket://host:70000", "socket:h:1"],
)
@pytest.mark.parametrize("option", ["--stick", "--wire"])
def test_a_socket_without_its_port(tmp_path: Path, option: str, port: str) -> None:
    """It is misuse, said before anything is tried."""
    result = run("run", "--data", tmp_path, option, f"hex:{port}" if option == "--stick" else port)
    assert 2 == result.exit_code
    assert "write socket://HOST:PORT." in result.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("profile", "--date", "0001-01-01"), "'0001-01-01' is outside 1970-2099."),
        (("pair", "--max-flow", "1e9"), "'1e9' is no whole number from 1 to 1000000."),
        (("run", "--replay-delay", "nan"), "'nan' is no whole number from 0 to 86400."),
    ],
)
def test_values_that_no_option_takes(tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    """The sentence says what the option takes."""
    result = run(*words, "--data", tmp_path)
    assert 2 == result.exit_code
    assert sentence in result.stderr


def test_a_weight_that_no_meter_has(tmp_path: Path, call: Path) -> None:
    """A slip in its unit is refused, and nothing is paired."""
    words = ["--label", "-", *METER, "--weight", "0.0001 l", "--yes", "--json"]
    place = ["--data", tmp_path / "home", "--replay", call]
    result = run("pair", *place, *words, text=LABEL.qr_text)
    assert (1, "Error: no meter gives a pulse for 0.0001 l: it is 1 ml to 100 m3.\n") == (
        result.exit_code,
        result.stderr,
    )


def test_a_recording_with_a_bad_line(tmp_path: Path) -> None:
    """The sentence names the file and the line."""
    path = tmp_path / "call.txt"
    path.write_text("yesterday 2E44\n")
    assert f"Error: {path}: line 1 begins with" in run("scan", "--replay", path).stderr
