"""What README and docs show is what the product does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from collector.cli import main as collector
from elec_meter.cli.main import main as elec_meter
from pulse_unit.cli import main as pulse_unit

REPOSITORY = Path(__file__).parents[2]
PAGES = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")])
GROUPS: dict[str, click.Group] = {
    "elec-meter": elec_meter,
    "collector": collector,
    "pulse-unit": pulse_unit,
}
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
    name, *words = shlex.split(line, comments=True)
    group = GROUPS[name]
    command = group.get_command(click.Context(group), words[0])
    assert command is not None
    command.make_context(words[0], words[1:])


def test_the_readmes_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """As a reader would type it; it prints what 73 seconds of a kilowatt are."""
    for block in blocks(PAGES[0], "python"):
        exec(compile(block, PAGES[0].name, "exec"), {})
    assert "20 Wh\n" == capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_targets_exist(page: Path) -> None:
    """Relative links lead somewhere, and `make` knows the targets that are named."""
    text = page.read_text()
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (page.parent / target).exists(), target
    for target in re.findall(r"`?make ([a-z-]+)", text):
        assert target in TARGETS, target
