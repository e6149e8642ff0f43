"""From samples to energy: exact integer sums per mains cycle, millijoules per second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shared.lazy

if TYPE_CHECKING:
    from elec_meter.metrology.calibration import Calibration
    from elec_meter.metrology.cycles import CycleQuantities
    from elec_meter.metrology.derivation import Derived, ReferenceReading, derive
    from elec_meter.metrology.errors import (
        BlockShapeError,
        CalibrationError,
        CountRangeError,
        HarmonicsError,
        ImplausibleError,
        MetrologyError,
        PulseOutputError,
        RateError,
        RepeatedBlockError,
        ThresholdError,
    )
    from elec_meter.metrology.fleet import Fleet, FleetMeasurement
    from elec_meter.metrology.harmonics import Harmonics
    from elec_meter.metrology.observation import Fundamental, Observation, observe
    from elec_meter.metrology.pipeline import Measurement, Metrology, warm_cache
    from elec_meter.metrology.pulses import PulseOutput
    from elec_meter.metrology.quantities import Flags, Quantities
    from elec_meter.metrology.supply import (
        SupplyEvent,
        SupplyState,
        SupplyThresholds,
        SupplyWatch,
    )

__all__ = [
    "BlockShapeError",
    "Calibration",
    "CalibrationError",
    "CountRangeError",
    "CycleQuantities",
    "Derived",
    "Flags",
    "Fleet",
    "FleetMeasurement",
    "Fundamental",
    "Harmonics",
    "HarmonicsError",
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
    "SupplyEvent",
    "SupplyState",
    "SupplyThresholds",
    "SupplyWatch",
    "ThresholdError",
    "derive",
    "observe",
    "warm_cache",
]

__getattr__, __dir__ = shared.lazy.loader(
    __name__,
    {
        "calibration": "Calibration",
        "cycles": "CycleQuantities",
        "derivation": "Derived ReferenceReading derive",
        "errors": (
            "BlockShapeError CalibrationError CountRangeError HarmonicsError ImplausibleError"
            " MetrologyError PulseOutputError RateError RepeatedBlockError ThresholdError"
        ),
        "fleet": "Fleet FleetMeasurement",
        "harmonics": "Harmonics",
        "observation": "Fundamental Observation observe",
        "pipeline": "Measurement Metrology warm_cache",
        "pulses": "PulseOutput",
        "quantities": "Flags Quantities",
        "supply": "SupplyEvent SupplyState SupplyThresholds SupplyWatch",
    },
)
