from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elec_meter.errors import TimeRunsBackwardsError
from elec_meter.ledger import Ledger, RowStatus, imbalances
from elec_meter.ledger.state import PaddingRun
from elec_meter.storage import Storage
from tests.elec_meter.ledger.meters import (
    DAY_S,
    HALF_HOUR_S,
    MIDNIGHT_S,
    all_rows,
    imports,
    powered_ledger,
    reloaded,
    statuses,
)

DOWN = RowStatus.POWER_DOWN
CLEAN = RowStatus(0)


def half_hours(count: float) -> int:
    """UNIX seconds so many half-hours after midnight."""
    return MIDNIGHT_S + int(count * HALF_HOUR_S)


def test_first_row_is_plain() -> None:
    """The half-hour in which power came for the first time has no flag and is the first."""
    ledger = powered_ledger(half_hours(0.5))
    ledger.close_through(half_hours(1))
    assert [(half_hours(0), CLEAN)] == [(row.start_s, row.status) for row in all_rows(ledger)]


def test_every_boundary_of_a_jump_is_closed_in_order() -> None:
    """Closing far ahead gives every half-hour between, once and in order."""
    ledger = powered_ledger()
    ledger.close_through(half_hours(50.9))
    assert [half_hours(n) for n in range(50)] == [row.start_s for row in all_rows(ledger)]
    assert [half_hours(50)] == [row.start_s for row in ledger.open_rows()]
    assert (50, half_hours(50)) == (ledger.row_count, ledger.closed_s)


def test_earlier_instant_opens_nothing_again() -> None:
    """Closing through an instant of the past changes nothing."""
    ledger = powered_ledger()
    ledger.close_through(half_hours(5))
    ledger.close_through(half_hours(2))
    assert 5 == len(all_rows(ledger))


def test_range_is_by_start_and_half_open() -> None:
    """`rows(a, b)` gives the half-hours that start at a or later and before b."""
    ledger = powered_ledger()
    ledger.close_through(half_hours(10))
    assert [half_hours(2), half_hours(3)] == [
        row.start_s for row in ledger.rows(half_hours(2), half_hours(4))
    ]
    assert [half_hours(3)] == [
        row.start_s for row in ledger.rows(half_hours(2) + 1, half_hours(3) + 1)
    ]
    assert [] == list(ledger.rows(half_hours(10), half_hours(20)))


def test_mark_sets_bits_of_one_row() -> None:
    """A row's status collects what is known of it."""
    ledger = powered_ledger()
    ledger.mark(half_hours(1.5), RowStatus.DATA_NOT_VALID)
    ledger.mark(half_hours(1.6), RowStatus.CRITICAL_ERROR)
    ledger.close_through(half_hours(3))
    both = RowStatus.DATA_NOT_VALID | RowStatus.CRITICAL_ERROR
    assert [CLEAN, both, CLEAN] == statuses(ledger)


@pytest.mark.parametrize(
    ("off", "on", "expected"),
    [
        (1.5, 1.75, [0, 1]),
        (1.5, 2.5, [0, 1, 1]),
        (1.5, 5.25, [0, 1, 1, 1, 1, 1]),
        (1.0, 3.0, [0, 1, 1, 0]),
        (1.0, 3.5, [0, 1, 1, 1]),
        (1.5, 3.0, [0, 1, 1, 0]),
        (1.5, 1.5, [0, 0]),
        (2.0, 2.0, [0, 0, 0]),
    ],
)
def test_outage_marks_what_it_touched(off: float, on: float, expected: list[int]) -> None:
    """Every half-hour without power, if only in part, has bit 7, and no other has."""
    ledger = powered_ledger()
    ledger.close_through(half_hours(off))
    again = reloaded(ledger, half_hours(off))
    assert half_hours(on) - half_hours(off) == again.power_up(half_hours(on))
    again.close_through(half_hours(int(on) + 1))
    assert [RowStatus(DOWN * bit) for bit in expected] == statuses(again)
    assert [] == imbalances(again)


def test_what_was_measured_around_an_outage_stays() -> None:
    """The first and the last half-hour of an outage keep what was measured in them."""
    ledger = powered_ledger()
    ledger.book("import", 3, half_hours(0.5))
    again = reloaded(ledger, half_hours(0.6))
    again.power_up(half_hours(4.5))
    again.book("import", 4, half_hours(4.6))
    again.close_through(half_hours(6))
    assert [3, 0, 0, 0, 4, 0] == imports(again)
    assert [DOWN] * 5 + [CLEAN] == statuses(again)


def test_boundary_passed_before_the_outage_is_measured() -> None:
    """A half-hour that was over before power went is clean even if nothing had closed it."""
    ledger = powered_ledger()
    ledger.book("import", 3, half_hours(0.5))
    again = reloaded(ledger, half_hours(1) + 1)
    again.power_up(half_hours(2.5))
    again.close_through(half_hours(3))
    assert [CLEAN, DOWN, DOWN] == statuses(again)


