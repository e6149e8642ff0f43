"""What README and docs show is what the product does."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from collector import UnitRecord
from collector.cli import main as collector
from elec_meter import Meter, Storage, demo_config
from elec_meter.cli.main import main as elec_meter
from elec_meter.cli.show import VIEW_NAMES
from pulse_unit.cli.main import main as pulse_unit

REPOSITORY = Path(__file__).parents[2]
PAGES = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")])
GROUPS: dict[str, click.Group] = {
    "elec-meter": elec_meter,
    "collector": collector,
    "pulse-unit": pulse_unit,
}
NOON = datetime(2025, 10, 26, 12, tzinfo=UTC)
TARGETS = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def command_lines() -> list[str]:
    """Every indented line that runs one of our commands."""
    lines = [line for page in PAGES for line in page.read_text().splitlines()]
    starts = tuple(f"    {name} " for name in GROUPS)
    return [line.strip() for line in lines if line.startswith(starts)]


@pytest.mark.parametrize("line", command_lines())
def test_every_command_line_is_understood(line: str) -> None:
    """Its command exists and takes its options and values."""
    name, *words = shlex.split(line.partition(" > ")[0], comments=True)
    command: click.Command | None = GROUPS[name]
    while isinstance(command, click.Group):
        name, *words = words
        command = command.get_command(click.Context(command), name)
    assert command is not None
    command.make_context(name, words)


def test_the_readmes_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """As a reader would type it; it prints what 73 seconds of a kilowatt are."""
    for block in blocks(PAGES[0], "python"):
        exec(compile(block, PAGES[0].name, "exec"), {})
    assert "20 Wh\n" == capsys.readouterr().out


def test_the_example_of_the_log_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """It prints the one entry that it put in."""
    for block in blocks(REPOSITORY / "docs" / "gatt.md", "python"):
        exec(compile(block, "gatt.md", "exec"), {})
    assert "[(1, 1800, 5)]\n" == capsys.readouterr().out


def commands() -> list[tuple[str, click.Command]]:
    """Every command by its full name; of a group of commands, each of them."""
    return [each for name, group in GROUPS.items() for each in commands_of(name, group)]


def commands_of(name: str, command: click.Command | None) -> Iterator[tuple[str, click.Command]]:
    """The command itself, or those of the group that it is."""
    if isinstance(command, click.Group):
        for word in command.list_commands(click.Context(command)):
            yield from commands_of(
                f"{name} {word}", command.get_command(click.Context(command), word)
            )
    elif command is not None:
        yield name, command


def sections() -> dict[str, str]:
    """The text under every heading of the page on commands."""
    parts = (REPOSITORY / "docs" / "commands.md").read_text().split("\n## ")[1:]
    return {heading: text for heading, _, text in (part.partition("\n") for part in parts)}


def test_the_page_on_commands_has_them_all() -> None:
    """One section for each, in order."""
    assert [name for name, _ in commands()] == list(sections())


@pytest.mark.parametrize(("name", "command"), commands(), ids=str)
def test_every_option_is_on_the_page(name: str, command: click.Command) -> None:
    """Its section has the options that the command takes, and no others."""
    taken = {
        option
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--")
    }
    assert taken == set(re.findall(r"^\| `(--[a-z0-9-]+)", sections()[name], re.MULTILINE))


def test_every_field_is_on_the_page(tmp_path: Path) -> None:
    """What `show` prints as JSON, view by view."""
    with Storage.open(tmp_path) as storage:
        meter = Meter(demo_config(), storage, NOON)
        unit = UnitRecord(serial="00000001", channel="gas", paired_utc=NOON, base_count=0)
        meter.pair(unit, bytes(16), NOON)
        meter.handle_timer(NOON + timedelta(hours=1))
        meter.checkpoint()
    described = dict(
        re.findall(r"^\| `(\w+)` \| (.*) \|$", sections()["elec-meter show"], re.MULTILINE)
    )
    assert list(VIEW_NAMES) == list(described)
    for view, text in described.items():
        words = ["show", view, "--data", str(tmp_path), "--json"]
        printed = CliRunner().invoke(elec_meter, words, catch_exceptions=False).stdout
        fields = set(json.loads(printed)[0])
        assert fields <= set(re.findall(r"`(\w+)`", text)), view


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_targets_exist(page: Path) -> None:
    """Relative links lead somewhere, and `make` knows the targets that are named."""
    text = page.read_text()
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (page.parent / target).exists(), target
    for target in re.findall(r"`?make ([a-z-]+)", text):
        assert target in TARGETS, target
