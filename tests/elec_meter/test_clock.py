from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.clock import (
    ADJUST_MAX_S,
    Clock,
    Dating,
    Stretch,
    Synchronisation,
    from_unix_us,
    unix_us,
)
from elec_meter.config import ClockConfig
from elec_meter.errors import ClockError, TimeRunsBackwardsError
from shared.errors import TimegridError
from shared.timegrid import LONDON, unix_s
from tests.naive.second_clock import SecondClock

NOW = datetime(2013, 1, 1, 12, tzinfo=UTC)
NOW_S = unix_s(NOW)
DAY_S = 86_400
HALF_HOUR_S = 1_800


def after(seconds: float) -> datetime:
    """An instant of the host's, seconds after power came."""
    return NOW + timedelta(seconds=seconds)


def powered(*, last_durable_s: int | None = None, **config: object) -> Clock:
    """A clock that got power at `NOW`."""
    clock = Clock(ClockConfig(**config), (), last_durable_s)  # type: ignore[arg-type]  # names of its fields
    clock.power_up(NOW, 1)
    return clock


def gained(clock: Clock, seconds: float) -> float:
    """By how much the clock is ahead of the host, so many seconds after power came."""
    read = clock.read(after(seconds))
    assert read is not None
    return (read - after(seconds)).total_seconds()


def test_time_is_unknown_before_power_up() -> None:
    """A clock without power has no epoch and is not valid."""
    clock = Clock()
    assert (False, 0) == (clock.valid, clock.epoch)


def test_power_up_begins_an_epoch() -> None:
    """Every power-up begins a later epoch, and from then on the time is known."""
    clock = Clock(last_durable_s=unix_s(NOW))
    clock.power_up(NOW, 7)
    assert (True, 7) == (clock.valid, clock.epoch)
    with pytest.raises(ValueError, match="does not follow"):
        clock.power_up(NOW, 7)


def test_clock_refuses_to_run_backwards() -> None:
    """A cold start before the last known instant leaves the time unknown."""
    clock = Clock(last_durable_s=unix_s(NOW))
    with pytest.raises(TimeRunsBackwardsError, match="2013-01-01 12:00:00 UTC"):
        clock.power_up(NOW - timedelta(seconds=1), 1)
    assert not clock.valid


def test_time_is_read_in_utc() -> None:
    """Whatever zone the host speaks, the meter's time is UTC; a naive time is refused."""
    clock = powered()
    assert NOW == clock.read(NOW.astimezone(LONDON))
    assert UTC is clock.read(NOW.astimezone(LONDON)).tzinfo
    with pytest.raises(TimegridError):
        clock.read(NOW.replace(tzinfo=None))


@pytest.mark.parametrize("ppm", [0, 20, -500])
def test_a_crystal_gains_what_its_drift_says(ppm: int) -> None:
    """20 parts in a million are 1.728 s a day."""
    assert ppm * DAY_S / 1e6 == pytest.approx(gained(powered(drift_ppm=Decimal(ppm)), DAY_S))


def test_a_crystal_that_is_not_warm_loses() -> None:
    """0.035 ppm for each squared degree from 25: at 5 degrees 14 ppm, and at 25 again nothing."""
    clock = powered(temperature_ppm=Decimal("0.035"))
    clock.warm(Decimal(5), NOW)
    assert -14 * DAY_S / 1e6 == pytest.approx(gained(clock, DAY_S))
    clock.warm(Decimal(25), after(DAY_S))
    assert gained(clock, DAY_S) == gained(clock, 3 * DAY_S)


def test_warming_leaves_an_adjustment_as_it_is() -> None:
    """What is outstanding is worked off at any temperature."""
    clock = powered(temperature_ppm=Decimal("0.035"))
    clock.adjust(5, NOW)
    clock.warm(Decimal(25), after(720))
    assert 5.0 == gained(clock, 4 * HALF_HOUR_S)


@pytest.mark.parametrize("by_s", [-450, -1, 1, 7, 450])
def test_an_adjustment_takes_360_seconds_for_each(by_s: int) -> None:
    """At most 5 s in a half-hour: not faster, not slower, and then no further."""
    clock = powered()
    clock.adjust(by_s, NOW)
    whole_s = abs(by_s) * 360
    sign = 1 if by_s > 0 else -1
    assert sign * min(5, abs(by_s)) == pytest.approx(gained(clock, min(HALF_HOUR_S, whole_s)))
    assert by_s != gained(clock, whole_s - 1)
    assert [by_s, by_s] == [gained(clock, whole_s), gained(clock, whole_s + DAY_S)]


def test_an_adjustment_replaces_the_one_before() -> None:
    """What is left of the first is forgotten, what it has done stays, and 0 ends one."""
    clock = powered()
    clock.adjust(450, NOW)
    assert 445 == clock.outstanding_s(after(HALF_HOUR_S))
    clock.adjust(-2, after(HALF_HOUR_S))
    assert -2 == clock.outstanding_s(after(HALF_HOUR_S))
    assert 3.0 == gained(clock, 2 * HALF_HOUR_S)
    clock.adjust(100, after(2 * HALF_HOUR_S))
    clock.adjust(0, after(3 * HALF_HOUR_S))
    assert (8.0, 0) == (gained(clock, DAY_S), clock.outstanding_s(after(DAY_S)))


