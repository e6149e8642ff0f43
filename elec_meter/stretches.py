"""Stretches of the host's time over which the meter's time runs evenly: exact, in integers."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

GAIN_UNIT: Final = 9 * 10**12
"""Gains are in parts of this: 1 ppm and 5 s in a half-hour are both whole."""


class Dating(IntEnum):
    """Whether the time of a stretch is known."""

    KNOWN = 0
    UNKNOWN = 1
    """The clock is invalid: there is no time."""
    DATED_LATER = 2
    """The clock was invalid; the setting that ended the spell tells what the time had been."""


class Stretch(NamedTuple):
    """A stretch of the host's time over which the meter's runs evenly, until the next one begins.

    Attributes:
        from_us: the host's time at which it begins, UNIX microseconds.
        meter_us: the meter's time then.
        gain: how much faster than the host's the meter's time runs, in parts of 9e12.
        dating: whether the meter's time is known.
    """

    from_us: int
    meter_us: int
    gain: int
    dating: Dating = Dating.KNOWN

    def meter_at(self, host_us: int) -> int:
        """The meter's time at an instant of the host's, in microseconds."""
        elapsed_us = host_us - self.from_us
        if not self.gain:
            return self.meter_us + elapsed_us
        return self.meter_us + elapsed_us + elapsed_us * self.gain // GAIN_UNIT

    def host_at(self, meter_us: int) -> int:
        """The first instant of the host's at which the meter's time is not before `meter_us`."""
        ahead_us = meter_us - self.meter_us
        if not self.gain:
            return self.from_us + ahead_us
        host_us = self.from_us + -(-ahead_us * GAIN_UNIT // (GAIN_UNIT + self.gain))
        while self.meter_at(host_us - 1) >= meter_us:
            host_us -= 1
        while self.meter_at(host_us) < meter_us:
            host_us += 1
        return host_us


class Piece(NamedTuple):
    """A part of the host's time that lies in one stretch, `[from_us, to_us)`."""

    from_us: int
    to_us: int
    stretch: Stretch
