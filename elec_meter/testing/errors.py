"""What a test asked for and a settlement day cannot do."""

from elec_meter.errors import MeterError


class SettlementDayError(MeterError):
    """The test's own mistake; nothing was booked, and time did not move.

    Example scenarios: a load for a period that has begun; pulses where no unit is paired; a power
    cut of minus one second; a comparison with a column that rows do not have.
    """


class FreezegunMissingError(MeterError, ImportError):
    """Time cannot be frozen, because freezegun is not installed.

    Example scenarios: `halfhourly` was installed without its extra `testing`.
    """
