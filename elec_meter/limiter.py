"""The limiter: too much for too long (COSEM class 71, IEC 62056-6-2, 4.5.9)."""

from __future__ import annotations

from enum import Enum

import msgspec

from shared.timegrid import unix_s

from .clock import SECOND_US
from .config import LimiterConfig


class LimiterState(msgspec.Struct, array_like=True):
    """What outlasts an outage.

    Attributes:
        is_over: the threshold was exceeded for its time, and has not been kept for its time since.
        trips_us: when the limiter opened the contactor lately, the host's time.
        is_locked: it did so too often: only somebody from afar can have the contactor armed.
        threshold: the one in force when it was last asked for.
    """

    is_over: bool = False
    trips_us: list[int] = []
    is_locked: bool = False
    threshold: int = 0


class Verdict(Enum):
    """What the limiter says of a value."""

    EXCEEDED = "exceeded"
    KEPT = "kept"


class LimitWatcher:
    """Watches one number against a threshold.

    What is not known is neither above nor below: both times begin again then. So they do with
    power: a house that is switched on has its time.

    Args:
        config: thresholds, times and what happens.
        saved: as it was left.
    """

    def __init__(self, config: LimiterConfig, saved: LimiterState | None = None) -> None:
        self.config = config
        self.saved = LimiterState() if saved is None else saved
        self._since_us: int | None = None

    def configure(self, config: LimiterConfig) -> None:
        """Go on with another configuration."""
        watched = (self.config.object, self.config.threshold > 0)
        if watched != (config.object, config.threshold > 0):
            self.restart()
        self.config = config

    @property
    def is_on(self) -> bool:
        """Whether there is any limit."""
        return bool(self.config.threshold or self.config.emergency)

    def is_emergency(self, time_s: int | None) -> bool:
        """Whether the emergency's threshold is in force at an instant of the meter's time."""
        emergency = self.config.emergency
        if emergency is None or time_s is None:
            return False
        return 0 <= time_s - unix_s(emergency.activate) < emergency.duration_s

    def threshold(self, time_s: int | None) -> int:
        """The threshold in force; 0 for no limit."""
        emergency = self.config.emergency
        if emergency is not None and self.is_emergency(time_s):
            return emergency.threshold
        return self.config.threshold

    def observe(self, value: int | None, now_us: int, time_s: int | None) -> Verdict | None:
        """Take a value; return what it means once it has meant it for its time.

        Args:
            value: a raw number of the object; None when it is not known.
            now_us: the host's time, UNIX microseconds.
            time_s: the meter's time, UNIX seconds; None when it is not known.
        """
        threshold = self.threshold(time_s)
        if value is None:
            self._since_us = None
            return None
        is_above = threshold > 0 and value > threshold
        if is_above == self.saved.is_over:
            self._since_us = None
            return None
        if self._since_us is None:
            self._since_us = now_us
        if now_us < self._since_us + self._patience_us:
            return None
        self._since_us = None
        self.saved.is_over = is_above
        return Verdict.EXCEEDED if is_above else Verdict.KEPT

    def next_us(self) -> int | None:
        """When a value that stays as it is will have stayed for its time, the host's time."""
        return None if self._since_us is None else self._since_us + self._patience_us

    def restart(self) -> None:
        """Power comes back: whatever was drawn before is past."""
        self.saved.is_over, self._since_us = False, None

    def trip(self, now_us: int) -> bool:
        """The contactor was opened; return whether that was once too often."""
        earliest_us = now_us - self.config.lockout_s * SECOND_US
        recent = [at_us for at_us in self.saved.trips_us if at_us > earliest_us]
        self.saved.trips_us = [*recent, now_us]
        if len(self.saved.trips_us) >= self.config.lockout_trips:
            self.saved.is_locked = True
        return self.saved.is_locked

    def release(self) -> None:
        """Somebody from afar has looked at it: its openings are forgotten."""
        self.saved.trips_us, self.saved.is_locked = [], False

    @property
    def _patience_us(self) -> int:
        seconds = self.config.under_s if self.saved.is_over else self.config.over_s
        return seconds * SECOND_US
