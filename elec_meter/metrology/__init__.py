"""From samples to energy: exact integer sums per mains cycle, millijoules per second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shared.lazy

if TYPE_CHECKING:
    from elec_meter.metrology.calibration import Calibration
    from elec_meter.metrology.errors import (
        CalibrationError,
        CountRangeError,
        MetrologyError,
        PulseOutputError,
        RateError,
        RepeatedBlockError,
    )
    from elec_meter.metrology.pipeline import Measurement, Metrology, warm_cache
    from elec_meter.metrology.pulses import PulseOutput
    from elec_meter.metrology.quantities import Flags, Quantities

__all__ = [
    "Calibration",
    "CalibrationError",
    "CountRangeError",
    "Flags",
    "Measurement",
    "Metrology",
    "MetrologyError",
    "PulseOutput",
    "PulseOutputError",
    "Quantities",
    "RateError",
    "RepeatedBlockError",
    "warm_cache",
]

__getattr__, __dir__ = shared.lazy.loader(
    __name__,
    {
        "calibration": "Calibration",
        "errors": (
            "CalibrationError CountRangeError MetrologyError PulseOutputError RateError"
            " RepeatedBlockError"
        ),
        "pipeline": "Measurement Metrology warm_cache",
        "pulses": "PulseOutput",
        "quantities": "Flags Quantities",
    },
)
