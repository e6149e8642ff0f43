from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MICROPYTHON = Path(sys.executable).with_name("micropython")
BOARDS = ("stm32wb", "esp32")


def life(folder: Path, board: str, *interpreter: str | Path) -> list[str]:
    """What a board's two lives print; its file system is left in the folder."""
    folder.mkdir()
    done = subprocess.run(
        [*interpreter, HERE / "board_life.py", board, folder],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MICROPYPATH": f"{ROOT}:.frozen"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        pytest.fail(done.stdout[-500:] + done.stderr[-2000:], pytrace=False)
    return done.stdout.splitlines()


@pytest.fixture(scope="module", params=BOARDS)
def lines(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A board's lives under CPython."""
    return life(tmp_path_factory.mktemp("host") / "files", request.param, sys.executable)


def found(lines: list[str], start: str) -> list[str]:
    """The words after the start of the only line that has it."""
    (line,) = [line for line in lines if line.startswith(start)]
    return line.removeprefix(start).split()


@pytest.mark.parametrize("board", BOARDS)
def test_boards_live_alike_on_both_interpreters(board: str, tmp_path: Path) -> None:
    """What a board sends, counts and stores does not depend on the interpreter.

    MicroPython refuses memory to hard interrupts here, as a board does.
    """
    host = life(tmp_path / "host", board, sys.executable)
    native = life(tmp_path / "native", board, MICROPYTHON, "-X", "heapsize=8m")
    assert host == native
    assert (tmp_path / "host/bonds.json").read_bytes() == (
        tmp_path / "native/bonds.json"
    ).read_bytes()


def test_every_pulse_counts(lines: list[str]) -> None:
    """A day's pulses with their bounce; only the tamper flag is up, and no edge was lost."""
    closings, counted, flags, lost = found(lines, "pulses ")
    assert (closings, "1", "0") == (counted, flags, lost)
    assert int(counted) > 600


def test_a_contact_at_rest_draws_nothing(lines: list[str]) -> None:
    """Forty minutes closed cost no more of the pull-up than a few pulses do."""
    (pulled_s,) = found(lines, "pull-up ")
    assert int(pulled_s) < 680 * 0.2


def test_each_advert_is_one_event(lines: list[str]) -> None:
    """One a minute, stopped before its second event; those of windows are many."""
    first = next(line for line in lines if line.startswith("adverts "))
    single, events, windows, window_events = json.loads(first.removeprefix("adverts "))
    assert single == events
    assert 1430 <= single <= 1441
    assert 10 * windows < window_events


def test_a_board_sleeps(lines: list[str]) -> None:
    """More than 99 % of a day."""
    *_, permille = found(lines, "sleeps ")
    assert int(permille) >= 990


def test_nobody_pairs_unless_the_unit_was_opened(lines: list[str]) -> None:
    """In an ordinary window a stranger reads and writes nothing, and is sent away when it asks."""
    seen = [line.partition(" ")[2] for line in lines if line[0].isdigit()]
    assert [
        "['connected']",
        "['write refused']",
        "['read refused']",
        "[]",
        "['disconnected']",
        "['connected']",
        "[]",
        "['pairing failed']",
        "['secure']",
    ] == seen[:9]


def test_an_installer_reads_and_writes(lines: list[str]) -> None:
    """After a magnet's swipe: telegram, settings, a command with its result, the log."""
    telegrams = [line.split()[1:] for line in lines if line.startswith("telegram")]
    assert ["00000001", telegrams[0][1], "21607", "1"] == telegrams[0]
    results = [line.split()[2] for line in lines if line.startswith("settings")]
    assert ["ff00000000", "0001000000"] == results[:2]
    assert any("notified b5c10005 5" in line for line in lines)
    assert any("notified b5c10003" in line for line in lines)


def test_a_stranger_does_not_stay(lines: list[str]) -> None:
    """Somebody who connects and does not pair is gone after a minute."""
    (line,) = [line for line in lines if line.startswith("21694000")]
    assert "21694000 ['disconnected']" == line


def test_a_reset_loses_nothing(lines: list[str]) -> None:
    """Count, reset counter, flags and the installer's key are there after it."""
    assert "boot 2 True 3" in lines
    assert "66000 ['secure']" in lines


def test_a_wire_is_answered(lines: list[str]) -> None:
    """At its speed and no other; a new address and a new speed hold from the reply on."""
    assert [
        "1000 [(2400, 1, 'e5')]",
        "2000 [(2400, 68, '68')]",
        "3000 []",
        "4000 [(2400, 1, 'e5')]",
        "5000 [(2400, 1, 'e5')]",
        "6000 []",
        "7000 [(9600, 68, '68')]",
    ] == lines[-7:]
