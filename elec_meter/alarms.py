"""Alarms: what happened since somebody last looked (0-0:97.98, IEC 62056-6-1, 6.2.63)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import IntFlag
from typing import Final

import msgspec

from .errors import CorruptError
from .events import EventCode

ALARMS_KEY: Final = "alarms"


class Alarm(IntFlag):
    """The bits of the alarm registers; those of a kind that DLMS/IDIS knows are where it has them.

    The names in small letters are those of the configuration's `alarms.quiet`.
    """

    CLOCK_INVALID = 1 << 0
    BATTERY_LOW = 1 << 1
    STORAGE_FAILED = 1 << 10
    MEASUREMENT_FAILED = 1 << 11
    TAMPER = 1 << 13
    UNIT_SILENT = 1 << 16
    CONTACTOR_OPENED = 1 << 24
    CONTACTOR_FAILED = 1 << 25
    LIMITER_LOCKED = 1 << 26
    ORDER_REFUSED = 1 << 27
    LEVEL_LOCKED = 1 << 28


_RAISED_BY: Final[dict[int, Alarm]] = {
    EventCode.CLOCK_INVALID: Alarm.CLOCK_INVALID,
    EventCode.UNIT_BATTERY_LOW: Alarm.BATTERY_LOW,
    EventCode.STORAGE_FAILED: Alarm.STORAGE_FAILED,
    EventCode.STORAGE_REPAIRED: Alarm.STORAGE_FAILED,
    EventCode.MEASUREMENT_SATURATED: Alarm.MEASUREMENT_FAILED,
    EventCode.MEASUREMENT_LOST: Alarm.MEASUREMENT_FAILED,
    EventCode.MEASUREMENT_STUCK: Alarm.MEASUREMENT_FAILED,
    EventCode.MEASUREMENT_DC: Alarm.MEASUREMENT_FAILED,
    EventCode.MEASUREMENT_UNLOCKED: Alarm.MEASUREMENT_FAILED,
    EventCode.UNIT_TAMPERED: Alarm.TAMPER,
    EventCode.UNIT_SILENT: Alarm.UNIT_SILENT,
    EventCode.CONTACTOR_OPENED_BY_LIMITER: Alarm.CONTACTOR_OPENED,
    EventCode.CONTACTOR_FAILED: Alarm.CONTACTOR_FAILED,
    EventCode.LIMITER_LOCKED: Alarm.LIMITER_LOCKED,
    EventCode.ORDER_REFUSED: Alarm.ORDER_REFUSED,
    EventCode.LEVEL_LOCKED: Alarm.LEVEL_LOCKED,
}


def alarm_of(code: int) -> Alarm:
    """What an event raises; 0 for nothing."""
    return _RAISED_BY.get(code, Alarm(0))


def alarms_named(names: Iterable[str]) -> Alarm:
    """The alarms of some names."""
    found = Alarm(0)
    for name in names:
        found |= Alarm[name.upper()]
    return found


class Alarms:
    """Latches: an alarm that was raised stays until somebody clears it, whatever becomes of it.

    It is computed from how often each event ever happened, which is counted where events are kept:
    there is no event without its alarm, and no outage in between.

    Args:
        totals: gives how many events of each code there ever were.
        saved: what `packed` gave once; without it all that has happened is of no interest.

    Raises:
        CorruptError: `saved` is something else.
    """

    def __init__(self, totals: Callable[[], Mapping[int, int]], saved: bytes | None = None) -> None:
        self._totals = totals
        if saved is None:
            self._seen = dict(totals())
        else:
            try:
                self._seen = msgspec.msgpack.decode(saved, type=dict[int, int])
            except msgspec.MsgspecError as error:
                raise CorruptError(f"what is kept of the alarms is damaged: {error}") from None

    @property
    def raised(self) -> Alarm:
        """Every alarm since the last clearing."""
        raised = Alarm(0)
        for code, count in self._totals().items():
            if count > self._seen.get(code, 0):
                raised |= alarm_of(code)
        return raised

    def clear(self) -> Alarm:
        """Somebody has looked; return what there was."""
        raised, self._seen = self.raised, dict(self._totals())
        return raised

    def packed(self) -> bytes:
        """To be kept."""
        return msgspec.msgpack.encode(self._seen)
