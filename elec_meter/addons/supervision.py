"""When a module is switched on and off, sans I/O."""

from __future__ import annotations

from enum import Enum
from typing import Final

from elec_meter.addons.limits import Limits


class Power(Enum):
    """What the slot gives a module."""

    ON = "running"
    PAUSED = "waiting to be restarted"
    CUT = "cut off"


class Cause(Enum):
    """Why it was switched off."""

    ENDED = "it ended"
    SILENT = "it hung"
    OVER_BUDGET = "it drew more than its budget"
    FLOODED = "it flooded its line"


_DOUBLINGS: Final = 32
_CUTS: Final = frozenset({Cause.OVER_BUDGET, Cause.FLOODED})


class Supervision:
    """The life of one module, which is off at first.

    Args:
        limits: how long the slot looks on.
        at_s: now, by a clock that never falls.

    Attributes:
        power: what it gets now.
        cause: why it was last switched off; None for never.
        starts: how often it was switched on.
    """

    def __init__(self, limits: Limits, at_s: float) -> None:
        self.power = Power.PAUSED
        self.cause: Cause | None = None
        self.starts = 0
        self._limits = limits
        self._failures = 0
        self._on_since_s = at_s
        self._heard_s = at_s
        self._resume_s = at_s

    def heard(self, at_s: float) -> None:
        """It asked something sensible."""
        self._heard_s = at_s

    def is_silent(self, at_s: float) -> bool:
        """Whether it hangs."""
        return self.power is Power.ON and at_s - self._heard_s >= self._limits.silence_s

    def switched_off(self, cause: Cause, at_s: float) -> bool:
        """It was switched off.

        Returns:
            Whether that is news: the first failure after it ran well, or another cause.
        """
        limits, is_cut = self._limits, cause in _CUTS
        if at_s - self._on_since_s >= limits.stable_s:
            self._failures = 0
        is_news = not self._failures or cause is not self.cause
        first_s = limits.first_cut_s if is_cut else limits.first_pause_s
        longest_s = limits.longest_cut_s if is_cut else limits.longest_pause_s
        pause_s = min(longest_s, first_s * 2.0 ** min(self._failures, _DOUBLINGS))
        self._failures += 1
        self.power = Power.CUT if is_cut else Power.PAUSED
        self.cause, self._resume_s = cause, at_s + pause_s
        return is_news

    def pause_s(self, at_s: float) -> float:
        """How long until it is switched on again; 0 for now."""
        return max(0.0, self._resume_s - at_s)

    def switched_on(self, at_s: float) -> None:
        """It was switched on."""
        self.power = Power.ON
        self.starts += 1
        self._on_since_s = self._heard_s = at_s

    def has_recovered(self, at_s: float) -> bool:
        """Whether it has run well for long enough after a failure; True once."""
        if self.power is not Power.ON or not self._failures:
            return False
        if at_s - self._on_since_s < self._limits.stable_s:
            return False
        self._failures = 0
        return True
