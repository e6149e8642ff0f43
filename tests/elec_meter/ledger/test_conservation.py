"""INV-1 and INV-2 against a random life: a second set of books is kept beside the ledger."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from elec_meter.ledger import Ledger, RowStatus, imbalances
from elec_meter.storage import Storage
from elec_meter.tariff import Calendar, rate_at
from shared.units import MJ_PER_WH
from tests.elec_meter.ledger.meters import HALF_HOUR_S, MIDNIGHT_S, all_rows, meter_config
from tests.elec_meter.ledger.pulses import ScriptedPulses
from tests.naive.bookkeeping import Bookkeeping

CONFIG = meter_config(depth_days=1)
CALENDARS = {"import": CONFIG.tariff.import_, "export": CONFIG.tariff.export}
CHANNELS = st.sampled_from(sorted(CALENDARS))
ENERGIES_MJ = st.integers(0, 300 * MJ_PER_WH)
SECONDS = st.integers(1, HALF_HOUR_S)


def books(channel: str) -> Bookkeeping:
    """An empty second set of books."""
    calendar = Calendar.from_config(CALENDARS[channel])
    return Bookkeeping(lambda at_s: rate_at(calendar, at_s))


class Life(RuleBasedStateMachine):
    """A ledger of one day's depth, which is killed and restarted."""

    @initialize(offset_s=st.integers(0, HALF_HOUR_S - 1))
    def first_power_up(self, offset_s: int) -> None:
        """Begin."""
        self.storage, self.pulses = Storage.in_memory(), ScriptedPulses()
        self.now_s = MIDNIGHT_S + offset_s
        self.ledger = Ledger(CONFIG, pulse_source=self.pulses)
        self.ledger.power_up(self.now_s)
        self.books = {channel: books(channel) for channel in CALENDARS}
        self.served = dict.fromkeys(self.ledger.channels, 0)

    @rule(channel=CHANNELS, energy_mj=ENERGIES_MJ)
    def accumulate(self, channel: str, energy_mj: int) -> None:
        """A second's energy."""
        self.ledger.accumulate(channel, energy_mj, self.now_s)
        self.books[channel].draw(energy_mj, self.now_s)

    @rule(channel=CHANNELS, wh=st.integers(0, 50), ago_s=st.integers(0, 4 * HALF_HOUR_S))
    def book_late(self, channel: str, wh: int, ago_s: int) -> None:
        """Whole Wh of the past."""
        at_s = max(MIDNIGHT_S, self.now_s - ago_s)
        self.ledger.book(channel, wh, at_s)
        self.books[channel].book(wh, at_s)

    @rule(energy_mj=ENERGIES_MJ, seconds=SECONDS, channel=CHANNELS)
    def pass_evenly(self, channel: str, energy_mj: int, seconds: int) -> None:
        """Time passes while something runs."""
        self.ledger.accumulate_evenly(channel, energy_mj, self.now_s, self.now_s + seconds)
        for n in range(seconds):
            reached = energy_mj * (n + 1) // seconds - energy_mj * n // seconds
            self.books[channel].draw(reached, self.now_s + n)
        self.now_s += seconds
        self.ledger.close_through(self.now_s)

    @rule(half_hours=st.integers(1, 60))
    def jump(self, half_hours: int) -> None:
        """Time passes while nothing runs."""
        self.now_s += half_hours * HALF_HOUR_S
        self.ledger.close_through(self.now_s)

    @rule(seconds=SECONDS)
    def miss(self, seconds: int) -> None:
        """Time passes and nobody measured."""
        self.ledger.pad(self.now_s, self.now_s + seconds, RowStatus.DATA_NOT_VALID)
        self.now_s += seconds

    @rule(pulses=st.integers(0, 40), final=st.booleans())
    def hear(self, pulses: int, final: bool) -> None:
        """A telegram: another half-hour of the gas, or one more that was pending is final."""
        pending = next((i for i, each in enumerate(self.pulses.folded) if not each.final), None)
        if final and pending is not None:
            self.pulses.settle(pending, self.pulses.folded[pending].pulses or 0)
        else:
            self.pulses.add(pulses, final=final)
        self.ledger.book_pulses()

    @rule(off_s=st.integers(0, 100 * HALF_HOUR_S))
    def lose_power(self, off_s: int) -> None:
        """A checkpoint, then an outage."""
        self.storage.checkpoint(self.ledger, self.now_s)
        self.served = {name: self.ledger.total(name) for name in self.ledger.channels}
        self.ledger = Ledger(CONFIG, self.storage.load(), self.pulses)
        assert [] == imbalances(self.ledger, at_rest=True)
        self.now_s += off_s
        self.ledger.power_up(self.now_s)

    @invariant()
    def balances(self) -> None:
        """INV-1, and the second set of books agrees."""
        assert [] == imbalances(self.ledger)
        for channel, kept in self.books.items():
            assert kept.total_wh == self.ledger.total(channel)
            assert kept.residual_mj == self.ledger.residual_mj(channel)
        for channel, served in self.served.items():
            assert served <= self.ledger.total(channel)

    def teardown(self) -> None:
        """Every rate and every row that is left holds what the second set of books has for it."""
        if not hasattr(self, "ledger"):
            return
        for channel, kept in self.books.items():
            rates = [kept.rate_wh(n + 1) for n in range(CALENDARS[channel].rates)]
            assert rates == self.ledger.rates(channel)
        for row in all_rows(self.ledger):
            for channel, kept in self.books.items():
                assert kept.half_hour_wh(row.start_s) == row.deltas[f"{channel}_wh"]


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase
