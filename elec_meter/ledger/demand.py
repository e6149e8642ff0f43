"""Maximum demand: power averaged over a period, from an accumulator of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from elec_meter.clock import SECOND_US
from elec_meter.config import DemandConfig
from elec_meter.config.base import TimeBase
from elec_meter.errors import DemandLockedError
from shared.timegrid import LONDON, from_unix_s

from .state import DemandBook, DemandState, Peak

CHANNELS: Final = ("import", "export")
HIGHEST: Final = 3
_DAY_MIN: Final = 24 * 60

RateAt = Callable[[str, int], int]
"""The rate, from 1, in force on a channel at an instant."""


class Demand:
    """Block demand, or sliding demand by sub-periods, of import and export.

    A period that a clock setting, an outage or an unknown time has touched is no maximum: nobody
    knows how long it was. All instants are the meter's time in UNIX seconds.

    Args:
        config: sub-periods, windows, lock-out.
        period_s: the integration period.
        book: what is remembered; it is changed in place.
    """

    def __init__(self, config: DemandConfig, period_s: int, book: DemandBook) -> None:
        self.config = config
        self.period_s = period_s
        self.book = book
        self._windows = [window.minutes() for window in config.windows]
        for name in CHANNELS:
            self._fit(book.channels.setdefault(name, DemandState()))

    @property
    def step_s(self) -> int:
        """The length of a sub-period."""
        parts = self.config.sub_periods
        return self.period_s // parts if self.period_s % (60 * parts) == 0 else self.period_s

    @property
    def next_s(self) -> int:
        """The end of the sub-period that is under way."""
        return self.book.closed_s + self.step_s

    def add(self, channel: str, energy_mj: int, at_s: int) -> None:
        """Energy at an instant; what belongs to a period that has ended is no demand any more."""
        state = self.book.channels.get(channel)
        start_s = at_s - at_s % self.step_s
        if state is not None and start_s + self.period_s > self.book.closed_s:
            state.energies_mj[start_s] = state.energies_mj.get(start_s, 0) + energy_mj

    def close(self, end_s: int, rate_at: RateAt) -> None:
        """A sub-period has ended: the period that ends with it may be a maximum."""
        self.book.closed_s = end_s
        start_s = end_s - self.period_s
        for channel, state in self.book.channels.items():
            energies_mj = state.energies_mj
            energy_mj = 0
            for at_s in range(start_s, end_s, self.step_s):
                energy_mj += energies_mj.get(at_s, 0)
            energies_mj.pop(start_s, None)
            if start_s < self.book.clean_from_s:
                continue
            state.last = Peak(energy_mj // (1_000 * self.period_s), end_s)
            self._compare(state, state.last, rate_at(channel, start_s))

    def disturb(self, at_s: int) -> None:
        """Periods that have begun are no maxima; what has been measured in them is forgotten."""
        self.book.clean_from_s = at_s + -at_s % self.step_s
        self.book.closed_s = at_s - at_s % self.step_s
        for state in self.book.channels.values():
            state.energies_mj.clear()

    def begun_s(self, now_s: int) -> int:
        """When the period under way began; of those that slide, the one that ends next."""
        return now_s - now_s % self.step_s + self.step_s - self.period_s

    def is_disturbed(self, now_s: int) -> bool:
        """Whether the period under way will be no maximum: not all of it was measured."""
        return self.begun_s(now_s) < self.book.clean_from_s

    def realign(self, now_s: int) -> None:
        """Sub-periods have another length from now on: as `disturb`, and all that has ended has."""
        clean_from_s = max(self.book.clean_from_s, now_s + -now_s % self.step_s)
        self.disturb(self.book.closed_s)
        self.book.clean_from_s = clean_from_s

    def running_w(self, channel: str, now_s: int) -> int:
        """The average so far of the period that is under way, over its whole length."""
        energies_mj = self.book.channels[channel].energies_mj
        start_s = self.begun_s(now_s)
        energy_mj = sum(mj for at_s, mj in energies_mj.items() if start_s <= at_s <= now_s)
        return energy_mj // (1_000 * self.period_s)

    def maxima(self) -> dict[str, DemandState]:
        """A copy of what is known, without the period that is under way."""
        return {name: _maxima(state) for name, state in self.book.channels.items()}

    def reset(self, now_us: int, *, forced: bool) -> dict[str, DemandState]:
        """Begin anew; return the maxima that this ends.

        Args:
            now_us: the host's time, UNIX microseconds: the lock-out does not believe the clock.
            forced: whether it happens however recent the last one was: the end of billing.

        Raises:
            DemandLockedError: it is locked out.
        """
        book = self.book
        if not forced and book.reset_us is not None:
            left_s = self.config.lockout_s - (now_us - book.reset_us) // SECOND_US
            if left_s > 0:
                raise DemandLockedError(f"maximum demand cannot be reset again for {left_s} s")
        ended = self.maxima()
        for state in book.channels.values():
            if state.maximum is not None:
                state.cumulative_w += state.maximum.power_w
            state.maximum, state.highest = None, []
            state.windows = [None] * len(state.windows)
            state.rates = [None] * len(state.rates)
        book.resets += 1
        book.reset_us = now_us
        return ended

    def _compare(self, state: DemandState, peak: Peak, rate: int) -> None:
        state.maximum = _higher(state.maximum, peak)
        start_s = peak.end_s - self.period_s
        if self._windows:
            minutes = _minutes_of_day(self.config.time_base, start_s, self.period_s)
            for number, window in enumerate(self._windows):
                if minutes <= window:
                    state.windows[number] = _higher(state.windows[number], peak)
        state.rates += [None] * (rate - len(state.rates))
        state.rates[rate - 1] = _higher(state.rates[rate - 1], peak)
        state.highest = self._highest(state.highest, peak)

    def _highest(self, highest: list[Peak], peak: Peak) -> list[Peak]:
        """The three highest; of sliding periods that overlap only the higher one is among them."""
        if len(highest) == HIGHEST and peak.power_w <= highest[-1].power_w:
            return highest
        overlapping = [each for each in highest if peak.end_s - each.end_s < self.period_s]
        if any(each.power_w >= peak.power_w for each in overlapping):
            return highest
        kept = [each for each in highest if each not in overlapping]
        return sorted([*kept, peak], key=lambda each: (-each.power_w, each.end_s))[:HIGHEST]

    def _fit(self, state: DemandState) -> None:
        """As many windows as are configured, and no energy of sub-periods of another length."""
        windows = len(self.config.windows)
        state.windows = (state.windows + [None] * windows)[:windows]
        if any(at_s % self.step_s for at_s in state.energies_mj):
            state.energies_mj.clear()


def _maxima(state: DemandState) -> DemandState:
    """A copy without the energies."""
    return DemandState(
        maximum=state.maximum,
        windows=list(state.windows),
        rates=list(state.rates),
        highest=list(state.highest),
        cumulative_w=state.cumulative_w,
        last=state.last,
    )


def _higher(before: Peak | None, peak: Peak) -> Peak:
    """Of equals the first."""
    return peak if before is None or peak.power_w > before.power_w else before


def _minutes_of_day(time_base: TimeBase, start_s: int, length_s: int) -> set[int]:
    """The minutes of the day, by the clock of a window, that a period has."""
    ends_s = (start_s, start_s + length_s - 60)
    offsets_s = {_offset_s(time_base, at_s) for at_s in ends_s}
    return {
        (at_s + offset_s) // 60 % _DAY_MIN
        for offset_s in offsets_s  # two where the clocks change within a sliding period
        for at_s in range(start_s, start_s + length_s, 60)
        if len(offsets_s) == 1 or _offset_s(time_base, at_s) == offset_s
    }


def _offset_s(time_base: TimeBase, at_s: int) -> int:
    if time_base == "utc":
        return 0
    offset = LONDON.utcoffset(from_unix_s(at_s).astimezone(LONDON))
    return 0 if offset is None else int(offset.total_seconds())
