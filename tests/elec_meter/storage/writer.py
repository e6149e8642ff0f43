"""A process that lives in a data directory until it is killed; it tells what it does."""

from __future__ import annotations

import json
from multiprocessing.connection import Connection

from elec_meter.storage import Storage
from tests.elec_meter.storage.house import House


def live(directory: str, told: Connection) -> None:
    """Step, tell what was measured, commit, tell what may be served, for ever."""
    house = House(Storage.open(directory))
    while True:
        house.step()
        told.send_bytes(json.dumps(["measured", house.now_s, house.totals]).encode())
        house.checkpoint()
        told.send_bytes(json.dumps(["served", house.now_s, house.totals]).encode())
