from __future__ import annotations

import pytest

from elec_meter.config import DataChannelConfig, MeterConfig
from elec_meter.ledger import Ledger, Reading, imbalances
from elec_meter.ledger.data import DataChannels
from elec_meter.ledger.state import DataTotals
from tests.elec_meter.ledger.meters import HALF_HOUR_S, MIDNIGHT_S, reloaded


class Told:
    """Objects that say what a test tells them."""

    def __init__(self, number: int | None = None, modulus: int | None = None) -> None:
        self.number, self.modulus = number, modulus

    def read(self, channel: str) -> Reading:
        """The same on every channel."""
        return Reading(self.number, self.modulus)


def channels(told: Told) -> DataChannels:
    """One channel that reads it."""
    data = DataChannels(["water"], [], {})
    data.source = told
    return data


def test_an_object_that_accumulates_gives_its_advance() -> None:
    """From the first reading on, and past the number at which it rolls over."""
    told = Told(990, 1_000)
    data = channels(told)
    for start, number in enumerate((990, 995, 5, 5)):
        told.number = number
        data.record(start)
    assert [0, 5, 10, 0] == [data.at(start)["water"] for start in range(4)]
    assert DataTotals(5, 15) == data.totals["water"]


def test_any_other_object_gives_its_value() -> None:
    """The last one in a row counts, and nothing adds up."""
    told = Told(20)
    data = channels(told)
    data.record(0)
    told.number = -7
    data.record(0)
    assert ({"water": -7}, {}) == (data.at(0), data.totals)


def test_a_row_that_is_entered_again_adds_the_advance() -> None:
    """A second pass adds; a number that is not known takes nothing away."""
    told = Told(10, 100)
    data = channels(told)
    for number in (10, 14, 20, None):
        told.number = number
        data.record(0)
    assert (10, 10) == (data.at(0)["water"], data.totals["water"].total)


def test_what_is_not_known_is_nothing() -> None:
    """Before the first number the row says so."""
    data = channels(Told(None, 100))
    data.record(0)
    assert {"water": None} == data.at(0)


def test_rows_that_leave_take_their_advance_along() -> None:
    """The register is what aged and what is in rows."""
    told = Told(0, 1_000)
    data = channels(told)
    for start in range(5):
        told.number = start * start
        data.record(start)
    data.forget_before(3)
    totals = data.totals["water"]
    assert (16, 4, 12) == (totals.total, totals.aged, data.sum("water"))
    assert ({}, {"water": 5}) == (data.at(2), data.at(3))


CONFIG = MeterConfig(data_channels=(DataChannelConfig("water", 2, "1-0:1.8.0"),))


@pytest.mark.parametrize("period_min", [5, 30])
def test_every_row_that_closes_is_recorded(period_min: int) -> None:
    """In order, once each, and what is saved goes on after a restart."""
    config = MeterConfig(
        profile=type(CONFIG.profile)(period_min=period_min),  # type: ignore[arg-type]  # one of its numbers
        data_channels=CONFIG.data_channels,
    )
    told = Told(0, 1_000)
    ledger = Ledger(config)
    ledger.data_channels.source = told
    ledger.power_up(MIDNIGHT_S)
    for number in range(1, 7):
        told.number = number * 3
        ledger.close_through(MIDNIGHT_S + number * period_min * 60)
    again = reloaded(ledger, MIDNIGHT_S + 6 * period_min * 60)
    again.data_channels.source = told
    told.number = 30
    again.power_up(MIDNIGHT_S + 6 * period_min * 60)
    again.close_through(MIDNIGHT_S + 7 * period_min * 60)
    rows = again.rows(0, 1 << 40)
    assert [0, 3, 3, 3, 3, 3, 12] == [row.deltas["water"] for row in rows]
    assert [] == imbalances(again)


def test_a_second_pass_is_in_the_same_rows() -> None:
    """Set back, a meter adds what is counted now to the rows that are there."""
    told = Told(0, 1_000)
    ledger = Ledger(CONFIG)
    ledger.data_channels.source = told
    ledger.power_up(MIDNIGHT_S)
    for number in range(1, 5):
        told.number = number
        ledger.close_through(MIDNIGHT_S + number * HALF_HOUR_S)
    ledger.set_time(MIDNIGHT_S + 4 * HALF_HOUR_S, MIDNIGHT_S + 2 * HALF_HOUR_S)
    told.number = 14
    ledger.close_through(MIDNIGHT_S + 3 * HALF_HOUR_S)
    starts = range(MIDNIGHT_S, MIDNIGHT_S + 4 * HALF_HOUR_S, HALF_HOUR_S)
    assert [0, 1, 11, 1] == [ledger.data_channels.at(start)["water"] for start in starts]
    assert [] == imbalances(ledger)
