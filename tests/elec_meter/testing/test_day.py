"""A settlement day: rows by number, refusals, power cuts, pulses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from collector import PulseStatus
from elec_meter import MeterConfig
from elec_meter.config import GasUnitConfig
from elec_meter.errors import MeterError
from elec_meter.events import EventCode
from elec_meter.ledger import RowStatus, imbalances
from elec_meter.testing import SettlementDay, SettlementDayError
from shared.errors import TimegridError
from shared.timegrid import LONDON

KINDS = [("2025-03-30", 46), ("2025-06-21", 48), ("2012-10-28", 50)]


@pytest.fixture
def day() -> Iterator[SettlementDay]:
    """The autumn day of the specification's year."""
    with SettlementDay("2012-10-28") as day:
        yield day


@pytest.mark.parametrize(("settlement_date", "periods"), KINDS)
def test_every_period_has_its_own_row(settlement_date: str, periods: int) -> None:
    """Different loads and pulses in all periods land in the rows of their numbers, exactly."""
    with SettlementDay(settlement_date) as day:
        import_wh = {n: 1_000 + 7 * n for n in day.periods}
        export_wh = {n: n * n for n in day.periods}
        pulses = {n: n % 5 for n in day.periods}
        day.draw(import_wh)
        day.draw(export_wh, channel="export")
        day.pulses(pulses)
        day.run()
        assert list(range(1, periods + 1)) == list(day.periods) == list(day.rows())
        day.assert_rows(
            import_wh=import_wh,
            export_wh=export_wh,
            gas_pulses=pulses,
            status=0,
            channel_status={"gas_pulses": 0},
        )
        assert sum(import_wh.values()) == day.meter.ledger.total("import")
        assert sum(pulses.values()) == day.meter.ledger.total("gas")
        assert [] == imbalances(day.meter.ledger)


def test_the_repeated_hour_has_two_names(day: SettlementDay) -> None:
    """Periods 3 and 4 are 01:00 and 01:30 in summer time, 5 and 6 the same in winter time."""
    local = {n: day.half_hour(n).start.astimezone(LONDON) for n in range(3, 7)}
    assert {
        3: "01:00 BST",
        4: "01:30 BST",
        5: "01:00 GMT",
        6: "01:30 GMT",
    } == {n: f"{at:%H:%M %Z}" for n, at in local.items()}


def test_a_load_that_changes_and_one_that_is_given(day: SettlementDay) -> None:
    """A power holds until the next one, and gives way in periods with watt-hours of their own."""
    day.power_w(2_001)
    day.draw({2: 333})
    day.run(until_period=3)
    day.run_for(900)
    day.power_w(0)
    day.run(through_period=4)
    # 1,000.5 Wh, 333, and 500.25: what is below a watt-hour waits for the next.
    day.assert_rows(import_wh={1: 1_000, 2: 333, 3: 500, 4: 0}, status=0)
    assert 2_700_000 == day.meter.ledger.residual_mj("import")


def test_host_time_moves_with_the_day(day: SettlementDay) -> None:
    """Every clock that a test may ask shows the day's time, after every step."""
    seen = [day.now]
    while day.now < day.half_hour(2).end:
        assert (
            day.step() == day.now == datetime.now(UTC) == datetime.fromtimestamp(time.time(), UTC)
        )
        assert day.now == day.meter.now
        seen.append(day.now)
    assert seen == sorted(set(seen))
    assert {day.half_hour(1).end, day.half_hour(2).end} <= set(seen)
    assert any(at - day.half_hour(1).end == timedelta(seconds=5) for at in seen)


def test_a_timer_of_the_meter_is_met_when_it_is_due() -> None:
    """With a checkpoint every 7 s there is a step every 7 s."""
    with SettlementDay("2025-06-21", config=MeterConfig(checkpoint_s=7)) as day:
        assert [7, 14, 21] == [(day.step() - day.half_hour(1).start).seconds for _ in range(3)]


def test_a_run_stops_where_it_was_asked_to(day: SettlementDay) -> None:
    """At the boundary before a period, or 10 s after it, and never earlier than now."""
    day.run(until_period=5)
    assert day.half_hour(5).start == day.now
    assert [1, 2, 3, 4] == list(day.rows())
    day.run(through_period=5)
    assert day.half_hour(6).start + timedelta(seconds=10) == day.now
    with pytest.raises(SettlementDayError, match="time does not run back to 01:30:00"):
        day.run(until_period=6)
    with pytest.raises(SettlementDayError, match="not both"):
        day.run(until_period=7, through_period=7)
    day.run()
    assert day.half_hour(50).end + timedelta(seconds=10) == day.now


