"""The half-hour fold, slow and plain.

Everything is worked out again at every stamp, by looking at every pair of clocks and every known
count. Instants (`at_dms`) are in tenths of a millisecond, in which 100 ppm of a second is 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from collector.bracket import PulseStatus
from collector.entries import (
    CountEntry,
    EndEntry,
    Entry,
    JournalEntry,
    LogEntry,
    LogTick,
    Pairing,
)
from collector.rows import PulseHalfHour

HALF_HOUR = 1800
DAY_MS = 86_400_000
DMS = 10_000
HALF = 1 << 31
MODULUS = 1 << 32


class Proof(NamedTuple):
    """What is known of the count: at least or at most `pulses`, or `pulses` between two ticks."""

    kind: str
    group: tuple[int, int]
    start: int
    end: int
    pulses: int


class Final(NamedTuple):
    """A boundary that will not change."""

    pulses: int
    status: PulseStatus


def signed(newer: int, older: int) -> int:
    """The shorter way round from one count to another."""
    ahead = (newer - older) % MODULUS
    return ahead if ahead < HALF else ahead - MODULUS


def advances(
    entries: Sequence[Entry], pairing: Pairing
) -> dict[tuple[type, tuple[int, int]], tuple[int, str, int]]:
    """Pulses since the pairing, the kind of count, and what the next one is compared with.

    By the kind and key of entries, in the order of sending.
    """
    found: dict[tuple[type, tuple[int, int]], tuple[int, str, int]] = {}
    for kind in (JournalEntry, CountEntry):
        first = {entry.key: entry for entry in reversed(entries) if isinstance(entry, kind)}
        chain = [first[key] for key in sorted(first)]
        found |= {(kind, key): worth for key, worth in _chain(chain, pairing)}
    most = min((entry.pulses for entry in entries if isinstance(entry, EndEntry)), default=1 << 70)
    return {place: (min(n, most), kind, told) for place, (n, kind, told) in found.items()}


def _chain(chain: Sequence, pairing: Pairing):
    in_force, told, pulses = pairing.base_count, None, 0
    for entry in chain:
        key = entry.key
        count, ahead = entry.count, signed(entry.count, in_force)
        if told is not None and told.key.boot == key.boot and isinstance(entry, JournalEntry):
            elapsed = entry.uptime_s - told.uptime_s
        else:
            elapsed = (entry.latest_ms - pairing.paired_ms) // 1000
        turned = 10 * pairing.pulses_max * (1 + max(0, elapsed) // HALF_HOUR)
        if count in (0, MODULUS - 1) and (ahead < 0 or ahead > turned):
            kind = "placeholder"
        elif ahead >= 0:
            kind = "counted"
            pulses += ahead
            in_force, told = count, entry
        elif pulses == 0:
            kind = "early"
        else:
            kind = "rolled back"
            in_force, told = count, entry
        yield key, (pulses, kind, in_force)


def logged(tick: LogTick, entries: Sequence[Entry], pairing: Pairing, worth: dict) -> int | None:
    """Pulses at a tick that the unit logged; None before a later count is known."""
    pulses, in_force = 0, pairing.base_count
    uptimes = {e.key: e.uptime_s for e in reversed(entries) if isinstance(e, JournalEntry)}
    for key in sorted(uptimes):
        n, kind, told = worth[JournalEntry, key]
        if (key.boot, uptimes[key]) < (tick.boot, tick.tick_s):
            pulses, in_force = n, told
        elif kind in ("counted", "rolled back"):
            return min(pulses + max(0, signed(tick.told, in_force)), n)
    return None


def proofs(entries: Sequence[JournalEntry], worth: dict) -> list[Proof]:
    """All that the telegrams say, in order of their stamps."""
    out: list[Proof] = []
    named: dict[int, list[int]] = {}
    for entry in entries:
        group = (entry.key.boot, entry.stamp.epoch)
        n, kind, _ = worth[JournalEntry, entry.key]
        if kind == "placeholder":
            continue

        def know(start: int, end: int, pulses: int, group: tuple[int, int] = group) -> None:
            pulses = max(0, pulses)
            out.extend(Proof(kind, group, start, end, pulses) for kind in ("least", "most", "at"))

        up, age = entry.uptime_s, entry.last_pulse_age_s
        know(up, up + 1, n)
        if age is not None and age <= up:
            if age >= 0x7FFFFF:
                out.append(Proof("least", group, 0, up - age + 1, n))
            else:
                out.append(Proof("least", group, 0, up - age + 1, n))
                out.append(Proof("at", group, up - age, up - age + 1, n))
                if n:
                    out.append(Proof("most", group, up - age, 0, n - 1))
                    out.append(Proof("at", group, up - age, up - age + 1, n - 1))
        if entry.grid_count is None or entry.grid_age_s is None:
            continue
        tick, behind = up - entry.grid_age_s, signed(entry.count, entry.grid_count)
        if behind < 0 or tick < 0:
            continue
        know(tick, tick + 1, n - behind)
        told = named.setdefault(entry.key.boot, [])
        told.append(tick)
        total = n - behind
        for place, increment in enumerate(entry.increments, start=1):
            total -= increment
            at = tick - 1800 * place
            if at <= 0:
                break
            start, end = _placed(told, at)
            know(start, end + 1, total)
    return out


def _placed(told: list[int], at: int) -> tuple[int, int]:
    """Where the tick may be that has this place in a history, by the ticks that were named."""
    same = [t for t in told if -10 <= t - at <= 10]
    if same:
        return min(same), max(same)
    above = min(t for t in told if t > at)
    below = max((t for t in told if t < at), default=None)
    first = min((above - 1800 * k for k in range(1, 400)), key=lambda t: (abs(t - at), t))
    if below is None:
        return first - 10, first + 10
    other = min((below + 1800 * k for k in range(1, 400)), key=lambda t: (abs(t - at), t))
    if abs(first - other) > 90:
        return first, first
    other = min(max(other, first - 10), first + 10)
    return min(first, other), max(first, other)


def utc_of(entries: Sequence[JournalEntry], group: tuple[int, int], tick: int) -> tuple:
    """(earliest or None, latest, doubtful) of a tick of one boot and epoch."""
    pairs = [e for e in entries if (e.key.boot, e.stamp.epoch) == group]
    latest = min(
        e.latest_ms * 10 + (tick - e.uptime_s) * DMS + abs(tick - e.uptime_s) + 1 for e in pairs
    )
    lows = [
        e.earliest_ms * 10 + (tick - e.uptime_s - 1) * DMS - abs(tick - e.uptime_s) - 1
        for e in pairs
        if e.earliest_ms is not None
    ]
    if not lows:
        return None, latest, False
    return min(max(lows), latest), latest, max(lows) > latest


def steady_utc_of(entries: Sequence[JournalEntry], group: tuple[int, int], tick: int) -> tuple:
    """The same of a clock whose rates are within 40 ppm of each other, whichever they are."""
    pairs = [e for e in entries if (e.key.boot, e.stamp.epoch) == group]
    highs = [(e.uptime_s, e.latest_ms * 10 + 1 - e.uptime_s * DMS) for e in pairs]
    lows = [
        (e.uptime_s, (e.uptime_s + 1) * DMS + 1 - e.earliest_ms * 10)
        for e in pairs
        if e.earliest_ms is not None
    ]
    latest = tick * DMS + _steady_offset(highs, tick)
    if not lows:
        return None, latest, False
    earliest = tick * DMS - _steady_offset(lows, tick)
    return min(earliest, latest), latest, earliest > latest


def _steady_offset(points: list[tuple[int, int]], tick: int) -> int:
    """The most that the points allow, over all means of rates from -79 to 79 ppm."""
    most = max(
        min(
            offset * 100 + max((mean - 21) * (tick - at), (mean + 21) * (tick - at))
            for at, offset in points
        )
        for mean in range(-79, 80, 2)
    )
    return -(-most // 100)


class Snapshot:
    """What is known at one stamp."""

    def __init__(self, entries: Sequence[Entry], pairing: Pairing) -> None:
        self.paired = pairing.paired_ms * 10
        window = list(entries)
        if window:
            days = pairing.horizon_s // 86_400 + 2
            block = window[-1].stamp.received_ms // DAY_MS // days - 1
            early = [e for e in window if e.stamp.received_ms // DAY_MS // days < block]
            window = early[-1:] + window[len(early) :]
        worth = advances(entries, pairing)
        telegrams = [e for e in window if isinstance(e, JournalEntry)]
        counts = [e for e in window if isinstance(e, CountEntry)]
        self.unproven = any(not e.is_authentic for e in telegrams + counts)
        self.said, self.telegrams = proofs(telegrams, worth), telegrams
        sent = {e.key: (e.key.boot, e.uptime_s) for e in entries if isinstance(e, JournalEntry)}
        first = min((e.key for e in telegrams), default=(0, 0))
        before = max((sent[key] for key in sent if key < first), default=(-(1 << 40), 0))
        for tick in (t for e in window if isinstance(e, LogEntry) for t in e.ticks):
            n = logged(tick, entries, pairing, worth)
            for group in {(e.key.boot, e.stamp.epoch) for e in telegrams if n is not None}:
                if group[0] == tick.boot and before < (tick.boot, tick.tick_s):
                    at = (group, tick.tick_s, tick.tick_s + 1, n)
                    self.said += [Proof(kind, *at) for kind in ("least", "most", "at")]
        self.counts = [
            (e.earliest_ms, e.latest_ms * 10, worth[CountEntry, e.key][0])
            for e in counts
            if worth[CountEntry, e.key][1] != "placeholder"
        ]
        ends = [entry for entry in entries if isinstance(entry, EndEntry)]
        self.end = (ends[0].pulses, ends[0].ended_ms * 10, False) if ends else None
        self.rules: dict = {}

    def known(self, rule: Callable) -> tuple[list, list, list]:
        """What the count is at least and at most, and at places, by a rule that gives ticks UTC."""
        if rule not in self.rules:
            self.rules[rule] = self._known(rule)
        return self.rules[rule]

    def _known(self, rule: Callable) -> tuple[list, list, list]:
        lows = [(0, self.paired, False), *([self.end] if self.end else [])]
        mosts, ats = [], []
        places: dict = {}
        for kind, group, start, end, n in self.said:
            for tick in (start, end):
                if (group, tick) not in places:
                    places[group, tick] = rule(self.telegrams, group, tick)
            low, high = places[group, start], places[group, end]
            if kind == "least":
                lows.append((n, high[1], high[2]))
            elif kind == "most" and low[0] is not None:
                mosts.append((n, low[0], low[2]))
            elif kind == "at" and low[0] is not None and not high[2]:
                ats.append((low[0], high[1], n))
        for earliest_ms, latest, n in self.counts:
            lows.append((n, latest, False))
            if earliest_ms is not None:
                mosts.append((n, earliest_ms * 10, False))
                ats.append((earliest_ms * 10, latest, n))
        return lows, mosts, ats

    def count(self, at: int, finals: dict[int, Final]) -> tuple[int | None, PulseStatus, bool]:
        """(pulses, status, whether it is measured) at a boundary that is not final."""
        found = self._count(at, finals, utc_of)
        if found[0] is None or found[2] or found[1] & PulseStatus.DOUBTFUL_CLOCK:
            return found
        steady = self._count(at, finals, steady_utc_of)
        return steady if steady[2] else found

    def _count(
        self, at: int, finals: dict[int, Final], rule: Callable
    ) -> tuple[int | None, PulseStatus, bool]:
        at_dms = at * DMS
        lows, mosts, ats = self.known(rule)
        least = max(p for p in lows if p[1] <= at_dms)
        ceilings = [p for p in mosts if p[1] >= at_dms]
        if self.end:
            ceilings.append((self.end[0], max(self.end[1], at_dms), False))
        most = min(ceilings, default=None)
        before = max((b, f.pulses) for b, f in finals.items() if b < at)
        after = min(((b, f.pulses) for b, f in finals.items() if b > at), default=None)
        if most is None and after is None:
            return None, PulseStatus.PENDING, False
        flag = PulseStatus.UNAUTHENTICATED if self.unproven else PulseStatus(0)
        doubtful = most is not None and (least[2] or most[2] or least[0] > most[0])
        if doubtful:
            flag |= PulseStatus.DOUBTFUL_CLOCK
        near = [(max(abs(a - at_dms), abs(b - at_dms)), n) for a, b, n in ats]
        closest = min((p for p in near if p[0] <= 60 * DMS), default=None)
        near = [p for p in near if p[0] <= 10 * DMS]
        value = None
        if most is not None and least[0] >= most[0]:
            value = least[0]
        elif most is not None and near:
            value = sorted((least[0], min(near)[1], most[0]))[1]
        ceiling = after[1] if after else 1 << 70
        if value is not None and before[1] <= value <= ceiling:
            return value, flag, not doubtful
        low = max((least[0], least[1]), (before[1], before[0] * DMS))
        ups = [(most[0], most[1])] if most else []
        ups += [(after[1], after[0] * DMS)] if after else []
        high = min(ups)
        value = low[0]
        if high[0] > low[0]:
            step = max(1, high[1] - low[1])
            value += (high[0] - low[0]) * (at_dms - low[1]) // step
        if most and closest and least[0] < most[0]:
            value = min(max(closest[1], low[0]), high[0])
        return max(before[1], min(value, ceiling)), flag | PulseStatus.INTERPOLATED, False

    def unheard(self, at: int, finals: dict[int, Final]) -> Final:
        """The count at a boundary for which nothing came in time."""
        pulses, _, doubtful = max(p for p in self.known(utc_of)[0] if p[1] <= at * DMS)
        status = PulseStatus.INTERPOLATED
        if doubtful:
            status |= PulseStatus.DOUBTFUL_CLOCK
        if self.unproven:
            status |= PulseStatus.UNAUTHENTICATED
        return Final(max([pulses] + [f.pulses for b, f in finals.items() if b < at]), status)


def fold(entries: Sequence[Entry], pairing: Pairing, now_ms: int) -> list[PulseHalfHour]:
    """All half-hours from the pairing to now."""
    first = pairing.paired_ms // 1000 // HALF_HOUR * HALF_HOUR
    finals = {first: Final(0, PulseStatus(0))}
    flags: dict[int, PulseStatus] = {}
    known = Snapshot([], pairing)

    def seal(now: int) -> None:
        at = first
        while (at + pairing.horizon_s) * 1000 < now:
            if at not in finals:
                pulses, status, _ = known.count(at, finals)
                if pulses is None:
                    finals[at] = known.unheard(at, finals)
                else:
                    finals[at] = Final(pulses, status)
            at += HALF_HOUR

    for place, entry in enumerate(entries):
        now = entry.stamp.received_ms
        seal(now)
        heard = list(entries[: place + 1])
        known = Snapshot(heard, pairing)
        for at in range(first, now // 1000 + 1, HALF_HOUR):
            if at not in finals:
                pulses, status, measured = known.count(at, finals)
                if measured and pulses is not None:
                    finals[at] = Final(pulses, status)
        if isinstance(entry, JournalEntry | CountEntry) and not any(
            type(e) is type(entry) and e.key == entry.key for e in entries[:place]
        ):
            bits = PulseStatus(0)
            error_flags = entry.error_flags if isinstance(entry, JournalEntry) else 0
            if error_flags & 3:
                bits |= PulseStatus.TAMPER
            if error_flags & 4:
                bits |= PulseStatus.LOW_BATTERY
            if advances(heard, pairing)[type(entry), entry.key][1] == "rolled back":
                bits |= PulseStatus.COUNT_ROLLED_BACK
            start = now // 1000 // HALF_HOUR * HALF_HOUR
            flags[start] = flags.get(start, PulseStatus(0)) | bits
    seal(now_ms)
    return _rows(finals, known, flags, pairing, range(first, now_ms // 1000 + 1, HALF_HOUR))


def _rows(finals, known, flags, pairing, boundaries) -> list[PulseHalfHour]:
    counts = []
    for at in boundaries:
        if at in finals:
            counts.append((at, finals[at].pulses, finals[at].status, True))
        else:
            pulses, status, _ = known.count(at, finals)
            counts.append((at, pulses, status, False))
    out, top = [], 0
    for (at, a, x, p), (_, b, y, q) in pairwise(counts):
        status = x | y | flags.get(at, PulseStatus(0))
        pulses = None
        top = max(top, a or 0)
        if a is None or b is None:
            status = PulseStatus.PENDING | flags.get(at, PulseStatus(0))
        else:
            pulses = max(top, b) - top
            if pulses > pairing.pulses_max:
                status |= PulseStatus.IMPLAUSIBLE_FLOW
        out.append(PulseHalfHour(at, pulses, status, p and q))
    return out
