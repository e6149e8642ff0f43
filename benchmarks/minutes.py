"""A program: measures the same minute as many times as it is told, for who counts instructions."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from elec_meter.metrology import Calibration, Metrology
from elec_meter.sampling import ConstantLoad, SampleBlock, SyntheticMains

RATE_HZ = 4000
PAIRS_PER_MINUTE = 60 * RATE_HZ


def main(minutes: int) -> None:
    """Measure so many minutes, in one stream."""
    anchor = datetime(2024, 1, 1, tzinfo=UTC)
    load = ConstantLoad(1500.0, 400.0)
    mains = SyntheticMains(seed=1, anchor_utc=anchor, load=load, rate_hz=RATE_HZ)
    block = mains.block(0, PAIRS_PER_MINUTE)
    metrology = Metrology(Calibration.for_converter(mains.converter), rate_hz=RATE_HZ)
    for minute in range(minutes):
        first = minute * PAIRS_PER_MINUTE
        metrology.process(SampleBlock(block.voltage, block.current, first, RATE_HZ, anchor))


if __name__ == "__main__":
    main(int(sys.argv[1]))
