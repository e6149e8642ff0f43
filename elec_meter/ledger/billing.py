"""What days and billing periods begin and end: snapshots, costs, block periods."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from operator import itemgetter
from typing import Final

from elec_meter.clock import Clock
from elec_meter.config import MeterConfig
from elec_meter.tariff import block_period
from shared.timegrid import DAY_S

from .account import Account
from .channels import PulseChannel
from .days import Midnight, Midnights, begins_billing_period, next_local_midnight_s
from .demand import Demand
from .snapshots import Kind, Snapshots
from .state import CostMark, DemandState, LedgerBook, Snapshot

_FAR_S: Final = 3 * DAY_S
"""Midnights further than this from both ends of an outage are alike: nothing was counted."""

_STANDING_RUNS: Final = 100
"""A clock that was set forward leaves days without a charge; so many such gaps are remembered."""


class Billing:
    """Snapshots of the billing registers, and the costs between them.

    Args:
        book: what is remembered; it is changed in place.
        accounts: the energy channels.
        snapshots: billing and daily ones, as they were saved.
        clock: the meter's time by the host's.
    """

    def __init__(
        self,
        book: LedgerBook,
        accounts: Mapping[str, Account],
        snapshots: Mapping[str, Iterable[Snapshot]],
        clock: Clock,
    ) -> None:
        self.days = Midnights()
        self.snapshots: dict[Kind, Snapshots] = {
            "billing": Snapshots("billing", snapshots.get("billing", ())),
            "daily": Snapshots("daily", snapshots.get("daily", ())),
        }
        self.changed: set[str] = set()
        self._book = book
        self._accounts = accounts
        self._clock = clock

    def begin(self, at_s: int) -> None:
        """The first power-up: costs count from here."""
        self._book.today = self._book.period = self._mark(at_s)
        self.charge_day(at_s)

    def pass_midnights(
        self,
        to_s: int,
        config: MeterConfig,
        pulses: Collection[PulseChannel],
        demand: Demand,
        *,
        leap: tuple[int, int] | None = None,
        charges_days: bool = True,
    ) -> None:
        """See every midnight up to an instant.

        Args:
            to_s: the instant.
            config: when billing periods and block periods begin.
            pulses: the pulse channels.
            demand: maximum demand, which the end of a billing period resets.
            leap: between which instants nothing was measured: midnights far inside are one entry.
            charges_days: whether the days that have begun are charged; if not, only the last is.
        """
        for midnight in self.days.passed(to_s):
            at_s = midnight.at_s
            since_s = None
            if leap is not None and leap[0] + _FAR_S < at_s < leap[1] - _FAR_S:
                since_s = leap[0]
            if midnight.is_utc:
                self._take("daily", at_s, "midnight", pulses, since_s=since_s)
            if begins_billing_period(config.billing, midnight):
                self.end_period(at_s, "date", config, pulses, demand, since_s=since_s)
            if midnight.is_local:
                self._begin_day(midnight, config, charges=charges_days)
        if leap is not None:
            self.charge_day(to_s)

    def end_period(
        self,
        at_s: int,
        reason: str,
        config: MeterConfig,
        pulses: Collection[PulseChannel],
        demand: Demand,
        *,
        since_s: int | None = None,
    ) -> bool:
        """End the billing period with one snapshot; False if this instant has ended one already."""
        maxima = demand.maxima()
        if not self._take("billing", at_s, reason, pulses, since_s=since_s, demand=maxima):
            return False
        self._book.billing_ends += 1
        if config.billing.resets_demand:
            demand.reset(self._clock.now_us, forced=True)
        self._begin_blocks(at_s, config, ends_billing=True)
        self._book.period = self._mark(at_s)
        return True

    def charge_day(self, at_s: int) -> None:
        """The standing charge of the local day of an instant, once, however often it comes."""
        end_s, days = next_local_midnight_s(at_s), self._book.standing_days
        place = bisect_right(days, end_s, key=itemgetter(0)) - 1
        if place >= 0 and end_s <= days[place][1]:
            return
        if place >= 0 and next_local_midnight_s(days[place][1]) == end_s:
            days[place] = (days[place][0], end_s)
        else:
            days.insert(place + 1, (end_s, end_s))
        del days[:-_STANDING_RUNS]
        for name, account in self._accounts.items():
            if account.charge_day():
                self.changed.add(name)

    def turn_back(self, new_s: int) -> None:
        """The clock was set back: what lies in the future now has not begun."""
        book = self._book
        self.days.begin(new_s)
        if book.today is not None and book.today.at_s > new_s:
            book.today, book.yesterday = self._mark(new_s), None
        if book.period is not None and book.period.at_s > new_s:
            book.period = CostMark(new_s, book.period.costs)

    @property
    def waits_for_pulses(self) -> bool:
        """Whether a snapshot waits for pulses to become final."""
        return any(kept.is_pending for kept in self.snapshots.values())

    def freeze(self, channel: str, next_edge_us: int, counts: list[int]) -> None:
        """As `Snapshots.freeze`, of both kinds."""
        for kept in self.snapshots.values():
            kept.freeze(channel, next_edge_us, counts)

    def _begin_day(self, midnight: Midnight, config: MeterConfig, *, charges: bool) -> None:
        book = self._book
        book.yesterday, book.today = book.today, self._mark(midnight.at_s)
        if charges:
            self.charge_day(midnight.at_s)
        self._begin_blocks(midnight.at_s, config)

    def _begin_blocks(self, at_s: int, config: MeterConfig, *, ends_billing: bool = False) -> None:
        """Begin the block periods that begin at an instant, or with the end of a billing period."""
        for name, account in self._accounts.items():
            blocks = config.tariff.calendar(name).blocks
            if blocks is None:
                continue
            period = block_period(blocks.reset, at_s)
            if ends_billing if period is None else period.start_s == at_s:
                account.registers.begin_block_period()
                self.changed.add(name)

    def _mark(self, at_s: int) -> CostMark:
        costs = {name: account.cost_since_ever for name, account in self._accounts.items()}
        return CostMark(at_s, costs)

    def _take(
        self,
        kind: Kind,
        at_s: int,
        reason: str,
        pulses: Collection[PulseChannel],
        *,
        since_s: int | None,
        demand: dict[str, DemandState] | None = None,
    ) -> bool:
        """One snapshot of an instant, the first time that it comes; False if none was taken."""
        kept = self.snapshots[kind]
        if kept.has(at_s) or (since_s is not None and kept.extend(at_s, since_s)):
            return False
        accounts = self._accounts.items()
        kept.take(
            Snapshot(
                at_s,
                at_s,
                self._clock.host_us(at_s),
                reason,
                {name: [account.total, *account.registers.rates] for name, account in accounts},
                {channel.name: None for channel in pulses if channel.is_paired},
                {name: list(account.cost_since_ever) for name, account in accounts},
                {} if demand is None else demand,
            )
        )
        return True
