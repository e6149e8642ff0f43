"""How long a UTC half-hour is by the unit's clock, learned from the phases that it is told.

A grid that nobody phases any more would drift off the half-hours: at 50 ppm by 10 s in 56 hours.
While a collector comes every day it is left alone, since every move costs room in the log.
"""

from shared.wire.grid import HALF_HOUR_MS

_LEARNED_FROM = 24  # half-hours between two phases, each of which is a second early or late
_FORGOTTEN_AFTER = 192  # a rate follows the season
_SILENT_FROM = 48  # half-hours since the last phase: whoever comes daily has not come
_SILENT_TO = 480  # then it is not known any more, and the log is to hold 13 months
_GAINED_MAX_MS = 180  # in a half-hour, 100 ppm
_TOLD_MAX_MS = 3000  # a phase that is further off than such a rate and this is of a clock set anew


class Pace:
    """Phases as they were told: each is an uptime in ms at which a UTC half-hour began."""

    def __init__(self) -> None:
        self._base_ms: "int | None" = None  # the rate is counted from there
        self._next_base_ms = 0
        self._told_ms = 0
        self._half_hours = 0  # in which so much was gained; 0: not known
        self._gained_ms = 0

    def told(self, boundary_ms: int) -> None:
        """Learn from a phase."""
        self._told_ms = boundary_ms
        if self._base_ms is None:
            self._begin(boundary_ms)
            return
        half_hours = _half_hours(boundary_ms - self._base_ms)
        gained_ms = boundary_ms - self._base_ms - half_hours * HALF_HOUR_MS
        if abs(gained_ms) > half_hours * _GAINED_MAX_MS + _TOLD_MAX_MS:
            self._begin(boundary_ms)
            return
        if half_hours >= _LEARNED_FROM:
            self._half_hours = half_hours
            self._gained_ms = gained_ms
        if _half_hours(boundary_ms - self._next_base_ms) >= _FORGOTTEN_AFTER:
            self._base_ms = self._next_base_ms
            self._next_base_ms = boundary_ms

    def tick_s(self, next_s: int) -> int:
        """Return where the grid's next tick is to be, which would be at ``next_s``."""
        since = _half_hours(next_s * 1000 - self._told_ms)
        if not self._half_hours or since < _SILENT_FROM or since > _SILENT_TO:
            return next_s
        gained_max_ms = since * _GAINED_MAX_MS
        gained_ms = since * self._gained_ms // self._half_hours
        gained_ms = max(-gained_max_ms, min(gained_max_ms, gained_ms))
        return (self._told_ms + since * HALF_HOUR_MS + gained_ms + 500) // 1000

    def _begin(self, boundary_ms: int) -> None:
        self._base_ms = self._next_base_ms = boundary_ms
        self._half_hours = 0


def _half_hours(span_ms: int) -> int:
    return (span_ms + HALF_HOUR_MS // 2) // HALF_HOUR_MS
