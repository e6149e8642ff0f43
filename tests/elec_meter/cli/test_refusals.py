"""What a user gets wrong: one plain sentence, exit code 1, and data that nobody touched."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.elec_meter.cli.commands import elec_meter, fingerprint, refused, succeeding

HEADER = "LCLid,tstp,energy_kWh\n"


def line(time: str, energy: str = "0.5") -> str:
    """A line of a load series."""
    return f"A,2013-01-01 {time}:00.0000000,{energy}\n"


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with an hour of the demo."""
    data_dir = tmp_path_factory.mktemp("used")
    words = ("--speed", 0, "--start", "2013-01-01T00:00:00Z", "--for", "10m", "--data", data_dir)
    succeeding("demo", *words)
    return data_dir


@pytest.fixture
def home(used: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(used, tmp_path / "home"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("\x00\x01\x02\xff", "text"),
        ("a,b\n1,2\n", "column"),
        (HEADER, "no line"),
        (HEADER + line("00:30") + line("01:30"), "line 3"),
        (HEADER + line("00:30") + line("00:30"), "line 3"),
        (HEADER + line("01:00") + line("00:30"), "line 3"),
        (HEADER + line("00:30", "Null"), "line 2"),
        (HEADER + line("00:30", "-1"), "line 2"),
        (HEADER + line("00:12"), "line 2"),
        (HEADER + "A,2013-01-01 00:30:00\n", "line 2"),
    ],
)
@pytest.mark.parametrize("command", ["replay", "demo"])
def test_a_bad_load_series(
    command: str, text: str, reason: str, home: Path, tmp_path: Path
) -> None:
    """Gaps, repetitions and whatever is no series are refused; the sentence says where."""
    path = tmp_path / "load.csv"
    path.write_bytes(text.encode("latin-1"))
    before = fingerprint(home)
    words = ("--load", f"{path}:LCLid=A", "--data", home)
    sentence = refused(command, *words, *(("--for", "1h") if command == "demo" else ()))
    assert reason in sentence
    assert path.name in sentence
    assert before == fingerprint(home)


@pytest.mark.parametrize("option", ["--load", "--waveform", "--pulses", "--telegrams"])
def test_a_file_that_is_not_there(option: str, home: Path, tmp_path: Path) -> None:
    """The sentence names it, and no directory appears for a fresh meter."""
    missing = tmp_path / "missing.npz"
    value = f"{missing}:LCLid=A" if option == "--load" else missing
    before = fingerprint(home)
    assert missing.name in refused("replay", "--data", home, option, value)
    assert before == fingerprint(home)
    fresh = tmp_path / "fresh"
    refused("replay", "--data", fresh, option, value)
    assert not fresh.exists()


@pytest.mark.parametrize(
    ("name", "content", "option"),
    [
        ("w.npz", b"PK\x03\x04 no archive", "--waveform"),
        ("w.wav", b"RIFF....", "--waveform"),
        ("w.txt", b"1 2 3", "--waveform"),
        ("w.csv", b"voltage,current\n1,x\n", "--waveform"),
        ("p.txt", b"yesterday\n", "--pulses"),
        ("p.txt", b"2026-01-01T00:00:00\n", "--pulses"),
        ("t.txt", b"2026-01-01T00:00:00Z XYZ\n", "--telegrams"),
        ("t.txt", b"\xff\xfe\n", "--telegrams"),
    ],
)
def test_a_file_of_another_shape(
    name: str, content: bytes, option: str, home: Path, tmp_path: Path
) -> None:
    """Each is refused in one sentence before the directory is touched."""
    path = tmp_path / name
    path.write_bytes(content)
    before = fingerprint(home)
    refused("replay", "--data", home, option, path)
    assert before == fingerprint(home)


COMMANDS = (
    ("show", "registers"),
    ("audit",),
    ("demo", "--speed", 0, "--for", "1m"),
    ("replay", "--pulses", "PULSES"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_directory_of_a_newer_version(
    command: tuple[object, ...], home: Path, tmp_path: Path
) -> None:
    """No command reads or changes what a later version wrote."""
    with sqlite3.connect(home / "meter.sqlite") as database:
        database.execute("PRAGMA journal_mode = DELETE")
        database.execute("PRAGMA user_version = 999")
    database.close()
    before = fingerprint(home)
    assert "later version" in refused(*_with_pulses(command, tmp_path), "--data", home)
    assert before == fingerprint(home)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_directory_of_another_program(command: tuple[object, ...], tmp_path: Path) -> None:
    """A file where the database should be, or where the directory should be, stays as it is."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "meter.sqlite").write_text("dear diary")
    before = fingerprint(other)
    refused(*_with_pulses(command, tmp_path), "--data", other)
    assert before == fingerprint(other)
    diary = other / "meter.sqlite"
    refused(*_with_pulses(command, tmp_path), "--data", diary)
    assert before == fingerprint(other)


@pytest.mark.parametrize("command", COMMANDS[:2], ids=lambda command: command[0])
def test_a_directory_that_is_not_there(command: tuple[object, ...], tmp_path: Path) -> None:
    """To look at a meter that is not there makes none."""
    refused(*command, "--data", tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_books_that_do_not_balance(home: Path) -> None:
    """A demo on an edited directory says so in the end, and exits with 1; so does the audit."""
    with sqlite3.connect(home / "meter.sqlite") as database:
        database.execute("UPDATE ledger_account SET total_wh = total_wh + 5")
    database.close()
    assert "import" in refused("audit", "--data", home)
    done = elec_meter("demo", "--speed", 0, "--for", "1m", "--data", home)
    assert 1 == done.returncode
    assert "do not balance" in done.stderr


def test_the_past(home: Path, tmp_path: Path) -> None:
    """A replay of what is older than the directory's time is refused."""
    pulses = tmp_path / "pulses.txt"
    pulses.write_text("2012-06-01T00:00:00Z\n")
    before = fingerprint(home)
    assert "2013-01-01" in refused("replay", "--data", home, "--pulses", pulses)
    assert before == fingerprint(home)


@pytest.mark.parametrize(
    "words",
    [
        ("demo", "--speed", "-1"),
        ("demo", "--for", "soon"),
        ("demo", "--start", "2025-13-01"),
        ("demo", "--flag", "8063"),
        ("demo", "--flag", "127.0.0.1:99999"),
        ("demo", "--load", "homes.csv"),
        ("demo", "--loss", "2"),
        ("demo", "--loss", "nan"),
        ("demo", "--speed", "nan"),
        ("show", "registers", "--data", "x", "--date", "2025-10-26"),
        ("show", "everything", "--data", "x"),
        ("show", "registers"),
        ("replay", "--data", "x"),
        ("brew",),
    ],
)
def test_misuse(words: tuple[str, ...]) -> None:
    """Words that make no sense exit with 2 and say how it is meant."""
    done = elec_meter(*words)
    assert (2, "") == (done.returncode, done.stdout)
    assert "Usage:" in done.stderr
    assert "Traceback" not in done.stderr


def _with_pulses(command: tuple[object, ...], tmp_path: Path) -> tuple[object, ...]:
    path = tmp_path / "pulses.txt"
    path.write_text("2026-01-01T00:00:00Z\n")
    return tuple(path if word == "PULSES" else word for word in command)
