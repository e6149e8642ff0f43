from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elec_meter.errors import LedgerError
from elec_meter.ledger import Ledger, RowStatus, imbalances
from elec_meter.tariff import Calendar, rate_at
from shared.units import MJ_PER_WH
from tests.elec_meter.ledger.meters import (
    HALF_HOUR_S,
    MIDNIGHT_S,
    ODD_SWITCHES,
    all_rows,
    imports,
    powered_ledger,
    reloaded,
    statuses,
)
from tests.naive.bookkeeping import Bookkeeping

EXPORT_CALENDAR = Calendar.from_config(ODD_SWITCHES)

Call = Callable[[Ledger], object]


def test_one_booking_reaches_total_rate_and_row() -> None:
    """A quantity is in the register, in the rate of its instant and in the row of its instant."""
    ledger = powered_ledger()
    ledger.book("import", 5, MIDNIGHT_S + 1799)
    ledger.book("import", 7, MIDNIGHT_S + 1800)
    ledger.close_through(MIDNIGHT_S + 3600)
    assert 12 == ledger.total("import")
    assert [5, 7] == ledger.rates("import")
    assert [5, 7] == imports(ledger)
    assert 0 == ledger.total("export")


def test_energy_below_a_watt_hour_is_carried() -> None:
    """The second that completes a Wh gets it, and the rest waits."""
    ledger = powered_ledger()
    for second in range(5):
        ledger.accumulate("import", 1_000_000, MIDNIGHT_S + 1796 + second)
    ledger.close_through(MIDNIGHT_S + 3600)
    assert 1 == ledger.total("import")
    assert 1_400_000 == ledger.residual_mj("import")
    assert [1, 0] == imports(ledger)


def test_second_on_the_boundary_belongs_to_the_new_half_hour() -> None:
    """Energy of the second that begins at 00:30:00 is in the row that begins there."""
    ledger = powered_ledger()
    ledger.accumulate("import", MJ_PER_WH, MIDNIGHT_S + 1799)
    ledger.accumulate("import", MJ_PER_WH, MIDNIGHT_S + 1800)
    ledger.close_through(MIDNIGHT_S + 3600)
    assert [1, 1] == imports(ledger)


def test_carried_energy_survives_a_restart() -> None:
    """The millijoules that wait for the next Wh are kept as exactly as the registers."""
    ledger = powered_ledger()
    ledger.accumulate("import", MJ_PER_WH - 1, MIDNIGHT_S)
    again = reloaded(ledger, MIDNIGHT_S)
    again.power_up(MIDNIGHT_S)
    again.accumulate("import", 1, MIDNIGHT_S)
    assert 1 == again.total("import")


def test_late_energy_reaches_its_closed_row() -> None:
    """What comes after the close is added to its half-hour and its rate, and the row is marked."""
    ledger = powered_ledger()
    ledger.book("import", 5, MIDNIGHT_S)
    ledger.close_through(MIDNIGHT_S + 3600)
    ledger.book("import", 3, MIDNIGHT_S + 100)
    assert [8, 0] == imports(ledger)
    assert [RowStatus.FINAL_LATE, RowStatus(0)] == statuses(ledger)
    assert [8, 0] == ledger.rates("import")
    assert [] == imbalances(ledger)