@pytest.mark.parametrize("by_s", [ADJUST_MAX_S + 1, -ADJUST_MAX_S - 1])
def test_more_than_seven_and_a_half_minutes_are_no_adjustment(by_s: int) -> None:
    """They are refused, and nothing changes."""
    clock = powered()
    with pytest.raises(ClockError, match="at most 450 s"):
        clock.adjust(by_s, NOW)
    assert 0.0 == gained(clock, DAY_S)


@pytest.mark.parametrize("jump_s", [-40 * DAY_S, -1, 0, 1, 3_000 * DAY_S])
def test_setting_is_at_once_and_ends_an_adjustment(jump_s: int) -> None:
    """The instant itself has the new time already."""
    clock = powered()
    clock.adjust(450, NOW)
    clock.set(after(600 + jump_s), after(600))
    assert [jump_s, jump_s] == [gained(clock, 600), gained(clock, 600 + DAY_S)]
    assert 0 == clock.outstanding_s(after(600))
    assert 1.6667 == pytest.approx(gained(clock, 599.999999), abs=1e-4)


@pytest.mark.parametrize(
    ("away_s", "may_set", "expected", "left_s"),
    [
        (10, False, Synchronisation.ADJUSTED, 10),
        (-10, True, Synchronisation.ADJUSTED, -10),
        (0.4, False, Synchronisation.ADJUSTED, 0),
        (10.000001, False, Synchronisation.REFUSED, 0),
        (-11, False, Synchronisation.REFUSED, 0),
        (11, True, Synchronisation.SET, 0),
    ],
)
def test_ten_seconds_are_adjusted_and_more_is_for_who_may_set(
    away_s: float, may_set: bool, expected: Synchronisation, left_s: int
) -> None:
    """The limit itself is still an adjustment."""
    clock = powered()
    assert expected is clock.synchronise(after(60 + away_s), after(60), may_set=may_set)
    assert left_s == clock.outstanding_s(after(60))
    assert (away_s if expected is Synchronisation.SET else 0.0) == gained(clock, 60)


@pytest.mark.parametrize("ppm", [-60, 17, 90])
def test_a_crystal_is_disciplined_by_successive_differences(ppm: int) -> None:
    """With a right time every third day, what the crystal is wrong by becomes little."""
    clock, differences = powered(drift_ppm=Decimal(ppm), sync_limit_s=60), []
    for day in range(3, 60, 3):
        now = after(day * DAY_S)
        differences.append(abs(gained(clock, day * DAY_S)))
        assert Synchronisation.ADJUSTED is clock.synchronise(now, now, may_set=False)
    assert differences[0] == pytest.approx(abs(ppm) * 3 * DAY_S / 1e6)
    assert max(differences[8:]) < 1.5


def test_a_difference_of_less_than_a_day_says_nothing_of_the_crystal() -> None:
    """The difference is adjusted, and the clock runs as it ran."""
    clock = powered()
    clock.synchronise(after(3_605), after(3_600), may_set=False)
    assert 5.0 == gained(clock, 30 * DAY_S)


def test_a_lost_time_is_unknown_until_it_is_set() -> None:
    """It cannot be read, adjusted or met; the setting dates the spell."""
    clock = powered()
    clock.lose(after(100))
    clock.tell(after(100))
    assert (None, None, False) == (clock.read(after(200)), clock.read_s(after(200)), clock.valid)
    assert clock.known_s(NOW_S + 99) is not None
    assert clock.next_host(NOW_S + 500, after(200)) is None
    with pytest.raises(ClockError, match="only set"):
        clock.adjust(1, after(200))
    assert Synchronisation.REFUSED is clock.synchronise(after(200), after(200), may_set=False)
    clock.set(after(5_000), after(1_000))
    assert (None, after(5_000)) == (clock.read(after(999)), clock.read(after(1_000)))
    assert NOW_S + 4_999 == clock.last_s(NOW_S + 999)
    datings = [each.dating for each in clock.stretches]
    assert [Dating.KNOWN, Dating.DATED_LATER, Dating.KNOWN] == datings


@pytest.mark.parametrize(("off_s", "is_known"), [(3_600, True), (3_601, False), (9e7, False)])
def test_a_cold_start_after_the_backup_knows_no_time(off_s: float, is_known: bool) -> None:
    """Until its backup gives out a clock runs on, drift and adjustment and all."""
    before = powered(backup_h=1, drift_ppm=Decimal(20))
    before.adjust(3, NOW)
    clock = Clock(ClockConfig(backup_h=1), before.stretches, NOW_S)
    clock.power_up(after(off_s), 2)
    assert is_known is clock.valid
    expected = before.read(after(off_s)) if is_known else None
    assert expected == clock.read(after(off_s))


