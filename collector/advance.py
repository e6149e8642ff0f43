"""From cyclic counts to pulses since the pairing, in the order in which they were sent."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from shared.timegrid import HALF_HOUR_S
from shared.wire.grid import COUNT_MODULUS

from .entries import (
    CountEntry,
    EndEntry,
    Entry,
    JournalEntry,
    LogEntry,
    LogPlace,
    LogTick,
    Pairing,
    TelegramKey,
    forward,
)

PLACEHOLDERS = (0, COUNT_MODULUS - 1)
"""What a count may be where there is none."""
_WRAP_FLOW_FACTOR = 10
_BASE = -(1 << 62)  # before all keys: the pairing
_NO_UPTIME_S = -1
_FIRST = TelegramKey(-(1 << 30), 0)  # before all that are sent
_LAST = TelegramKey(1 << 31, 0)


class CountKind(Enum):
    """What a telegram's count is, next to the telegram sent before it."""

    COUNTED = "counted"
    EARLY = "early"
    """Behind the base while nothing has been counted since: sent before the pairing."""
    PLACEHOLDER = "placeholder"
    """All zeros or all ones where no wrap can have brought them: no data."""
    ROLLED_BACK = "rolled back"
    """Behind the count before it: nothing is added, and counting goes on from here."""


class Heard(NamedTuple):
    """What the advance takes of a telegram, as it was first received.

    Attributes:
        key: its place in the order of sending.
        told: its count.
        uptime_s: the unit's clock then; None if it tells none.
        latest_ms: UNIX milliseconds after which it cannot have been sent.
    """

    key: TelegramKey
    told: int
    uptime_s: int | None
    latest_ms: int


class AdvanceBase(NamedTuple):
    """Where an advance goes on from, when what precedes is condensed to this.

    Attributes:
        key: the last telegram of what precedes, in the order of sending.
        uptime_s: the unit's clock then; None if it tells none.
        told: the count that the next one is compared with.
        count_key: the telegram that told it; None for the pairing.
        count_uptime_s: the unit's clock when it did.
        pulses: since the pairing.
    """

    key: TelegramKey
    uptime_s: int | None
    told: int
    count_key: TelegramKey | None
    count_uptime_s: int | None
    pulses: int


class Advanced(NamedTuple):
    """Pulses since the pairing when a telegram was sent, and what its count was worth."""

    pulses: int
    kind: CountKind


