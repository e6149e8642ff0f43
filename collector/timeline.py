"""A unit's ticks in UTC: what one boot's receptions prove, as an interval and not as a line.

A telegram with uptime u that was sent between a and b says that tick u was then. At another tick t
the unit's clock may have gained or lost r = 100 ppm of the ticks between, so it bounds the UTC of t
by `[a + (t - u) - r|t - u|, b + (t - u) + r|t - u|]`. All receptions of one boot and one epoch of
the collector's clock hold at once: the UTC of t is in the intersection. An empty one means that the
clocks, or the bearer's declared delay, are not what they are said to be.

Between receptions that are days apart a second rule bounds it closer: no two rates of one clock are
further apart than `RATE_SPREAD_PPM`, whatever they are. So between two instants that are known, T
apart, it is off the straight line by at most a quarter of that part of T.

Instants in here are in tenths of a millisecond (`_dms`): the drift of one second is then exactly 1.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

DMS_PER_S = 10_000
DMS_PER_MS = 10
RESOLUTION_S = 1
"""Uptime is told in whole seconds, rounded down."""
FIRST_TICK_S = -(1 << 62)
NO_TICK_S = 1 << 62

RATE_SPREAD_PPM: Final = 40
"""How far apart two rates of a unit's clock may be, at any two times of a boot.

A tuning-fork crystal loses 0.034 ppm for each square of a kelvin from 25 degC: so much of its range
is from -9 to 59 degC.
"""

_RATE_PPM: Final = 100
_STEP_PPM: Final = 2  # from one assumed mean of a clock's greatest and least rate to the next
_REACH_PPM: Final = (RATE_SPREAD_PPM + _STEP_PPM) // 2  # of the rates around it
_MEANS_PPM: Final = range(_REACH_PPM - _RATE_PPM, _RATE_PPM - _REACH_PPM + 1, _STEP_PPM)
_US_PER_DMS: Final = 100  # the drift of a second by 1 ppm is 1 us
_ANSWERS_MAX: Final = 16  # a search for an instant asks for a few ticks over and over


class Timeline:
    """Which UTC the ticks of one boot may have, in one epoch of the collector's clock."""

    __slots__ = ("_earliest", "_latest", "_steady")

    def __init__(self) -> None:
        self._latest = _Envelope()
        self._earliest = _Envelope()  # of the negated bounds
        self._steady: SteadyTimeline | None = None  # until it is asked for

    def add(self, uptime_s: int, earliest_ms: int | None, latest_ms: int) -> int:
        """Add a reception: the telegram of this uptime was sent in this interval of UTC.

        Returns:
            A tick up to which it changes nothing: `FIRST_TICK_S` or `NO_TICK_S` for all or nothing.
        """
        # The second that the uptime was rounded down by may itself have drifted: one tenth more.
        offset_dms = uptime_s * DMS_PER_S
        late_dms = latest_ms * DMS_PER_MS + 1 - offset_dms
        unchanged_s = self._latest.add(uptime_s, late_dms)
        if unchanged_s != NO_TICK_S and self._steady is not None:
            unchanged_s = min(unchanged_s, self._steady.latest.add(uptime_s, late_dms))
        if earliest_ms is None:
            return unchanged_s
        sent_dms = earliest_ms * DMS_PER_MS - RESOLUTION_S * DMS_PER_S - 1
        unchanged_below_s = self._earliest.add(uptime_s, offset_dms - sent_dms)
        if unchanged_below_s != NO_TICK_S and self._steady is not None:
            steady_s = self._steady.earliest.add(uptime_s, offset_dms - sent_dms)
            unchanged_below_s = min(unchanged_below_s, steady_s)
        return min(unchanged_s, unchanged_below_s)

    def steady(self) -> SteadyTimeline:
        """The same ticks, bounded by how little the clock's rate varies besides."""
        if self._steady is None:
            self._steady = SteadyTimeline(self, self._latest, self._earliest)
        return self._steady

    @property
    def has_earliest(self) -> bool:
        """Whether a bearer has declared its delay: without one no tick has an earliest instant."""
        return bool(self._earliest)

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


class SteadyTimeline:
    """Which UTC the ticks may have if the clock's rate varies by `RATE_SPREAD_PPM` at most.

    It answers as a `Timeline` does.
    """

    __slots__ = ("_timeline", "earliest", "latest")

    def __init__(self, timeline: Timeline, latest: _Envelope, earliest: _Envelope) -> None:
        self._timeline = timeline
        self.latest = _Fan(latest)
        self.earliest = _Fan(earliest)  # of the negated bounds

    def latest_dms(self, tick_s: int) -> int:
        """See `Timeline.latest_dms`."""
        return tick_s * DMS_PER_S + self.latest.at(tick_s)

    def earliest_dms(self, tick_s: int) -> int | None:
        """See `Timeline.earliest_dms`."""
        if not self._timeline.has_earliest:
            return None
        return min(tick_s * DMS_PER_S - self.earliest.at(tick_s), self.latest_dms(tick_s))

    def is_doubtful(self, tick_s: int) -> bool:
        """See `Timeline.is_doubtful`."""
        if not self._timeline.has_earliest:
            return False
        return -self.earliest.at(tick_s) > self.latest.at(tick_s)

    def tick_near(self, instant_dms: int) -> int:
        """See `Timeline.tick_near`."""
        return self._timeline.tick_near(instant_dms)


