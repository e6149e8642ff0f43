from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from elec_meter.storage import Storage
from tests.elec_meter.storage.house import House, audited

ROOT = Path(__file__).parents[3]


def lived(directory: Path, commits: int, delay_s: float) -> dict[str, Any]:
    """Let a writer live for so many commits and a moment more, kill it; what it told last."""
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.elec_meter.storage.writer", str(directory)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    with writer:
        assert writer.stdout is not None
        told = [writer.stdout.readline() for _ in range(commits)]
        time.sleep(delay_s)
        writer.send_signal(signal.SIGKILL)
        told += writer.stdout.read().splitlines(keepends=True)
        writer.wait()
    whole = [line for line in told if line.endswith("\n")]
    result: dict[str, Any] = json.loads(whole[-1])
    return result


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_instant_nothing_told_is_lost(tmp_path: Path, seed: int) -> None:
    """After kill -9 the audit holds, and every total that was told is there, lives on end."""
    rng = random.Random(seed)
    directory = tmp_path / "data"
    for _ in range(4):
        told = lived(directory, rng.randint(1, 30), rng.random() * 0.02)
        assert [] == audited(directory), f"seed {seed}"
        with Storage.open(directory) as storage:
            house = House(storage)
        assert told["now_s"] <= house.now_s
        assert all(was <= now for was, now in zip(told["totals"], house.totals, strict=True))


def test_killed_life_is_the_life_of_one_that_was_not(tmp_path: Path) -> None:
    """What a life of kills has measured by its last commit is what an undisturbed one has."""
    for commits in (7, 40, 3):
        lived(tmp_path / "killed", commits, 0.005)
    with Storage.open(tmp_path / "killed") as storage:
        killed = House(storage)
        rows = electricity(killed)
    with Storage.open(tmp_path / "calm") as storage:
        calm = House(storage)
        while calm.now_s < killed.now_s:
            calm.live(1)
        assert electricity(calm) == rows


def electricity(house: House) -> list[tuple[int, int | None, int | None, int]]:
    """Every closed row without its gas."""
    return [
        (row.start_s, row.deltas["import_wh"], row.deltas["export_wh"], row.status)
        for row in house.ledger.rows(0, 1 << 40)
    ]
