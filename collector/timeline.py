"""A unit's ticks in UTC: what one boot's receptions prove, as an interval and not as a line.

A telegram with uptime u that was sent between a and b says that tick u was then. At another tick t
the unit's clock may have gained or lost r = 100 ppm of the ticks between, so it bounds the UTC of t
by `[a + (t - u) - r|t - u|, b + (t - u) + r|t - u|]`. All receptions of one boot and one epoch of
the collector's clock hold at once: the UTC of t is in the intersection. An empty one means that the
clocks, or the bearer's declared delay, are not what they are said to be.

Instants in here are in tenths of a millisecond (`_dms`): the drift of one second is then exactly 1.
"""

from __future__ import annotations

from bisect import bisect_left

DMS_PER_S = 10_000
DMS_PER_MS = 10
RESOLUTION_S = 1
"""Uptime is told in whole seconds, rounded down."""
FIRST_TICK_S = -(1 << 62)
NO_TICK_S = 1 << 62


class Timeline:
    """Which UTC the ticks of one boot may have, in one epoch of the collector's clock."""

    __slots__ = ("_earliest", "_latest")

    def __init__(self) -> None:
        self._latest = _Envelope()
        self._earliest = _Envelope()  # of the negated bounds

    def add(self, uptime_s: int, earliest_ms: int | None, latest_ms: int) -> int:
        """Add a reception: the telegram of this uptime was sent in this interval of UTC.

        Returns:
            A tick up to which it changes nothing: `FIRST_TICK_S` or `NO_TICK_S` for all or nothing.
        """
        # The second that the uptime was rounded down by may itself have drifted: one tenth more.
        offset_dms = uptime_s * DMS_PER_S
        unchanged_s = self._latest.add(uptime_s, latest_ms * DMS_PER_MS + 1 - offset_dms)
        if earliest_ms is None:
            return unchanged_s
        sent_dms = earliest_ms * DMS_PER_MS - RESOLUTION_S * DMS_PER_S - 1
        return min(unchanged_s, self._earliest.add(uptime_s, offset_dms - sent_dms))

    def latest_dms(self, tick_s: int) -> int:
        """The instant after which a tick cannot have been."""
        return tick_s * DMS_PER_S + self._latest.at(tick_s)

    def earliest_dms(self, tick_s: int) -> int | None:
        """The instant before which a tick cannot have been, if the bearers declare any delay.

        Where the intersection is empty (`is_doubtful`), the latest instant: that nothing is
        received before it is sent is surer than any delay.
        """
        if not self._earliest:
            return None
        earliest_dms = tick_s * DMS_PER_S - self._earliest.at(tick_s)
        return min(earliest_dms, self.latest_dms(tick_s))

    def is_doubtful(self, tick_s: int) -> bool:
        """Whether no UTC agrees with all receptions at this tick."""
        return bool(self._earliest) and -self._earliest.at(tick_s) > self._latest.at(tick_s)

    def tick_near(self, instant_dms: int) -> int:
        """A tick whose latest instant is about this one, within a second or so."""
        tick_s = (instant_dms - self._latest.at(self._latest.newest_s)) // DMS_PER_S
        return (instant_dms - self._latest.at(tick_s)) // DMS_PER_S


class _Envelope:
    """The least of `value + |tick - tick_i|` over its points; only those that can be it are kept.

    No kept point is above another one's slope, so at any tick the nearest point on either side is
    the least on that side.
    """

    __slots__ = ("_ticks_s", "_values")

    def __init__(self) -> None:
        self._ticks_s: list[int] = []
        self._values: list[int] = []

    def __len__(self) -> int:
        return len(self._ticks_s)

    @property
    def newest_s(self) -> int:
        return self._ticks_s[-1]

    def at(self, tick_s: int) -> int:
        place = bisect_left(self._ticks_s, tick_s)
        if place == len(self._ticks_s):
            return self._values[-1] + tick_s - self._ticks_s[-1]
        value = self._values[place] + self._ticks_s[place] - tick_s
        if place:
            value = min(value, self._values[place - 1] + tick_s - self._ticks_s[place - 1])
        return value

    def add(self, tick_s: int, value: int) -> int:
        if self._ticks_s and self.at(tick_s) <= value:
            return NO_TICK_S
        start = end = bisect_left(self._ticks_s, tick_s)
        while end < len(self._ticks_s) and self._is_above(end, tick_s, value):
            end += 1
        while start and self._is_above(start - 1, tick_s, value):
            start -= 1
        self._ticks_s[start:end] = [tick_s]
        self._values[start:end] = [value]
        return self._ticks_s[start - 1] if start else FIRST_TICK_S

    def _is_above(self, place: int, tick_s: int, value: int) -> bool:
        return self._values[place] >= value + abs(self._ticks_s[place] - tick_s)