class _Envelope:
    """The least of what its points allow at a tick; only those that can be it are kept.

    A point allows its value and `rise` more for each tick after it, `fall` more for each before it.
    No kept point is above another one's slope, so at any tick the nearest point on either side is
    the least on that side.
    """

    __slots__ = ("_fall", "_rise", "_ticks_s", "_values")

    def __init__(self, rise: int = 1, fall: int = 1) -> None:
        self._rise = rise
        self._fall = fall
        self._ticks_s: list[int] = []
        self._values: list[int] = []

    def __len__(self) -> int:
        return len(self._ticks_s)

    @property
    def newest_s(self) -> int:
        return self._ticks_s[-1]

    @property
    def points(self) -> Iterator[tuple[int, int]]:
        return zip(self._ticks_s, self._values, strict=True)

    def at(self, tick_s: int) -> int:
        ticks_s, values = self._ticks_s, self._values
        place = bisect_left(ticks_s, tick_s)
        if place == len(ticks_s):
            return values[-1] + self._rise * (tick_s - ticks_s[-1])
        after = values[place] + self._fall * (ticks_s[place] - tick_s)
        if not place:
            return after
        before = values[place - 1] + self._rise * (tick_s - ticks_s[place - 1])
        return min(after, before)

    def sides(self, tick_s: int) -> tuple[int | None, int | None]:
        """What the points before a tick allow, and those at it and after it; None without any."""
        place = bisect_left(self._ticks_s, tick_s)
        before = after = None
        if place < len(self._ticks_s):
            after = self._values[place] + self._fall * (self._ticks_s[place] - tick_s)
        if place:
            before = self._values[place - 1] + self._rise * (tick_s - self._ticks_s[place - 1])
        return before, after

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
        distance_s = self._ticks_s[place] - tick_s
        slope = self._rise if distance_s >= 0 else -self._fall
        return self._values[place] >= value + slope * distance_s


class _Fan:
    """The greatest, over all means that a clock's rates may have, of what its points then allow.

    Points before a tick allow the more the greater the mean is, and points after it the less: so
    the greatest is where they meet. Envelopes are made when they are asked for, of the points that
    are left where any rate is possible: what is above another one's slope there is so everywhere.

    Args:
        kept: the envelope of any rate, in tenths of a millisecond.
    """

    __slots__ = ("_answers", "_kept", "_of_mean", "_place")

    def __init__(self, kept: _Envelope) -> None:
        self._kept = kept
        self._of_mean: dict[int, _Envelope] = {}  # in microseconds
        self._place = len(_MEANS_PPM) // 2  # where the search begins
        self._answers: dict[int, int] = {}  # by tick, since the last point

    def add(self, tick_s: int, value: int) -> int:
        """Add a point that is kept where any rate is possible; see `Timeline.add`."""
        self._answers.clear()
        values_us = value * _US_PER_DMS
        unchanged_s = (each.add(tick_s, values_us) for each in self._of_mean.values())
        return min(unchanged_s, default=NO_TICK_S)

    def at(self, tick_s: int) -> int:
        """In tenths of a millisecond, rounded up."""
        answer = self._answers.get(tick_s)
        if answer is None:
            if len(self._answers) == _ANSWERS_MAX:
                self._answers.clear()
            answer = self._answers[tick_s] = self._greatest(tick_s)
        return answer

    def _greatest(self, tick_s: int) -> int:
        place = self._meeting(tick_s)
        beside = _MEANS_PPM[max(0, place - 1) : place + 1]
        return -(-max(self._envelope(mean_ppm).at(tick_s) for mean_ppm in beside) // _US_PER_DMS)

    def _meeting(self, tick_s: int) -> int:
        """The place of the least mean at which the points before a tick allow as much."""
        if self._is_met(self._place, tick_s):
            low, high = 0, self._place
            if low < high and not self._is_met(high - 1, tick_s):  # as at the tick asked for before
                low = high
        else:
            low, high = self._place + 1, len(_MEANS_PPM)
        while low < high:
            middle = (low + high) // 2
            if self._is_met(middle, tick_s):
                high = middle
            else:
                low = middle + 1
        self._place = min(low, len(_MEANS_PPM) - 1)
        return low

    def _is_met(self, place: int, tick_s: int) -> bool:
        before, after = self._envelope(_MEANS_PPM[place]).sides(tick_s)
        return before is None or (after is not None and before >= after)

    def _envelope(self, mean_ppm: int) -> _Envelope:
        envelope = self._of_mean.get(mean_ppm)
        if envelope is None:
            envelope = _Envelope(_REACH_PPM + mean_ppm, _REACH_PPM - mean_ppm)
            for tick_s, value in self._kept.points:
                envelope.add(tick_s, value * _US_PER_DMS)
            self._of_mean[mean_ppm] = envelope
        return envelope
