from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pulse_unit.command_line import run
from tests.pulse_unit.listening import KEY, SERIAL

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
        (["--label", "LABEL", "--advert-period", "9999"], 1, "adverts leave every"),
        (["--label", "LABEL", "--stick", "cul:/dev/null"], 2, "is no stick"),
        (["--label", "LABEL", "--reed", "17"], 2, "gpiochip0:17"),
        (["--label", "LABEL", "--memory", "LABEL"], 1, "no memory of a unit"),
        (["--label", "LABEL", "--button", "c:1", "--tamper", "c:1"], 2, "two things"),
        (["--config", "LABEL"], 1, "is no TOML"),
        (["--label", "missing"], 1, "cannot be read"),
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