def test_booking_ahead_of_the_clock_closes_nothing() -> None:
    """Energy of a later half-hour waits in its row; the earlier ones still take energy unmarked."""
    ledger = powered_ledger()
    ledger.book("import", 5, MIDNIGHT_S + 2 * HALF_HOUR_S)
    ledger.book("export", 7, MIDNIGHT_S)
    assert [] == all_rows(ledger)
    assert [0, 2] == [(row.start_s - MIDNIGHT_S) // HALF_HOUR_S for row in ledger.open_rows()]
    ledger.close_through(MIDNIGHT_S + 3 * HALF_HOUR_S)
    assert [0, 0, 5] == imports(ledger)
    assert [RowStatus(0)] * 3 == statuses(ledger)


def test_registers_have_no_bound() -> None:
    """A register beyond any modulus keeps every Wh."""
    ledger = powered_ledger()
    ledger.book("import", 10**30, MIDNIGHT_S)
    ledger.book("import", 1, MIDNIGHT_S)
    assert 10**30 + 1 == ledger.total("import")
    assert [] == imbalances(ledger)


def test_integers_of_numpy_become_plain_ones() -> None:
    """What comes from an array is stored like any other integer."""
    ledger = powered_ledger()
    ledger.accumulate("import", np.int64(2 * MJ_PER_WH), np.int64(MIDNIGHT_S))
    ledger.accumulate_evenly("export", np.int64(MJ_PER_WH), np.int64(MIDNIGHT_S), MIDNIGHT_S + 1)
    again = reloaded(ledger, MIDNIGHT_S + 1)
    assert (2, 1) == (again.total("import"), again.total("export"))
    assert {int} == {type(ledger.total(channel)) for channel in ("import", "export")}


@pytest.mark.parametrize(
    "call",
    [
        lambda ledger: ledger.book("import", -1, MIDNIGHT_S),
        lambda ledger: ledger.book("import", 1, MIDNIGHT_S - 1),
        lambda ledger: ledger.book("gas", 1, MIDNIGHT_S),
        lambda ledger: ledger.book("water", 1, MIDNIGHT_S),
        lambda ledger: ledger.accumulate("import", -1, MIDNIGHT_S),
        lambda ledger: ledger.accumulate("import", MJ_PER_WH, MIDNIGHT_S - 1),
        lambda ledger: ledger.accumulate_evenly("import", -1, MIDNIGHT_S, MIDNIGHT_S + 1),
        lambda ledger: ledger.accumulate_evenly("import", 1, MIDNIGHT_S, MIDNIGHT_S),
        lambda ledger: ledger.accumulate_evenly(
            "import", 10 * MJ_PER_WH, MIDNIGHT_S - 9, MIDNIGHT_S + 9
        ),
        lambda ledger: ledger.total("water"),
    ],
)
def test_senseless_booking_is_refused_whole(call: Call) -> None:
    """A refused booking leaves registers, rows and what is carried as they were."""
    ledger = powered_ledger()
    ledger.accumulate("import", MJ_PER_WH // 2, MIDNIGHT_S)
    with pytest.raises(LedgerError):
        call(ledger)
    ledger.accumulate("import", MJ_PER_WH // 2, MIDNIGHT_S)
    assert 1 == ledger.total("import")
    assert [] == imbalances(ledger)


@pytest.mark.parametrize(
    "call",
    [
        lambda ledger: ledger.book("import", 1.0, MIDNIGHT_S),
        lambda ledger: ledger.accumulate("import", 3.6e6, MIDNIGHT_S),
        lambda ledger: ledger.accumulate("import", MJ_PER_WH, float(MIDNIGHT_S)),
        lambda ledger: ledger.accumulate_evenly("import", 1.5, MIDNIGHT_S, MIDNIGHT_S + 1),
    ],
)
def test_float_never_reaches_a_register(call: Call) -> None:
    """A quantity that may have been rounded is a TypeError, and nothing is booked."""
    ledger = powered_ledger()
    with pytest.raises(TypeError):
        call(ledger)
    assert 0 == ledger.total("import")


@pytest.mark.parametrize(
    "call",
    [
        lambda ledger: ledger.book("import", 1, MIDNIGHT_S),
        lambda ledger: ledger.close_through(MIDNIGHT_S),
    ],
)
def test_nothing_is_booked_before_power_up(call: Call) -> None:
    """A ledger that never had power takes nothing."""
    ledger = Ledger(powered_ledger().config)
    with pytest.raises(LedgerError):
        call(ledger)
    assert [] == [*all_rows(ledger), *ledger.open_rows(), *imbalances(ledger)]


spans = st.tuples(
    st.integers(0, 60 * MJ_PER_WH),
    st.integers(0, 2 * HALF_HOUR_S),
    st.integers(1, 2 * HALF_HOUR_S),
)


@given(st.lists(spans, min_size=1, max_size=3))
@settings(max_examples=30, deadline=None)
def test_batch_equals_spreading_second_by_second(drawn: list[tuple[int, int, int]]) -> None:
    """Energy spread in one call gives the rows, rates and rest of the same energy by seconds."""
    batch, seconds = powered_ledger(), powered_ledger()
    reference = Bookkeeping(lambda at_s: rate_at(EXPORT_CALENDAR, at_s))
    for energy_mj, offset_s, length_s in drawn:
        start_s, end_s = MIDNIGHT_S + offset_s, MIDNIGHT_S + offset_s + length_s
        batch.accumulate_evenly("export", energy_mj, start_s, end_s)
        reference.draw_evenly(energy_mj, start_s, end_s)
        reached_mj = [energy_mj * n // length_s for n in range(length_s + 1)]
        for n in range(length_s):
            seconds.accumulate("export", reached_mj[n + 1] - reached_mj[n], start_s + n)
    for ledger in (batch, seconds):
        ledger.close_through(MIDNIGHT_S + 6 * HALF_HOUR_S)
        assert [] == imbalances(ledger)
        assert reference.total_wh == ledger.total("export")
        assert reference.residual_mj == ledger.residual_mj("export")
        assert [reference.rate_wh(rate) for rate in (1, 2, 3)] == ledger.rates("export")
        assert [reference.half_hour_wh(row.start_s) for row in all_rows(ledger)] == [
            row.deltas["export_wh"] for row in all_rows(ledger)
        ]


@given(
    st.lists(st.integers(0, 20 * MJ_PER_WH), min_size=1, max_size=40),
    st.lists(st.integers(1, 900), min_size=40, max_size=40),
)
@settings(max_examples=60, deadline=None)
def test_registers_lose_and_make_nothing(energies_mj: list[int], gaps_s: list[int]) -> None:
    """Whatever is accumulated is in the register or carried, to the millijoule."""
    ledger = powered_ledger()
    reference = Bookkeeping(lambda at_s: rate_at(EXPORT_CALENDAR, at_s))
    at_s = MIDNIGHT_S
    for energy_mj, gap_s in zip(energies_mj, gaps_s, strict=False):
        ledger.accumulate("export", energy_mj, at_s)
        reference.draw(Fraction(energy_mj), at_s)
        at_s += gap_s
    kept_mj = ledger.total("export") * MJ_PER_WH + ledger.residual_mj("export")
    assert sum(energies_mj) == kept_mj
    assert [reference.rate_wh(rate) for rate in (1, 2, 3)] == ledger.rates("export")
    assert [] == imbalances(ledger)
