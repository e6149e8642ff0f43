"""Where samples come from: blocks of converter counts and the sources that make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shared.lazy

if TYPE_CHECKING:
    from elec_meter.sampling.block import SampleBlock
    from elec_meter.sampling.converter import Converter
    from elec_meter.sampling.energy import EnergySeries
    from elec_meter.sampling.errors import (
        BlockError,
        EnergySeriesError,
        RecordingError,
        SamplingError,
    )
    from elec_meter.sampling.recorded import RecordedSource
    from elec_meter.sampling.source import SampleSource
    from elec_meter.sampling.synthetic import ConstantLoad, Load, SyntheticMains

__all__ = [
    "BlockError",
    "ConstantLoad",
    "Converter",
    "EnergySeries",
    "EnergySeriesError",
    "Load",
    "RecordedSource",
    "RecordingError",
    "SampleBlock",
    "SampleSource",
    "SamplingError",
    "SyntheticMains",
]

__getattr__, __dir__ = shared.lazy.loader(
    __name__,
    {
        "block": "SampleBlock",
        "converter": "Converter",
        "energy": "EnergySeries",
        "errors": "BlockError EnergySeriesError RecordingError SamplingError",
        "recorded": "RecordedSource",
        "source": "SampleSource",
        "synthetic": "ConstantLoad Load SyntheticMains",
    },
)
