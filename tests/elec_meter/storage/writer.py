"""A process that lives in a data directory until it is killed; it tells every commit."""

from __future__ import annotations

import json
import sys

from elec_meter.storage import Storage
from tests.elec_meter.storage.house import House


def main() -> None:
    """Step, commit and tell the totals, for ever."""
    house = House(Storage.open(sys.argv[1]))
    while True:
        house.step()
        house.checkpoint()
        told = {"now_s": house.now_s, "totals": house.totals}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
