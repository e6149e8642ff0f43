"""Where samples come from: blocks of converter counts and the sources that make them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elec_meter.sampling.block import SampleBlock
    from elec_meter.sampling.converter import Converter
    from elec_meter.sampling.errors import BlockError, RecordingError, SamplingError
    from elec_meter.sampling.recorded import RecordedSource
    from elec_meter.sampling.source import SampleSource
    from elec_meter.sampling.synthetic import ConstantLoad, Load, SyntheticMains

_HOME = {
    "BlockError": "errors",
    "ConstantLoad": "synthetic",
    "Converter": "converter",
    "Load": "synthetic",
    "RecordedSource": "recorded",
    "RecordingError": "errors",
    "SampleBlock": "block",
    "SampleSource": "source",
    "SamplingError": "errors",
    "SyntheticMains": "synthetic",
}

__all__ = [
    "BlockError",
    "ConstantLoad",
    "Converter",
    "Load",
    "RecordedSource",
    "RecordingError",
    "SampleBlock",
    "SampleSource",
    "SamplingError",
    "SyntheticMains",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
