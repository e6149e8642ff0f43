"""What somebody who signed on orders, through the same door as every other order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from elec_meter.access import Level
from elec_meter.config import MeterConfig, config_to_json
from elec_meter.objects import CalendarField, Rows
from elec_meter.tariff import SpecialDayEntry

from . import requests
from .orders import Orders


class OrderDesk:
    """The `objects.Actions` of an author at a level; errors as for `Orders.perform`.

    Args:
        orders: who carries them out.
        level: what the author may do.
        author: for the event log.
    """

    def __init__(self, orders: Orders, level: Level, author: str) -> None:
        self._orders = orders
        self._level = int(level)
        self._author = author

    def require(self, level: Level, what: str) -> None:
        """Refuse an author below a level what he asks for, and log that."""
        self._orders.require(Level(self._level), level, what, self._author)

    def apply_config(self, config: MeterConfig) -> None:
        """Put a document in force."""
        document = msgspec.Raw(config_to_json(config))
        self._order(requests.ApplyConfig(document=document, level=self._level))

    def apply_change(self, change: bytes) -> None:
        """Put in force what a compact change makes of the document in force."""
        self._order(requests.ApplyConfig(change=change.hex(), level=self._level))

    def write_calendar(self, key: str, field: CalendarField, value: str | Rows) -> None:
        """Write a part of a passive calendar: `name`, `seasons`, `weeks` or `days`."""
        request = requests.WriteCalendar(calendar=key, field=field, value=value, level=self._level)
        self._order(request)

    def schedule_calendar(self, key: str, at: datetime | None) -> None:
        """Have a passive calendar come into force at an instant, or not by itself."""
        self._order(requests.ScheduleCalendar(calendar=key, at=at, level=self._level))

    def activate_calendar(self, key: str) -> None:
        """Put a passive calendar in force now."""
        self._order(requests.ActivateCalendar(calendar=key, level=self._level))

    def write_special_days(self, key: str, entries: Sequence[SpecialDayEntry]) -> None:
        """Put other special days of a calendar in force."""
        request = requests.WriteSpecialDays(calendar=key, entries=tuple(entries), level=self._level)
        self._order(request)

    def set_clock(self, utc: datetime) -> None:
        """It is `utc` now."""
        self._order(requests.SetClock(utc=utc, level=self._level))

    def adjust_clock(self, by_s: int) -> None:
        """Gain so many seconds little by little, or lose them."""
        self._order(requests.AdjustClock(by_s=by_s, level=self._level))

    def synchronise_clock(self, utc: datetime) -> None:
        """Take a head end's time."""
        self._order(requests.SynchroniseClock(utc=utc, level=self._level))

    def reset_demand(self) -> None:
        """Reset maximum demand."""
        self._order(requests.ResetDemand(level=self._level))

    def end_billing(self) -> None:
        """End the billing period now."""
        self._order(requests.EndBilling(level=self._level))

    def receive_prices(
        self, channel: str, start: datetime, prices_p_kwh: Sequence[Decimal]
    ) -> None:
        """Take the prices of consecutive half-hours."""
        prices = tuple(prices_p_kwh)
        self._order(
            requests.ReceivePrices(
                channel=channel, start=start, prices_p_kwh=prices, level=self._level
            )
        )

    def open_contactor(self) -> None:
        """Open the contactor."""
        self._order(requests.OpenContactor(level=self._level))

    def arm_contactor(self) -> None:
        """Let a person at the meter close the contactor."""
        self._order(requests.ArmContactor(level=self._level))

    def switch_relay(self, terminal: int, *, is_on: bool) -> None:
        """Switch a relay that follows orders."""
        self._order(requests.SwitchRelay(terminal=terminal, on=is_on, level=self._level))

    def boost_relay(self, terminal: int, minutes: int) -> None:
        """Have a relay on for some minutes; 0 ends it."""
        self._order(requests.BoostRelay(terminal=terminal, minutes=minutes, level=self._level))

    def clear_alarms(self) -> None:
        """Somebody has looked at the alarms."""
        self._order(requests.ClearAlarms(level=self._level))

    def push_now(self) -> None:
        """Have what waits for the head end sent at once."""
        self._order(requests.PushNow(level=self._level))

    def change_password(self, of: Level, salt: bytes, key: bytes) -> None:
        """Let a level have another password, whose verifier this is."""
        self._order(
            requests.ChangePassword(
                of=int(of), salt=salt.hex(), stored_key=key.hex(), level=self._level
            )
        )

    def _order(self, request: requests.Request) -> None:
        self._orders.perform(request, self._author)
