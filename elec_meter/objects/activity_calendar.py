"""COSEM class 20: seasons, weeks and days of a calendar (IEC 62056-6-2, 4.5.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, time
from typing import ClassVar, Final, NamedTuple

from elec_meter.config import CalendarConfig, DatePattern
from elec_meter.objects.base import CosemObject, Now
from elec_meter.objects.limiter import ScriptCall
from elec_meter.tariff import Calendar
from shared.obis import Obis

_ALWAYS: Final = DatePattern(None, 1, 1)
_EVERY_WEEK: Final = "all"


class SeasonProfile(NamedTuple):
    """From its start of every year on a week is in force."""

    name: str
    start: DatePattern
    week: str


class WeekProfile(NamedTuple):
    """The day profiles of a week."""

    name: str
    monday: int
    tuesday: int
    wednesday: int
    thursday: int
    friday: int
    saturday: int
    sunday: int


class DayAction(NamedTuple):
    """From a time of the day on, in the calendar's time base: the script that is executed."""

    start: time
    table: Obis
    selector: int


class DayProfile(NamedTuple):
    """What happens on a day; the first at 00:00."""

    id: int
    actions: tuple[DayAction, ...]


class Timetable(NamedTuple):
    """A calendar as COSEM has it."""

    name: str
    seasons: tuple[SeasonProfile, ...]
    weeks: tuple[WeekProfile, ...]
    days: tuple[DayProfile, ...]

    @classmethod
    def of(
        cls, name: str, config: CalendarConfig, script: Callable[[int], ScriptCall]
    ) -> Timetable:
        """The calendar that a configuration describes.

        Args:
            name: what the calendar is called.
            config: it.
            script: what puts a rate in force.
        """
        calendar = Calendar.from_config(config)
        weeks = [week.name for week in config.weeks] or [_EVERY_WEEK]
        seasons = [
            SeasonProfile(str(number), season.start, weeks[season.week])
            for number, season in enumerate(calendar.seasons, start=1)
        ]
        days = [
            DayProfile(
                number,
                tuple(DayAction(time_of(switch.minute), *script(switch.rate)) for switch in day),
            )
            for number, day in enumerate(calendar.days, start=1)
        ]
        return cls(
            name,
            tuple(seasons) or (SeasonProfile("1", _ALWAYS, weeks[0]),),
            tuple(
                WeekProfile(week, *(day + 1 for day in days_of))
                for week, days_of in zip(weeks, calendar.weeks, strict=True)
            ),
            tuple(days),
        )


def time_of(minute: int) -> time:
    """The time of day of a minute."""
    return time(minute // 60, minute % 60)


class ActivityCalendar(CosemObject):
    """A calendar in force, and the one that comes next; its value is its name.

    Args:
        obis: the logical name.
        name: for people.
        now: the host's UTC for reads without an instant.
        active: what is in force.
        passive: what comes next; None for nothing.
        activate: when that is.
    """

    class_id: ClassVar[int] = 20

    def __init__(
        self,
        obis: str,
        name: str,
        now: Now,
        active: Timetable,
        passive: Timetable | None = None,
        activate: datetime | None = None,
    ) -> None:
        super().__init__(obis, name, now)
        self._active = active
        self._passive = passive or Timetable("", (), (), ())
        self._activate = activate

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        active, passive = self._active, self._passive
        return {
            2: lambda _: active.name,
            3: lambda _: active.seasons,
            4: lambda _: active.weeks,
            5: lambda _: active.days,
            6: lambda _: passive.name,
            7: lambda _: passive.seasons,
            8: lambda _: passive.weeks,
            9: lambda _: passive.days,
            10: lambda _: self._activate,
        }
