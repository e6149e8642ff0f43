from __future__ import annotations

import pytest

from elec_meter.config import CalendarConfig, SwitchConfig
from elec_meter.ledger import Ledger, imbalances
from elec_meter.ledger.channels import INTERPOLATED, PENDING
from elec_meter.storage import Storage
from tests.elec_meter.ledger.meters import (
    HALF_HOUR_S,
    MIDNIGHT_S,
    all_rows,
    meter_config,
    reloaded,
)
from tests.elec_meter.ledger.pulses import HalfHourOfPulses, ScriptedPulses

TAMPER = 32
TWO_RATES = CalendarConfig(
    rates=2, switches=(SwitchConfig(at="00:45", rate=2), SwitchConfig(at="12:00", rate=1))
)


def gas_ledger(pulses: ScriptedPulses, *, depth_days: int = 731) -> Ledger:
    """A ledger whose gas has two rates, with a switch in the middle of a half-hour."""
    ledger = Ledger(meter_config(depth_days, gas=TWO_RATES), pulse_source=pulses)
    ledger.power_up(MIDNIGHT_S)
    return ledger


def gas(ledger: Ledger) -> list[int | None]:
    """Pulses of every closed row."""
    return [row.deltas["gas_pulses"] for row in all_rows(ledger)]


def gas_status(ledger: Ledger) -> list[int | None]:
    """The status byte of every closed row."""
    return [row.channel_status.get("gas_pulses") for row in all_rows(ledger)]


def test_register_advances_on_receipt_and_rates_when_final() -> None:
    """A received pulse is in the register at once and unrated until its half-hour is final."""
    pulses = ScriptedPulses()
    ledger = gas_ledger(pulses)
    pulses.add(5, final=False)
    ledger.book_pulses()
    assert (5, [0, 0], 5) == (ledger.total("gas"), ledger.rates("gas"), ledger.unrated("gas"))
    pulses.settle(0, 5)
    ledger.book_pulses()
    assert (5, [5, 0], 0) == (ledger.total("gas"), ledger.rates("gas"), ledger.unrated("gas"))
    assert [] == imbalances(ledger)


def test_rows_are_booked_in_order() -> None:
    """A final half-hour behind one that is not final waits for it."""
    pulses = ScriptedPulses()
    ledger = gas_ledger(pulses)
    for count, final in ((1, True), (2, False), (4, True)):
        pulses.add(count, final=final)
    ledger.book_pulses()
    assert 1 == sum(ledger.rates("gas"))
    pulses.settle(1, 2)
    ledger.book_pulses()
    assert 7 == sum(ledger.rates("gas"))
    assert [] == imbalances(ledger)


