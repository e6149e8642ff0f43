"""From cyclic counts to pulses since the pairing, in the order in which they were sent."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from shared.wire.grid import COUNT_MODULUS

from .entries import TelegramKey, forward

_PLACEHOLDERS = (0, COUNT_MODULUS - 1)


class CountKind(Enum):
    """What a telegram's count is, next to the telegram sent before it."""

    COUNTED = "counted"
    EARLY = "early"
    """Behind the base while nothing has been counted since: sent before the pairing."""
    PLACEHOLDER = "placeholder"
    """All zeros or all ones where no wrap can have brought them: no data."""
    ROLLED_BACK = "rolled back"
    """Behind the count before it: nothing is added, and counting goes on from here."""


class Advanced(NamedTuple):
    """Pulses since the pairing when a telegram was sent, and what its count was worth."""

    pulses: int
    kind: CountKind


class Advance:
    """Every telegram's pulses since the pairing base.

    The advance from one telegram to the next sent is the difference of their counts modulo 2^32.
    It depends on which telegrams have been heard and not on when: what is heard late takes its
    place in the order of sending.

    Args:
        base_count: the count that the pairing recorded.
    """

    def __init__(self, base_count: int) -> None:
        self._base_count = base_count
        self._keys = array("q")
        self._counts = array("I")
        self._counts_in_force = array("I")  # what the next count is compared with
        self._pulses = array("q")

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def total(self) -> int:
        """Pulses since the pairing, by all that has been heard."""
        return self._pulses[-1] if self._pulses else 0

    @property
    def newest(self) -> TelegramKey | None:
        """The key of the telegram sent last, of those heard."""
        return _unpacked(self._keys[-1]) if self._keys else None

    def keys(self) -> Iterator[TelegramKey]:
        """All keys, in order of sending."""
        return map(_unpacked, self._keys)

    def __contains__(self, key: TelegramKey) -> bool:
        place = bisect_left(self._keys, _packed(key))
        return place < len(self._keys) and self._keys[place] == _packed(key)

    def add(self, key: TelegramKey, count: int) -> bool:
        """Take a telegram that was not heard before.

        Returns:
            Whether it changed the pulses of telegrams sent after it: only beside a rollback or a
            placeholder does it.
        """
        place = bisect_left(self._keys, _packed(key))
        in_force, pulses, _ = self._step(place - 1, count)
        self._keys.insert(place, _packed(key))
        self._counts.insert(place, count)
        self._counts_in_force.insert(place, in_force)
        self._pulses.insert(place, pulses)
        changed = False
        for later in range(place + 1, len(self._keys)):
            in_force, pulses, _ = self._step(later - 1, self._counts[later])
            if (in_force, pulses) == (self._counts_in_force[later], self._pulses[later]):
                break
            self._counts_in_force[later] = in_force
            self._pulses[later] = pulses
            changed = True
        return changed

    def at(self, key: TelegramKey) -> Advanced:
        """What a telegram that was added is worth now."""
        place = bisect_left(self._keys, _packed(key))
        _, pulses, kind = self._step(place - 1, self._counts[place])
        return Advanced(pulses, kind)

    def _step(self, previous: int, count: int) -> tuple[int, int, CountKind]:
        in_force, pulses = self._base_count, 0
        if previous >= 0:
            in_force, pulses = self._counts_in_force[previous], self._pulses[previous]
        step = forward(count, in_force)
        if step >= 0:
            return count, pulses + step, CountKind.COUNTED
        if count in _PLACEHOLDERS:
            return in_force, pulses, CountKind.PLACEHOLDER
        if not pulses:
            return in_force, pulses, CountKind.EARLY
        return count, pulses, CountKind.ROLLED_BACK


def _packed(key: TelegramKey) -> int:
    return key.boot << 32 | key.counter


def _unpacked(packed: int) -> TelegramKey:
    return TelegramKey(packed >> 32, packed & 0xFFFFFFFF)
