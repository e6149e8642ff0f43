"""What can be wrong with samples before anything is measured."""

from __future__ import annotations

from elec_meter.errors import MeterError, RecordingError

__all__ = [
    "BlockError",
    "EnergySeriesError",
    "FrameError",
    "RecordingError",
    "SamplingError",
    "SourceLostError",
]


class SamplingError(MeterError):
    """Samples, or what describes them, cannot be used.

    Example scenarios: see the subclasses; also a source asked for samples that it does not have.
    """


class BlockError(SamplingError):
    """A `SampleBlock` or `Converter` is not what it must be.

    Example scenarios: arrays of float, of two dimensions or of different lengths; a naive anchor; a
    rate outside 2-32 kHz; a 12-bit converter.
    """


class EnergySeriesError(SamplingError):
    """An `EnergySeries` is not what it must be.

    Example scenarios: kilowatt-hours as floats; import of an hour and export of a day; a negative
    energy.
    """


class FrameError(SamplingError):
    """Bytes of a serial front end are no frame; what comes behind them is read as if nothing was.

    Attributes:
        size: how many.

    Example scenarios: a cable was plugged in amid a frame; a bit was lost; another device speaks.
    """

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes are no frame of a front end")
        self.size = size


class SourceLostError(SamplingError):
    """A source that should give samples gives none, or others than before.

    Example scenarios: the front end is unplugged, or silent; its port does not exist; it now sends
    another number of samples a second.
    """
