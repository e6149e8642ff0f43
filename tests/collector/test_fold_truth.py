"""What the fold calls measured is true, of any clock within what a unit is declared to have."""

from __future__ import annotations

from itertools import accumulate
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from collector.bracket import PulseStatus
from collector.entries import HORIZON_S, LOG_HORIZON_S, Pairing, TelegramKey
from collector.halfhours import fold
from collector.timeline import RATE_SPREAD_PPM
from pulse_unit.pace import Pace
from tests.collector.world import START_S, PaperJournal, PaperUnit

_START_MS = START_S * 1000
_STRETCH_MS = 6 * 3_600_000
_TOLERANCE_MS = 10_000
_PULSES_MAX = 1000
_UNMEASURED = PulseStatus.INTERPOLATED | PulseStatus.PENDING | PulseStatus.DOUBTFUL_CLOCK


class WanderingUnit(PaperUnit):
    """A unit whose clock's rate changes every few hours.

    Args:
        rates_ppm: what its clock gains, stretch by stretch, over and over.
        is_learning: whether it keeps its grid at the half-hours by itself.
    """

    def __init__(self, rates_ppm: list[int], *, is_learning: bool) -> None:
        super().__init__([], boot_ms=_START_MS - 50 * _STRETCH_MS // 36)
        self._rates_ppm = rates_ppm
        self._origin_ms = self.boot_ms
        self._is_learning = is_learning
        self._pace = Pace()

    def uptime_ms(self, utc_ms: int) -> int:
        """See `PaperUnit`."""
        gained_us = self._gained_us(utc_ms) - self._gained_us(self.boot_ms)
        return utc_ms - self.boot_ms + gained_us // 1000

    def utc_ms(self, uptime_ms: int) -> int:
        """See `PaperUnit`."""
        utc_ms = self.boot_ms + uptime_ms
        utc_ms -= self.uptime_ms(utc_ms) - uptime_ms
        while self.uptime_ms(utc_ms) < uptime_ms:
            utc_ms += 1
        while self.uptime_ms(utc_ms - 1) >= uptime_ms:
            utc_ms -= 1
        return utc_ms

    def reboot(self, utc_ms: int) -> None:
        """See `PaperUnit`."""
        super().reboot(utc_ms)
        self._pace = Pace()

    def set_phase(self, utc_ms: int, since_boundary_ms: int) -> None:
        """See `PaperUnit`."""
        super().set_phase(utc_ms, since_boundary_ms)
        if self._is_learning:
            self._pace.told(self.uptime_ms(utc_ms) - since_boundary_ms)

    def _run(self, utc_ms: int) -> None:
        while self.next_grid_s * 1000 <= self.uptime_ms(utc_ms):
            super()._run(self.utc_ms(self.next_grid_s * 1000))
            self.next_grid_s = self._pace.tick_s(self.next_grid_s)

    def _gained_us(self, utc_ms: int) -> int:
        stretches, part_ms = divmod(utc_ms - self._origin_ms, _STRETCH_MS)
        rounds, place = divmod(stretches, len(self._rates_ppm))
        whole_ppm = rounds * sum(self._rates_ppm) + sum(self._rates_ppm[:place])
        return (whole_ppm * _STRETCH_MS + self._rates_ppm[place] * part_ms) // 1000


class HonestLife:
    """A unit, and all that is received from it in time.

    Args:
        rates_ppm: as for `WanderingUnit`.
        random: of delays, and how much of a history finds room.
        is_learning: as for `WanderingUnit`.
    """

    def __init__(self, rates_ppm: list[int], random: Random, *, is_learning: bool = False) -> None:
        self.unit = WanderingUnit(rates_ppm, is_learning=is_learning)
        self.journal = PaperJournal()
        self.now_ms = _START_MS
        self._random = random

    def happen(self, happening: str, gap_s: int, period_s: int) -> None:
        """Let gas flow for a while, with a pulse every so many seconds, and then something be."""
        first_ms = self.now_ms + self._random.randint(0, 20_000)
        span_ms = gap_s * 1000
        if period_s:
            self.unit.pulses_ms += range(first_ms, self.now_ms + span_ms, period_s * 1000)
        self.now_ms += max(span_ms, 20_000)
        if happening == "reboot":
            self.unit.reboot(self.now_ms)
        elif happening == "power up":
            self.journal.epoch += 1
        elif happening == "tell":
            self.receive(5)
        elif happening in ("phase", "contact"):
            self.receive(1)
            if happening == "contact":
                self.read_log()
            told_ms = self.now_ms - self._random.randint(0, 1000)
            self.unit.set_phase(self.now_ms, told_ms % 1_800_000)

    def read_log(self) -> None:
        """Read all of the unit's log, a second from now."""
        self.journal.read_log(self.unit.log(self.now_ms), self.now_ms + 1000)

    def receive(self, delay_max_s: int) -> None:
        """Let a telegram be heard now that may have taken so long."""
        telegram = self.unit.telegram(self.now_ms, history=self._random.choice([96, 8]))
        key = TelegramKey(self.unit.boot, self.unit.counter)
        flight_ms = self._random.randint(0, delay_max_s * 1000)
        self.journal.receive(key, telegram, self.now_ms + flight_ms, delay_max_s)


_ABOVE_PPM = st.tuples(
    st.sampled_from([0, RATE_SPREAD_PPM // 2, RATE_SPREAD_PPM]), st.sampled_from([1, 4, 10, 20])
)
_RATES_PPM = st.tuples(
    st.integers(-100, 100 - RATE_SPREAD_PPM), st.lists(_ABOVE_PPM, min_size=1, max_size=6)
)
_GAPS_S = st.sampled_from([900, 1790, 7200, 86_400, 86_400, 200_000, 432_000])
_HAPPENINGS = st.sampled_from(
    ["tell"] * 4 + ["phase", "phase", "contact", "contact", "contact", "reboot", "power up"]
)


@pytest.mark.parametrize("examples", [8, pytest.param(400, marks=pytest.mark.slow)])
def test_what_is_called_measured_is_true(examples: int) -> None:
    """No boundary that is called measured is off by more than the pulses of 10 s."""

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        _RATES_PPM,
        st.lists(st.tuples(_HAPPENINGS, _GAPS_S, st.sampled_from([0, 15, 40])), max_size=14),
        st.sampled_from([HORIZON_S, LOG_HORIZON_S]),
        st.booleans(),
        st.randoms(),
    )
    def demand(
        rates: tuple[int, list[tuple[int, int]]],
        happenings: list[tuple[str, int, int]],
        horizon_s: int,
        is_learning: bool,
        random: Random,
    ) -> None:
        least_ppm, above_ppm = rates
        stretches = ((least_ppm + above, count) for above, count in above_ppm)
        rates_ppm = [ppm for ppm, count in stretches for _ in range(count)]
        life = HonestLife(rates_ppm, random, is_learning=is_learning)
        life.happen("contact", 0, 0)
        for happening in happenings:
            life.happen(*happening)
        life.happen("contact", 900, 40)
        _check(life, horizon_s)

    demand()


@pytest.mark.parametrize("examples", [12, pytest.param(300, marks=pytest.mark.slow)])
def test_silence_of_the_worst_clock_is_measured_truly(examples: int) -> None:
    """A clock that is slow half of a silence and fast the other is not trusted by a second more."""

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from([-20, -20, -100, 60, 7]),
        st.sampled_from([(0, RATE_SPREAD_PPM), (RATE_SPREAD_PPM, 0)]),
        st.integers(2, 7),
        st.integers(-10, 10),
        st.randoms(),
    )
    @example(-20, (0, RATE_SPREAD_PPM), 7, -5, Random(0))
    @example(-20, (RATE_SPREAD_PPM, 0), 7, 5, Random(0))
    def demand(
        least_ppm: int, above_ppm: tuple[int, int], days: int, off_s: int, random: Random
    ) -> None:
        rates_ppm = [least_ppm + above for above in above_ppm for _ in range(2 * days)]
        life = HonestLife(rates_ppm, random)
        life.unit.set_phase(life.now_ms, off_s * 1000 % 1_800_000)
        life.receive(0)
        life.happen("pass", days * 86_400, 1)
        life.receive(0)
        life.read_log()
        _check(life, LOG_HORIZON_S)

    demand()


def _check(life: HonestLife, horizon_s: int) -> None:
    pairing = Pairing(_START_MS, 0, _PULSES_MAX, horizon_s)
    now_ms = life.journal.entries[-1].stamp.received_ms
    half_hours = fold(life.journal.entries, pairing, now_ms)
    counted = accumulate(row.pulses or 0 for row in half_hours)
    for row, count in zip(half_hours, counted, strict=True):
        if not row.status & _UNMEASURED:
            end_ms = (row.start_s + 1800) * 1000
            assert life.unit.turned(end_ms - _TOLERANCE_MS) <= count
            assert count <= life.unit.turned(end_ms + _TOLERANCE_MS)
