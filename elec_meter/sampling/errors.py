"""What can be wrong with samples before anything is measured."""

from __future__ import annotations

from elec_meter.errors import MeterError, RecordingError

__all__ = ["BlockError", "EnergySeriesError", "RecordingError", "SamplingError"]


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