def test_a_setting_within_the_last_durable_second_outlives_the_backup() -> None:
    """The backup gives out after everything that is known to have happened."""
    before = powered(backup_h=1)
    before.set(after(-5_000), after(0.4))
    clock = Clock(ClockConfig(backup_h=1), before.stretches, NOW_S)
    clock.power_up(after(9_000), 2)
    assert NOW_S - 5_000 == clock.last_s(NOW_S)
    assert [0, 400_000, 999_999] == [each.from_us % 1_000_000 for each in clock.stretches]


def test_runs_on_until_the_time_is_set_or_lost() -> None:
    """An adjustment is no seam; a setting is, and so is a spell."""
    clock = powered(drift_ppm=Decimal(33))
    clock.adjust(-4, after(50))
    clock.tell(after(10_000))
    assert clock.runs_on(unix_us(NOW))
    clock.set(after(10_001), after(10_000))
    assert [False, True] == [clock.runs_on(unix_us(after(each))) for each in (9_999.9, 10_000)]
    clock.lose(after(10_500))
    clock.tell(after(10_600))
    assert [False] * 2 == [clock.runs_on(unix_us(after(each))) for each in (10_100, 10_550)]


def test_next_host_is_when_the_meter_will_say_so() -> None:
    """Through the end of an adjustment; what has passed is now."""
    clock = powered()
    clock.adjust(5, NOW)
    assert after(HALF_HOUR_S) == clock.next_host(NOW_S + HALF_HOUR_S + 5, NOW)
    assert after(7_195) == clock.next_host(NOW_S + 7_200, NOW)
    assert after(20) == clock.next_host(NOW_S, after(20))


def test_host_us_is_the_last_time_that_the_meter_said_so() -> None:
    """Of a skipped instant it is the setting, of a repeated one the last pass."""
    clock = powered()
    clock.set(after(5_000), after(1_000))
    clock.set(after(500), after(2_000))
    found = [clock.host_us(NOW_S + each) for each in (400, 600, 3_000, 5_500)]
    assert [after(400), after(2_100), after(4_500), after(7_000)] == [*map(from_unix_us, found)]
    ahead = powered()
    ahead.set(after(5_000), after(1_000))
    found = [ahead.host_us(NOW_S + each) for each in (999, 1_000, 3_000, 5_000, 5_001)]
    assert [999, 1_000, 1_000, 1_000, 1_001] == [
        round((from_unix_us(each) - NOW).total_seconds()) for each in found
    ]


def test_pieces_are_cut_at_every_seam() -> None:
    """They follow each other without a hole, before the first power-up too."""
    clock = powered()
    clock.adjust(1, after(10))
    clock.set(after(0), after(100))
    cut = list(clock.pieces(unix_us(after(-5)), unix_us(after(400))))
    edges = [(each.from_us - unix_us(NOW)) // 1_000_000 for each in cut]
    assert [-5, 0, 10, 100] == edges
    assert all(a.to_us == b.from_us for a, b in pairwise(cut))
    assert [] == list(clock.pieces(5, 5))


gains = st.integers(-25_000_000_000, 25_000_000_000)
instants_us = st.integers(-(10**16), 10**16)


@given(instants_us, instants_us, gains, st.integers(-(10**14), 10**14))
def test_host_at_is_the_first_instant_of_a_meter_time(
    from_us: int, meter_us: int, gain: int, ahead_us: int
) -> None:
    """`meter_at` reaches a time at `host_at`, and not a microsecond before."""
    stretch = Stretch(from_us, meter_us, gain)
    host_us = stretch.host_at(meter_us + ahead_us)
    assert stretch.meter_at(host_us) >= meter_us + ahead_us > stretch.meter_at(host_us - 1)


deeds = st.lists(
    st.tuples(
        st.integers(1, 4_000),
        st.sampled_from(["adjust", "adjust", "set", "nothing"]),
        st.integers(-20, 20),
    ),
    min_size=1,
    max_size=6,
)


@given(st.integers(-300, 300), deeds)
def test_clock_equals_one_that_lives_every_second(
    ppm: int, done: list[tuple[int, str, int]]
) -> None:
    """Drift, adjustments that replace each other and settings: the same time, and never back."""
    clock, slow = powered(drift_ppm=Decimal(ppm)), SecondClock(NOW_S, Fraction(ppm))
    now_s, set_s = 0, []
    for seconds, deed, by_s in [*done, (4_000, "nothing", 0)]:
        slow.live(seconds)
        now_s += seconds
        if deed == "adjust":
            clock.adjust(by_s, after(now_s))
            slow.left = Fraction(by_s)
        elif deed == "set":
            new_s = NOW_S + now_s + by_s * 500
            clock.set(from_unix_us(new_s * 1_000_000), after(now_s))
            slow.set(new_s)
            set_s.append(now_s)
    read_us = [unix_us(clock.read(after(second))) for second in range(0, now_s + 1, 7)]
    assert [float(each * 1_000_000) for each in slow.times[::7]] == pytest.approx(
        read_us, rel=0, abs=20
    )
    seams = {each // 7 + 1 for each in set_s} | {-(-each // 7) for each in set_s}
    falls = [n for n, (a, b) in enumerate(pairwise(read_us), 1) if b < a and n not in seams]
    assert [] == falls
