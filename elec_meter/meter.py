"""The meter: measurement, collector, ledger, clock and directory put together, without I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

from collector import Collector, Keys, KeystoreError, MemoryKeystore
from shared.timegrid import require_utc, unix_s

from .clock import SECOND_US, Clock, Dating, Piece, from_unix_us, unix_us
from .collected import log_entry, unit_report
from .config import ENERGY_NAMES
from .errors import CheckpointFailedError, StorageLostError
from .events import EventCode
from .ledger import Flow, Ledger
from .measured import MeasuredMeter
from .objects import UnitReport
from .outages import outage_text

if TYPE_CHECKING:
    from collector import Event, ReceivedFrame, UnitRecord

    from .calibrated import FrontEnd
    from .config import MeterConfig
    from .metrology import Measurement
    from .sampling import EnergySeries, SampleBlock
    from .storage import Storage

CLOSING_GRACE: Final = timedelta(seconds=2)
"""A row closes when samples pass its end, or this long after it when none come."""

_GRACE_S: Final = CLOSING_GRACE // timedelta(seconds=1)

HostFlow: TypeAlias = Callable[[int], int]
"""The energy in mJ that has flowed by an instant of the host's, UNIX microseconds."""


class Meter(MeasuredMeter):
    """A whole meter as a library: samples, telegrams and the time in; objects out.

    It starts no thread, reads no clock and holds no global; two may live in one process. `now` is
    always the host's UTC and never falls. Call `handle_timer` whenever `next_timer` is reached: it
    closes rows and makes everything durable.

    Args:
        config: what the meter is.
        storage: where it lives; a meter that was there before goes on.
        now: when power came.
        keystore: the keys of its pulse units; without one they are forgotten with the object.
        front_end: whose counts come; without one, they are those of the meter's own.

    Raises:
        TimeRunsBackwardsError: `now` is before the storage's last durable instant.
        ConfigError: the configuration names objects that the meter does not have.
    """

    def __init__(
        self,
        config: MeterConfig,
        storage: Storage,
        now: datetime,
        *,
        keystore: Keys | None = None,
        front_end: FrontEnd | None = None,
    ) -> None:
        state = storage.load()
        # The outage is the old configuration's; another one begins with power.
        known = storage.load_config(storage.config_in_force) or config
        clock = Clock(known.clock, state.stretches, state.durable_s)
        if unix_s(now) == state.durable_s:  # what was set within that second has happened
            now = max(require_utc(now), from_unix_us(clock.now_us))
        collector = Collector(storage.connection, keystore or MemoryKeystore(), now)
        ledger = Ledger(known, state, collector, clock)
        super().__init__(known, storage, require_utc(now), clock, collector, ledger, front_end)
        self._is_storage_failing = False
        self._is_gathering = self._is_gathered = False
        self._power_up(config)
        self._checkpoint_due = now + self._checkpoint_every

    def receive_block(self, block: SampleBlock, now: datetime) -> Measurement:
        """Measure and book a block of samples.

        Raises:
            MetrologyError: the block cannot be measured; nothing was booked.
        """
        measurement = self.pipeline.process(block)
        self.receive_measurement(measurement, now)
        return measurement

    def receive_measurement(self, measurement: Measurement, now: datetime) -> None:
        """Book what `pipeline` measured elsewhere, such as in a sampling thread."""
        self._advance(now)
        # A sample clock that runs ahead closes nothing before its time has come.
        end = min(measurement.end_utc, self._now)
        self._judge(measurement, end)
        runs_on = self.clock.runs_on(unix_us(end))
        end_s = self.clock.read_s(end) if runs_on else None
        for host_s, *energies_mj in _seconds_of(measurement):
            at_s, is_past = self.clock.known_s(host_s), not self.clock.runs_on(host_s * SECOND_US)
            if at_s is not None and end_s is not None and at_s <= end_s and not is_past:
                self._close_through(at_s)
            for channel, energy_mj in zip(ENERGY_NAMES, energies_mj, strict=True):
                if energy_mj:
                    self.ledger.accumulate(channel, energy_mj, at_s, is_past=is_past)
        if end_s is not None:
            self._close_through(end_s)
        self._watch()

    def receive_energy(
        self, channel: str, energy_mj: int, start: datetime, end: datetime, now: datetime
    ) -> None:
        """Book recorded energy as if it had been drawn evenly from `start` to `end`.

        Raises:
            LedgerError: no such energy channel, or an instant before the first power-up.
        """
        self.receive_energies({channel: energy_mj}, start, end, now)

    def receive_energies(
        self, energies_mj: Mapping[str, int], start: datetime, end: datetime, now: datetime
    ) -> None:
        """As `receive_energy`, of several channels together: a row closes when all have passed.

        Raises:
            LedgerError: as there; nothing was booked.
        """
        self._advance(now)
        start_us, end_us = unix_us(start), unix_us(end)
        for channel, energy_mj in energies_mj.items():
            self.ledger.require_energy(channel, energy_mj, start_us, end_us)
        flows = {
            channel: _evenly(energy_mj, start_us, end_us)
            for channel, energy_mj in energies_mj.items()
        }
        self._measure(flows, start_us, end_us)

    def receive_series(self, series: EnergySeries, now: datetime) -> None:
        """Book recorded or simulated energy of several channels, second by second, in one step.

        Raises:
            LedgerError: no such energy channel, or an instant before the first power-up.
        """
        self._advance(now)
        flows = series.flows()
        for channel in flows:
            self.ledger.require_energy(channel, 0, series.start_s, series.end_s)
        self._measure(flows, series.start_s * SECOND_US, series.end_s * SECOND_US)

    def receive_frame(self, frame: ReceivedFrame, now: datetime) -> list[Event]:
        """Hand over a frame that a bearer heard; refusals are events, never exceptions."""
        self._advance(now)
        return self._log(self.collector.receive(frame, now))

    def receive_log(
        self, serial: str, entries: Iterable[tuple[int, int, int]], now: datetime
    ) -> None:
        """Take what was read of a unit's log, authentic: see `Collector.receive_log`."""
        self._advance(now)
        self.collector.receive_log(serial, entries, now)
        self._book_pulses()

    def replies(self, now: datetime) -> list[tuple[str, bytes]]:
        """What to send, (unit's serial, bytes), in the reply window of the frame just received."""
        replies = self.collector.replies(now)
        # A command's counter is used up before anybody can hear it.
        return replies if replies and self._has_checkpointed() else []

    def pair(
        self, unit: UnitRecord, key: bytes, now: datetime, *, replaces: str | None = None
    ) -> None:
        """Commit a pairing: from its base count on, the unit's pulses are the channel's.

        Args:
            unit: the pairing.
            key: the unit's.
            now: the host's UTC.
            replaces: the unit that gave way to it; it has ended.
        """
        self._advance(now)
        code, text = EventCode.UNIT_PAIRED, f"unit {unit.serial} was paired to {unit.channel}"
        if replaces is not None:
            code = EventCode.UNIT_EXCHANGED
            pulses = self.ledger.total(unit.channel)
            text = (
                f"unit {replaces} was exchanged for unit {unit.serial} on {unit.channel},"
                f" which had counted {pulses} pulses"
            )
        self.collector.pair(unit, key, now)
        self.storage.record_event(code, text, now, subject=unit.serial)
        self.checkpoint()

    def unit_report(self, serial: str) -> UnitReport | None:
        """How a pulse unit is; None if none of that serial is paired."""
        return unit_report(self.collector, serial)

    def next_timer(self) -> datetime:
        """When `handle_timer` is due: the end of a period, a checkpoint, the collector's step."""
        due = [self._checkpoint_due, *self._switching()]
        ends_s = [self.ledger.demand.next_s]
        if self.config.passive is not None:
            ends_s.append(unix_s(self.config.passive.activate))
        closing = self.clock.next_host(min(ends_s) + _GRACE_S, self._now)
        if closing is not None:
            due.append(closing)
        collector_due = self.collector.next_timer()
        if collector_due is not None:
            due.append(collector_due)
        return min(due)

    def handle_timer(self, now: datetime) -> None:
        """Let time pass: close what has ended, in order, and make it durable when that is due.

        Calling early or often is harmless; a call that comes late closes everything in between. A
        checkpoint that fails is an event and an alarm, and is tried again when the next is due.

        Raises:
            StorageLostError: no checkpoint will succeed any more.
        """
        self._advance(now)
        closed_s = self.ledger.closed_s
        self._close_what_is_due()
        self._log(self.collector.handle_timer(now))
        self._watch()
        if now >= self._checkpoint_due or closed_s != self.ledger.closed_s:
            self._has_checkpointed()

    def checkpoint(self) -> None:
        """Commit ledger, clock, journal, events and what is saved beside them, in one transaction.

        Raises:
            CheckpointFailedError: nothing of it is durable, and nothing of it may be served. The
                next checkpoint tries again.
            StorageLostError: none will succeed any more.
        """
        if self._is_gathering:
            self._is_gathered = True
            return
        try:
            self._commit()
            if self._is_storage_failing:
                self._is_storage_failing = False
                text = "checkpoints succeed again, and nothing was lost"
                self.storage.record_event(EventCode.STORAGE_RECOVERED, text, self._now)
                self._commit()
        except StorageLostError:
            raise
        except CheckpointFailedError as error:
            if not self._is_storage_failing:
                self._is_storage_failing = True
                self.storage.record_event(EventCode.STORAGE_FAILED, str(error), self._now)
            raise
        finally:
            self._checkpoint_due = self._now + self._checkpoint_every

    @contextmanager
    def in_one_commit(self) -> Iterator[None]:
        """What is ordered meanwhile becomes durable at the end, together or not at all.

        Raises:
            CheckpointFailedError: as for `checkpoint`.
        """
        self._is_gathering, self._is_gathered = True, False
        try:
            yield
        finally:
            self._is_gathering = False
        if self._is_gathered:
            self.checkpoint()

    @property
    def _checkpoint_every(self) -> timedelta:
        return timedelta(seconds=self.config.checkpoint_s)

    def _has_checkpointed(self) -> bool:
        try:
            self.checkpoint()
        except StorageLostError:
            raise
        except CheckpointFailedError:
            return False
        return True

    def _commit(self) -> None:
        self._book_pulses()
        self._put_beside()
        self.storage.checkpoint(self.ledger, unix_s(self._now))
        with suppress(KeystoreError):  # their units' telegrams are refused all the same
            self.collector.forget_ended_keys()

    def _measure(self, flows: Mapping[str, HostFlow], start_us: int, end_us: int) -> None:
        """Book what flowed between two instants of the host's, by the meter's time."""
        for piece in self.clock.pieces(start_us, end_us):
            if piece.stretch.dating is not Dating.KNOWN:
                for channel, flow in flows.items():
                    energy_mj = flow(piece.to_us) - flow(piece.from_us)
                    self.ledger.accumulate(channel, energy_mj, None)
                continue
            from_s = piece.stretch.meter_at(piece.from_us) // SECOND_US
            to_s = piece.stretch.meter_at(piece.to_us) // SECOND_US
            by_meter = {channel: _by_meter(flow, piece) for channel, flow in flows.items()}
            is_past = not self.clock.runs_on(piece.from_us)
            if is_past:
                self.ledger.measure(by_meter, from_s, to_s, is_past=True)
            else:
                self._measure_on(by_meter, from_s, to_s)
            # What flowed since the last whole second belongs to the one that is under way.
            tail_us = max(piece.from_us, piece.stretch.host_at(to_s * SECOND_US))
            for channel, flow in flows.items():
                energy_mj = flow(piece.to_us) - flow(tail_us)
                self.ledger.accumulate(channel, energy_mj, to_s, is_past=is_past)

    def _measure_on(self, flows: Mapping[str, Flow], from_s: int, to_s: int) -> None:
        """Book what flowed up to `to_s`, and close what has ended by then, a tariff among it."""
        self._close_through(from_s)
        passive = self.config.passive
        if passive is not None and from_s < unix_s(passive.activate) < to_s:
            activate_s = unix_s(passive.activate)
            self.ledger.measure(flows, from_s, activate_s)
            self._close_through(activate_s)
            from_s = activate_s
        self.ledger.measure(flows, from_s, to_s)
        self._close_through(to_s)

    def _power_up(self, config: MeterConfig) -> None:
        now, ledger = self._now, self.ledger
        self.clock.power_up(now, self.collector.epoch)
        is_first, was_known = ledger.closed_s is None, ledger.spell is None
        outage_s = ledger.power_up(self.clock.read_s(now))
        if is_first:
            code, text = EventCode.FIRST_POWER_UP, "power came for the first time"
        else:
            code, text = EventCode.POWER_UP, f"power came back after {outage_text(outage_s)}"
            self.outages.power_came(self.clock.read_s(now), outage_s)
            self._record_interrupted()
        if was_known and ledger.spell is not None:
            code, text = EventCode.CLOCK_INVALID, "power came back, and the time is not known"
        self._load_prices()
        self._begin_with(config, self.clock.read_s(now))
        at_s = self.clock.read_s(now)
        if at_s is not None:
            self._close_through(at_s)
        ledger.book_pulses()
        self.storage.record_event(code, text, now)

    def _log(self, events: list[Event]) -> list[Event]:
        """Book what they bring, keep what a person should look at."""
        if events:
            self._book_pulses()
        for event in events:
            entry = log_entry(event)
            if entry is not None:
                self.storage.record_event(*entry, event.received_utc, subject=event.serial)
        return events

    def _book_pulses(self) -> None:
        """Book what is final, after what it might change has closed: snapshots, a tariff."""
        self._close_what_is_due()
        self.ledger.book_pulses()

    def _close_what_is_due(self) -> None:
        at_s = self.clock.read_s(self._now)
        if at_s is not None:
            self._close_through(at_s - _GRACE_S)


def _seconds_of(measurement: Measurement) -> Iterator[tuple[int, ...]]:
    """Of each second when it was, by the host's time, and the energy of every channel, in order."""
    return zip(
        measurement.second_s.tolist(),
        measurement.import_mj.tolist(),
        measurement.export_mj.tolist(),
        *measurement.reactive_mvars.T.tolist(),
        strict=True,
    )


def _evenly(energy_mj: int, start_us: int, end_us: int) -> HostFlow:
    return lambda at_us: energy_mj * (at_us - start_us) // (end_us - start_us)


def _by_meter(flow: HostFlow, piece: Piece) -> Flow:
    """A flow by the meter's seconds, within a piece of the host's time in which it runs evenly."""
    host_at = piece.stretch.host_at
    return lambda at_s: flow(max(piece.from_us, host_at(at_s * SECOND_US)))
