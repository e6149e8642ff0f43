"""COSEM class 11: days that a calendar makes an exception of (IEC 62056-6-2, 4.5.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, NamedTuple

from elec_meter.config import DatePattern
from elec_meter.objects.base import CosemObject, Now, Scalar
from elec_meter.tariff import Calendar


class SpecialDayEntry(NamedTuple):
    """Dates with a day profile of their own; of several that match, the first one counts."""

    number: int
    dates: DatePattern
    day: int


class SpecialDaysTable(CosemObject):
    """The exceptions; its value is how many there are.

    Args:
        obis: the logical name.
        name: for people.
        now: the host's UTC for reads without an instant.
        entries: in order.
    """

    class_id: ClassVar[int] = 11

    def __init__(self, obis: str, name: str, now: Now, entries: Sequence[SpecialDayEntry]) -> None:
        super().__init__(obis, name, now)
        self._entries = tuple(entries)

    def present(self, attribute: int, now: datetime) -> Scalar:
        """An attribute for people; of the exceptions, how many there are."""
        if attribute != self.value_attribute:
            return super().present(attribute, now)
        return len(self._entries)

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        return {2: lambda _: self._entries}


def special_day_entries(calendar: Calendar) -> list[SpecialDayEntry]:
    """The exceptions of a calendar; days are numbered as its activity calendar numbers them."""
    return [
        SpecialDayEntry(number, special.dates, special.day + 1)
        for number, special in enumerate(calendar.special_days, start=1)
    ]
