"""The electricity meter: samples, telegrams and the time in; registers and half-hours out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .config import MeterConfig, demo_config
    from .errors import MeterError
    from .meter import Meter
    from .sampling import SampleBlock
    from .storage import Storage

_HOMES = {
    "Meter": "meter",
    "MeterConfig": "config",
    "MeterError": "errors",
    "SampleBlock": "sampling",
    "Storage": "storage",
    "demo_config": "config",
}

__all__ = ["Meter", "MeterConfig", "MeterError", "SampleBlock", "Storage", "demo_config"]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
