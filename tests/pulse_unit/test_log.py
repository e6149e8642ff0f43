from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_unit.entries import Entries
from pulse_unit.hal.memory import MemoryNvm
from pulse_unit.history import CountHistory
from pulse_unit.log import TOLERANCE_S, PulseLog
from shared.wire.grid import HALF_HOUR_MS


class World:
    """A log, the pulses that it is told of, and every tick that it logged."""

    def __init__(self, pulses_ms: list[int], slots: int = 96) -> None:
        self.pulses_ms = pulses_ms
        self.history = CountHistory(MemoryNvm(4, 1024), 0, 4)
        self.log = PulseLog(self.history, slots)
        self.log.begin(1, 0)
        self.ticks_s = [0]

    def count(self, at_ms: int) -> int:
        """Pulses up to and including an instant."""
        return bisect_right(self.pulses_ms, at_ms)

    def run(self, until_ms: int) -> None:
        """Log every tick up to an instant."""
        while self.log.next_ms <= until_ms:
            self.ticks_s.append(self.log.next_ms // 1000)
            self.log.tick(self.count(self.log.next_ms))

    def phase(self, at_ms: int, since_boundary_ms: int) -> None:
        """Bring a phase command at an instant."""
        self.run(at_ms)
        self.log.rephase(since_boundary_ms, at_ms)

    def check(self) -> None:
        """Whatever the log tells is true of the pulses."""
        log = self.log
        assert self.ticks_s[-1] == log.grid_tick_s
        assert self.count(log.grid_tick_s * 1000) == log.grid_count
        told = accumulate(log.recent(), initial=0)
        for age, counted in enumerate(told):
            tick_s = self.ticks_s[-1 - age]
            assert self.count(tick_s * 1000) == log.grid_count - counted
            assert abs(log.grid_tick_s - 1800 * age - tick_s) <= TOLERANCE_S
        assert [(1, tick_s, self.count(tick_s * 1000)) for tick_s in self.ticks_s] == list(
            Entries(self.history)
        )


def test_boot_is_the_first_entry() -> None:
    """A boot logs its own tick, and the grid runs from there until somebody phases it."""
    world = World([1_000, 1_799_999, 1_800_000, 1_800_001])
    assert (0, 0, ()) == (world.log.grid_tick_s, world.log.grid_count, world.log.recent())
    world.run(3_600_000)
    assert (3600, 4, (1, 3)) == (
        world.log.grid_tick_s,
        world.log.grid_count,
        world.log.recent(),
    )
    world.check()


def test_phase_moves_the_grid_to_the_boundaries() -> None:
    """From the next boundary on ticks lie on UTC half-hours, to the second."""
    world = World([])
    world.phase(100_400, 600_000)  # the boundary was at -499.6 s, the next is at 1300.4 s
    world.run(5_000_000)
    assert [0, 1300, 3100, 4900] == world.ticks_s
    world.check()


def test_late_grid_logs_the_boundary_that_a_phase_would_skip() -> None:
    """Between a boundary and its late tick, a phase logs the boundary at once."""
    world = World([3_601_000, 3_602_000, 3_603_000])
    world.phase(10_000, 14_000)  # the grid runs at 1796, 3596 ... from now on
    world.run(2_000_000)
    world.phase(3_594_300, 1_300)  # a boundary was 1.3 s ago, its tick is due in 1.7 s
    world.run(7_000_000)
    assert [0, 1796, 3595, 5393] == world.ticks_s
    assert (0, 3) == world.log.recent()[:2][::-1]
    world.check()


def test_early_grid_does_not_log_a_boundary_again() -> None:
    """Between an early tick and its boundary, a phase goes on to the next boundary."""
    world = World([])
    world.phase(1_803_000, HALF_HOUR_MS - 4_000)  # logged at 1800, the boundary is at 1807
    world.run(6_000_000)
    assert [0, 1800, 3607, 5407] == world.ticks_s
    assert 3 == len(world.log.recent())
    world.check()


def test_history_stops_where_the_phase_moved() -> None:
    """What lies before a move of more than ten seconds is not told, in sum over several moves."""
    world = World([])
    world.run(2 * HALF_HOUR_MS)
    world.phase(3_601_000, HALF_HOUR_MS - 988_000)  # boundary in 988 s
    world.run(10_000_000)
    assert [0, 1800, 3600, 4589, 6389, 8189, 9989] == world.ticks_s
    assert 3 == len(world.log.recent())
    for at_s in (10_000, 12_000, 14_000):  # three times four seconds
        world.phase(at_s * 1000, ((at_s - 9989) * 1000 + 4_000) % HALF_HOUR_MS)
        world.run(at_s * 1000 + 1_800_000)
    world.check()


def test_history_stops_at_an_overflow_and_keeps_so_many() -> None:
    """An interval with more than 16 bits of pulses ends the profile; so does its length."""
    world = World([1_800_500] * 65_535 + [3_700_000], slots=4)
    world.run(3 * HALF_HOUR_MS)
    assert (1,) == world.log.recent()
    world.run(9 * HALF_HOUR_MS)
    assert (0, 0, 0, 0) == world.log.recent()
    assert 65_536 == list(Entries(world.history))[-1][2]


@settings(max_examples=100)
@given(
    drift_ppm=st.integers(-100, 100),
    contacts=st.lists(st.tuples(st.integers(1, 40_000_000), st.integers(-2500, 2500)), max_size=5),
    pulses=st.lists(st.integers(1, 200_000_000), max_size=40),
)
def test_phased_grid_logs_every_boundary(
    drift_ppm: int, contacts: list[tuple[int, int]], pulses: list[int]
) -> None:
    """Once phased, each UTC half-hour has an entry near it, whenever a phase is commanded."""
    world = World(sorted(pulses))
    now_ms, boundary_ms = 1_000, 777_777  # uptime of a UTC boundary
    half_hour_ms = HALF_HOUR_MS + HALF_HOUR_MS * drift_ppm // 1_000_000
    world.phase(now_ms, (now_ms - boundary_ms) % HALF_HOUR_MS)
    for pause_ms, error_ms in contacts:  # 4 s of drift at most, and the commands' own errors
        now_ms += pause_ms
        since_ms = (now_ms - boundary_ms) % half_hour_ms * HALF_HOUR_MS // half_hour_ms
        world.phase(now_ms, (since_ms + error_ms) % HALF_HOUR_MS)
    world.run(now_ms + 2 * HALF_HOUR_MS)
    world.check()
    for boundary in range(boundary_ms, now_ms + HALF_HOUR_MS, half_hour_ms):
        place = bisect_right(world.ticks_s, boundary // 1000)
        near_s = world.ticks_s[max(0, place - 1) : place + 1]
        assert min(abs(tick_s * 1000 - boundary) for tick_s in near_s) <= TOLERANCE_S * 1000


@pytest.mark.parametrize("since_boundary_ms", [0, 1, 499, 500, 1_799_499, 1_799_500, 1_799_999])
@pytest.mark.parametrize("now_ms", [5_000, 5_001, 5_999, 1_799_999, 1_800_000, 1_800_400])
def test_phase_never_leaves_a_tick_in_the_past(now_ms: int, since_boundary_ms: int) -> None:
    """Whatever the phase, the next tick is due now or later and one follows each half-hour."""
    world = World([])
    world.phase(now_ms, since_boundary_ms)
    assert now_ms <= world.log.next_ms <= now_ms + HALF_HOUR_MS + 11_000
    world.run(now_ms + 4 * HALF_HOUR_MS)
    ahead_s = [tick_s for tick_s in world.ticks_s if tick_s * 1000 > now_ms + HALF_HOUR_MS]
    for tick_s in ahead_s:
        off_ms = (tick_s * 1000 - now_ms + since_boundary_ms) % HALF_HOUR_MS
        assert min(off_ms, HALF_HOUR_MS - off_ms) <= 999


def test_last_pulses_are_remembered() -> None:
    """The last sixteen of this boot are told, newest first; the first is the last pulse."""
    log = World([]).log
    assert (-1, ()) == (log.last_pulse_s, log.recent_pulses())
    for number in range(1, 21):
        log.pulse(number * 6_500)
        kept = range(number, max(0, number - 16), -1)
        assert tuple(each * 6_500 // 1000 for each in kept) == log.recent_pulses()
        assert number * 6_500 // 1000 == log.last_pulse_s


def _phased_daily(world: World, gained_ppm: int, days: int) -> int:
    """Tell it the phase every 24 hours by its own clock; return the uptime at the last, in ms."""
    at_ms = 0
    for day in range(days):
        at_ms = day * 48 * HALF_HOUR_MS + 600_000
        world.phase(at_ms, (at_ms - at_ms * gained_ppm // 1_000_000) % HALF_HOUR_MS)
    return at_ms


@pytest.mark.parametrize("gained_ppm", [50, -50, 100, 3, 0])
def test_grid_of_a_silence_stays_at_the_half_hours(gained_ppm: int) -> None:
    """For ten days after a phase ticks are within a second of where two days' phases put them."""
    world = World([])
    last_ms = _phased_daily(world, gained_ppm, 3)
    world.run(last_ms + 480 * HALF_HOUR_MS)
    silent_s = [tick_s for tick_s in world.ticks_s if tick_s * 1000 > last_ms + 48 * HALF_HOUR_MS]
    assert 420 < len(silent_s)
    for tick_s in silent_s:
        utc_ms = tick_s * 1000 - tick_s * gained_ppm // 1000
        assert abs((utc_ms + 900_000) % HALF_HOUR_MS - 900_000) <= 1000
    world.check()


def test_grid_that_is_phased_daily_is_left_alone() -> None:
    """Until a day has passed without a phase, a tick follows after 1800 s."""
    world = World([])
    last_ms = _phased_daily(world, 50, 3)
    logged = len(world.ticks_s)
    world.run(last_ms + 47 * HALF_HOUR_MS)
    after_s = world.ticks_s[logged:]
    assert {1800} == {later - tick_s for tick_s, later in pairwise(after_s)}


def test_grid_goes_its_own_way_after_ten_days_and_with_a_clock_that_was_set() -> None:
    """Neither an old rate nor one that no crystal has moves the grid."""
    world = World([])
    last_ms = _phased_daily(world, 50, 3)
    world.run(last_ms + 900 * HALF_HOUR_MS)
    late_s = world.ticks_s[-400:]
    assert {1800} == {later - tick_s for tick_s, later in pairwise(late_s)}
    world = World([])
    last_ms = _phased_daily(world, 50, 3)
    world.phase(last_ms + 60_000, 100_000)
    logged = len(world.ticks_s) + 2
    world.run(last_ms + 400 * HALF_HOUR_MS)
    after_s = world.ticks_s[logged:]
    assert {1800} == {later - tick_s for tick_s, later in pairwise(after_s)}
