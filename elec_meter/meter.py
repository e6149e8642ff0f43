"""The meter: measurement, collector, ledger, clock and directory put together, without I/O."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from collector import Collector, Keys, MemoryKeystore
from shared.timegrid import HALF_HOUR_S, from_unix_s, require_utc, unix_s

from .clock import Clock
from .collected import log_entry, unit_report
from .display import Display
from .eventlog import StoredEvents
from .events import EventCode
from .ledger import Ledger
from .objects import Directory, UnitReport, build_directory
from .version import VERSION

if TYPE_CHECKING:
    from collector import Event, ReceivedFrame, UnitRecord

    from .config import MeterConfig
    from .metrology import Measurement, Metrology, Quantities
    from .quality import Quality
    from .sampling import SampleBlock
    from .storage import Storage

CLOSING_GRACE: Final = timedelta(seconds=2)
"""A half-hour closes when samples pass its end, or this long after it when none come."""

LIVE_LIMIT: Final = timedelta(seconds=15)
"""How long the quantities of a second are called those of the moment: longer than any block."""


class Meter:
    """A whole meter as a library: samples, telegrams and the time in; objects out.

    It starts no thread, reads no clock and holds no global; two may live in one process. `now` is
    always the host's UTC and never falls. Call `handle_timer` whenever `next_timer` is reached: it
    closes half-hours and makes everything durable.

    Args:
        config: what the meter is.
        storage: where it lives; a meter that was there before goes on.
        now: when power came.
        keystore: the keys of its pulse units; without one they are forgotten with the object.
        metrology: what measures sample blocks; without one, that of the default converter at the
            first block's rate.

    Raises:
        TimeRunsBackwardsError: `now` is before the storage's last durable instant.
    """

    def __init__(
        self,
        config: MeterConfig,
        storage: Storage,
        now: datetime,
        *,
        keystore: Keys | None = None,
        metrology: Metrology | None = None,
    ) -> None:
        self._now = require_utc(now)
        self.config = config
        self.storage = storage
        state = storage.load()
        self.clock = Clock(state.durable_s)
        self.collector = Collector(storage.connection, keystore or MemoryKeystore(), now)
        self.ledger = Ledger(config, state, self.collector)
        self._metrology = metrology
        self._quality: Quality | None = None
        self._quantities: Quantities | None = None
        self._saved_beside: dict[str, Callable[[], bytes]] = {}
        self._saved_values: dict[str, bytes] = {}
        self.objects: Directory = build_directory(
            config,
            self.ledger,
            self.clock,
            self._live,
            now=lambda: self._now,
            firmware=VERSION,
            unit=self.unit_report,
            events=StoredEvents(storage),
        )
        self.display = Display(config.display, self.objects)
        self._power_up()
        self._checkpoint_due = now + self._checkpoint_every

    @property
    def now(self) -> datetime:
        """The latest instant that it was told."""
        return self._now

    def receive_block(self, block: SampleBlock, now: datetime) -> Measurement:
        """Measure and book a block of samples, all of one rate.

        Raises:
            MetrologyError: the block cannot be measured; nothing was booked.
        """
        if self._metrology is None:
            self._metrology = _default_metrology(block.rate_hz)
        measurement = self._metrology.process(block)
        self.receive_measurement(measurement, now)
        return measurement

    def receive_measurement(self, measurement: Measurement, now: datetime) -> None:
        """Book what was measured elsewhere, such as in a sampling thread."""
        self._advance(now)
        self._quantities = measurement.quantities
        if self._quality is None:
            self._quality = _new_quality(self.ledger)
        # A sample clock that runs ahead closes nothing before its time has come.
        end = min(measurement.end_utc, self._now)
        for entry in self._quality.judge(measurement, end):
            self.storage.record_event(*entry, end)
        for channel, energy_mj in (
            ("import", measurement.import_mj),
            ("export", measurement.export_mj),
        ):
            for at_s, energy in zip(measurement.second_s.tolist(), energy_mj.tolist(), strict=True):
                if energy:
                    self.ledger.accumulate(channel, energy, at_s)
        self.ledger.close_through(unix_s(end))

    def receive_energy(
        self, channel: str, energy_mj: int, start: datetime, end: datetime, now: datetime
    ) -> None:
        """Book recorded energy as if it had been drawn evenly from `start` to `end`.

        Raises:
            LedgerError: no such energy channel, or an instant before the first power-up.
        """
        self._advance(now)
        self.ledger.accumulate_evenly(channel, energy_mj, unix_s(start), unix_s(end))
        self.ledger.close_through(unix_s(end))

    def receive_frame(self, frame: ReceivedFrame, now: datetime) -> list[Event]:
        """Hand over a frame that a bearer heard; refusals are events, never exceptions."""
        self._advance(now)
        return self._log(self.collector.receive(frame, now))

    def replies(self, now: datetime) -> list[tuple[str, bytes]]:
        """What to send, (unit's serial, bytes), in the reply window of the frame just received."""
        replies = self.collector.replies(now)
        if replies:
            self.checkpoint()  # a command's counter is used up before anybody can hear it
        return replies

    def pair(self, unit: UnitRecord, key: bytes, now: datetime) -> None:
        """Commit a pairing: from its base count on, the unit's pulses are the channel's."""
        self._advance(now)
        self.collector.pair(unit, key, now)
        self.storage.record_event(
            EventCode.UNIT_PAIRED, f"unit {unit.serial} was paired to {unit.channel}", now
        )
        self.checkpoint()

    def unit_report(self, serial: str) -> UnitReport | None:
        """How a pulse unit is; None if none of that serial is paired."""
        return unit_report(self.collector, serial)

    def next_timer(self) -> datetime:
        """When `handle_timer` is due: a half-hour's end, a checkpoint, the collector's step."""
        due = [self._checkpoint_due]
        closed_s = self.ledger.closed_s
        if closed_s is not None:
            due.append(from_unix_s(closed_s + HALF_HOUR_S) + CLOSING_GRACE)
        collector_due = self.collector.next_timer()
        if collector_due is not None:
            due.append(collector_due)
        return min(due)

    def handle_timer(self, now: datetime) -> None:
        """Let time pass: close what has ended, in order, and make it durable when that is due.

        Calling early or often is harmless; a call that comes late closes everything in between.
        """
        self._advance(now)
        closed_s = self.ledger.closed_s
        self._log(self.collector.handle_timer(now))
        self.ledger.close_through(unix_s(self.clock.read(now) - CLOSING_GRACE))
        if now >= self._checkpoint_due or closed_s != self.ledger.closed_s:
            self.checkpoint()

    def checkpoint(self) -> None:
        """Commit ledger, journal, events and what is saved beside them, in one transaction.

        Raises:
            CheckpointFailedError: nothing of it is durable.
        """
        self.ledger.book_pulses()
        for key, state in self._saved_beside.items():
            value = state()
            if value != self._saved_values.get(key):
                self.storage.put_state(key, value)
                self._saved_values[key] = value
        self.storage.checkpoint(self.ledger, unix_s(self.clock.read(self._now)))
        self._checkpoint_due = self._now + self._checkpoint_every

    def save_beside(self, key: str, state: Callable[[], bytes]) -> None:
        """Have `state()` saved under `key` in the same transaction as every checkpoint."""
        self._saved_beside[key] = state

    @property
    def _checkpoint_every(self) -> timedelta:
        return timedelta(seconds=self.config.checkpoint_s)

    def _advance(self, now: datetime) -> None:
        self._now = max(self._now, require_utc(now))

    def _power_up(self) -> None:
        now = self._now
        self.clock.power_up(now, self.collector.epoch)
        is_first = self.ledger.closed_s is None
        outage_s = self.ledger.power_up(unix_s(now))
        self.ledger.book_pulses()
        if self.storage.load_config() != self.config:
            self.storage.save_config(self.config, unix_s(now))
        if is_first:
            code, text = EventCode.FIRST_POWER_UP, "power came for the first time"
        else:
            code, text = EventCode.POWER_UP, f"power came back after {outage_s} s"
        self.storage.record_event(code, text, now)

    def _log(self, events: list[Event]) -> list[Event]:
        """Book what they bring, keep what a person should look at."""
        if events:
            self.ledger.book_pulses()
        for event in events:
            entry = log_entry(event)
            if entry is not None:
                self.storage.record_event(*entry, event.received_utc)
        return events

    def _live(self, now: datetime) -> Quantities | None:
        """The last second's quantities, as long as it is the last second."""
        quantities = self._quantities
        if quantities is None or now > from_unix_s(quantities.second_s) + LIVE_LIMIT:
            return None
        return quantities


# Both are loaded with the first measurement: numba is heavy, and who only reads needs none.


def _new_quality(ledger: Ledger) -> Quality:
    from .quality import Quality

    return Quality(ledger)


def _default_metrology(rate_hz: int) -> Metrology:
    from .metrology import Calibration, Metrology
    from .sampling import Converter

    return Metrology(Calibration.for_converter(Converter()), rate_hz=rate_hz)
