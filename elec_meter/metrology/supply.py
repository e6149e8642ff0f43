"""Events of the supply: sags, swells and losses, from each cycle's voltage."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from elec_meter.metrology import kernels
from elec_meter.metrology.errors import ThresholdError
from shared.timegrid import EPOCH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from elec_meter.metrology.cycles import CycleQuantities

# How many in a row a dip leaves without a crossing; how many of more are taken together.
_EDGES_MAX = 3
_TOGETHER = 10


class SupplyState(Enum):
    """How the voltage stands."""

    NORMAL = "normal"
    SAG = "sag"
    SWELL = "swell"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class SupplyThresholds:
    """Where events begin and where they end, in millivolts of a cycle's RMS.

    Each ends at a value nearer to normal than the one at which it began, so that a voltage on the
    threshold is one event and not many (EN 61000-4-30, 5.4: hysteresis). The values as they stand
    are those of EN 50160 for 230 V: 90 %, 110 % and 5 %, with 2 % of hysteresis.

    Raises:
        ThresholdError: For values that are not in the order lost, sag, swell.
    """

    lost_below_mv: int = 11_500
    lost_until_mv: int = 16_100
    sag_below_mv: int = 207_000
    sag_until_mv: int = 211_600
    swell_until_mv: int = 248_400
    swell_above_mv: int = 253_000

    def __post_init__(self) -> None:
        falling = self.lost_below_mv, self.lost_until_mv, self.sag_below_mv, self.sag_until_mv
        rising = self.swell_until_mv, self.swell_above_mv
        if any(a > b for a, b in pairwise((0, *falling, *rising))):
            raise ThresholdError("thresholds rise from lost over sag to swell, none below zero")
        if self.sag_until_mv >= self.swell_until_mv:
            raise ThresholdError("the voltage has no normal range between these thresholds")

    def state_of(self, v_rms_mv: int, before: SupplyState) -> SupplyState:
        """The state after a cycle of `v_rms_mv`, given the one before it."""
        was_lost, was_sag = before is SupplyState.LOST, before is SupplyState.SAG
        if v_rms_mv < (self.lost_until_mv if was_lost else self.lost_below_mv):
            return SupplyState.LOST
        if v_rms_mv < (self.sag_until_mv if was_sag or was_lost else self.sag_below_mv):
            return SupplyState.SAG
        was_swell = before is SupplyState.SWELL
        if v_rms_mv > (self.swell_until_mv if was_swell else self.swell_above_mv):
            return SupplyState.SWELL
        return SupplyState.NORMAL


@dataclass(frozen=True, slots=True)
class SupplyEvent:
    """A stretch of voltage that was not normal.

    Attributes:
        state: What it was.
        at: UTC start of the first cycle of it.
        until: UTC start of the first cycle after it, None while it lasts. Where samples are missing
            it ends with the last that there were.
        extreme_mv: Lowest cycle RMS of a sag or loss, highest of a swell, so far; millivolts.
    """

    state: SupplyState
    at: datetime
    until: datetime | None
    extreme_mv: int


class _Window(NamedTuple):
    start_us: int
    end_us: int
    rms_mv: int


class SupplyWatch:
    """Follows the voltage cycle by cycle; tells of each event when it begins and when it is over.

    A sag that deepens ends where the loss begins, and a loss that recovers in part goes on as a
    sag. What is told does not depend on how the cycles were cut into blocks.

    Each cycle counts by its own RMS, from one rising crossing to the next. EN 61000-4-30 (5.4) has
    that of each half-cycle's end, Urms(1/2), of which one more lies across every crossing: a dip or
    loss that begins within a cycle is told by the cycles that it falls into, whose RMS is higher.

    What is UNLOCKED is no cycle, and its RMS not that of the voltage. Up to three in a row are
    where a dip begins or ends: they count by their own, and as lost where a loss is beside them.
    Where there are more, that of ten together counts, the first left out: from 35 Hz on it is at
    most a tenth below that of the voltage. Until it is known which of both they are, nothing is
    told.
    """

    def __init__(self, thresholds: SupplyThresholds | None = None) -> None:
        self.thresholds = thresholds or SupplyThresholds()
        self._state = SupplyState.NORMAL
        self._at_us = self._end_us = self._extreme_mv = 0
        self._stretch: list[_Window] = []

    @property
    def under_way(self) -> SupplyEvent | None:
        """The event that lasts, with its extreme so far."""
        return None if self._state is SupplyState.NORMAL else self._event(None)

    @property
    def awaits_more(self) -> bool:
        """Whether the next cycle matters though its voltage be normal."""
        return self._state is not SupplyState.NORMAL or bool(self._stretch)

    def feed(self, cycles: CycleQuantities) -> list[SupplyEvent]:
        """The events that these cycles begin (`until` is None) and end, in order of time."""
        told: list[SupplyEvent] = []
        v_rms_mv = np.rint(cycles.v_rms_v * 1000).astype(np.int64)
        is_unlocked = cycles.flags & kernels.UNLOCKED != 0
        for k in self._interesting(v_rms_mv, is_unlocked):
            window = _Window(int(cycles.start_us[k]), int(cycles.end_us[k]), int(v_rms_mv[k]))
            if window.start_us != self._end_us:
                self._end_stretch(None, told)
                self._change(SupplyState.NORMAL, self._end_us, told)
            if is_unlocked[k]:
                self._stretch_on(window, told)
            else:
                self._end_stretch(window.rms_mv, told)
                self._judge(window, window.rms_mv, told)
            self._end_us = window.end_us
        return told

    def _interesting(self, v_rms_mv: NDArray[np.int64], is_unlocked: NDArray[np.bool_]) -> range:
        """Which cycles to look at one by one: none but the last where all is normal."""
        limits = self.thresholds
        is_normal = (v_rms_mv >= limits.sag_below_mv) & (v_rms_mv <= limits.swell_above_mv)
        if not self.awaits_more and bool((is_normal & ~is_unlocked).all()):
            return range(v_rms_mv.size)[-1:]
        return range(v_rms_mv.size)

    def _judge(self, window: _Window, rms_mv: int, told: list[SupplyEvent]) -> None:
        state = self.thresholds.state_of(rms_mv, self._state)
        if state is not self._state:
            self._change(state, window.start_us, told, rms_mv)
        worse = max if state is SupplyState.SWELL else min
        self._extreme_mv = worse(self._extreme_mv, rms_mv)

    def _stretch_on(self, window: _Window, told: list[SupplyEvent]) -> None:
        """One more without a crossing."""
        waited = self._stretch
        self._stretch = [*waited[-_TOGETHER:], window]
        if len(waited) == _TOGETHER:
            self._judge_together(self._stretch, told)
        elif len(waited) > _TOGETHER:
            self._judge_together([window], told)

    def _judge_together(self, windows: list[_Window], told: list[SupplyEvent]) -> None:
        # The first one may be in part what came before.
        squares = [each.rms_mv**2 for each in self._stretch[1:]]
        rms_mv = math.isqrt(sum(squares) // len(squares))
        for each in windows:
            self._judge(each, rms_mv, told)

    def _end_stretch(self, after_mv: int | None, told: list[SupplyEvent]) -> None:
        """A cycle of this RMS follows, or (None) nothing: judge those that have waited."""
        if len(self._stretch) <= _EDGES_MAX:
            self._judge_edges(after_mv, told)
        elif len(self._stretch) <= _TOGETHER:
            self._judge_together(self._stretch, told)
        self._stretch = []

    def _judge_edges(self, after_mv: int | None, told: list[SupplyEvent]) -> None:
        for each in self._stretch:
            rms_mv = each.rms_mv
            if rms_mv < self.thresholds.sag_until_mv:
                if self._state is SupplyState.LOST:
                    rms_mv = self._extreme_mv
                elif after_mv is not None and after_mv < self.thresholds.lost_below_mv:
                    rms_mv = after_mv
            self._judge(each, rms_mv, told)

    def _change(
        self, state: SupplyState, at_us: int, told: list[SupplyEvent], rms_mv: int = 0
    ) -> None:
        if self._state is not SupplyState.NORMAL:
            told.append(self._event(at_us))
        self._state, self._at_us, self._extreme_mv = state, at_us, rms_mv
        if state is not SupplyState.NORMAL:
            told.append(self._event(None))

    def _event(self, until_us: int | None) -> SupplyEvent:
        until = None if until_us is None else _utc(until_us)
        return SupplyEvent(self._state, _utc(self._at_us), until, self._extreme_mv)


def _utc(us: int) -> datetime:
    return EPOCH + timedelta(microseconds=us)
