"""Where samples come from: blocks of converter counts and the sources that make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shared.lazy

if TYPE_CHECKING:
    from elec_meter.sampling.afe_frames import FrameDecoder, SampleFrame, encode_frame
    from elec_meter.sampling.block import SampleBlock
    from elec_meter.sampling.converter import Converter
    from elec_meter.sampling.energy import EnergySeries
    from elec_meter.sampling.errors import (
        BlockError,
        EnergySeriesError,
        FrameError,
        RecordingError,
        SamplingError,
        SourceLostError,
    )
    from elec_meter.sampling.recorded import RecordedSource
    from elec_meter.sampling.serial_afe import SerialAfe
    from elec_meter.sampling.source import SampleSource, SampleStream
    from elec_meter.sampling.synthetic import ConstantLoad, Load, SyntheticMains

__all__ = [
    "BlockError",
    "ConstantLoad",
    "Converter",
    "EnergySeries",
    "EnergySeriesError",
    "FrameDecoder",
    "FrameError",
    "Load",
    "RecordedSource",
    "RecordingError",
    "SampleBlock",
    "SampleFrame",
    "SampleSource",
    "SampleStream",
    "SamplingError",
    "SerialAfe",
    "SourceLostError",
    "SyntheticMains",
    "encode_frame",
]

__getattr__, __dir__ = shared.lazy.loader(
    __name__,
    {
        "afe_frames": "FrameDecoder SampleFrame encode_frame",
        "block": "SampleBlock",
        "converter": "Converter",
        "energy": "EnergySeries",
        "errors": "BlockError EnergySeriesError FrameError RecordingError SamplingError"
        " SourceLostError",
        "recorded": "RecordedSource",
        "serial_afe": "SerialAfe",
        "source": "SampleSource SampleStream",
        "synthetic": "ConstantLoad Load SyntheticMains",
    },
)