class Advance:
    """Every telegram's pulses since the pairing base.

    The advance from one telegram to the next sent is the difference of their counts modulo 2^32.
    It depends on which telegrams have been heard and not in which order: what is heard late takes
    its place in the order of sending.

    All zeros or all ones are a wrap only if the meter can have turned so far since the count before
    them. Taking a placeholder for a wrap could not be undone; the other way round costs nothing,
    since the next count tells the same.

    Args:
        pairing: its count is the base.
        base: what precedes all that will be added, if that is not the pairing.
    """

    def __init__(self, pairing: Pairing, base: AdvanceBase | None = None) -> None:
        self._pairing = pairing
        self._base = base
        # Count in force, the key that told it, and pulses, before all that is added.
        self._start = (pairing.base_count, _BASE, 0)
        if base is not None:
            count_key = _BASE if base.count_key is None else _packed(base.count_key)
            self._start = (base.told, count_key, base.pulses)
        self._keys = array("q")
        self._counts = array("I")
        self._uptimes_s = array("q")
        self._latest_ms = array("q")
        self._counts_in_force = array("I")  # what the next count is compared with
        self._keys_in_force = array("q")  # the telegram that told it
        self._pulses = array("q")

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def total(self) -> int:
        """Pulses since the pairing, by all that has been heard."""
        return self._pulses[-1] if self._pulses else self._start[2]

    @property
    def count(self) -> int:
        """The count that the next one is compared with."""
        return self._counts_in_force[-1] if self._keys else self._start[0]

    @property
    def newest(self) -> TelegramKey | None:
        """The key of the telegram sent last, of those heard."""
        if self._keys:
            return _unpacked(self._keys[-1])
        return None if self._base is None else self._base.key

    def keys(self) -> Iterator[TelegramKey]:
        """All keys, in order of sending."""
        return map(_unpacked, self._keys)

    def __contains__(self, key: TelegramKey) -> bool:
        if self._base is not None and key <= self._base.key:
            return True
        place = bisect_left(self._keys, _packed(key))
        return place < len(self._keys) and self._keys[place] == _packed(key)

    def add(self, heard: Heard) -> bool:
        """Take a telegram that was not heard before.

        Returns:
            Whether it changed the pulses of telegrams sent after it: only beside a rollback or a
            placeholder does it.
        """
        key = _packed(heard.key)
        place = bisect_left(self._keys, key)
        self._keys.insert(place, key)
        self._counts.insert(place, heard.told)
        self._uptimes_s.insert(place, _NO_UPTIME_S if heard.uptime_s is None else heard.uptime_s)
        self._latest_ms.insert(place, heard.latest_ms)
        in_force, key_in_force, pulses, _ = self._step(place)
        self._counts_in_force.insert(place, in_force)
        self._keys_in_force.insert(place, key_in_force)
        self._pulses.insert(place, pulses)
        changed = False
        for later in range(place + 1, len(self._keys)):
            in_force, key_in_force, pulses, _ = self._step(later)
            is_same = (in_force, pulses) == (self._counts_in_force[later], self._pulses[later])
            if is_same and key_in_force == self._keys_in_force[later]:
                break
            self._counts_in_force[later] = in_force
            self._keys_in_force[later] = key_in_force
            self._pulses[later] = pulses
            changed |= not is_same
        return changed

    def at(self, key: TelegramKey) -> Advanced:
        """What a telegram that was added is worth now."""
        _, _, pulses, kind = self._step(bisect_left(self._keys, _packed(key)))
        return Advanced(pulses, kind)

    def base_before(self, key: TelegramKey) -> AdvanceBase | None:
        """What precedes a telegram, condensed; None if nothing does, or only what is so already."""
        place = bisect_left(self._keys, _packed(key)) - 1
        if place < 0:
            return None
        count_key = self._keys_in_force[place]
        return AdvanceBase(
            key=_unpacked(self._keys[place]),
            uptime_s=_told(self._uptimes_s[place]),
            told=self._counts_in_force[place],
            count_key=None if count_key == _BASE else _unpacked(count_key),
            count_uptime_s=_told(self._uptime_s(count_key)),
            pulses=self._pulses[place],
        )

    def closed(self, fewer: int) -> AdvanceBase:
        """All that was added, condensed, with so many pulses fewer."""
        nothing = AdvanceBase(_FIRST, None, self._start[0], None, None, 0)
        base = self.base_before(_LAST) or self._base or nothing
        return base._replace(pulses=base.pulses - fewer)

    def place_before(self, key: TelegramKey) -> LogPlace | None:
        """The unit's clock in the telegram sent last before another one; None if none was."""
        place = bisect_left(self._keys, _packed(key)) - 1
        if place >= 0:
            return LogPlace(_unpacked(self._keys[place]).boot, self._uptimes_s[place])
        base = self._base
        return None if base is None else LogPlace(base.key.boot, base.uptime_s or 0)

    def at_tick(self, tick: LogTick) -> int | None:
        """Pulses at a tick of the unit's clock, at which it logged a count.

        They are counted on from the telegram sent last before the tick, and are no more than those
        of the next. None while no count of a telegram sent after it has been added. What was sent
        before the tick may be condensed, and nothing that was sent after it.
        """
        start = bisect_left(self._keys, _packed(TelegramKey(tick.boot, 0)))
        end = bisect_left(self._keys, _packed(TelegramKey(tick.boot + 1, 0)))
        place = after = bisect_left(self._uptimes_s, tick.tick_s, start, end)
        # A count that is no data bounds nothing.
        while after < len(self._keys) and self._keys_in_force[after] != self._keys[after]:
            after += 1
        if after == len(self._keys):
            return None
        in_force, _, pulses = self._start
        if place:
            in_force, pulses = self._counts_in_force[place - 1], self._pulses[place - 1]
        return min(pulses + max(0, forward(tick.told, in_force)), self._pulses[after])

    def _step(self, place: int) -> tuple[int, int, int, CountKind]:
        """Count in force from a telegram on, which one told it, pulses, and its own count's kind.

        All of the telegram before it is known.
        """
        in_force, key_in_force, pulses = self._start
        if place:
            in_force = self._counts_in_force[place - 1]
            key_in_force = self._keys_in_force[place - 1]
            pulses = self._pulses[place - 1]
        count = self._counts[place]
        step = forward(count, in_force)
        if count in PLACEHOLDERS and not 0 <= step <= self._turned_max(place, key_in_force):
            return in_force, key_in_force, pulses, CountKind.PLACEHOLDER
        if step >= 0:
            return count, self._keys[place], pulses + step, CountKind.COUNTED
        if not pulses:
            return in_force, key_in_force, pulses, CountKind.EARLY
        return count, self._keys[place], pulses, CountKind.ROLLED_BACK

    def _turned_max(self, place: int, key_in_force: int) -> int:
        """The most pulses, and generously, from the count in force to a telegram.

        Uptime tells the time between two telegrams of a boot. Else it is no more than that since
        the pairing.
        """
        elapsed_s = (self._latest_ms[place] - self._pairing.paired_ms) // 1000
        uptime_s = self._uptimes_s[place]
        is_same_boot = _unpacked(key_in_force).boot == _unpacked(self._keys[place]).boot
        if is_same_boot and uptime_s != _NO_UPTIME_S:
            elapsed_s = uptime_s - self._uptime_s(key_in_force)
        half_hours = 1 + max(0, elapsed_s) // HALF_HOUR_S
        return _WRAP_FLOW_FACTOR * self._pairing.pulses_max * half_hours

    def _uptime_s(self, key: int) -> int:
        place = bisect_left(self._keys, key)
        if place < len(self._keys) and self._keys[place] == key:
            return self._uptimes_s[place]
        told_s = None if self._base is None else self._base.count_uptime_s
        return _NO_UPTIME_S if told_s is None else told_s