def test_nothing_is_drawn_after_the_day(day: SettlementDay) -> None:
    """The rows of the date hold all that the register does."""
    day.power_w(3_600)
    day.run()
    assert 50 * 1_800 == day.meter.ledger.total("import")


@pytest.mark.parametrize(
    ("after_s", "import_wh"),
    [
        (1_200, {3: 1_200, 4: 1_200, 5: 1_800}),
        (1_203, {3: 1_200, 4: 1_197, 5: 1_800}),  # 3 s since the checkpoint of the whole minute
        (2_401, {3: 1_800, 4: 600, 5: 1_799}),  # 1 s since then
    ],
)
def test_a_power_cut_costs_what_was_not_drawn(
    day: SettlementDay, after_s: int, import_wh: dict[int, int]
) -> None:
    """Twenty minutes over a boundary of the repeated hour mark two rows; the gas rows are whole."""
    day.power_w(3_600)
    day.pulses({3: 8, 4: 6, 5: 1})
    day.run(until_period=3)
    day.run_for(after_s)
    before = day.meter
    day.power_cut(1_200)
    assert before is not day.meter
    assert datetime.now(UTC) == day.now
    day.run(through_period=6)
    down = {n: RowStatus.POWER_DOWN for n, wh in import_wh.items() if wh < 1_800}
    day.assert_rows(
        import_wh={2: 1_800, **import_wh, 6: 1_800},
        status={2: 0, 3: 0, 4: 0, 5: 0, 6: 0} | down,
        gas_pulses={3: 8, 4: 6, 5: 1},
        channel_status={"gas_pulses": 0},
    )
    codes = [event.code for event in day.meter.storage.events()]
    assert [EventCode.FIRST_POWER_UP, EventCode.UNIT_PAIRED, EventCode.POWER_UP] == codes
    assert [] == imbalances(day.meter.ledger)


def test_a_power_cut_forgets_what_was_not_durable(day: SettlementDay) -> None:
    """A telegram that came since the last checkpoint is gone, until the unit tells all again."""
    day.pulses({1: 5})
    day.run(through_period=1)
    assert 5 == day.meter.ledger.total("gas")
    day.power_cut(1)
    assert 3 == day.meter.ledger.total("gas")  # what it told in the middle of the half-hour
    day.run(through_period=2)
    day.assert_rows(gas_pulses={1: 5, 2: 0}, channel_status={"gas_pulses": 0})


def test_a_restart_changes_no_row(day: SettlementDay) -> None:
    """Once in every period, at odd seconds."""
    day.power_w(1_999)
    day.pulses(dict.fromkeys(day.periods, 3))
    for _ in range(8):
        day.run_for(1_777)
        day.restart()
    day.run(through_period=8)
    day.assert_rows(
        import_wh={n: 999 + (n % 2 == 0) for n in range(1, 9)},
        gas_pulses=dict.fromkeys(range(1, 9), 3),
        status=0,
        channel_status={"gas_pulses": 0},
    )


def test_pulses_are_as_many_as_were_asked_for(day: SettlementDay) -> None:
    """Up to the meter's greatest flow they are plausible, and asking twice adds up."""
    day.pulses({1: 300, 2: 1, 3: 5_000})
    day.pulses({2: 1})
    day.run(through_period=3)
    day.assert_rows(
        gas_pulses={1: 300, 2: 2, 3: 5_000},
        channel_status={"gas_pulses": {1: 0, 2: 0, 3: PulseStatus.IMPLAUSIBLE_FLOW}},
    )


def test_several_units_and_none() -> None:
    """Each unit of a configuration has a key of its own; without units there are no pulses."""
    units = (
        GasUnitConfig(serial="00000007"),
        GasUnitConfig(serial="00000008", channel="annexe", number=2, pulse_weight="1 ft3"),
    )
    with SettlementDay(date(2025, 6, 21), config=MeterConfig(gas_units=units)) as day:
        day.pulses({1: 2})
        day.pulses({1: 4}, channel="annexe")
        day.run(through_period=1)
        day.assert_rows(gas_pulses=2, annexe_pulses={1: 4})
    with SettlementDay("2025-06-21", gas=False) as day:
        day.run(through_period=1)
        day.assert_rows(gas_pulses=None, channel_status={"gas_pulses": None})
        with pytest.raises(
            SettlementDayError, match="no pulse unit is paired to the channel 'gas'"
        ):
            day.pulses({2: 1})


