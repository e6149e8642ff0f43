from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.ledger.profile import Profile
from elec_meter.ledger.state import EnergyRow, Era, PaddingRun, RowStatus

HALF_HOUR_S, HOUR_S, DAY_S = 1_800, 3_600, 86_400
BASE_S = 1_357_041_600
ADJUSTED, LATE = int(RowStatus.CLOCK_ADJUSTED), int(RowStatus.FINAL_LATE)
INVALID = int(RowStatus.DATA_NOT_VALID)


def at(half_hours: float) -> int:
    """UNIX seconds, so many half-hours after the beginning."""
    return BASE_S + round(half_hours * HALF_HOUR_S)


def begun(*, depth_days: int = 731, period_s: int = HALF_HOUR_S) -> Profile:
    """A profile of one column whose first row has been opened."""
    profile = Profile(1, depth_days)
    profile.change_period(BASE_S, period_s)
    profile.begin(BASE_S)
    return profile


def starts(profile: Profile) -> list[float]:
    """Where the measured rows begin, in half-hours."""
    return [(row.start_s - BASE_S) / HALF_HOUR_S for row in profile.measured()]


def runs(profile: Profile) -> list[tuple[float, float]]:
    """Where padding begins and ends, in half-hours."""
    return [
        ((run.start_s - BASE_S) / HALF_HOUR_S, (run.end_s - BASE_S) / HALF_HOUR_S)
        for run in profile.runs
    ]


def test_turning_back_removes_padding_after_the_new_time() -> None:
    """A run is cut at the open row, later ones go, and what was measured stays."""
    profile = begun()
    profile.pad(at(1.5), at(9.5), edges=0, between=INVALID)
    profile.pad(at(9.6), at(20.5), edges=0, between=INVALID)
    profile.turn_back(at(4.2))
    assert [(2, 4)] == runs(profile)
    assert [0, 1, 4, 9, 20] == starts(profile)
    assert (at(4), at(5), at(21)) == (profile.open_s, profile.next_s, profile.reached_s)


def test_a_row_that_is_entered_again_is_the_same_row() -> None:
    """What is measured in it now is added, and it is marked as adjusted, once for each pass."""
    profile = begun()
    profile.add(0, 5, at(1))
    profile.open_through(at(3))
    profile.turn_back(at(1.5))
    profile.add(0, 7, at(1.5))
    profile.open_through(at(2))
    assert [EnergyRow(at(1), (12,), ADJUSTED, 1), EnergyRow(at(2), (0,), ADJUSTED, 1)] == list(
        profile.between(at(1), at(3))
    )


def test_turning_back_within_the_open_row_changes_nothing() -> None:
    """Nothing was closed in between."""
    profile = begun()
    profile.open_through(at(3.9))
    profile.turn_back(at(3.1))
    assert ([0, 1, 2, 3], at(3)) == (starts(profile), profile.open_s)
    assert [0] * 4 == [row.status for row in profile.measured()]


def test_turning_back_before_the_first_row() -> None:
    """Rows begin where the clock is; between them and the first there is nothing."""
    profile = begun()
    profile.add(0, 3, at(0))
    profile.open_through(at(1))
    profile.turn_back(at(-10))
    profile.open_through(at(-8))
    assert [-10, -9, -8, 0, 1] == starts(profile)
    assert at(-10) == profile.first_s
    profile.pad(at(-7.5), at(0.5), edges=0, between=INVALID)
    assert [(-7, 0)] == runs(profile)
    assert at(0) == profile.open_s


def test_padding_goes_around_rows_that_are_there() -> None:
    """Rows ahead stay as they are but for a mark, and the holes between them are runs."""
    profile = begun()
    profile.add(0, 9, at(4))
    profile.add(0, 9, at(7))
    profile.pad(at(0.5), at(9.5), edges=ADJUSTED, between=INVALID)
    assert [(1, 4), (5, 7), (8, 9)] == runs(profile)
    assert [ADJUSTED, INVALID, INVALID, ADJUSTED] == [row.status for row in profile.measured()]
    assert [at(n) for n in range(10)] == [row.start_s for row in profile.between(0, at(99))]


@pytest.mark.parametrize(
    ("late_at", "left"), [(1, [(2, 9)]), (8, [(1, 8)]), (4.9, [(1, 4), (5, 9)])]
)
def test_late_energy_is_cut_out_of_a_run(late_at: float, left: list[tuple[int, int]]) -> None:
    """Its row keeps the run's status and is marked as amended."""
    profile = begun()
    profile.pad(at(0.5), at(9.5), edges=0, between=INVALID)
    assert profile.add(0, 5, at(late_at), late=True)
    assert left == runs(profile)
    (row,) = (each for each in profile.measured() if each.deltas == (5,))
    assert (INVALID | LATE, 1) == (row.status, row.revision)


def test_only_measured_time_leaves_by_depth() -> None:
    """A year of padding pushes nothing out; the 50th half-hour of a day's depth does."""
    profile = begun(depth_days=1)
    profile.add(0, 1, at(0))
    profile.pad(at(0.5), at(17_520.5), edges=0, between=INVALID)
    profile.open_through(at(17_567))
    assert None is profile.evict()
    profile.open_through(at(17_568))
    assert [1] == profile.evict()
    assert (at(17_520), ()) == (profile.first_s, profile.runs)
    assert not profile.add(0, 1, at(3))


def test_rows_far_ahead_leave_when_there_are_none_behind() -> None:
    """After the clock was set back by years, the furthest of the old future goes first."""
    profile = begun(depth_days=1)
    for n in range(49):
        profile.add(0, n, at(n))
        profile.open_through(at(n))
    profile.turn_back(at(-20_000))
    assert [48] == profile.evict()
    profile.open_through(at(-19_999))
    assert [47] == profile.evict()
    assert [-20_000, -19_999, *range(47)] == starts(profile)


