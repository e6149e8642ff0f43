"""What a person or a head end orders: the clock, units, billing, demand, prices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from shared.timegrid import unix_s

from .access import Level
from .clock import Synchronisation, unix_us
from .configured import PROGRAM, require_level, utc_text
from .errors import ClockError
from .events import EventCode
from .ledger import DemandState, RowStatus
from .pulse_units import channel_fed_by, units_of
from .switched import SwitchedMeter
from .tariff import PriceList


class CommandedMeter(SwitchedMeter):
    """The part of the meter that takes orders. Each is logged with its author.

    Levels are those of `access`; who holds the object may do everything. Energy that was measured
    before an order is to be received before it.
    """

    def set_clock(
        self,
        new: datetime,
        now: datetime,
        *,
        level: Level = Level.FACTORY,
        author: str = PROGRAM,
    ) -> None:
        """The time is `new` now. It ends an adjustment, and a spell of invalid clock.

        Raises:
            NotAllowedError: below level 3.
        """
        require_level(level, Level.SUPPLIER, "set the clock")
        self._advance(now)
        old, new_s = self.clock.read(now), unix_s(new)
        if old is None:
            self.clock.set(new, now)
            self.ledger.find_time(new_s, unix_us(now))
            text = f"the clock was unknown and was set to {utc_text(new)} by {author}"
        else:
            self._close_through(unix_s(old))
            self.clock.set(new, now)
            self.ledger.set_time(unix_s(old), new_s)
            text = f"the clock was set from {utc_text(old)} to {utc_text(new)} by {author}"
        self._close_through(new_s)
        self._done(EventCode.CLOCK_SET, text, now)

    def adjust_clock(
        self,
        by_s: int,
        now: datetime,
        *,
        level: Level = Level.FACTORY,
        author: str = PROGRAM,
    ) -> None:
        """Gain `by_s` seconds, or lose them, little by little: at most 5 s in a half-hour.

        Raises:
            NotAllowedError: below level 1.
            ClockError: more than 7.5 minutes, or the time is unknown.
        """
        require_level(level, Level.READER, "adjust the clock")
        self._advance(now)
        old = self.clock.read(now)
        self.clock.adjust(by_s, now)
        text = f"the clock is adjusted from {utc_text(old)} by {by_s:+d} s by {author}"
        self._done(EventCode.CLOCK_ADJUSTED, text, now)

    def synchronise_clock(
        self,
        utc: datetime,
        now: datetime,
        *,
        level: Level = Level.FACTORY,
        author: str = PROGRAM,
    ) -> Synchronisation:
        """Take a head end's time: a small difference is adjusted, a large one set if allowed.

        Raises:
            NotAllowedError: below level 1.
        """
        require_level(level, Level.READER, "synchronise the clock")
        self._advance(now)
        old = self.clock.read(now)
        may_set = level >= Level.SUPPLIER
        limit_s = self.config.clock.sync_limit_s
        if old is None or abs((utc - old).total_seconds()) > limit_s:
            if may_set:
                self.set_clock(utc, now, level=level, author=author)
                return Synchronisation.SET
            text = (
                f"the time {utc_text(utc)} of {author} was refused: the clock says {utc_text(old)}"
            )
            self._done(EventCode.CLOCK_REFUSED, text, now)
            return Synchronisation.REFUSED
        outcome = self.clock.synchronise(utc, now, may_set=may_set)
        left_s = self.clock.outstanding_s(now)
        if left_s:
            text = f"the clock is adjusted from {utc_text(old)} by {left_s:+d} s by {author}"
            self.storage.record_event(EventCode.CLOCK_ADJUSTED, text, now)
        self.checkpoint()
        return outcome

    def lose_clock(self, now: datetime, *, author: str = PROGRAM) -> None:
        """The time is unknown from now on: the crystal or its backup has failed."""
        self._advance(now)
        old = self.clock.read(now)
        if old is None:
            return
        self._close_through(unix_s(old))
        self.clock.lose(now)
        self.ledger.lose_time(unix_s(old), unix_us(now))
        text = f"the clock was {utc_text(old)} and is unknown: {author}"
        self._done(EventCode.CLOCK_INVALID, text, now)

    def channel_fed_by(self, serial: str) -> str:
        """The channel that a paired unit feeds.

        Raises:
            ControlError: it feeds none, and why.
        """
        return channel_fed_by(serial, self.config, units_of(self.collector))

    def unpair(
        self,
        serial: str,
        now: datetime,
        *,
        level: Level = Level.FACTORY,
        author: str = PROGRAM,
    ) -> tuple[str, int]:
        """End what a pulse unit feeds; return the channel, and the pulses of its register.

        The register stays. Another unit that is paired to the channel goes on in it.

        Raises:
            NotAllowedError: below level 2.
            ControlError: no such unit feeds a channel.
        """
        require_level(level, Level.INSTALLER, "unpair a unit")
        self._advance(now)
        channel = self.channel_fed_by(serial)
        self.collector.end(serial, None, now)
        pulses = self.ledger.total(channel)
        text = (
            f"unit {serial} was unpaired from {channel} by {author}, which had counted"
            f" {pulses} pulses"
        )
        self.storage.record_event(EventCode.UNIT_UNPAIRED, text, now, subject=serial)
        self.checkpoint()
        return channel, pulses

    def end_billing(
        self, now: datetime, *, level: Level = Level.FACTORY, author: str = PROGRAM
    ) -> bool:
        """End the billing period now; False if it has ended at this very second already.

        Raises:
            NotAllowedError: below level 3.
            ClockError: the time is unknown: billing pauses.
        """
        require_level(level, Level.SUPPLIER, "end the billing period")
        self._advance(now)
        at_s = self.clock.read_s(self._now)
        if at_s is None:
            raise ClockError("the billing period cannot end while the time is not known")
        self._close_through(at_s)
        if not self.ledger.end_billing(at_s, author):
            return False
        text = f"the billing period was ended by {author}"
        self._done(EventCode.BILLING_ENDED, text, now)
        return True

    def reset_demand(
        self, now: datetime, *, level: Level = Level.FACTORY, author: str = PROGRAM
    ) -> dict[str, DemandState]:
        """Reset maximum demand; return the maxima that this ends, by channel.

        Raises:
            NotAllowedError: below level 3; the button at the meter is level 3 by presence.
            DemandLockedError: it was reset too recently.
        """
        require_level(level, Level.SUPPLIER, "reset maximum demand")
        self._advance(now)
        ended = self.ledger.reset_demand(unix_us(now))
        text = f"maximum demand was reset by {author}"
        self._done(EventCode.DEMAND_RESET, text, now)
        return ended

    def receive_prices(
        self,
        channel: str,
        start: datetime,
        millipence: Sequence[int],
        now: datetime,
        *,
        level: Level = Level.FACTORY,
        author: str = PROGRAM,
    ) -> None:
        """Take the prices of consecutive half-hours, in thousandths of a penny a kWh.

        What is booked from now on has them; what was booked without a price stays without.

        Raises:
            NotAllowedError: below level 3.
            TariffError: no half-hour's beginning, or absurd prices.
            LedgerError: no such energy channel.
        """
        require_level(level, Level.SUPPLIER, "send prices")
        self._advance(now)
        self.ledger.cost(channel)  # it refuses what is no energy channel
        prices = self.ledger.prices.get(channel, PriceList()).extended(unix_s(start), millipence)
        self.ledger.prices[channel] = prices
        self.storage.put_state(_prices_key(channel), msgspec.msgpack.encode(prices.prices))
        text = f"{len(millipence)} prices of {channel} from {utc_text(start)} on came from {author}"
        self._done(EventCode.PRICES_RECEIVED, text, now)

    def supply_lost(self, now: datetime) -> None:
        """Power is going: make everything durable with what is left of it.

        Raises:
            CheckpointFailedError: it is not.
        """
        self._advance(now)
        self._done(EventCode.POWER_DOWN, "power is going", now)

    def miss_samples(self, since: datetime, now: datetime) -> None:
        """Nothing was measured from `since` to `now`: "data not valid" in all half-hours of it."""
        self._advance(now)
        to_s = self.clock.read_s(self._now)
        from_s = self.clock.read_s(since) if self.clock.runs_on(unix_us(since)) else to_s
        if from_s is not None and to_s is not None:
            self.ledger.pad(from_s, to_s, RowStatus.DATA_NOT_VALID)

    def _load_prices(self) -> None:
        for channel in self.ledger.energy_channels:
            saved = self.storage.get_state(_prices_key(channel))
            if saved is not None:
                pairs = msgspec.msgpack.decode(saved, type=list[tuple[int, int]])
                self.ledger.prices[channel] = PriceList.of(pairs)

    def _done(self, code: EventCode, text: str, now: datetime) -> None:
        """Log what an order did, and make it durable with it."""
        self.storage.record_event(code, text, now)
        self.checkpoint()


def _prices_key(channel: str) -> str:
    return f"prices of {channel}"
