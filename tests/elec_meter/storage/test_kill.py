from __future__ import annotations

import json
import multiprocessing
import random
import time
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from elec_meter.storage import Storage
from tests.elec_meter.storage.house import House, audited
from tests.elec_meter.storage.writer import live

# Writers are forked from a process that has read the code and done nothing else.
_SERVER: Final = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["tests.elec_meter.storage.writer"])


class Told(NamedTuple):
    """How far a writer had come: seconds, and import, export and gas."""

    now_s: int
    totals: list[int]


def lived(directory: Path, commits: int, delay_s: float) -> tuple[Told, Told]:
    """Let a writer live for so many commits and a moment more, and kill it.

    Returns:
        What it served last, and what it had measured.
    """
    reader, told = _SERVER.Pipe(duplex=False)
    writer = _SERVER.Process(target=live, args=(str(directory), told))
    writer.start()
    told.close()
    words: dict[str, Told] = {}
    with reader:
        for _ in range(2 * commits):
            _hear(reader.recv_bytes(), words)
        time.sleep(delay_s)
        writer.kill()
        writer.join()
        try:
            while True:
                _hear(reader.recv_bytes(), words)
        except (EOFError, OSError):
            pass  # it was killed, perhaps in the middle of a word
    return words["served"], words["measured"]


def _hear(data: bytes, words: dict[str, Told]) -> None:
    what, *told = json.loads(data)
    words[what] = Told(*told)


def killed(directory: Path, times: int, seed: int) -> None:
    """Kill a life over and over; it loses what one checkpoint holds, and nothing else."""
    rng = random.Random(seed)
    for number in range(times):
        served, measured = lived(directory, rng.randint(1, 12), rng.random() * 0.02)
        assert [] == audited(directory), f"seed {seed}, kill {number}"
        with Storage.open(directory) as storage:
            house = House(storage)
        found = Told(house.now_s, house.totals)
        assert found in (served, measured), f"seed {seed}, kill {number}"


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_instant_loses_one_checkpoint_at_most(tmp_path: Path, seed: int) -> None:
    """After kill -9 the audit holds, and what was served is there, or a whole checkpoint more."""
    killed(tmp_path, 13, seed)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_killed_a_thousand_times_loses_one_checkpoint_at_most(tmp_path: Path) -> None:
    """The same meter, killed a thousand times in one life."""
    killed(tmp_path, 1_000, seed=3)


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
