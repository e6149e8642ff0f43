"""A program: from nothing to the quantities of a meter's first second; the kernels are compiled."""

from __future__ import annotations

from datetime import UTC, datetime

from elec_meter.metrology import Calibration, Metrology
from elec_meter.sampling import ConstantLoad, SyntheticMains

RATE_HZ = 4000


def main() -> None:
    """Measure second after second until there is a reading."""
    anchor = datetime(2024, 1, 1, tzinfo=UTC)
    mains = SyntheticMains(seed=1, anchor_utc=anchor, load=ConstantLoad(1.0), rate_hz=RATE_HZ)
    metrology = Metrology(Calibration.for_converter(mains.converter), rate_hz=RATE_HZ)
    while metrology.process(mains.block(metrology.next_sample, RATE_HZ)).quantities is None:
        pass


if __name__ == "__main__":
    main()
