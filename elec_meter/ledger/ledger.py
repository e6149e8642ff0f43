"""The ledger: where a measured quantity becomes real, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import index
from typing import TypeAlias

from elec_meter.clock import refuse_backwards
from elec_meter.config import MeterConfig
from elec_meter.errors import LedgerError
from shared.timegrid import HALF_HOUR_S
from shared.units import MJ_PER_WH

from .account import Account
from .books import Books
from .channels import pulse_channels
from .demand import Demand
from .profile import HOUR_S
from .state import DemandState, GasCalendar, RowStatus, Spell

Flow: TypeAlias = Callable[[int], int]
"""The energy, in mJ, that has flowed by an instant; it never falls."""


class Ledger(Books):
    """Books in which something happens; INV-1 holds between any two calls.

    Quantities are integers of any kind; a float is a `TypeError`. Instants are the meter's time in
    UNIX seconds; None is an instant at which the meter does not know the time.

    Args and attributes are those of `Books`.
    """

    def power_up(self, now_s: int | None) -> int:
        """Begin or go on at `now_s`; to be called once before anything is booked.

        What lies between the last durable instant and now becomes one padding run with the status
        power-down, and so do the rows that were open at either end. Where the time is not known
        any more, a spell begins with the outage.

        Returns:
            Seconds without power; 0 at the first power-up, or when nobody knows.

        Raises:
            TimeRunsBackwardsError: `now_s` is before the last durable instant.
        """
        self.configure(self.config, now_s)
        if not self._powered:
            return self._first_power_up(now_s)
        last_s = self._last_known_s
        if not self._demand.book.closed_s:  # an earlier version knew no demand
            self._demand.disturb(self._profile.open_s)
        if self._demand.book.closed_s % self._demand.step_s:
            self._demand.realign(last_s)
        self._billing.days.begin(self._demand.book.closed_s)
        if now_s is None:
            if self.spell is None:
                self.close_through(last_s)
                self._profile.mark(last_s, RowStatus.POWER_DOWN)
                self.lose_time(last_s, max(each.from_us for each in self.clock.stretches))
            return 0
        refuse_backwards(last_s, now_s)
        self.close_through(last_s)
        self._profile.pad(last_s, now_s, edges=RowStatus.POWER_DOWN, between=RowStatus.POWER_DOWN)
        self._leap(last_s, now_s)
        return now_s - last_s

    def configure(self, config: MeterConfig, now_s: int | None) -> None:
        """Go on with another configuration; no register is taken away or set back."""
        self.config = config
        offset_s, book = self._offset_s, self._book
        at_us = self.clock.now_us if now_s is None else self.clock.host_us(now_s)
        for name, account in self._accounts.items():
            account.configure(config.tariff.calendar(name), offset_s)
        known = book.gas_calendars
        # What has been stamped stays as it was stamped.
        booked_us = [each.through_us for each in self._pulses.values() if each.through_us]
        at_us = max([at_us, *booked_us, *(each.from_us for each in known)])
        gas = GasCalendar(at_us, config.tariff.gas, offset_s)
        if not known or (known[-1].calendar, known[-1].offset_s) != (gas.calendar, gas.offset_s):
            known.append(gas)
        fresh = pulse_channels(
            config, book.gas_calendars, self.clock, self._pulse_states, self.pulse_source
        )
        kept = {channel.name: self._pulses.get(channel.name, channel) for channel in fresh}
        self._pulses.clear()
        self._pulses.update(kept)
        for unit in config.gas_units:
            self._pulses[unit.channel].reconfigure(unit)
            self._pulse_states.pop(unit.channel, None)
        self._profile.depth_days = config.profile.depth_days
        if self._powered and now_s is not None:
            self._profile.change_period(now_s, config.profile.period_s)
        self._data.names = tuple(each.name for each in config.data_channels)
        step_s = self._demand.step_s
        self._demand = Demand(config.demand, self._demand.period_s, book.demand)
        if self._powered and self._demand.step_s != step_s:
            self._demand.realign(book.demand.closed_s if now_s is None else now_s)

    def measure(
        self, flows: Mapping[str, Flow], from_s: int, to_s: int, *, is_past: bool = False
    ) -> None:
        """Book what flowed in `[from_s, to_s)` on several channels, in order of time.

        At every edge of a row, a demand period, a rate or a price exactly the Wh that are complete
        there are booked, and rows that measured time has passed are closed on the way.

        Args:
            flows: by channel.
            from_s: where it begins.
            to_s: where it ends.
            is_past: the time has been set or lost since: nothing is closed, and it is no demand.
        """
        accounts = [(self._account(name), flow) for name, flow in flows.items()]
        reached_mj = [flow(from_s) for _, flow in accounts]
        at_s = from_s
        while at_s < to_s:
            if not is_past:
                self.close_through(at_s)
            edge_s = min(to_s, self._edge_after(at_s, accounts))
            for place, (account, flow) in enumerate(accounts):
                energy_mj = flow(edge_s) - reached_mj[place]
                reached_mj[place] += energy_mj
                if energy_mj:
                    self._take(account, energy_mj, at_s, is_past=is_past)
            at_s = edge_s
        if not is_past:
            self.close_through(to_s)

    def accumulate(
        self, channel: str, energy_mj: int, at_s: int | None, *, is_past: bool = False
    ) -> None:
        """Add energy of the second that begins at `at_s`; each Wh that it completes is booked.

        Of `is_past` see `measure`.
        """
        account = self._account(channel)
        if energy_mj < 0:
            raise LedgerError(f"energy of {energy_mj} mJ cannot be added to {channel}")
        self._take(
            account, index(energy_mj), None if at_s is None else index(at_s), is_past=is_past
        )

    def accumulate_evenly(self, channel: str, energy_mj: int, start_s: int, end_s: int) -> None:
        """Spread energy over `[start_s, end_s)`: what `accumulate` gives second by second.

        After n of N seconds the energy is `floor(energy_mj * n / N)`, so every edge of a row or a
        rate finds exactly the Wh that are complete there.
        """
        self.require_energy(channel, energy_mj, start_s, end_s)
        energy_mj, start_s, end_s = index(energy_mj), index(start_s), index(end_s)
        length_s = end_s - start_s
        self.measure(
            {channel: lambda at_s: energy_mj * (at_s - start_s) // length_s}, start_s, end_s
        )

    def require_energy(self, channel: str, energy_mj: int, start: int, end: int) -> None:
        """Refuse what cannot be measured between two instants: nothing is booked.

        Raises:
            LedgerError: no such energy channel, a negative energy, or no time for it to flow in.
        """
        self._account(channel)
        if index(energy_mj) < 0 or index(end) <= index(start):
            raise LedgerError(
                f"energy of {energy_mj} mJ of {channel} cannot be spread from {start} to {end}"
            )

    def book(self, channel: str, quantity: int, at_s: int | None) -> None:
        """The one booking: total, rate, block, cost, row and demand together, in whole Wh.

        A row that has closed takes what comes late and is amended; one that has left by depth
        leaves it to `aged`. Without a time, the row's part goes to the spell's `unallocated`.

        Raises:
            LedgerError: a negative quantity, no such energy channel, an instant before the first
                power-up, or no time although the clock was never invalid.
        """
        account = self._account(channel)
        quantity = index(quantity)
        self._book_wh(account, quantity, at_s)
        if at_s is not None:
            self._demand.add(channel, quantity * MJ_PER_WH, index(at_s))

    def mark(self, at_s: int, status: RowStatus) -> None:
        """Set status bits in the row of an instant; one that has left by depth stays as it was."""
        self._profile.open_through(at_s)
        self._profile.mark(at_s, status)

    def pad(self, from_s: int, to_s: int, status: RowStatus) -> None:
        """Nothing was measured from `from_s` to `to_s`: one run, however long, and closed rows."""
        self._profile.pad(from_s, to_s, edges=status, between=status)
        self.close_through(to_s)

    def close_through(self, now_s: int) -> None:
        """Close the rows that have ended by `now_s`, in order, and open the one it is in.

        An earlier instant than before changes nothing.
        """
        if not self._powered:
            raise LedgerError("the ledger has not been powered up")
        while now_s >= (at_s := self._demand.next_s):
            self._demand.close(at_s, self.active_rate)
            if at_s >= self._profile.next_s:
                self._data.record(self._profile.open_s)
            self._profile.open_through(at_s)
            self._evict()
            if at_s >= self._billing.days.next_s:
                self._pass_midnights(at_s)
            if self._profile.period_s(at_s) != self._demand.period_s:
                self._change_demand_period(at_s)

    def set_time(self, old_s: int, new_s: int) -> None:
        """The clock was set from one instant to another: never a second row of one period."""
        self.close_through(old_s)
        self._profile.mark(old_s, RowStatus.CLOCK_ADJUSTED)
        if new_s >= old_s:
            self._profile.pad(
                old_s, new_s, edges=RowStatus.CLOCK_ADJUSTED, between=RowStatus.DATA_NOT_VALID
            )
            self._leap(old_s, new_s, charges_days=False)
        else:
            self._turn_back(new_s)
        self._profile.mark(new_s, RowStatus.CLOCK_ADJUSTED)

    def lose_time(self, at_s: int, at_us: int) -> None:
        """The time is not known any more; `at_us` is the host's, UNIX microseconds.

        Energy still counts in its total and in the last active rate; rows, demand and billing
        pause.
        """
        self._profile.mark(at_s, RowStatus.CLOCK_INVALID)
        for name, account in self._accounts.items():
            account.active_rate = self._book.active_rates[name] = account.rate_at(at_s)
        if self._spells and self._spells[-1].from_us >= at_us:  # it was set at this very instant
            self._spells[-1] = self._spells[-1]._replace(to_us=None)
        else:
            self._spells.append(Spell(at_us, None, {}))
        self._touch_last_spell()

    def find_time(self, new_s: int, now_us: int) -> None:
        """The clock was set: the spell of invalid clock ends."""
        spell = self.spell
        if spell is None:
            raise LedgerError("the clock was set, and it had not been invalid")
        self._spells[-1] = spell._replace(to_us=now_us)
        self._touch_last_spell()
        open_s = self._profile.open_s
        if new_s >= open_s:
            unknown = RowStatus.CLOCK_INVALID | RowStatus.DATA_NOT_VALID
            self._profile.pad(open_s, new_s, edges=RowStatus.CLOCK_INVALID, between=unknown)
            self._leap(open_s, new_s)
        else:
            self._turn_back(new_s)
        self._profile.change_period(new_s, self.config.profile.period_s)
        self._profile.mark(new_s, RowStatus.CLOCK_INVALID | RowStatus.CLOCK_ADJUSTED)

    def end_billing(self, at_s: int, reason: str) -> bool:
        """End the billing period: one snapshot of all billing registers, and a new beginning.

        Returns:
            False if this instant has ended one already; nothing happens then.
        """
        pulses = self._pulses.values()
        return self._billing.end_period(at_s, reason, self.config, pulses, self._demand)

    def reset_demand(self, now_us: int) -> dict[str, DemandState]:
        """Reset maximum demand, by command or button; return the maxima that this ends.

        Raises:
            DemandLockedError: it was reset too recently.
        """
        return self._demand.reset(now_us, forced=False)

    def book_pulses(self) -> None:
        """Book the pulse channels' rows that have become final, and what snapshots wait for."""
        on_booked = self._billing.freeze if self._billing.waits_for_pulses else None
        for pulses in self._pulses.values():
            pulses.book_final(on_booked)

    @property
    def _last_known_s(self) -> int:
        """The meter's time when power went, as far as it is known."""
        durable_s = self._durable_s
        open_s = self._profile.open_s
        return open_s if durable_s is None else max(open_s, self.clock.last_s(durable_s))

    def _first_power_up(self, now_s: int | None) -> int:
        if now_s is None:
            raise LedgerError("a first power-up needs to know the time")
        self._begun_s, self._powered = now_s, True
        self._profile.change_period(now_s - now_s % HOUR_S, self.config.profile.period_s)
        self._profile.begin(now_s)
        self._demand = Demand(self.config.demand, self.config.profile.period_s, self._book.demand)
        self._demand.disturb(now_s)
        self._billing.days.begin(now_s)
        self._billing.begin(now_s)
        return 0

    def _edge_after(self, at_s: int, accounts: list[tuple[Account, Flow]]) -> int:
        """The next instant at which anything about a booking may change."""
        steps_s = (self._demand.step_s, self._profile.period_s(at_s), HALF_HOUR_S)
        edge_s = min(at_s - at_s % step_s + step_s for step_s in steps_s)
        for account, _ in accounts:
            edge_s = min(edge_s, account.rate_until_s(at_s))
        return edge_s

    def _take(
        self, account: Account, energy_mj: int, at_s: int | None, *, is_past: bool = False
    ) -> None:
        whole_wh, residual_mj = divmod(account.residual_mj + energy_mj, MJ_PER_WH)
        if whole_wh:
            self._book_wh(account, whole_wh, at_s)
        account.residual_mj = residual_mj
        self._changed.add(account.name)
        if at_s is not None and not is_past:
            self._demand.add(account.name, energy_mj, at_s)

    def _book_wh(self, account: Account, quantity: int, at_s: int | None) -> None:
        if quantity < 0:
            raise LedgerError(f"{quantity} Wh cannot be booked to {account.name}")
        if at_s is None:
            self._book_unallocated(account, quantity)
            return
        at_s, begun_s, profile = index(at_s), self._begun_s, self._profile
        if begun_s is None or at_s < profile.floor_s(begun_s):
            raise LedgerError(f"{account.name} cannot be booked before the first power-up")
        account.book(quantity, at_s)
        is_late = at_s < profile.open_s or profile.next_s <= at_s < profile.reached_s
        if not profile.add(self._columns[account.name], quantity, at_s, late=is_late):
            account.aged += quantity
        self._changed.add(account.name)

    def _book_unallocated(self, account: Account, quantity: int) -> None:
        if not self._spells:
            raise LedgerError(f"{account.name} cannot be booked without a time")
        account.book(quantity, None)
        quantities = self._spells[-1].quantities
        quantities[account.name] = quantities.get(account.name, 0) + quantity
        self._touch_last_spell()
        self._changed.add(account.name)

    def _evict(self) -> None:
        aged = self._profile.evict()
        if aged is not None:
            for name, column in self._columns.items():
                self._accounts[name].aged += aged[column]
                self._changed.add(name)
            self._data.forget_before(self._profile.first_s)

    def _change_demand_period(self, at_s: int) -> None:
        period_s = self._profile.period_s(at_s)
        self._demand = Demand(self.config.demand, period_s, self._book.demand)
        self._demand.disturb(at_s)

    def _leap(self, from_s: int, to_s: int, *, charges_days: bool = True) -> None:
        """Nothing was measured in between: no demand, and the midnights as they were."""
        if self._profile.period_s(to_s) != self._demand.period_s:
            self._change_demand_period(to_s)
        self._demand.disturb(to_s)
        self._evict()
        self._pass_midnights(to_s, leap=(from_s, to_s), charges_days=charges_days)

    def _pass_midnights(
        self, to_s: int, *, leap: tuple[int, int] | None = None, charges_days: bool = True
    ) -> None:
        self._billing.pass_midnights(
            to_s,
            self.config,
            self._pulses.values(),
            self._demand,
            leap=leap,
            charges_days=charges_days,
        )

    def _turn_back(self, new_s: int) -> None:
        self._profile.turn_back(new_s)
        self._profile.change_period(new_s, self.config.profile.period_s)
        if self._begun_s is not None:
            self._begun_s = min(self._begun_s, new_s)
        if self._profile.period_s(new_s) != self._demand.period_s:
            self._change_demand_period(new_s)
        self._demand.disturb(new_s)
        self._billing.turn_back(new_s)
