"""The parts of an activity calendar and of a special days table, as COSEM has them."""

from __future__ import annotations

from datetime import time
from typing import Literal, NamedTuple, TypeAlias

from elec_meter.tariff import SeasonProfile, SpecialDayEntry, WeekProfile
from shared.obis import Obis

CalendarField: TypeAlias = Literal["name", "seasons", "weeks", "days"]
"""A part of a passive calendar that is written by itself."""


class DayAction(NamedTuple):
    """From a time of the day on, in the calendar's time base: the script that is executed."""

    start: time
    table: Obis
    selector: int


class DayProfile(NamedTuple):
    """What happens on a day; the first at 00:00."""

    id: int
    actions: tuple[DayAction, ...]


Rows: TypeAlias = (
    tuple[SeasonProfile, ...]
    | tuple[WeekProfile, ...]
    | tuple[DayProfile, ...]
    | tuple[SpecialDayEntry, ...]
)
"""What attributes 7 to 9 of a calendar and attribute 2 of a special days table take."""
