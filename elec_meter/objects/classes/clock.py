"""COSEM class 8: the clock (IEC 62056-6-2, 4.5.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import IntFlag
from typing import ClassVar, Final

from elec_meter.access import Level
from elec_meter.objects.classes.base import CosemObject, Now
from elec_meter.objects.classes.entry import Entry, number_entry, time_entry

_TIME: Final = 2
_SHIFT_TIME: Final = 6
_SYNCHRONISE: Final = 128


class ClockStatus(IntFlag):
    """Attribute 4 (IEC 62056-6-2, 4.1.6.1)."""

    INVALID = 0x01
    """The time is not known."""
    DOUBTFUL = 0x02
    """The time is known to be wrong: an adjustment is under way."""


class Clock(CosemObject):
    """What the meter believes the time is, in UTC; None while it does not know.

    Args:
        obis: the logical name.
        name: for people.
        now: the host's UTC for reads without an instant.
        source: the meter's time at an instant of the host's UTC.
        outstanding_s: what is left of an adjustment then, in seconds.
    """

    class_id: ClassVar[int] = 8

    def __init__(
        self,
        obis: str,
        name: str,
        now: Now,
        source: Callable[[datetime], datetime | None],
        outstanding_s: Callable[[datetime], int | None],
    ) -> None:
        super().__init__(obis, name, now)
        self._source = source
        self._outstanding_s = outstanding_s

    def status_at(self, now: datetime) -> ClockStatus:
        """Attribute 4: whether the time may be relied on."""
        if self._source(now) is None:
            return ClockStatus.INVALID
        return ClockStatus.DOUBTFUL if self._outstanding_s(now) else ClockStatus(0)

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        # The meter's time is UTC: no deviation, and daylight saving disabled.
        return {
            2: self._source,
            3: lambda _: 0,
            4: self.status_at,
            7: lambda _: 0,
            8: lambda _: False,
        }

    def _writers(self) -> Mapping[int, Entry]:
        return {_TIME: time_entry(lambda actions, utc: actions.set_clock(utc))}

    def _methods(self) -> Mapping[int, Entry]:
        """Shifting adjusts little by little; 128, a maker's, takes a head end's time."""
        return {
            _SHIFT_TIME: number_entry(
                lambda actions, by_s: actions.adjust_clock(by_s), Level.READER
            ),
            _SYNCHRONISE: time_entry(
                lambda actions, utc: actions.synchronise_clock(utc), Level.READER
            ),
        }
