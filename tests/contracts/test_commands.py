"""Every command of the three programs keeps the same manners."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.contracts.test_docs import GROUPS, commands

COMMANDS = commands()
TESTED = pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])

WITHOUT_JSON = {
    "elec-meter config schema": "what it prints is JSON",
    "elec-meter control dlms-keys": "it asks, or prints keys for a person to take away",
    "elec-meter control dlms-password": "it asks, and prints nothing",
    "elec-meter control password": "it asks, and prints nothing",
    "collector calorific correction": "it keeps one number, and prints nothing",
    "collector calorific set": "it keeps one number, and prints nothing",
    "collector export": "its format may be JSON",
}


def run(name: str, *words: str) -> click.testing.Result:
    """A command as its program runs it."""
    program, *path = name.split()
    return CliRunner().invoke(GROUPS[program], [*path, *words], prog_name=program)


@TESTED
def test_help_has_an_example(name: str, command: click.Command) -> None:
    """It says what the command is for, and shows a line that begins with its name."""
    result = run(name, "--help")
    assert 0 == result.exit_code
    assert result.stdout.startswith(f"Usage: {name} ")
    _, _, examples = result.stdout.partition("Example")
    assert re.search(rf"^ +(.*\| )?{name}\b", examples, re.MULTILINE), result.stdout
    assert command.help


@TESTED
def test_programs_can_read_what_it_prints(name: str, command: click.Command) -> None:
    """`--json`, unless there is a reason."""
    options = {option for parameter in command.params for option in parameter.opts}
    assert ("--json" not in options) == (name in WITHOUT_JSON)


@TESTED
def test_misuse_exits_with_2(name: str, command: click.Command) -> None:
    """An option that nobody has: nothing on standard output, and how it is meant on the other."""
    result = run(name, "--no-such-option")
    assert (2, "") == (result.exit_code, result.stdout)
    assert "Usage: " in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("program", "typed", "meant"),
    [("elec-meter", "shwo", "show"), ("collector", "unit", "units"), ("pulse-unit", "sin", "sim")],
)
def test_a_command_that_is_mistyped_is_proposed(program: str, typed: str, meant: str) -> None:
    """The nearest one; of a word that is like none, none."""
    result = run(program, typed)
    assert 2 == result.exit_code
    assert f"No such command '{typed}'. Did you mean '{meant}'?" in result.stderr
    assert "Did you mean" not in run(program, "xyz").stderr


ON_A_DIRECTORY = [
    (name, command)
    for name, command in COMMANDS
    if any("--data" in parameter.opts for parameter in command.params)
    and name not in ("elec-meter demo", "elec-meter run", "elec-meter control prices")
]
WORDS = {
    "FILE": "nowhere.toml",
    "YYYY-MM-DD": "2026-01-01",
    "MJ_M3": "39.5",
    "FACTOR": "1",
    "NUMBER": "1",
    "SECONDS": "3",
    "INSTANT": "2026-01-01T00:00:00Z",
    "TERMINAL": "5",
    "LEVEL": "3",
}


def needed(command: click.Command, tmp_path: Path) -> list[str]:
    """Words for whatever a command must be given."""
    words: list[str] = []
    for parameter in command.params:
        if "--data" in parameter.opts or not parameter.required:
            continue
        kind = parameter.type
        if isinstance(kind, click.Choice):
            word = str(kind.choices[0])
        elif "--output" in parameter.opts:
            word = str(tmp_path / "picture.svg")
        else:
            word = WORDS.get(parameter.human_readable_name.upper(), "1")
        words += [word] if isinstance(parameter, click.Argument) else [parameter.opts[-1], word]
    return words


@pytest.mark.parametrize(
    ("name", "command"), ON_A_DIRECTORY, ids=[name for name, _ in ON_A_DIRECTORY]
)
def test_a_directory_that_is_a_file_is_refused(
    name: str, command: click.Command, tmp_path: Path
) -> None:
    """One sentence, no traceback; 2 where a word made no sense, otherwise 1; nothing is touched."""
    file = tmp_path / "data"
    file.write_text("no directory")
    result = run(name, *needed(command, tmp_path), "--data", str(file))
    assert result.exit_code in (1, 2), result.output
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    last = result.stderr.strip().splitlines()[-1]
    assert re.match(r"(Error: |Aborted!)", last), result.stderr
    assert "no directory" == file.read_text()
    assert ["data"] == [each.name for each in tmp_path.iterdir()]
