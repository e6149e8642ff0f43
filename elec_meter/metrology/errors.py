"""What metrology refuses."""

from __future__ import annotations

from elec_meter.errors import MeterError


class MetrologyError(MeterError):
    """Samples or settings that cannot be measured with.

    Example scenarios: see the subclasses.
    """


class CalibrationError(MetrologyError):
    """A calibration out of range.

    Example scenarios: a gain of nothing; a phase of more than a tenth of a radian; over 24 bits.
    """


class RateError(MetrologyError):
    """A sample rate that does not fit.

    Example scenarios: fewer than 32 samples per mains cycle; a block of another rate than the
    pipeline's.
    """


class CountRangeError(MetrologyError):
    """Counts of more than 24 bits, whose sums could overflow.

    Example scenarios: a 32-bit recording that was not scaled down; garbage in an int32 block.
    """


class RepeatedBlockError(MetrologyError):
    """A block that repeats samples already measured: its energy would count twice.

    Example scenarios: a source that resends its last block; a recording fed twice.
    """


class PulseOutputError(MetrologyError):
    """A test output that cannot be: no constant, or energy that would take pulses back.

    Example scenarios: a meter constant of nothing; net energy, which may fall, instead of energy.
    """


class ImplausibleError(MetrologyError):
    """A calibration cannot be derived from what was recorded and read.

    Example scenarios: the load changed meanwhile; a reading with its point in the wrong place; a
    conductor turned round; a recording of a third of a second.
    """


class BlockShapeError(MetrologyError):
    """A block of many meters that is not one.

    Example scenarios: floats; a row for another number of meters; samples with gaps between.
    """


class HarmonicsError(MetrologyError):
    """Harmonics of a number of cycles that cannot be measured together.

    Example scenarios: of no cycle; of ten thousand, whose samples would all be kept.
    """


class ThresholdError(MetrologyError):
    """Thresholds of the supply that contradict each other.

    Example scenarios: a sag that ends above the end of a swell; a negative voltage.
    """
