"""What can be read of the ledger, and what storage keeps of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from elec_meter.clock import Clock
from elec_meter.config import ENERGY_NAMES, MeterConfig
from elec_meter.errors import LedgerError
from elec_meter.tariff import PriceList, block_at, rates_offset_s
from shared.units import MJ_PER_WH

from .account import Account
from .billing import Billing
from .channels import PulseChannel, pulse_channels
from .data import DataChannels
from .demand import Demand
from .profile import Profile
from .registers import RateRegisters
from .rows import ProfileRow, Rows
from .snapshots import Kind
from .state import (
    CostMark,
    DemandState,
    GasCalendar,
    LedgerChanges,
    LedgerState,
    Snapshot,
    Spell,
)
from .succession import PulseSource

_SINCE_EVER_US: Final = -(1 << 62)


class Books:
    """Totals, rates, rows, demand and snapshots of every channel, to read.

    Energy channels are `import` and `export` in whole Wh and `reactive_q1` to `q4`, the quadrants
    of IEC 62053-23, in whole varh; pulse and data channels come from the configuration. Registers
    have no bound and no reset. Times are the meter's, in UNIX seconds.

    Args:
        config: depth and length of rows, calendars, channels.
        state: as storage loaded it; an empty one before the first power-up.
        pulse_source: the collector; without one pulse channels show what was saved.
        clock: the meter's time by the host's; without one, what the state says of it.
    """

    def __init__(
        self,
        config: MeterConfig,
        state: LedgerState | None = None,
        pulse_source: PulseSource | None = None,
        clock: Clock | None = None,
    ) -> None:
        state = LedgerState() if state is None else state
        self.config = config
        self.pulse_source = pulse_source
        if clock is None:
            clock = Clock(config.clock, state.stretches, state.durable_s)
        self.clock = clock
        self.prices: dict[str, PriceList] = {}
        book = self._book = state.book
        if not book.gas_calendars:
            book.gas_calendars.append(
                GasCalendar(_SINCE_EVER_US, config.tariff.gas, self._offset_s)
            )
        self._accounts = {name: self._opened(name, state) for name in ENERGY_NAMES}
        self._columns = {name: column for column, name in enumerate(ENERGY_NAMES)}
        self._profile = Profile(
            len(ENERGY_NAMES),
            config.profile.depth_days,
            book.eras,
            state.rows,
            state.runs,
            state.closed_s,
            state.reached_s,
        )
        book.eras = self._profile.eras
        period_s = self._profile.period_s(state.closed_s or 0)
        self._demand = Demand(config.demand, period_s, book.demand)
        self._pulses: dict[str, PulseChannel] = {
            channel.name: channel
            for channel in pulse_channels(
                config, book.gas_calendars, self.clock, state.pulses, pulse_source
            )
        }
        # What is kept of a channel that the configuration does not name.
        self._pulse_states = {
            name: each for name, each in state.pulses.items() if name not in self._pulses
        }
        self._data = DataChannels(
            [each.name for each in config.data_channels], state.data_rows, book.data
        )
        self._spells = list(state.spells)
        self._billing = Billing(book, self._accounts, state.snapshots, self.clock)
        self._rows = Rows(self._profile, self._accounts, self._pulses, self._data)
        self._begun_s = state.begun_s
        self._powered = state.closed_s is not None
        self._durable_s = state.durable_s
        self._changed = self._accounts.keys() - state.accounts.keys()
        self._spells_saved = self._spells_ended
        self._book_saved = b""
        self._stretches_saved = frozenset(state.stretches)

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of all channels with registers: energy, then pulses."""
        return (*self._accounts, *self._pulses)

    @property
    def energy_channels(self) -> tuple[str, ...]:
        """Names of the energy channels."""
        return tuple(self._accounts)

    def total(self, channel: str) -> int:
        """The register: Wh, varh, or pulses since the pairing."""
        return self._registers(channel).total

    def rates(self, channel: str) -> list[int]:
        """The rate registers, rate 1 first."""
        return list(self._registers(channel).registers.rates)

    def blocks(self, channel: str) -> list[list[int]]:
        """By rate, the registers of its blocks; they add up to the rate's."""
        registers: RateRegisters = self._registers(channel).registers
        return [list(blocks) for blocks in registers.blocks]

    def active_rate(self, channel: str, at_s: int) -> int:
        """The number, from 1, of the rate in force at an instant."""
        if channel in self._pulses:
            return self._pulses[channel].active_rate(at_s)
        return self._account(channel).rate_at(at_s)

    def active_block(self, channel: str, at_s: int) -> int:
        """The number, from 1, of the block that an energy channel counts in at an instant."""
        account = self._account(channel)
        place = account.rate_at(at_s) - 1
        return block_at(account.registers.bounds[place], account.registers.used[place])

    def unrated(self, channel: str) -> int:
        """What is in the register and not yet final; always 0 for energy."""
        return self._pulses[channel].unrated if channel in self._pulses else 0

    def aged(self, channel: str) -> int:
        """What rows held that have left by depth."""
        return self._registers(channel).aged

    def unallocated(self, channel: str) -> int:
        """What was measured while the time was not known: it is in no row."""
        return sum(spell.quantities.get(channel, 0) for spell in self._spells)

    def residual_mj(self, channel: str) -> int:
        """Energy that waits to complete the next Wh, in mJ; of energy channels only."""
        return self._account(channel).residual_mj

    @property
    def active_mj(self) -> int:
        """All active energy that was registered, import and export together, in mJ."""
        accounts = map(self._account, ENERGY_NAMES[:2])
        return sum(each.total * MJ_PER_WH + each.residual_mj for each in accounts)

    @property
    def spells(self) -> tuple[Spell, ...]:
        """The spells of invalid clock, and what was measured in each."""
        return tuple(self._spells)

    @property
    def spell(self) -> Spell | None:
        """The spell that lasts; None while the time is known."""
        return self._spells[-1] if self._spells and self._spells[-1].to_us is None else None

    @property
    def begun_s(self) -> int | None:
        """The first power-up; None before it."""
        return self._begun_s

    @property
    def first_s(self) -> int | None:
        """Start of the oldest row that is kept; None before the first power-up."""
        return self._profile.first_s if self._powered else None

    @property
    def closed_s(self) -> int | None:
        """End of the newest closed row; None before the first power-up."""
        return self._profile.open_s if self._powered else None

    @property
    def row_count(self) -> int:
        """How many rows `rows` can give."""
        if not self._powered:
            return 0
        profile = self._profile
        count, at_s = 0, profile.first_s
        for era, following in zip(profile.eras, [*profile.eras[1:], None], strict=True):
            end_s = profile.open_s
            if following is not None:
                end_s = min(end_s, following.from_s)
            if end_s > at_s:
                count += (end_s - at_s) // era.period_s
                at_s = end_s
        return count

    def rows(self, from_s: int, to_s: int, *, with_indexes: bool = True) -> Iterator[ProfileRow]:
        """The closed rows that start in `[from_s, to_s)`, in order of time.

        Half-hours of gas have rows of their own where the integration period is another.

        Args:
            from_s: where they begin.
            to_s: where they end.
            with_indexes: whether somebody wants their indexes, which take a sum of all later rows.
        """
        if not with_indexes:
            return self._rows.closed(from_s, to_s)
        unallocated = [self.unallocated(name) for name in self._accounts]
        return self._rows.closed(from_s, to_s, unallocated)

    def open_rows(self) -> Iterator[ProfileRow]:
        """The rows that have not closed: one, or more when energy came ahead of the clock."""
        if not self._powered:
            return iter(())
        return self._rows.open()

    def snapshots(self, kind: Kind) -> tuple[Snapshot, ...]:
        """Billing or daily snapshots, in order of time."""
        return self._billing.snapshots[kind].entries

    def snapshots_between(self, kind: Kind, from_s: int, to_s: int) -> list[Snapshot]:
        """Those that stand for an instant in `[from_s, to_s]`, in order of time."""
        return self._billing.snapshots[kind].between(from_s, to_s)

    def snapshot_spans_s(self, kind: Kind) -> list[tuple[int, int]]:
        """Of all of them, in order of time, the first and the last instant that it stands for."""
        return self._billing.snapshots[kind].spans_s

    @property
    def billing_ends(self) -> int:
        """How many billing periods have ended since ever."""
        return self._book.billing_ends

    @property
    def demand(self) -> Demand:
        """Maximum demand of import and export."""
        return self._demand

    def demand_of(self, channel: str) -> DemandState:
        """What is known of a channel's demand."""
        return self._demand.book.channels[channel]

    def cost(self, channel: str) -> tuple[int, int, int]:
        """Since ever: energy and standing charges in millionths of a penny, Wh without a price."""
        return self._account(channel).cost_since_ever

    @property
    def cost_marks(self) -> dict[str, CostMark | None]:
        """What all had cost when `today`, `yesterday` and the billing `period` began."""
        book = self._book
        return {"today": book.today, "yesterday": book.yesterday, "period": book.period}

    @property
    def profile(self) -> Profile:
        """The rows of the energy channels, for the audit."""
        return self._profile

    @property
    def pulse_channels(self) -> tuple[PulseChannel, ...]:
        """The pulse channels, for the audit."""
        return tuple(self._pulses.values())

    @property
    def data_channels(self) -> DataChannels:
        """The data channels."""
        return self._data

    def changes(self) -> LedgerChanges:
        """What differs from the last saved state."""
        profile = self._profile
        instants = {"begun_s": self._begun_s, "closed_s": self.closed_s}
        if self._powered:
            instants["reached_s"] = profile.reached_s
        book, changed = self._book.encode(), self._changed | self._billing.changed
        kept = {kind: each.changes() for kind, each in self._billing.snapshots.items()}
        return LedgerChanges(
            {name: at_s for name, at_s in instants.items() if at_s is not None},
            [account.state() for name, account in self._accounts.items() if name in changed],
            *profile.changed_rows(),
            *profile.changed_runs(),
            [
                pulse_changes
                for pulses in self._pulses.values()
                if (pulse_changes := pulses.changes())
            ],
            self._spells[self._spells_saved :],
            [(kind, each) for kind, (here, _) in kept.items() for each in here],
            [(kind, at_s) for kind, (_, gone) in kept.items() for at_s in gone],
            *self._data.changes(),
            None if book == self._book_saved else book,
            [each for each in self.clock.stretches if each not in self._stretches_saved],
            sorted(
                {each.from_us for each in self._stretches_saved}
                - {each.from_us for each in self.clock.stretches}
            ),
        )

    def mark_saved(self, changes: LedgerChanges, durable_s: int) -> None:
        """What `changes` gave is durable, up to this instant of the host's time.

        Nothing may have happened to the ledger in between.
        """
        self._durable_s = durable_s
        self._changed.clear()
        self._billing.changed.clear()
        if changes.book is not None:
            self._book_saved = changes.book
        self._spells_saved = self._spells_ended
        self._stretches_saved = frozenset(self.clock.stretches)
        self._profile.mark_saved()
        self._data.mark_saved()
        for kept in self._billing.snapshots.values():
            kept.mark_saved()
        for pulses in self._pulses.values():
            pulses.mark_saved()

    def _touch_last_spell(self) -> None:
        """The newest spell differs from what was saved."""
        self._spells_saved = min(self._spells_saved, len(self._spells) - 1)

    @property
    def _spells_ended(self) -> int:
        return len(self._spells) if self.spell is None else len(self._spells) - 1

    @property
    def _offset_s(self) -> int:
        return rates_offset_s(self.config.tariff, self.config.serial)

    def _opened(self, name: str, state: LedgerState) -> Account:
        calendar, saved = self.config.tariff.calendar(name), state.accounts.get(name)
        account = Account(name, calendar, self._offset_s, self._price_at, saved)
        account.active_rate = state.book.active_rates.get(name, 1)
        return account

    def _price_at(self, channel: str, at_s: int) -> int | None:
        prices = self.prices.get(channel)
        return None if prices is None else prices.at(at_s)

    def _registers(self, channel: str) -> Account | PulseChannel:
        return self._pulses[channel] if channel in self._pulses else self._account(channel)

    def _account(self, channel: str) -> Account:
        try:
            return self._accounts[channel]
        except KeyError:
            raise LedgerError(f"there is no energy channel {channel!r}") from None
