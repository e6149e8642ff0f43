"""The electricity meter: samples, telegrams and the time in; registers and half-hours out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shared.lazy

if TYPE_CHECKING:
    from .config import MeterConfig, demo_config
    from .errors import MeterError
    from .meter import Meter
    from .sampling import SampleBlock
    from .storage import Storage

__all__ = ["Meter", "MeterConfig", "MeterError", "SampleBlock", "Storage", "demo_config"]

__getattr__, __dir__ = shared.lazy.loader(
    __name__,
    {
        "config": "MeterConfig demo_config",
        "errors": "MeterError",
        "meter": "Meter",
        "sampling": "SampleBlock",
        "storage": "Storage",
    },
)
