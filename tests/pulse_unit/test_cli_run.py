from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from pulse_unit.cli.main import main
from pulse_unit.config import UnitConfig
from pulse_unit.hal.linux import LinuxBoard
from shared import telling
from tests.pulse_unit.command_line import run
from tests.pulse_unit.listening import KEY, SERIAL
from tests.shared.unread import unread_pipe

PULSE = ((0.3, "closed\n"), (0.7, "open\n"))


class Running:
    """`pulse-unit run` in a process of its own, its reed on standard input."""

    def __init__(self, *arguments: str | Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pulse_unit", "run", "--reed", "stdin", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def line(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def pulse(self) -> None:
        """Let the meter turn once."""
        assert self.process.stdin is not None
        for seconds, word in PULSE:
            self.process.stdin.write(word)
            self.process.stdin.flush()
            time.sleep(seconds)

    def stop(self) -> tuple[int, str]:
        """Stop it as a service manager does; return its exit code and what it had to report."""
        self.process.send_signal(signal.SIGTERM)
        _, reported = self.process.communicate(timeout=20)
        return self.process.returncode, reported


@pytest.fixture
def start() -> Iterator[type[Running]]:
    """Starts units; whatever a failed test leaves running is stopped."""
    running: list[Running] = []

    class Started(Running):
        def __init__(self, *arguments: str | Path) -> None:
            super().__init__(*arguments)
            running.append(self)

    yield Started
    for unit in running:
        unit.process.kill()
        unit.process.communicate()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A label and where the memory will be."""
    label = tmp_path / "label"
    words = ["label", "--serial", SERIAL, "--key", KEY.hex(), "--passkey", "123456"]
    label.write_text(run(*words).stdout)
    label.chmod(0o600)
    return {"--label": label, "--memory": tmp_path / "memory"}


def listed(files: dict[str, Path]) -> list[str]:
    """As arguments."""
    return [str(word) for pair in files.items() for word in pair]


def test_a_machine_is_a_unit(files: dict[str, Path], start: type[Running]) -> None:
    """Its count goes on after a stop, each boot is counted, and a missing stick is a sentence."""
    unit = start(*listed(files), "--json", "--stick", f"hex:{files['--memory']}.no-such-port")
    first = json.loads(unit.line())
    assert {"serial": SERIAL, "boot": 1, "count": 0, "uptime_s": 0} == first
    unit.pulse()
    assert 1 == json.loads(unit.line())["count"]
    code, reported = unit.stop()
    assert (0, 1) == (code, reported.count("\n"))
    assert reported.startswith("the stick: ")
    unit = start(*listed(files))
    assert f"unit {SERIAL}, boot 2: count 1\n" == unit.line()
    assert (0, "") == unit.stop()


def test_its_options_fit_a_file(
    tmp_path: Path, files: dict[str, Path], start: type[Running]
) -> None:
    """By their names; the command line comes first."""
    config = tmp_path / "unit.toml"
    config.write_text(f'label = "{files["--label"]}"\nmemory = "elsewhere"\nadvert-period = 30\n')
    config.chmod(0o600)
    unit = start("--config", config, "--memory", files["--memory"])
    assert f"unit {SERIAL}, boot 1: count 0\n" == unit.line()
    assert (0, "") == unit.stop()
    assert files["--memory"].exists()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--label", "LABEL", "--key", KEY.hex()], 2, "of its own"),
        ([], 2, "--label, or a --serial and a --key"),
        (["--serial", SERIAL, "--key", KEY.hex(), "--ble", "x"], 2, "--passkey"),
        (["--label", "LABEL", "--window-period", "30"], 1, "connectable windows open every"),
        (["--label", "LABEL", "--stick", "cul:/dev/null"], 2, "is no stick"),
        (["--label", "LABEL", "--reed", "17"], 2, "gpiochip0:17"),
        (["--label", "LABEL", "--memory", "LABEL"], 1, "no memory of a unit"),
        (["--label", "LABEL", "--button", "c:1", "--tamper", "c:1"], 2, "two things"),
        (["--config", "LABEL"], 1, "is no TOML"),
        (["--label", "missing"], 1, "cannot be read"),
        (["--label", "LABEL", "--index", "99999999999"], 2, "is not in the range"),
        (["--label", "LABEL", "--index", "1.5"], 2, "no whole number"),
        (["--label", "LABEL", "--index", "1_0"], 2, "no whole number"),
        (["--label", "LABEL", "--telegram-period", "\u0669\u0660\u0660"], 2, "no whole number"),
        (["--label", "LABEL", "--memory", "none/memory"], 1, "none/memory cannot be made: No such"),
    ],
)
def test_what_cannot_run_is_refused(
    files: dict[str, Path], arguments: list[str], code: int, sentence: str
) -> None:
    """With one sentence that says why; a key is never quoted."""
    label = files["--label"]
    words = ["run", "--memory", str(files["--memory"]), "--reed", "stdin"]
    words += [str(label) if word == "LABEL" else word for word in arguments]
    result = run(*words)
    assert code == result.exit_code, result.output
    assert sentence in result.output
    assert KEY.hex() not in result.output.lower()
    assert not result.stdout


def test_a_key_that_others_can_read_is_refused(files: dict[str, Path]) -> None:
    """It says how to mend that."""
    files["--label"].chmod(0o640)
    result = run("run", *listed(files), "--reed", "stdin")
    assert 1 == result.exit_code
    assert f"chmod 600 {files['--label']}" in result.output


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("memory = 5.5", ""),
        ("memory = [1]", "memory is a text or a number"),
        ("index = 1.5", "'1.5' is no whole number"),
        ("index = 2026-01-01", "index is a text or a number"),
        ("telegram-period = []", "telegram-period is a text or a number"),
        ("telegram-period = true", "telegram-period is a text or a number"),
        ("json = 1", "json is true or false"),
        ("flow-max = nan", "nan"),
        ("label = {}", "label is a text or a number"),
        ("config = 'x'", "no option 'config'"),
    ],
)
def test_a_file_with_values_of_another_kind_is_refused(
    tmp_path: Path, files: dict[str, Path], line: str, sentence: str
) -> None:
    """One sentence names the option; nothing is rounded."""
    config = tmp_path / "unit.toml"
    config.write_text(line + "\n")
    config.chmod(0o600)
    words = ["run", "--config", str(config), "--serial", SERIAL, "--reed", "stdin"]
    words += [] if line.startswith("memory") else ["--memory", str(files["--memory"])]
    result = CliRunner().invoke(main, words)
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code in (1, 2)
    assert sentence in result.output


@pytest.mark.parametrize("form", ["--json", "--no-qr"])
def test_a_label_is_read_as_it_was_printed(
    files: dict[str, Path], start: type[Running], form: str
) -> None:
    """As text or as JSON."""
    words = ["label", "--serial", SERIAL, "--key", KEY.hex(), "--passkey", "123456", form]
    files["--label"].write_text(CliRunner().invoke(main, words, catch_exceptions=False).stdout)
    unit = start(*listed(files))
    assert f"unit {SERIAL}, boot 1: count 0\n" == unit.line()
    assert (0, "") == unit.stop()


def test_the_memory_of_another_unit_is_adopted_only_when_asked(
    files: dict[str, Path], start: type[Running]
) -> None:
    """Else the count of one meter would go on under the name of another."""
    unit = start(*listed(files))
    unit.line()
    assert (0, "") == unit.stop()
    other = ["--serial", "87654321", "--key", KEY.hex(), "--memory", str(files["--memory"])]
    refused = CliRunner().invoke(main, ["run", "--reed", "stdin", *other])
    assert 1 == refused.exit_code
    assert f"is the memory of unit {SERIAL}: --adopt" in refused.output
    unit = start(*other, "--adopt")
    assert "unit 87654321, boot 2: count 0\n" == unit.line()
    assert (0, "") == unit.stop()
    unit = start(*other)
    assert "unit 87654321, boot 3: count 0\n" == unit.line()
    assert (0, "") == unit.stop()


def test_a_memory_without_its_counters_is_said(
    files: dict[str, Path], start: type[Running]
) -> None:
    """One sentence at the start: what is lost, what goes on and what to do."""
    files["--memory"].write_bytes(bytes(range(256)) * 320)
    unit = start(*listed(files))
    assert "count 0\n" in unit.line()
    code, reported = unit.stop()
    assert (0, 1) == (code, reported.count("\n"))
    assert "has lost its counters: the unit counts on from 0" in reported
    assert "sends nothing enciphered" in reported
    assert "new label, a new memory and --index" in reported


def test_a_reader_that_goes_away_stops_no_count(
    files: dict[str, Path], start: type[Running]
) -> None:
    """It is said once, and the count is in the memory afterwards."""
    unit = start(*listed(files))
    unit.line()
    assert unit.process.stdout is not None
    unit.process.stdout.close()
    unit.pulse()
    unit.pulse()
    unit.process.send_signal(signal.SIGTERM)
    assert unit.process.stderr is not None
    reported = unit.process.stderr.read()
    assert (0, "what is told cannot be written: Broken pipe; the unit goes on.\n") == (
        unit.process.wait(20),
        reported,
    )
    unit = start(*listed(files))
    assert f"unit {SERIAL}, boot 2: count 2\n" == unit.line()
    assert (0, "") == unit.stop()


def test_a_unit_whose_lines_nobody_reads_counts_on(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads again finds the newest count, and a line for those that are missing."""
    last = 2 * telling.WAITING_MAX

    def run_board(board: LinuxBoard, _config: UnitConfig) -> None:
        unit: Any = SimpleNamespace(serial=SERIAL, boot=1, is_mute=False)
        for unit.count in range(last + 1):
            board.serve(unit)
        board.report("the stick: it is gone")
        out.read()
        err.read()

    monkeypatch.setattr("pulse_unit.main.run", run_board)
    monkeypatch.setattr(telling, "_LAST_S", 600.0)
    with unread_pipe() as out, unread_pipe() as err, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", out.stream)
        patched.setattr(sys, "stderr", err.stream)
        main(["run", "--reed", "stdin", *listed(files)], standalone_mode=False)
        lines = out.lines()
        assert "the stick: it is gone." in err.lines()
    assert f"unit {SERIAL}, boot 1: count {last}" == lines[-1]
    assert any(line.endswith(" lines were not told") for line in lines)
