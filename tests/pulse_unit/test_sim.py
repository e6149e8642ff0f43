"""`pulse-unit sim`: a life of a unit on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result

from collector.bearers.replay import ReplayFile
from tests.pulse_unit.command_line import run as run_command
from tests.pulse_unit.listening import told


def run(*arguments: str) -> Result:
    """Run the command."""
    return run_command("sim", *arguments)


def summary(*arguments: str) -> dict[str, int]:
    """What a life as fast as it can ends with."""
    result = run("--speed", "0", "--json", *arguments)
    assert 0 == result.exit_code, result.output
    return dict(json.loads(result.stdout))


@pytest.mark.parametrize("weight", ["1l", "10l", "100l", "1ft3"])
def test_every_turn_is_counted(weight: str) -> None:
    """A day of any meter is counted exactly, through bounce and noise."""
    told = summary("--weight", weight, "--for", "20h", "--noise", "2000")
    assert told["exact"]
    assert 0 < told["pulses_turned"] == told["pulses_counted"]
    assert 1 == told["boots"]


def test_steady_flow_is_what_was_asked_for() -> None:
    """2.4 m3/h for ten hours are 24 m3, and 2,400 pulses of 10 litres."""
    told = summary("--flow", "2.4", "--for", "10h")
    assert (24_000, 2_400) == (told["passed_l"], told["pulses_counted"])


@pytest.mark.parametrize(
    ("weight", "pulses"),
    [("0.001 m3", 1_000), ("0.01 m3", 100), ("10l", 100), ("0.1 m3", 10), ("1 ft3", 35)],
)
def test_a_weight_is_written_as_on_a_badge(weight: str, pulses: int) -> None:
    """A cubic metre is so many pulses, whether in cubic metres, cubic feet or litres."""
    told = summary("--weight", weight, "--flow", "1", "--for", "1h", "--noise", "0")
    assert (pulses, pulses) == (told["pulses_turned"], told["pulses_counted"])


def test_flow_comes_from_a_file(tmp_path: Path) -> None:
    """Each line is so many minutes of a flow; after the last nothing flows."""
    path = tmp_path / "flow.csv"
    path.write_text("# morning\n30,6\n\n60,0.6\n")
    assert 3_600 == summary("--flow", str(path), "--for", "5h")["passed_l"]


def test_losses_of_power_cost_a_pulse_each_at_most() -> None:
    """However often the battery loses contact, the unit goes on from what it had counted."""
    told = summary("--power-cuts", "300", "--for", "1d", "--flow", "1.2")
    assert 200 < told["power_cuts"] == told["boots"] - 1
    assert told["pulses_turned"] - told["power_cuts"] <= told["pulses_counted"]


def test_same_seed_is_the_same_life() -> None:
    """A life can be repeated, and another seed is another."""
    first = summary("--for", "3h", "--power-cuts", "40", "--flow", "3")
    assert first == summary("--for", "3h", "--power-cuts", "40", "--flow", "3")
    assert first != summary("--for", "3h", "--power-cuts", "40", "--flow", "3", "--seed", "2")


def test_telegrams_are_recorded_for_a_replay(tmp_path: Path) -> None:
    """The file's frames are the unit's, at the times at which they left."""
    path = tmp_path / "air.txt"
    sent = summary("--for", "2h", "--flow", "1.2", "--telegrams", str(path))["telegrams"]
    frames = ReplayFile(path).receive_until(1 << 50)
    assert sent == len(frames)
    lines = path.read_text().splitlines()
    assert [frame.data for frame in frames] == [bytes.fromhex(line.split()[1]) for line in lines]
    assert sorted(told(frame.data).count for frame in frames) == [
        told(frame.data).count for frame in frames
    ]


def test_live_life_shows_what_happens() -> None:
    """With a speed the picture follows the clock, and the end says what was counted."""
    result = run("--speed", "100000", "--for", "6h", "--flow", "1")
    assert 0 == result.exit_code
    assert "The meter turned 600 times, the unit counted 600 pulses" in result.stdout
    assert "600 pulses" in result.stderr
    assert "A line an hour of the meter; it ends at 2026-01-12T12:00:00.000Z." in result.stderr
    assert " pulses counted, " in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--flow", "no-such-file"), 2, "winter, summer, a flow in m3/h or a file"),
        (("--flow", "7"), 2, "--flow '7' is winter"),
        (("--flow", "nan"), 2, "--flow 'nan' is winter"),
        (("--weight", "1l", "--flow-max", "7"), 1, "too fast for a reed"),
        (("--weight", "2 l"), 2, "a pulse is 0.001 m3, 0.01 m3, 0.1 m3 or 1 ft3, not 2 l."),
        (("--weight", "10 gallons"), 2, "no pulse weight such as '0.01 m3'"),
        (("--telegram-period", "5"), 1, "telegrams leave every 10 to 86,400 seconds"),
        (("--speed", "nan"), 2, "no number"),
        (("--speed", "1_0"), 2, "no number"),
        (("--seed", "1_0"), 2, "no whole number"),
        (("--flow", "1_0"), 2, "--flow '1_0' is winter"),
        (("--flow", "\u0661"), 2, "is winter"),
        (("--flow", "/dev/zero"), 1, "/dev/zero has more than 1,000,000 characters"),
        (("--speed", "0", "--for", "1h", "--telegrams", "/dev/full"), 1, "No space left"),
        (("--for", "0s"), 2, "no time at all"),
        (("--key", "00"), 2, "32 hexadecimal digits"),
    ],
)
def test_what_cannot_be_simulated_is_refused(
    arguments: tuple[str, ...], code: int, words: str
) -> None:
    """One sentence says what is wrong."""
    result = run(*arguments)
    assert code == result.exit_code
    assert words in result.stderr


@pytest.mark.parametrize(
    "line", ["x,1", "1_0,1", "10", "10,", "10,99", "0,1", "10,nan", "9999999,1"]
)
def test_bad_line_of_a_flow_file_is_named(tmp_path: Path, line: str) -> None:
    """A line that is no flow is refused with its number."""
    path = tmp_path / "flow.csv"
    path.write_text(f"10,1\n{line}\n")
    result = run("--speed", "0", "--flow", str(path))
    assert (1, True) == (result.exit_code, "Line 2 of" in result.stderr)
