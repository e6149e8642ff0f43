"""COSEM class 11: days that a calendar makes an exception of (IEC 62056-6-2, 4.5.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar, Final

from elec_meter.objects.classes.base import Scalar
from elec_meter.objects.classes.calendar_object import CalendarObject
from elec_meter.objects.classes.entry import Actions, Entry, Form, Given, number_entry
from elec_meter.objects.classes.errors import NoSuchEntryError, ValueNotTakenError
from elec_meter.tariff import SpecialDayEntry, special_days_of

_ENTRIES: Final = 2
_INSERT, _DELETE = 1, 2


class SpecialDaysTable(CalendarObject):
    """The exceptions of the calendar in force; its value is how many there are.

    What is written is in force at once.
    """

    class_id: ClassVar[int] = 11

    def present(self, attribute: int, now: datetime) -> Scalar:
        """An attribute for people; of the exceptions, how many there are."""
        if attribute != self.value_attribute:
            return super().present(attribute, now)
        return len(self._entries)

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        return {_ENTRIES: lambda _: self._entries}

    def _writers(self) -> Mapping[int, Entry]:
        return {_ENTRIES: Entry(Form.SPECIAL_DAYS, self._write, self._level)}

    def _methods(self) -> Mapping[int, Entry]:
        return {
            _INSERT: Entry(Form.SPECIAL_DAY, self._insert, self._level),
            _DELETE: number_entry(self._delete, self._level),
        }

    @property
    def _entries(self) -> tuple[SpecialDayEntry, ...]:
        return special_days_of(self._plans.active(self._key))

    def _write(self, value: Given, actions: Actions) -> None:
        actions.write_special_days(self._key, _entries_of(value))

    def _insert(self, value: Given, actions: Actions) -> None:
        """An entry of the same number or date makes room; the others stay in their order."""
        (new,) = _entries_of(value)
        kept = [each for each in self._entries if new.number != each.number]
        kept = [each for each in kept if new.dates != each.dates]
        place = next((n for n, each in enumerate(kept) if each.number > new.number), len(kept))
        actions.write_special_days(self._key, (*kept[:place], new, *kept[place:]))

    def _delete(self, actions: Actions, number: int) -> None:
        left = tuple(each for each in self._entries if each.number != number)
        if left == self._entries:
            raise NoSuchEntryError(f"{self.obis} has no special day {number}")
        actions.write_special_days(self._key, left)


def _entries_of(value: Given) -> tuple[SpecialDayEntry, ...]:
    rows = value if isinstance(value, tuple) else ()
    entries = tuple(each for each in rows if isinstance(each, SpecialDayEntry))
    if not isinstance(value, tuple) or len(entries) != len(rows):
        raise ValueNotTakenError("this takes special days")
    return entries
