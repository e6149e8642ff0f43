"""COSEM class 20: seasons, weeks and days of a calendar (IEC 62056-6-2, 4.5.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, time
from typing import ClassVar, Final

from elec_meter.objects.classes.calendar_object import CalendarObject
from elec_meter.objects.classes.entry import (
    Entry,
    Form,
    moment_entry,
    number_entry,
    rows_entry,
    text_entry,
)
from elec_meter.objects.classes.rate_scripts import rate_script
from elec_meter.objects.classes.timetables import CalendarField, DayAction, DayProfile
from elec_meter.plans import CHANNELS
from elec_meter.tariff import DayRates, Timetable, timetable_of

_PASSIVE_NAME: Final = 6
_ACTIVATION: Final = 10
_ACTIVATE: Final = 1
_PARTS: Final[dict[int, tuple[CalendarField, Form]]] = {
    7: ("seasons", Form.SEASONS),
    8: ("weeks", Form.WEEKS),
    9: ("days", Form.DAYS),
}
"""Attributes of the passive calendar that are lists."""


class ActivityCalendar(CalendarObject):
    """A calendar in force, and the one that comes next; its value is its name.

    The passive one is written part by part, each durable, and looked at as a whole when it is to be
    activated; a relay's is activated by the method alone.
    """

    class_id: ClassVar[int] = 20

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        return {
            2: lambda _: self._called(self._active),
            3: lambda _: self._active.seasons,
            4: lambda _: self._active.weeks,
            5: lambda _: self._scripted(self._active.days),
            6: lambda _: self._called(self._passive),
            7: lambda _: self._passive.seasons,
            8: lambda _: self._passive.weeks,
            9: lambda _: self._scripted(self._passive.days),
            10: lambda _: self._plans.activates(self._key),
        }

    def _writers(self) -> Mapping[int, Entry]:
        key, level = self._key, self._level
        entries = {
            _PASSIVE_NAME: text_entry(
                lambda actions, name: actions.write_calendar(key, "name", name), level
            )
        }
        for number, (field, form) in _PARTS.items():
            entries[number] = rows_entry(form, key, field, level)
        if key in CHANNELS:
            entries[_ACTIVATION] = moment_entry(
                lambda actions, at: actions.schedule_calendar(key, at), level
            )
        return entries

    def _methods(self) -> Mapping[int, Entry]:
        key = self._key
        return {
            _ACTIVATE: number_entry(lambda actions, _: actions.activate_calendar(key), self._level)
        }

    @property
    def _active(self) -> Timetable:
        return timetable_of(self._plans.active(self._key))

    @property
    def _passive(self) -> Timetable:
        return self._plans.passive(self._key)

    def _called(self, timetable: Timetable) -> str:
        if timetable.name is not None:
            return timetable.name
        return self._key if any(timetable) else ""

    def _scripted(self, days: tuple[DayRates, ...]) -> tuple[DayProfile, ...]:
        return tuple(
            DayProfile(
                day.number,
                tuple(
                    DayAction(time_of(switch.minute), *rate_script(self._key, switch.rate))
                    for switch in day.switches
                ),
            )
            for day in days
        )


def time_of(minute: int) -> time:
    """The time of day of a minute."""
    return time(minute // 60, minute % 60)
