"""What a measurement's flags mean: for the half-hours that it fell in, and for the event log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from .clock import Clock, unix_us
from .events import EventCode
from .ledger import Ledger, RowStatus
from .metrology import Flags, Measurement


class _Meaning(NamedTuple):
    flag: Flags
    status: RowStatus
    code: EventCode
    text: str


_MEANINGS: Final = (
    _Meaning(Flags.GAP, RowStatus.DATA_NOT_VALID, EventCode.MEASUREMENT_GAP, "samples are missing"),
    _Meaning(
        Flags.SATURATED,
        RowStatus.DATA_NOT_VALID,
        EventCode.MEASUREMENT_SATURATED,
        "a converter stands at its limit",
    ),
    _Meaning(
        Flags.NO_SIGNAL,
        RowStatus.POWER_DOWN,
        EventCode.MEASUREMENT_NO_SIGNAL,
        "there is no mains voltage",
    ),
    _Meaning(
        Flags.STUCK,
        RowStatus.DATA_NOT_VALID,
        EventCode.MEASUREMENT_STUCK,
        "a converter gives one and the same count",
    ),
    _Meaning(
        Flags.DC,
        RowStatus.DATA_NOT_VALID,
        EventCode.MEASUREMENT_DC,
        "there is direct voltage or current on the line",
    ),
    _Meaning(
        Flags.UNLOCKED,
        RowStatus.DATA_NOT_VALID,
        EventCode.MEASUREMENT_UNLOCKED,
        "the voltage has no regular cycles",
    ),
)


class Quality:
    """Marks the half-hours in which something was wrong, and tells of each fault once it begins.

    Args:
        ledger: whose rows are marked.
        clock: the meter's time; what happens while it is unknown marks no row.
    """

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._flags = Flags(0)
        self._measured_to: datetime | None = None

    def judge(self, measurement: Measurement, end: datetime) -> Iterator[tuple[EventCode, str]]:
        """Mark what `measurement` says of the time up to `end`; yield log entries."""
        begun = measurement.flags & ~self._flags
        from_utc = measurement.start_utc
        if measurement.flags & Flags.GAP and self._measured_to is not None:
            from_utc = min(self._measured_to, from_utc)
        status = RowStatus(0)
        for meaning in _MEANINGS:
            if measurement.flags & meaning.flag:
                status |= meaning.status
            if begun & meaning.flag:
                yield meaning.code, meaning.text
        if not self._clock.runs_on(unix_us(end)):
            status = RowStatus(0)  # its time has been set or lost since
        from_s, end_s = self._clock.read_s(from_utc), self._clock.read_s(end)
        if status and end_s is not None:
            self._ledger.pad(end_s if from_s is None else from_s, end_s, status)
        # A gap lies before its measurement: the next one is another gap.
        self._flags = measurement.flags & ~Flags.GAP
        self._measured_to = end