def refusals() -> list[tuple[Callable[[SettlementDay], object], type[MeterError], str]]:
    """What a test may get wrong, after the second period, and what it is told."""
    refused = SettlementDayError
    return [
        (lambda day: day.draw({51: 1}), TimegridError, "periods 1 to 50, not 51"),
        (lambda day: day.pulses({0: 1}), TimegridError, "periods 1 to 50, not 0"),
        (lambda day: day.run(until_period=51), TimegridError, "periods 1 to 50, not 51"),
        (lambda day: day.assert_rows(status={99: 0}), TimegridError, "periods 1 to 50, not 99"),
        (lambda day: day.draw({9: 1, 2: 1}), refused, "period 2 of 2012-10-28 has begun"),
        (lambda day: day.draw({9: -1}), refused, "-1 Wh is less than nothing"),
        (lambda day: day.draw({9: 1}, "gas"), refused, "no energy channel 'gas'"),
        (lambda day: day.power_w(-1), refused, "-1 W is less than nothing"),
        (lambda day: day.power_cut(-1), refused, "-1 s is less than nothing"),
        (lambda day: day.pulses({9: 1}, "water"), refused, "channel 'water'"),
        (lambda day: day.assert_rows(), refused, "nothing to compare"),
        (lambda day: day.assert_rows(status={}), refused, "status was given no period"),
        (
            lambda day: day.assert_rows(import_kwh={1: 1}),
            refused,
            "no column 'import_kwh', only import_wh, export_wh, gas_pulses",
        ),
    ]


@pytest.mark.parametrize(("mistake", "error", "sentence"), refusals())
def test_a_mistake_is_refused_with_a_sentence(
    day: SettlementDay,
    mistake: Callable[[SettlementDay], object],
    error: type[MeterError],
    sentence: str,
) -> None:
    """Nothing is planned then, and time stays where it is."""
    day.run(through_period=2)
    before = day.now
    with pytest.raises(error, match=sentence) as refusal:
        mistake(day)
    assert not str(refusal.value).endswith(".")
    assert before == day.now
    day.run(through_period=9)
    day.assert_rows(import_wh=0, gas_pulses=0)


@pytest.mark.parametrize("text", ["26/10/2025", "", "2025-02-29"])
def test_a_text_that_is_no_date_is_refused(text: str) -> None:
    """The sentence shows one that is."""
    with pytest.raises(SettlementDayError, match="no settlement date such as '2025-10-26'"):
        SettlementDay(text)


def test_a_float_is_no_watt_hour(day: SettlementDay) -> None:
    """What reaches a register is an integer."""
    with pytest.raises(TypeError):
        day.draw({1: 0.5})


def test_a_comparison_without_any_row_is_refused(day: SettlementDay) -> None:
    """It could not fail."""
    with pytest.raises(SettlementDayError, match="no row of 2012-10-28 has closed"):
        day.assert_rows(import_wh=0)


def test_a_second_day_names_its_half_hours_as_well(day: SettlementDay) -> None:
    """Made in frozen time, it still tells the passes of the repeated hour apart."""
    with SettlementDay("2025-10-26", gas=False) as second:
        second.run(through_period=5)
        with pytest.raises(AssertionError, match=r"period 5, 01:00 GMT \(01:00 UTC\)"):
            second.assert_rows(import_wh={5: 1})


def test_a_failed_comparison_lists_what_differs(day: SettlementDay) -> None:
    """Column by column, each with its half-hour's number and names; at most a dozen."""
    day.draw({5: 500})
    day.run(until_period=6)
    with pytest.raises(AssertionError) as failure:
        day.assert_rows(
            import_wh={4: 0, 5: 50}, gas_pulses={5: 0}, export_wh={6: 1}, status={1: 128}
        )
    assert str(failure.value).splitlines() == [
        "2012-10-28, 50 periods: 4 values differ",
        "  period 5, 01:00 GMT (01:00 UTC): import_wh expected 50, actual 500",
        "  period 5, 01:00 GMT (01:00 UTC): gas_pulses expected 0, actual None (pending)",
        "  period 6, 01:30 GMT (01:30 UTC): export_wh expected 1, and the half-hour has not closed",
        "  period 1, 00:00 BST (23:00 UTC): status expected 128, actual 0",
    ]
    day.run()
    with pytest.raises(AssertionError, match="50 values differ") as failure:
        day.assert_rows(export_wh=1)
    assert "  and 38 more" == str(failure.value).splitlines()[-1]
