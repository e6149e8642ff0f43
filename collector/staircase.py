"""Counts that are known at least, or at most, from or until a place on: rising with it.

Places are ticks or instants. A point that another one makes idle is not kept, so both lists of a
staircase rise.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right


class Floor:
    """From each of its places on, at least so many pulses."""

    __slots__ = ("places", "pulses")

    def __init__(self) -> None:
        self.places = array("q")
        self.pulses = array("q")

    def add(self, place: int, pulses: int) -> bool:
        """Add a point; return whether it told anything new."""
        places, least = self.places, self.pulses
        end = bisect_right(places, place)
        start = end
        if start and least[start - 1] > pulses:
            return False
        if start and places[start - 1] == place:
            start -= 1
        while end < len(places) and least[end] < pulses:
            end += 1
        places[start:end] = array("q", (place,))
        least[start:end] = array("q", (pulses,))
        return True


class Ceiling:
    """Until each of its places, at most so many pulses."""

    __slots__ = ("places", "pulses")

    def __init__(self) -> None:
        self.places = array("q")
        self.pulses = array("q")

    def add(self, place: int, pulses: int, before_all: int) -> int | None:
        """Add a point.

        Returns:
            After which place it tells something new, ``before_all`` for everywhere up to its own;
            None if it tells nothing.
        """
        places, most = self.places, self.pulses
        start = bisect_left(places, place)
        end = start
        if end < len(places) and most[end] < pulses:
            return None
        if end < len(places) and places[end] == place:
            end += 1
        while start and most[start - 1] > pulses:
            start -= 1
        places[start:end] = array("q", (place,))
        most[start:end] = array("q", (pulses,))
        return places[start - 1] if start else before_all
