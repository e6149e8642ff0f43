"""From samples to energy: exact integer sums per mains cycle, millijoules per second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shared.lazy

if TYPE_CHECKING:
    from elec_meter.metrology.calibration import Calibration
    from elec_meter.metrology.derivation import (
        Derived,
        Observation,
        ReferenceReading,
        derive,
        observe,
    )
    from elec_meter.metrology.errors import (
        CalibrationError,
        CountRangeError,
        ImplausibleError,
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
    "Derived",
    "Flags",
    "ImplausibleError",
    "Measurement",
    "Metrology",
    "MetrologyError",
    "Observation",
    "PulseOutput",
    "PulseOutputError",
    "Quantities",
    "RateError",
    "ReferenceReading",
    "RepeatedBlockError",
    "derive",
    "observe",
    "warm_cache",
]

__getattr__, __dir__ = shared.lazy.loader(
    __name__,
    {
        "calibration": "Calibration",
        "derivation": "Derived Observation ReferenceReading derive observe",
        "errors": (
            "CalibrationError CountRangeError ImplausibleError MetrologyError PulseOutputError"
            " RateError RepeatedBlockError"
        ),
        "pipeline": "Measurement Metrology warm_cache",
        "pulses": "PulseOutput",
        "quantities": "Flags Quantities",
    },
)
