"""What COSEM classes 11 and 20 have in common: a calendar of the meter, and who may write it."""

from __future__ import annotations

from elec_meter.access import Level
from elec_meter.objects.classes.base import CosemObject, Now
from elec_meter.plans import CalendarPlans


class CalendarObject(CosemObject):
    """An object of one of the meter's calendars.

    Args:
        obis: the logical name.
        name: for people.
        now: the host's UTC for reads without an instant.
        key: which calendar it is, or whose: see `elec_meter.plans`.
        plans: has it.
        level: the lowest that may write it.
    """

    def __init__(
        self, obis: str, name: str, now: Now, key: str, plans: CalendarPlans, level: Level
    ) -> None:
        super().__init__(obis, name, now)
        self._key = key
        self._plans = plans
        self._level = level
