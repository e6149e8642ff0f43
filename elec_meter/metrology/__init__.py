"""From samples to energy: exact integer sums per mains cycle, millijoules per second."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elec_meter.metrology.calibration import Calibration
    from elec_meter.metrology.errors import (
        CalibrationError,
        CountRangeError,
        MetrologyError,
        RateError,
        RepeatedBlockError,
    )
    from elec_meter.metrology.pipeline import Measurement, Metrology, warm_cache
    from elec_meter.metrology.quantities import Flags, Quantities

_HOME = {
    "Calibration": "calibration",
    "CalibrationError": "errors",
    "CountRangeError": "errors",
    "Flags": "quantities",
    "Measurement": "pipeline",
    "Metrology": "pipeline",
    "MetrologyError": "errors",
    "Quantities": "quantities",
    "RateError": "errors",
    "RepeatedBlockError": "errors",
    "warm_cache": "pipeline",
}

__all__ = [
    "Calibration",
    "CalibrationError",
    "CountRangeError",
    "Flags",
    "Measurement",
    "Metrology",
    "MetrologyError",
    "Quantities",
    "RateError",
    "RepeatedBlockError",
    "warm_cache",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