def test_half_hour_that_is_not_final_is_never_booked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that may still change stays unrated, even if it were said to be final."""
    pulses = ScriptedPulses()
    ledger = gas_ledger(pulses)
    pulses.add(1)
    pulses.add(2, INTERPOLATED, final=False)
    monkeypatch.setattr(pulses, "final_through_s", lambda serial: MIDNIGHT_S + 2 * HALF_HOUR_S)
    ledger.book_pulses()
    assert (1, 2) == (sum(ledger.rates("gas")), ledger.unrated("gas"))


def test_whole_row_gets_the_rate_of_its_opening() -> None:
    """The half-hour of 00:30 keeps rate 1 although the switch is at 00:45."""
    pulses = ScriptedPulses()
    ledger = gas_ledger(pulses)
    for count in (1, 2, 4):
        pulses.add(count)
    ledger.book_pulses()
    assert [3, 4] == ledger.rates("gas")
    assert (1, 2) == (
        ledger.active_rate("gas", MIDNIGHT_S + 44 * 60),
        ledger.active_rate("gas", MIDNIGHT_S + 45 * 60),
    )


def test_pending_reads_as_none() -> None:
    """A half-hour that may still change has no pulses and says so; a final one keeps its own."""
    pulses = ScriptedPulses(paired_s=MIDNIGHT_S + HALF_HOUR_S)
    ledger = gas_ledger(pulses)
    pulses.add(3, TAMPER)
    pulses.add(2, INTERPOLATED, final=False)
    pulses.add(None, PENDING, final=False)
    ledger.close_through(MIDNIGHT_S + 5 * HALF_HOUR_S)
    ledger.book_pulses()
    assert [None, 3, None, None, None] == gas(ledger)
    assert [None, TAMPER, PENDING | INTERPOLATED, PENDING, PENDING] == gas_status(ledger)


def test_unpaired_unit_has_neither_pulses_nor_status() -> None:
    """Before the pairing the channel is silent and its register is zero."""
    pulses = ScriptedPulses(serials=())
    ledger = gas_ledger(pulses)
    ledger.close_through(MIDNIGHT_S + HALF_HOUR_S)
    ledger.book_pulses()
    assert ([None], [None], 0) == (gas(ledger), gas_status(ledger), ledger.total("gas"))
    assert [] == imbalances(ledger)


def test_outage_of_the_meter_takes_nothing_from_the_gas() -> None:
    """The unit counts on while the meter has no power: its rows are filled as usual."""
    pulses = ScriptedPulses()
    ledger = gas_ledger(pulses)
    pulses.add(1)
    ledger.book_pulses()
    again = reloaded(ledger, MIDNIGHT_S + HALF_HOUR_S)
    again.power_up(MIDNIGHT_S + 4 * HALF_HOUR_S)
    for count in (2, 3, 4):
        pulses.add(count)
    again.book_pulses()
    assert [1, 2, 3, 4] == gas(again)
    assert [0, 128, 128, 128] == [int(row.status) for row in all_rows(again)]
    assert [] == imbalances(again)


def test_saved_channel_reads_without_a_collector() -> None:
    """A directory that is only read shows the gas as the last checkpoint left it."""
    pulses = ScriptedPulses()
    ledger = gas_ledger(pulses)
    pulses.add(1)
    pulses.add(2, final=False)
    ledger.close_through(MIDNIGHT_S + 2 * HALF_HOUR_S)
    ledger.book_pulses()
    storage = Storage.in_memory()
    storage.checkpoint(ledger, MIDNIGHT_S + 2 * HALF_HOUR_S)
    shown = Ledger(ledger.config, storage.load())
    assert (3, [1, 0], 2) == (shown.total("gas"), shown.rates("gas"), shown.unrated("gas"))
    assert [1, None] == gas(shown)


def test_forgotten_rows_are_the_same_when_folded_again() -> None:
    """Refolding the journal gives the rows, rates and `aged` that step by step booking gave."""
    pulses = ScriptedPulses()
    ledger = gas_ledger(pulses, depth_days=1)
    for count in range(100):
        pulses.add(count, INTERPOLATED if count % 7 == 3 else 0)
        ledger.book_pulses()
    (channel,) = ledger.pulse_channels
    booked = channel.state()
    channel.rebook(channel.journalled())
    assert booked == channel.state()
    assert 48 == sum(not row.status & INTERPOLATED for row in booked.rows)
    assert booked == reloaded(ledger, MIDNIGHT_S).pulse_channels[0].state()


def test_rebooking_books_nothing_new() -> None:
    """What became final since the last booking still waits for the next one."""
    pulses = ScriptedPulses()
    ledger = gas_ledger(pulses)
    pulses.add(1)
    ledger.book_pulses()
    pulses.add(2)
    (channel,) = ledger.pulse_channels
    channel.rebook(channel.journalled())
    assert [1, 0] == ledger.rates("gas")
    assert [] == imbalances(ledger)


def test_deleted_channel_is_booked_again_from_the_journal() -> None:
    """Without any derived state the first booking gives the same channel."""
    pulses = ScriptedPulses()
    ledger = gas_ledger(pulses)
    storage = Storage.in_memory()
    for count in (3, 1, 4, 1, 5):
        pulses.add(count)
    ledger.book_pulses()
    storage.checkpoint(ledger, MIDNIGHT_S)
    for table in ("ledger_pulse_row", "ledger_pulse_channel"):
        storage.connection.execute(f"DELETE FROM {table}")
    storage.connection.execute("DELETE FROM ledger_rate WHERE channel = 'gas'")
    again = Ledger(ledger.config, storage.load(), pulses)
    again.book_pulses()
    assert ledger.pulse_channels[0].state() == again.pulse_channels[0].state()


def test_interpolated_rows_push_no_measured_row_out() -> None:
    """A long silence, filled by interpolation, leaves the measured rows where they are."""
    pulses = ScriptedPulses()
    ledger = gas_ledger(pulses, depth_days=1)
    for _ in range(40):
        pulses.add(1)
    for _ in range(200):
        pulses.add(0, INTERPOLATED)
    ledger.book_pulses()
    assert (0, 240) == (ledger.aged("gas"), len(ledger.pulse_channels[0].rows()))
    for _ in range(9):
        pulses.add(1)
    ledger.book_pulses()
    assert (1, 248) == (ledger.aged("gas"), len(ledger.pulse_channels[0].rows()))
    assert [] == imbalances(ledger)


def test_difference_from_the_journal_is_named() -> None:
    """A row that the journal does not give is in the audit, with its time and both readings."""
    pulses = ScriptedPulses()
    ledger = gas_ledger(pulses)
    pulses.add(3)
    ledger.book_pulses()
    pulses.journalled = [HalfHourOfPulses(MIDNIGHT_S, 2, 0, True)]
    kept, row, rate = imbalances(ledger)
    assert (
        "gas: the collector keeps 2013-01-01T00:00:00Z as 3 pulses with status 0,"
        " and the journal gives 2 pulses with status 0"
    ) == kept
    assert (
        "gas: the half-hour 2013-01-01T00:00:00Z is 3 pulses at rate 1 with status 0,"
        " and the journal gives 2 pulses at rate 1 with status 0"
    ) == row
    assert "gas: rate 1 is 3 pulses, and the journal gives 2" == rate


def test_register_that_fell_is_named() -> None:
    """A journal that gives less than the register already was is in the audit."""
    pulses = ScriptedPulses(received=9)
    again = reloaded(gas_ledger(pulses), MIDNIGHT_S)
    pulses.received = 8
    assert ["gas: the register is 9 pulses, and the journal gives 8"] == imbalances(again)
    pulses.received = 10
    assert [] == imbalances(again)
    assert 1 == len(imbalances(again, at_rest=True))
