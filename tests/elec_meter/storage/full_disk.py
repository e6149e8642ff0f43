"""A process whose disk is full for a while; it tells what it measured, and ends without a word.

    python -m tests.elec_meter.storage.full_disk DIR limit|ballast|start

`limit` is the system's limit on the size of a file, `ballast` a file that fills the file system.
With `start` a meter is killed and its disk is full when `elec-meter run` starts it again: the
process tells the sentences of that.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from elec_meter.errors import CheckpointFailedError
from elec_meter.host.run import run_meter
from elec_meter.storage import DATABASE_NAME, Storage
from tests.elec_meter.storage.metered import BEGIN, MeteredHouse

STEPS = 40


def limit(directory: Path) -> Callable[[], None]:
    """No file may grow beyond what the database's log is now, and half a page."""
    size = (directory / f"{DATABASE_NAME}-wal").stat().st_size
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 2048, hard))
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def ballast(directory: Path) -> Callable[[], None]:
    """Fill the file system to the last byte."""
    path = directory / "ballast"
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1024)):
                pass
        except OSError:
            pass
    return path.unlink


def start(directory: Path) -> None:
    """Kill a meter, start it on a full disk, make room once it runs, and stop it."""
    home, file = directory / "home", directory / "meter.toml"
    device = os.ttyname(os.openpty()[1])
    file.write_text(f"[host.mains]\nport = '{device}'\n")
    if (killed := os.fork()) == 0:
        house = MeteredHouse(Storage.open(home))
        house.live(STEPS)
        house.meter.checkpoint()
        os._exit(0)
    os.waitpid(killed, 0)
    free = limit(home)
    sentences = []

    def tell(sentence: str) -> None:
        sentences.append(sentence)
        if "runs in" in sentence:
            free()
            os.kill(os.getpid(), signal.SIGTERM)

    run_meter(file, home, tell, now=lambda: BEGIN + timedelta(days=2))
    json.dump(sentences, sys.stdout)


def main() -> None:
    """Measure before, during and after."""
    directory = Path(sys.argv[1])
    if sys.argv[2] == "start":
        start(directory)
        return
    house = MeteredHouse(Storage.open(directory))
    house.live(STEPS)
    house.meter.checkpoint()
    free = {"limit": limit, "ballast": ballast}[sys.argv[2]](directory)
    refused = 0
    for _ in range(STEPS):
        house.live(1)
        try:
            house.meter.checkpoint()
        except CheckpointFailedError:
            refused += 1
    faults = house.meter.objects["0-0:97.97.0"].value
    assert house.storage.backlog is not None
    free()
    house.live(1)
    assert house.storage.backlog is None
    house.meter.checkpoint()
    told = {**house.told, "refused": refused, "faults": faults}
    sys.stdout.write(json.dumps(told))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