def test_five_years_without_power_are_one_entry() -> None:
    """However long an outage is, it is one run; it pushes no measured row out."""
    ledger = powered_ledger(depth_days=1)
    ledger.book("import", 7, half_hours(0))
    again = reloaded(ledger, half_hours(0.5))
    years = 5 * 365 * DAY_S
    again.power_up(half_hours(0.5) + years)
    assert 1 == len(again.profile.runs)
    assert 2 == len(again.profile.measured())
    assert 5 * 365 * 48 == again.row_count
    assert (7, 0) == (imports(again)[0], again.aged("import"))
    assert {DOWN} == set(statuses(again))


def test_clock_behind_the_data_is_refused() -> None:
    """A restart before the last durable instant is one plain error and changes nothing."""
    again = reloaded(powered_ledger(), half_hours(3.5))
    with pytest.raises(TimeRunsBackwardsError, match="2013-01-01 01:45:00 UTC"):
        again.power_up(half_hours(3.5) - 1)
    again.power_up(half_hours(3.5))
    assert 3 == again.row_count


def test_late_energy_cuts_its_row_out_of_a_run() -> None:
    """Something measured inside padding gets a row of its own, and the run goes on around it."""
    ledger = powered_ledger()
    ledger.pad(half_hours(1), half_hours(9), RowStatus.DATA_NOT_VALID)
    ledger.book("import", 5, half_hours(4.5))
    runs = [
        PaddingRun(half_hours(1), half_hours(4), 4),
        PaddingRun(half_hours(5), half_hours(9), 4),
    ]
    assert runs == list(ledger.profile.runs)
    assert [0, 0, 0, 0, 5, 0, 0, 0, 0] == imports(ledger)
    assert RowStatus.DATA_NOT_VALID | RowStatus.FINAL_LATE == statuses(ledger)[4]
    for at in (1, 8):
        ledger.book("import", 1, half_hours(at))
    assert [] == imbalances(ledger)
    assert imports(ledger) == imports(reloaded(ledger, half_hours(9)))


def test_depth_moves_the_oldest_rows_to_aged() -> None:
    """More measured rows than the depth leave, oldest first, and what they held is `aged`."""
    ledger = powered_ledger(depth_days=1)
    for n in range(60):
        ledger.book("import", n, half_hours(n))
        ledger.book("export", 1, half_hours(n))
        ledger.close_through(half_hours(n + 1))
    assert 48 == ledger.row_count
    assert list(range(12, 60)) == imports(ledger)
    assert (sum(range(12)), 12) == (ledger.aged("import"), ledger.aged("export"))
    assert [] == imbalances(ledger)


def test_energy_for_a_row_that_has_left_is_aged() -> None:
    """Late energy without a row is in the register, in its rate and in `aged`."""
    ledger = powered_ledger(depth_days=1)
    ledger.close_through(half_hours(60))
    ledger.book("import", 5, half_hours(2))
    ledger.mark(half_hours(2), RowStatus.CRITICAL_ERROR)
    assert (5, 5, [0, 5]) == (
        ledger.total("import"),
        ledger.aged("import"),
        ledger.rates("import"),
    )
    assert [] == imbalances(ledger)


def test_padding_leaves_with_the_row_before_it() -> None:
    """A run never stands alone at the beginning, and never counts for the depth."""
    ledger = powered_ledger(depth_days=1)
    ledger.pad(half_hours(1), half_hours(100), RowStatus.DATA_NOT_VALID)
    ledger.close_through(half_hours(146))
    assert half_hours(0) == ledger.first_s
    ledger.close_through(half_hours(148))
    assert half_hours(100) == ledger.first_s
    assert () == ledger.profile.runs
    assert [] == imbalances(ledger)
    assert 48 == len(all_rows(reloaded(ledger, half_hours(148))))


steps = st.lists(
    st.tuples(st.sampled_from(["run", "off", "pad"]), st.integers(1, 20 * HALF_HOUR_S)),
    min_size=1,
    max_size=15,
)


@given(steps)
@settings(max_examples=60, deadline=None)
def test_half_hours_follow_each_other_whatever_happens(lived: list[tuple[str, int]]) -> None:
    """Through measuring, outages and padding every half-hour exists once, saved or not."""
    storage, ledger, now_s = Storage.in_memory(), powered_ledger(MIDNIGHT_S + 77), MIDNIGHT_S + 77
    for what, seconds in lived:
        before_s, now_s = now_s, now_s + seconds
        if what == "run":
            ledger.accumulate_evenly("import", seconds * 3_000_000, before_s, now_s)
            ledger.close_through(now_s)
        elif what == "pad":
            ledger.pad(before_s, now_s, RowStatus.DATA_NOT_VALID)
        else:
            ledger = reloaded(ledger, before_s, storage)
            ledger.power_up(now_s)
        storage.checkpoint(ledger, now_s)
    again = Ledger(ledger.config, storage.load())
    assert all_rows(ledger) == all_rows(again)
    starts_s = [row.start_s for row in [*all_rows(again), *again.open_rows()]]
    assert all(later - earlier == HALF_HOUR_S for earlier, later in pairwise(starts_s))
    assert (MIDNIGHT_S, now_s // HALF_HOUR_S * HALF_HOUR_S) == (starts_s[0], starts_s[-1])
    assert [] == imbalances(ledger) + imbalances(again, at_rest=True)
