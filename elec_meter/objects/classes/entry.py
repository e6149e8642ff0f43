"""What objects take: values that are written, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from elec_meter.access import Level
from elec_meter.objects.classes.errors import ValueNotTakenError
from elec_meter.objects.classes.timetables import CalendarField, Rows

if TYPE_CHECKING:
    from elec_meter.config import MeterConfig
    from elec_meter.tariff import SpecialDayEntry


@dataclass(frozen=True, slots=True)
class Parts:
    """What a structure or an array is made of."""

    parts: tuple[int | str | bytes | Parts, ...]


Given: TypeAlias = int | str | bytes | datetime | Rows | Parts | None
"""A value as a rendering hands it over."""


class Form(Enum):
    """Which values an entry takes; a rendering makes them of what came over its line."""

    TIME = "an instant"
    NUMBER = "a whole number"
    TEXT = "a text"
    OCTETS = "octets"
    DOCUMENT = "JSON as a text, or the compact coding as octets"
    MOMENT = "an instant, or none"
    SEASONS = "a list of seasons"
    WEEKS = "a list of week profiles"
    DAYS = "a list of day profiles"
    SPECIAL_DAYS = "a list of special days"
    SPECIAL_DAY = "a special day"
    PARTS = "a structure or an array, or a text"


class Entry(NamedTuple):
    """What can be written to an attribute or given to a method.

    Attributes:
        form: which values it takes.
        take: does what they ask; errors as for `CosemObject.write`.
        level: below it nothing is ever taken; what a value asks for may need a higher one.
        is_closed: whether nobody at all may: it is there for who reads, and the meter's alone.
    """

    form: Form
    take: Callable[[Given, Actions], None]
    level: Level = Level.SUPPLIER
    is_closed: bool = False


class Actions(Protocol):
    """Where everything that is written ends: at the meter, by whoever signed on.

    Each is validated whole and then done at once or not at all, and durable when it returns.

    Raises:
        MeterError: from any of them; nothing was done.
    """

    def require(self, level: Level, what: str) -> None:
        """Refuse whoever is below a level what they ask for, before a value of theirs is looked at.

        Args:
            level: the lowest that may.
            what: they ask for, as it stands behind "may not".

        Raises:
            NotAllowedError: they are below it.
        """

    def apply_config(self, config: MeterConfig) -> None:
        """Put a document in force."""

    def apply_change(self, change: bytes) -> None:
        """Put in force what a compact change makes of the document in force."""

    def write_calendar(self, key: str, field: CalendarField, value: str | Rows) -> None:
        """Write a part of a passive calendar: `name`, `seasons`, `weeks` or `days`."""

    def schedule_calendar(self, key: str, at: datetime | None) -> None:
        """Have a passive calendar come into force at an instant, or not by itself."""

    def activate_calendar(self, key: str) -> None:
        """Put a passive calendar in force now."""

    def write_special_days(self, key: str, entries: Sequence[SpecialDayEntry]) -> None:
        """Put other special days of a calendar in force."""

    def set_clock(self, utc: datetime) -> None:
        """It is `utc` now."""

    def adjust_clock(self, by_s: int) -> None:
        """Gain so many seconds little by little, or lose them."""

    def synchronise_clock(self, utc: datetime) -> None:
        """Take a head end's time."""

    def reset_demand(self) -> None:
        """Reset maximum demand."""

    def end_billing(self) -> None:
        """End the billing period now."""

    def receive_prices(
        self, channel: str, start: datetime, prices_p_kwh: Sequence[Decimal]
    ) -> None:
        """Take the prices of consecutive half-hours."""

    def open_contactor(self) -> None:
        """Open the contactor."""

    def arm_contactor(self) -> None:
        """Let a person at the meter close the contactor."""

    def switch_relay(self, terminal: int, *, is_on: bool) -> None:
        """Switch a relay that follows orders."""

    def boost_relay(self, terminal: int, minutes: int) -> None:
        """Have a relay on for some minutes; 0 ends it."""

    def clear_alarms(self) -> None:
        """Somebody has looked at the alarms."""

    def push_now(self) -> None:
        """Have what waits for the head end sent at once."""

    def change_password(self, of: Level, salt: bytes, key: bytes) -> None:
        """Let a level have another password, whose verifier this is."""


def time_entry(act: Callable[[Actions, datetime], None], level: Level = Level.SUPPLIER) -> Entry:
    """An entry that takes an instant."""

    def take(value: Given, actions: Actions) -> None:
        if not isinstance(value, datetime):
            raise ValueNotTakenError("this takes an instant")
        act(actions, value)

    return Entry(Form.TIME, take, level)


def moment_entry(
    act: Callable[[Actions, datetime | None], None], level: Level = Level.SUPPLIER
) -> Entry:
    """An entry that takes an instant, or none."""

    def take(value: Given, actions: Actions) -> None:
        if value is not None and not isinstance(value, datetime):
            raise ValueNotTakenError("this takes an instant, or none")
        act(actions, value)

    return Entry(Form.MOMENT, take, level)


def rows_entry(form: Form, key: str, field: CalendarField, level: Level = Level.SUPPLIER) -> Entry:
    """An entry that takes a list of a passive calendar: see `Actions.write_calendar`."""

    def take(value: Given, actions: Actions) -> None:
        if not isinstance(value, tuple):
            raise ValueNotTakenError(f"this takes {form.value}")
        actions.write_calendar(key, field, value)

    return Entry(form, take, level)


def number_entry(act: Callable[[Actions, int], None], level: Level = Level.SUPPLIER) -> Entry:
    """An entry that takes a whole number."""

    def take(value: Given, actions: Actions) -> None:
        if not isinstance(value, int):
            raise ValueNotTakenError("this takes a whole number")
        act(actions, value)

    return Entry(Form.NUMBER, take, level)


def text_entry(act: Callable[[Actions, str], None], level: Level = Level.SUPPLIER) -> Entry:
    """An entry that takes a text."""

    def take(value: Given, actions: Actions) -> None:
        if not isinstance(value, str):
            raise ValueNotTakenError("this takes a text")
        act(actions, value)

    return Entry(Form.TEXT, take, level)


def octets_entry(act: Callable[[Actions, bytes], None], level: Level = Level.SUPPLIER) -> Entry:
    """An entry that takes octets."""

    def take(value: Given, actions: Actions) -> None:
        if not isinstance(value, bytes):
            raise ValueNotTakenError("this takes octets")
        act(actions, value)

    return Entry(Form.OCTETS, take, level)