@pytest.mark.parametrize("period_min", [5, 10, 15, 20, 60])
def test_another_length_takes_effect_at_the_next_free_hour(period_min: int) -> None:
    """Rows before it keep theirs; the row that is open is never cut."""
    profile = begun()
    profile.open_through(at(1.2))
    profile.change_period(at(1.2), period_min * 60)
    profile.open_through(at(6))
    spans = [(row.start_s, profile.period_s(row.start_s)) for row in profile.measured()]
    assert [(at(0), HALF_HOUR_S), (at(1), HALF_HOUR_S), (at(2), period_min * 60)] == spans[:3]
    assert all(a + length == b for (a, length), (b, _) in pairwise(spans))


def test_another_length_at_a_whole_hour_spares_the_row_that_has_just_opened() -> None:
    """An hour that is open at its first second stays an hour."""
    profile = begun(period_s=HOUR_S)
    profile.open_through(at(2))
    profile.change_period(at(2), 300)
    assert profile.add(0, 4, at(2) + 420)
    profile.open_through(at(4))
    assert [0, 2, 4] == starts(profile)


def test_hours_ahead_that_have_rows_keep_their_length() -> None:
    """Set back over a change of length, a clock finds its old rows as they were."""
    profile = begun()
    profile.change_period(at(0), 300)
    profile.open_through(at(4) + 700)
    profile.turn_back(at(0.5))
    profile.change_period(at(0.5), HOUR_S)
    lengths = [profile.period_s(row.start_s) for row in profile.measured()]
    assert [HALF_HOUR_S] * 2 + [300] * 15 == lengths
    assert HOUR_S == profile.period_s(at(6))


def test_depth_is_time_and_no_number_of_rows() -> None:
    """A day of rows of 5 minutes is still there when rows become half-hours."""
    profile = begun(depth_days=1, period_s=300)
    profile.open_through(at(48))
    profile.change_period(at(48), HALF_HOUR_S)
    profile.open_through(at(50))
    assert [0] == profile.evict()
    # 24 hours are measured and one half-hour is open.
    assert 24.5 * HOUR_S == sum(profile.period_s(row.start_s) for row in profile.measured())


def test_a_row_leaves_when_the_depth_is_there_without_it() -> None:
    """An old half-hour waits for six new rows of 5 minutes."""
    profile = begun(depth_days=1)
    profile.open_through(at(48))
    profile.change_period(at(48), 300)
    left = []
    for minute in range(0, 95, 5):
        profile.open_through(at(50) + minute * 60)
        first_s = profile.first_s
        profile.evict()
        if profile.first_s > first_s:
            left.append(minute)
        measured_s = sum(profile.period_s(row.start_s) for row in profile.measured())
        assert DAY_S + 300 <= measured_s < DAY_S + 300 + HALF_HOUR_S
    assert [0, 30, 60, 90] == left


def test_saved_rows_and_runs_are_all_there_is() -> None:
    """A profile that is built from what was to be saved is the same, an era at a time."""
    profile = begun(period_s=HOUR_S)
    profile.pad(at(3), at(40.5), edges=1, between=INVALID)
    profile.change_period(at(41), 600)
    profile.open_through(at(44.2))
    rows, _ = profile.changed_rows()
    padding, _ = profile.changed_runs()
    again = Profile(1, 731, profile.eras, rows, padding, profile.open_s, profile.reached_s)
    assert profile.measured() == again.measured()
    assert (profile.runs, profile.first_s) == (again.runs, again.first_s)
    assert (profile.next_s, profile.end_s) == (again.next_s, again.end_s)
    profile.mark_saved()
    assert (([], []), ([], [])) == (profile.changed_rows(), profile.changed_runs())
    assert Era(at(42), 600) == again.eras[-1]


deeds = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.integers(1, 20_000)),
        st.tuples(st.just("pad"), st.integers(1, 100_000)),
        st.tuples(st.just("back"), st.integers(1, 100_000)),
        st.tuples(st.just("period"), st.sampled_from([300, 600, 900, 1_200, 1_800, 3_600])),
    ),
    max_size=12,
)


@given(deeds)
def test_nothing_is_lost_and_no_period_has_two_rows(done: list[tuple[str, int]]) -> None:
    """Whatever happens, what was added is in a row or has aged, and rows do not overlap."""
    profile, now_s, added, aged = begun(depth_days=1), BASE_S, 0, 0
    for what, value in done:
        if what == "period":
            profile.change_period(now_s, value)
        elif what == "run":
            for step_s in range(now_s, now_s + value, 700):
                profile.open_through(step_s)
                aged += 0 if profile.add(0, 1, step_s) else 1
                added += 1
            now_s += value
            profile.open_through(now_s)
        elif what == "pad":
            profile.pad(now_s, now_s + value, edges=0, between=INVALID)
            now_s += value
        else:
            now_s -= value
            profile.turn_back(now_s)
        aged += sum(profile.evict() or [])
        spans = [(r.start_s, r.start_s + profile.period_s(r.start_s)) for r in profile.measured()]
        spans = sorted([*spans, *((run.start_s, run.end_s) for run in profile.runs)])
        assert all(a[1] <= b[0] for a, b in pairwise(spans))
        assert added == aged + sum(profile.sums())
        assert profile.open_s <= now_s < profile.next_s


def test_padding_runs_read_as_rows() -> None:
    """A run gives one row for each period, of the length that is in force there."""
    profile = begun(period_s=900)
    profile.pad(at(0.2), at(2.2), edges=0, between=INVALID)
    assert [PaddingRun(at(0.5), at(2), INVALID)] == list(profile.runs)
    assert 3 == len(list(profile.between(at(0.5), at(2))))
