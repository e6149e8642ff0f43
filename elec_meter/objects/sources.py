"""What the directory's values are computed from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntFlag
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from elec_meter.alarms import Alarms
from elec_meter.led import Led
from elec_meter.outages import Outages
from elec_meter.plans import CalendarPlans
from elec_meter.switchgear import Switchgear
from elec_meter.version import VERSION
from shared.timegrid import unix_s

if TYPE_CHECKING:
    from elec_meter.config import MeterConfig
    from elec_meter.events import Log
    from elec_meter.ledger import Books
    from elec_meter.metrology import Harmonics, Quantities
    from elec_meter.unit_report import UnitReport


class MeterClock(Protocol):
    """What the meter believes the time is; `elec_meter.clock.Clock` is one."""

    @property
    def valid(self) -> bool:
        """Whether it believes anything."""

    def read(self, now: datetime) -> datetime | None:
        """The meter's time at an instant of the host's UTC; None while it is unknown."""

    def outstanding_s(self, now: datetime) -> int:
        """What is left of an adjustment, in seconds."""


class MeterFault(IntFlag):
    """The error register 0-0:97.97.0; 0 is a healthy meter."""

    CLOCK_INVALID = 1
    NO_MEASUREMENT = 2
    """No second of mains was measured lately."""
    STORAGE_FAILED = 4
    """The last checkpoint did not become durable; all that it held waits for the next."""
    CONTACTOR_FAILED = 8
    """Current flows although the contactor is open."""


class EventRow(NamedTuple):
    """An entry of the event log.

    Attributes:
        at_s: when, UNIX seconds in UTC.
        code: the event's number.
        text: a sentence.
        subject: the serial of the unit that it is about, if it is about one.
    """

    at_s: int
    code: int
    text: str
    subject: str | None = None


class EventLog(Protocol):
    """Where events are kept, log by log."""

    def newest(self, log: Log) -> EventRow | None:
        """The last entry."""

    def count(self, log: Log, subject: str | None = None) -> int:
        """How many there are, or how many of them are about a unit."""

    def total(self, log: Log) -> int:
        """How many there ever were."""

    def happened(self, code: int) -> int:
        """How many of one code there ever were."""

    def rows(
        self, log: Log, from_s: int | None, to_s: int | None, subject: str | None = None
    ) -> Iterable[EventRow]:
        """Entries stamped in `[from_s, to_s)`, oldest first; None as a bound is no bound.

        With a subject, those about that unit alone.
        """


class NoEvents:
    """The logs of what keeps none."""

    def newest(self, log: Log) -> EventRow | None:  # noqa: ARG002 - as the protocol has it
        """Nothing."""
        return None

    def count(self, log: Log, subject: str | None = None) -> int:  # noqa: ARG002 - as the protocol has it
        """None."""
        return 0

    def total(self, log: Log) -> int:  # noqa: ARG002 - as the protocol has it
        """None."""
        return 0

    def happened(self, code: int) -> int:  # noqa: ARG002 - as the protocol has it
        """None."""
        return 0

    def rows(self, *_: object, **__: object) -> Iterable[EventRow]:
        """None."""
        return ()


NO_EVENTS: Final[EventLog] = NoEvents()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where values come from. Nothing here is a value.

    Attributes:
        config: what the meter is.
        firmware: the version of this program.
        ledger: registers and rows.
        clock: the meter's time.
        live: quantities of a second just before an instant, None when there is none.
        now: the host's UTC, for reads without an instant.
        unit: what is known of a unit by its serial, None for one never paired.
        events: the event logs.
        storage_failed: whether the last checkpoint did not become durable.
        switchgear: contactor, limiter and terminals.
        alarms: what happened since somebody last looked.
        led: flashes with the energy.
        outages: the long ones.
        harmonics: those of some cycles not long ago, None when there are none.
        plans: calendars in force, to come and being written.
        dlms_port: gives the TCP port on which DLMS listens, None where it does not.
    """

    config: MeterConfig
    firmware: str
    ledger: Books
    clock: MeterClock
    live: Callable[[datetime], Quantities | None]
    now: Callable[[], datetime]
    unit: Callable[[str], UnitReport | None]
    events: EventLog
    storage_failed: Callable[[], bool]
    switchgear: Switchgear
    alarms: Alarms
    led: Led
    outages: Outages
    harmonics: Callable[[datetime], Harmonics | None]
    plans: CalendarPlans
    dlms_port: Callable[[], int | None]

    @classmethod
    def as_built(
        cls, config: MeterConfig, ledger: Books, clock: MeterClock, now: Callable[[], datetime]
    ) -> Sources:
        """Those of a meter that has not lived: nothing is measured, and nothing has happened."""
        return cls(
            config=config,
            firmware=VERSION,
            ledger=ledger,
            clock=clock,
            live=lambda _: None,
            now=now,
            unit=lambda _: None,
            events=NO_EVENTS,
            storage_failed=lambda: False,
            switchgear=Switchgear(config),
            alarms=Alarms(dict),
            led=Led(config.led),
            outages=Outages(),
            harmonics=lambda _: None,
            plans=CalendarPlans(config),
            dlms_port=lambda: None,
        )

    def time(self, now: datetime) -> datetime | None:
        """The meter's time, None while it does not know."""
        return self.clock.read(now) if self.clock.valid else None

    def time_s(self, now: datetime) -> int | None:
        """The meter's time in UNIX seconds, None while it does not know."""
        time = self.time(now)
        return None if time is None else unix_s(time)

    def outstanding_s(self, now: datetime) -> int | None:
        """What is left of a clock adjustment, None while the time is not known."""
        return None if self.time(now) is None else self.clock.outstanding_s(now)

    def quantity(self, of: Callable[[Quantities], float], scaler: int, now: datetime) -> int | None:
        """A live quantity as a register's raw number, rounded; None when there is none."""
        live = self.live(now)
        if live is None:
            return None
        raw = of(live) * 10.0**-scaler
        return round(raw) if math.isfinite(raw) else None

    def faults(self, now: datetime) -> MeterFault:
        """The error register."""
        faults = MeterFault(0)
        if self.time(now) is None:
            faults |= MeterFault.CLOCK_INVALID
        if self.live(now) is None:
            faults |= MeterFault.NO_MEASUREMENT
        if self.storage_failed():
            faults |= MeterFault.STORAGE_FAILED
        if self.switchgear.has_failed:
            faults |= MeterFault.CONTACTOR_FAILED
        return faults