class Advances:
    """All that a unit's counts come to, whatever told them.

    Telegrams, and frames that tell a count alone, are numbered apart: each kind has an advance of
    its own, from the one base. The unit has counted what the further one of the two says.

    Args:
        pairing: its count is the base.
        telegrams: what precedes the telegrams that will be added, if that is not the pairing.
        counts: what precedes the others.
    """

    def __init__(
        self,
        pairing: Pairing,
        telegrams: AdvanceBase | None = None,
        counts: AdvanceBase | None = None,
    ) -> None:
        self.telegrams = Advance(pairing, telegrams)
        self.counts = Advance(pairing, counts)
        self._end_pulses: int | None = None

    @property
    def total(self) -> int:
        """Pulses since the pairing, by all that has been heard until the unit was taken off."""
        if self._end_pulses is not None:
            return self._end_pulses
        return max(self.telegrams.total, self.counts.total)

    @property
    def count(self) -> int:
        """The count that was told last; the pairing's base if none was."""
        is_by_counts = self.counts.total > self.telegrams.total or self.telegrams.newest is None
        return self.counts.count if is_by_counts else self.telegrams.count

    def knows(self, entry: Entry) -> bool:
        """Whether an entry tells no count that was not told before."""
        if isinstance(entry, JournalEntry):
            return entry.key in self.telegrams
        return not isinstance(entry, CountEntry) or entry.key in self.counts

    def add(self, entry: Entry) -> bool:
        """Take an entry; return whether it changed the pulses of others: see `Advance.add`."""
        match entry:
            case JournalEntry():
                heard = Heard(entry.key, entry.count, entry.uptime_s, entry.latest_ms)
                return entry.key not in self.telegrams and self.telegrams.add(heard)
            case CountEntry():
                heard = Heard(entry.key, entry.count, None, entry.latest_ms)
                return entry.key not in self.counts and self.counts.add(heard)
            case EndEntry():
                self.end(entry.pulses)
                return True
            case LogEntry():
                return False

    def end(self, pulses: int) -> None:
        """The unit was taken off its meter after so many pulses: no count stands for more."""
        self._end_pulses = pulses

    def of(self, entry: JournalEntry | CountEntry) -> Advanced:
        """What an entry's count is worth; it was added."""
        advance = self.telegrams if isinstance(entry, JournalEntry) else self.counts
        pulses, kind = advance.at(entry.key)
        return Advanced(pulses if self._end_pulses is None else min(pulses, self._end_pulses), kind)

    def at_tick(self, tick: LogTick) -> int | None:
        """See `Advance.at_tick`."""
        pulses = self.telegrams.at_tick(tick)
        if pulses is None or self._end_pulses is None:
            return pulses
        return min(pulses, self._end_pulses)


def _told(uptime_s: int) -> int | None:
    return None if uptime_s == _NO_UPTIME_S else uptime_s


def _packed(key: TelegramKey) -> int:
    return key.boot << 32 | key.counter


def _unpacked(packed: int) -> TelegramKey:
    return TelegramKey(packed >> 32, packed & 0xFFFFFFFF)
