"""A meter whose every source a test sets by hand: the real ledger and directory, no measuring."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from elec_meter.config import MeterConfig, demo_config
from elec_meter.events import Log, log_of
from elec_meter.ledger import Ledger
from elec_meter.objects import Directory, EventRow, Sources, UnitReport, build_directory
from shared.timegrid import unix_s
from tests.elec_meter.ledger.pulses import ScriptedPulses

START = datetime(2012, 10, 28, 0, 0, tzinfo=UTC)


@dataclass
class Quantities:
    """The shape of `elec_meter.metrology.Quantities`, without its kernels."""

    v_rms_v: float = 239.874
    i_rms_a: float = 1.2345
    power_w: float = 290.6
    reactive_var: float = 40.2
    apparent_va: float = 296.1
    power_factor: float = 0.9812
    frequency_hz: float = 49.9876


@dataclass
class FixedClock:
    """A clock that is right, or knows nothing."""

    valid: bool = True
    left_s: int = 0

    def read(self, now: datetime) -> datetime:
        """The host's time."""
        return now

    def outstanding_s(self, now: datetime) -> int:
        """As a test says."""
        return self.left_s


@dataclass
class ListedEvents:
    """A list as event logs."""

    listed: list[EventRow]

    def newest(self, log: Log) -> EventRow | None:
        """The last one."""
        return next((event for event in reversed(self.listed) if log_of(event.code) is log), None)

    def count(self, log: Log, subject: str | None = None) -> int:
        """All of them, or of a unit's."""
        return len(self.rows(log, None, None, subject))

    def happened(self, code: int) -> int:
        """As many as are there."""
        return sum(each.code == code for each in self.listed)

    def total(self, log: Log) -> int:
        """All of them."""
        return self.count(log)

    def rows(
        self, log: Log, from_s: int | None, to_s: int | None, subject: str | None = None
    ) -> list[EventRow]:
        """Those in between."""
        return [
            event
            for event in self.listed
            if log_of(event.code) is log
            and (from_s is None or from_s <= event.at_s)
            and (to_s is None or event.at_s < to_s)
            and subject in (None, event.subject)
        ]


@dataclass
class FixedMeter:
    """A ledger that began at `START`, and a directory over it."""

    config: MeterConfig = field(default_factory=demo_config)
    now: datetime = START + timedelta(minutes=40, seconds=7)
    clock: FixedClock = field(default_factory=FixedClock)
    live: Quantities | None = field(default_factory=Quantities)
    reports: dict[str, UnitReport] = field(default_factory=dict)
    events: list[EventRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pulses = ScriptedPulses(paired_s=unix_s(START))
        self.ledger = Ledger(self.config, pulse_source=self.pulses)
        self.ledger.power_up(unix_s(START))
        self.directory = self.build()

    def build(self) -> Directory:
        """The directory."""
        built = Sources.as_built(self.config, self.ledger, self.clock, lambda: self.now)
        return build_directory(
            replace(
                built,
                firmware="0.1.0",
                live=lambda _now: self.live,
                unit=self.reports.get,
                events=ListedEvents(self.events),
            )
        )

    def book(self, channel: str, wh: int, at: datetime = START) -> None:
        """Energy of an instant."""
        self.ledger.book(channel, wh, unix_s(at))
