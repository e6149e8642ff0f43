from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from elec_meter.config import DemandConfig, DemandWindow
from elec_meter.errors import DemandLockedError
from elec_meter.ledger.demand import Demand
from elec_meter.ledger.state import DemandBook, Peak

KWH_MJ = 3_600_000_000
HALF_HOUR_S = 1_800
MIDNIGHT_S = int(datetime(2013, 1, 1, tzinfo=UTC).timestamp())


def at(minutes: float) -> int:
    """UNIX seconds, so many minutes after midnight."""
    return MIDNIGHT_S + round(minutes * 60)


def fresh(begun_s: int = MIDNIGHT_S, period_s: int = HALF_HOUR_S, **config: object) -> Demand:
    """Demand that begins at an instant."""
    demand = Demand(DemandConfig(**config), period_s, DemandBook())  # type: ignore[arg-type]  # its fields
    demand.disturb(begun_s)
    return demand


def live(demand: Demand, powers_w: list[int], *, rate: int = 1, channel: str = "import") -> None:
    """Sub-periods of constant power pass."""
    for power_w in powers_w:
        demand.add(channel, power_w * demand.step_s * 1_000, demand.book.closed_s)
        demand.close(demand.next_s, lambda name, start_s: rate)


def test_block_demand_is_the_average_of_a_period() -> None:
    """1 kWh in half an hour is 2 kW, at the end of the half-hour; of equals the first."""
    demand = fresh()
    demand.add("import", KWH_MJ, at(29))
    for end in (30, 60, 90):
        demand.close(at(end), lambda name, start_s: 1)
        demand.add("import", KWH_MJ, at(end))
    state = demand.maxima()["import"]
    assert (Peak(2_000, at(30)), Peak(2_000, at(90))) == (state.maximum, state.last)
    assert Peak(0, at(30)) == demand.maxima()["export"].maximum


