"""The commands as a user runs them: other processes, their output and their exit codes."""

from __future__ import annotations

import hashlib
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.elec_meter.cli import forks

REPOSITORY = Path(__file__).parents[3]

EVENING = datetime(2025, 10, 25, 22, tzinfo=UTC)
"""The one before the clocks go back."""


def elec_meter(*words: object, timeout_s: float = 240) -> subprocess.CompletedProcess[str]:
    """Run `elec-meter` to its end."""
    return forks.run("elec_meter", list(map(str, words)), timeout_s)


def succeeding(*words: object) -> str:
    """What a command prints that must exit with 0."""
    done = elec_meter(*words)
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout


def shown(what: str, data_dir: Path, *words: object) -> list[dict[str, Any]]:
    """`elec-meter show WHAT --json`."""
    rows = json.loads(succeeding("show", what, "--data", data_dir, "--json", *words))
    assert isinstance(rows, list)
    return rows


def refused(*words: object) -> str:
    """The one sentence of a command that must exit with 1."""
    done = elec_meter(*words)
    assert (1, "") == (done.returncode, done.stdout)
    assert "Traceback" not in done.stderr
    sentence = done.stderr.removeprefix("Error: ").strip()
    assert 1 == len(sentence.splitlines())
    assert sentence.endswith(".")
    assert not sentence.endswith("..")
    return sentence


def fingerprint(folder: Path) -> dict[str, str]:
    """Every file of a folder and what is in it; the lock is no data."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "lock"
    }
