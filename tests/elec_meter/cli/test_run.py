"""What `elec-meter run` says while the meter runs, and what it does when nobody listens."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from elec_meter.cli.main import main
from shared import telling
from tests.shared.unread import unread_pipe

SENTENCES = ["FLAG listens on 127.0.0.1:8063", "the front end is lost"]
WORDS = ["run", "--config", "meter.toml"]


@pytest.fixture
def lived(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Filled once a meter that says `SENTENCES` has come to its own end."""
    ends: list[Any] = []

    def run_meter(file: Path, data_dir: Path | None, tell: Any) -> None:
        for sentence in SENTENCES:
            tell(sentence)
        ends.append((file, data_dir))

    monkeypatch.setattr("elec_meter.host.run.run_meter", run_meter)
    return ends


@pytest.mark.usefixtures("lived")
def test_a_line_is_a_time_and_a_sentence() -> None:
    """With `--json` it is an object of the two."""
    lines = CliRunner().invoke(main, WORDS, catch_exceptions=False).stdout.splitlines()
    assert SENTENCES == [line.split(" ", 1)[1] for line in lines]
    told = CliRunner().invoke(main, [*WORDS, "--json"], catch_exceptions=False).stdout
    objects = [json.loads(line) for line in told.splitlines()]
    assert SENTENCES == [each["text"] for each in objects]
    assert {20} == {len(each["at"]) for each in objects}


def test_a_meter_whose_lines_nobody_takes_runs_on(
    lived: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk below its log, or a reader that has ended, does not stop the measuring."""
    with monkeypatch.context() as patched, Path("/dev/full").open("w") as full:
        patched.setattr(sys, "stdout", full)
        main([*WORDS], standalone_mode=False)
    assert [(Path("meter.toml"), None)] == lived


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_meter_whose_lines_nobody_reads_yet_runs_on(
    monkeypatch: pytest.MonkeyPatch, form: list[str]
) -> None:
    """Whoever reads again finds the newest, and how many are missing, in the form of the others."""
    told = 2 * telling.WAITING_MAX

    def run_meter(_file: Path, _data_dir: Path | None, tell: Any) -> None:
        for number in range(told):
            tell(f"event {number}")
        pipe.read()

    monkeypatch.setattr(telling, "_LAST_S", 600.0)
    monkeypatch.setattr("elec_meter.host.run.run_meter", run_meter)
    with unread_pipe() as pipe, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", pipe.stream)
        main([*WORDS, *form], standalone_mode=False)
        lines = pipe.lines()
    texts = [json.loads(line)["text"] if form else line.split(" ", 1)[1] for line in lines]
    assert f"event {told - 1}" == texts[-1]
    missing = [int(text.split()[0]) for text in texts if text.endswith("not told")]
    assert told == sum(missing) + len(texts) - len(missing)
    assert sum(missing) > 0


def test_a_demo_whose_lines_nobody_reads_runs_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it says beside its summary waits, and the house lives."""

    def run_demo(options: Any) -> dict[str, Any]:
        options.tell("FLAG listens on 127.0.0.1:8063")
        pipe.read()
        return {"balanced": True}

    monkeypatch.setattr(telling, "_LAST_S", 600.0)
    monkeypatch.setattr("elec_meter.demo.run.run_demo", run_demo)
    with unread_pipe() as pipe, monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", pipe.stream)
        main(["demo", "--speed", "0", "--json"], standalone_mode=False)
        assert ["FLAG listens on 127.0.0.1:8063"] == pipe.lines()
    assert {"balanced": True} == json.loads(capsys.readouterr().out)