def test_the_period_under_way_is_over_its_whole_length() -> None:
    """Half the energy of a period is half its demand, and no maximum yet."""
    demand = fresh()
    demand.add("import", KWH_MJ // 2, at(3))
    assert (1_000, None) == (demand.running_w("import", at(15)), demand.maxima()["import"].maximum)


def test_sliding_demand_finds_what_blocks_divide() -> None:
    """Half an hour of 6 kW across a boundary is 6 kW by sub-periods and 3 kW by blocks."""
    powers_w = [0, 0, 0, 6_000, 6_000, 6_000, 6_000, 6_000, 6_000, 0, 0, 0]
    sliding = fresh(sub_periods=6)
    live(sliding, powers_w)
    assert Peak(6_000, at(45)) == sliding.maxima()["import"].maximum
    block = fresh()
    for number, power_w in enumerate(powers_w):
        block.add("import", power_w * 300_000, at(5 * number))
    for end in (30, 60):
        block.close(at(end), lambda name, start_s: 1)
    assert Peak(3_000, at(30)) == block.maxima()["import"].maximum


def test_a_period_that_was_touched_is_no_maximum() -> None:
    """Neither the period of a disturbance nor, when it slides, one that begins before its end."""
    demand = fresh()
    live(demand, [1_000])
    demand.disturb(at(40))
    demand.add("import", KWH_MJ, at(41))
    demand.close(at(60), lambda name, start_s: 1)
    live(demand, [500])
    state = demand.maxima()["import"]
    assert (Peak(1_000, at(30)), Peak(500, at(90))) == (state.maximum, state.last)
    sliding = fresh(at(2), sub_periods=6)
    live(sliding, [3_000] * 6)
    assert None is sliding.maxima()["import"].maximum
    live(sliding, [3_000])
    assert Peak(3_000, at(35)) == sliding.maxima()["import"].maximum


def test_a_disturbance_at_a_boundary_touches_nothing_after_it() -> None:
    """The period that begins there is whole."""
    demand = fresh(at(30))
    live(demand, [700])
    assert Peak(700, at(60)) == demand.maxima()["import"].maximum


def test_energy_of_a_period_that_has_ended_is_no_demand() -> None:
    """It does not reach the next one either."""
    demand = fresh()
    live(demand, [0])
    demand.add("import", 100 * KWH_MJ, at(12))
    live(demand, [1_000])
    assert Peak(1_000, at(60)) == demand.maxima()["import"].maximum


def test_other_sub_periods_touch_what_is_under_way() -> None:
    """Energies of the old parts are no part of the new ones; what was touched before stays so."""
    before = fresh(at(31), sub_periods=6)
    live(before, [9_000] * 2)
    after = Demand(DemandConfig(), HALF_HOUR_S, before.book)
    after.realign(at(42))
    assert (at(30), at(60)) == (after.book.closed_s, after.book.clean_from_s)
    live(after, [9_000, 400])
    assert Peak(400, at(90)) == after.maxima()["import"].maximum


def test_the_three_highest_do_not_overlap() -> None:
    """Of sliding periods that share a part only the higher one counts."""
    demand = fresh(sub_periods=3)
    live(demand, [300, 300, 900, 0, 0, 0, 600, 600, 600, 0, 0, 150, 150, 150, 0])
    highest = demand.maxima()["import"].highest
    assert [Peak(600, at(90)), Peak(500, at(30)), Peak(150, at(140))] == highest
    ends_s = sorted(each.end_s for each in highest)
    assert all(b - a >= HALF_HOUR_S for a, b in pairwise(ends_s))


def test_the_three_highest_of_blocks_come_highest_first() -> None:
    """Equals stand in order of time, and the fourth is forgotten."""
    demand = fresh()
    live(demand, [100, 300, 200, 300, 50])
    highest = demand.maxima()["import"].highest
    assert [Peak(300, at(60)), Peak(300, at(120)), Peak(200, at(90))] == highest


def test_a_window_over_midnight_has_its_own_maximum() -> None:
    """Periods that are wholly inside count, by the window's own clock."""
    window = DemandWindow("23:00", "01:00")
    demand = fresh(at(-120), windows=(window, DemandWindow("07:00", "08:00")), time_base="utc")
    live(demand, [9_000, 9_000, 100, 300, 200, 250, 9_000])
    assert [Peak(300, at(0)), None] == demand.maxima()["import"].windows


@pytest.mark.parametrize(
    ("day", "power_w"), [("2013-03-31", 400), ("2013-07-01", 200), ("2013-12-01", 400)]
)
def test_a_window_by_local_time_moves_with_the_clocks(day: str, power_w: int) -> None:
    """From 02:00 local: at 01:00 UTC in summer and on the day of the change, else at 02:00."""
    midnight_s = int(datetime.fromisoformat(f"{day}T00:00Z").timestamp())
    demand = fresh(midnight_s, period_s=3_600, windows=(DemandWindow("02:00", "03:00"),))
    live(demand, [100, 200, 400, 800])
    (peak,) = demand.maxima()["import"].windows
    expected = {"2013-03-31": 200}.get(day, power_w)
    assert peak is not None
    assert expected == peak.power_w


def test_a_repeated_local_hour_is_in_its_window_twice() -> None:
    """On 27 October 2013 both 00:00 and 01:00 UTC are 01:00 local."""
    midnight_s = int(datetime(2013, 10, 27, tzinfo=UTC).timestamp())
    demand = fresh(midnight_s, period_s=3_600, windows=(DemandWindow("01:00", "02:00"),))
    live(demand, [100, 200, 400])
    assert [Peak(200, midnight_s + 7_200)] == demand.maxima()["import"].windows


def test_each_rate_has_its_maximum() -> None:
    """By the rate in force when the period began."""
    demand = fresh()
    live(demand, [500], rate=3)
    live(demand, [700, 600], rate=1)
    assert [Peak(700, at(60)), None, Peak(500, at(30))] == demand.maxima()["import"].rates


def test_a_reset_ends_maxima_and_adds_them_up() -> None:
    """What it ends is returned; the cumulative maximum grows by it."""
    demand = fresh(windows=(DemandWindow("00:00", "12:00"),), time_base="utc")
    live(demand, [500])
    assert Peak(500, at(30)) == demand.reset(0, forced=True)["import"].maximum
    live(demand, [300])
    demand.reset(1, forced=True)
    state = demand.maxima()["import"]
    assert (800, None, [None], [], [None]) == (
        state.cumulative_w,
        state.maximum,
        state.windows,
        state.highest,
        state.rates,
    )
    assert 2 == demand.book.resets


def test_a_second_reset_waits_for_the_lock_out() -> None:
    """By the host's time; only the end of billing does not wait, and it begins another one."""
    demand = fresh(lockout_s=60)
    demand.reset(0, forced=False)
    with pytest.raises(DemandLockedError, match="for 1 s"):
        demand.reset(59_999_999, forced=False)
    demand.reset(60_000_000, forced=False)
    demand.reset(60_000_001, forced=True)
    with pytest.raises(DemandLockedError, match="for 60 s"):
        demand.reset(60_500_000, forced=False)
