"""A collector of its own, without an electricity meter: its units, channels and certificates.

Every step is one transaction of the data directory. Whatever it could not keep waits in memory and
is tried again; nothing is told to anybody before it is durable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar

from shared.quoting import quoted
from shared.timegrid import iso_utc, unix_ms
from shared.wire.grid import COUNT_MODULUS

from . import certificate
from .dial import DialReading
from .entries import forward
from .errors import PairingError, UnitUnknownError
from .intake import Intake
from .notes import Note, note_of_setting
from .particulars import FLOW_MAX_L_H, PairingOutcome, PairingPlan, lowest_free_channel
from .segments import Segment, channel_segments, register_l
from .storage.pairings import Pairings
from .storage.registry import PhaseState

if TYPE_CHECKING:
    from .storage.directory import DataDirectory

_Result = TypeVar("_Result")


class Station(Intake):
    """The one writer of a data directory.

    Args:
        directory: open for writing.
        now: the host's UTC.

    Attributes:
        revision: rises whenever it is another unit that is paired, or on another way.

    Raises:
        StorageFailedError: the tables could not be made.
    """

    def __init__(self, directory: DataDirectory, now: datetime) -> None:
        super().__init__(directory, now)
        self.revision = 0
        self._forget_ended_keys()

    def free_channel(self) -> str:
        """The lowest that no unit feeds now."""
        return lowest_free_channel({segment.channel for segment in self.open_segments().values()})

    def max_flow_l_h(self, exchanges: str | None) -> int:
        """That of the unit to exchange, or of a domestic gas meter."""
        if exchanges is None or exchanges not in self.open_segments():
            return FLOW_MAX_L_H
        return self.collector.unit(exchanges).max_flow_l_h

    def plan(self, plan: PairingPlan, *, exchanges: str | None = None) -> PairingPlan:
        """A plan with what is known here.

        Args:
            plan: what the installer wants.
            exchanges: the unit whose place is taken, or whose meter is.

        Raises:
            PairingError: another unit feeds the channel.
            UnitUnknownError: the unit to exchange is not paired.
        """
        paired = self.open_segments()
        if exchanges is not None:
            if exchanges not in paired:
                raise UnitUnknownError(f"no unit {quoted(exchanges)} is paired")
            plan = replace(plan, channel=paired[exchanges].channel)
        feeding = [each for each in paired.values() if each.channel == plan.channel]
        if feeding and feeding[0].serial != exchanges:
            raise PairingError(
                f"the unit {feeding[0].serial} feeds the channel {plan.channel} already:"
                " exchange it, or name another channel"
            )
        index = index_meter = None
        earlier = channel_segments(self.pairings.segments(), plan.channel)
        if earlier:
            index = earlier[-1].dial_at(self.collector.register(earlier[-1].serial))
            index_meter = earlier[-1].meter_serial
        taken = (set(paired) | self._strangers()) - {exchanges}
        return replace(plan, taken=taken, index=index, index_meter=index_meter)

    def commit(
        self,
        outcome: PairingOutcome,
        now: datetime,
        *,
        installer: str = "",
        exchanges: str | None = None,
    ) -> dict[str, Any]:
        """Make a pairing durable, as a whole or not at all; return its certificate.

        Args:
            outcome: of the session.
            now: the host's UTC.
            installer: whoever did it.
            exchanges: as in `plan`.

        Raises:
            StorageFailedError: nothing of it is there; it may be tried again.
            KeystoreError: nor is it where the key could not be kept.
        """
        keystore, serial = self.directory.keystore, outcome.record.serial
        key_before = keystore.get(serial)
        try:
            with self._transaction(now):
                number = self._commit(outcome, now, installer, exchanges)
        except BaseException:
            if key_before is None:
                keystore.remove(serial)
            else:
                keystore.put(serial, key_before)
            raise
        self.revision += 1
        if exchanges is not None and exchanges != serial:
            keystore.remove(exchanges)
        document = self.pairings.certificate(number)
        assert document is not None  # it was just committed
        return document

    def unpair(
        self, serial: str, now: datetime, *, installer: str = "", dial: DialReading | None = None
    ) -> dict[str, Any]:
        """End a pairing: what was counted stays; return the certificate.

        Args:
            serial: the unit.
            now: the host's UTC.
            installer: whoever did it.
            dial: what the meter's dial shows, if it was read.

        Raises:
            UnitUnknownError: it is not paired.
            StorageFailedError: nothing has changed.
            KeystoreError: it is unpaired, and its key is still there until the next start.
        """
        segment = self.open_segments().get(serial)
        if segment is None:
            raise UnitUnknownError(f"no unit {quoted(serial)} is paired")
        with self._transaction(now):
            register = self.collector.register(serial)
            self.pairings.end(serial, unix_ms(now), register)
            document = {
                "kind": "unpairing",
                "made": iso_utc(now),
                "installer": installer,
                "channel": segment.channel,
                "replaces": certificate.ended(segment, register, dial),
            }
            number = self.pairings.certify(unix_ms(now), "unpairing", serial, document)
        self.revision += 1
        self.directory.keystore.remove(serial)
        return {"certificate": number, **document}

    def keep(self, change: Callable[[Pairings], _Result], now: datetime) -> _Result:
        """Make a change of what is kept beside the units durable; return what it returns.

        Raises:
            StorageFailedError: nothing was kept.
        """
        with self._transaction(now):
            return change(self.pairings)

    @property
    def told(self) -> datetime:
        """See `Collector.told`."""
        return self.collector.told

    def set_clock(self, before: datetime, now: datetime) -> Note:
        """Let time go on from where the host's clock was set to; return the line that says so.

        Args:
            before: the time by the clock as it was.
            now: the time by the clock as it is.

        Raises:
            StorageFailedError: nothing was kept, and time goes on as before.
        """
        self.receive((), before)
        note = note_of_setting(before, now)
        with self._transaction(before):
            self.collector.set_clock(now)
            self._events.add(note)
        return note

    def _commit(
        self, outcome: PairingOutcome, now: datetime, installer: str, exchanges: str | None
    ) -> int:
        collector, record = self.collector, outcome.record
        serial, channel = record.serial, record.channel
        from_pulses = self._admit(outcome, now)
        replaces, unmetered_l = None, Fraction(0)
        if exchanges is not None:
            old = self.open_segments()[exchanges]
            last = from_pulses if exchanges == serial else collector.register(exchanges)
            self.pairings.end(exchanges, unix_ms(now), last)
            replaces = certificate.ended(old, last)
            if old.meter_serial == outcome.meter.meter_serial:
                unmetered_l = outcome.meter.dial.litres - old.dial_at(last).litres
        segments = channel_segments(self.pairings.segments(), channel)
        offset_l = outcome.meter.dial.litres - register_l(segments, collector.register)
        self.pairings.begin(
            Segment(
                serial=serial,
                channel=channel,
                mprn=outcome.meter.mprn,
                meter_serial=outcome.meter.meter_serial,
                weight=outcome.meter.weight,
                dial=outcome.meter.dial,
                from_utc=record.paired_utc,
                from_pulses=from_pulses,
            )
        )
        self.pairings.log_offset(channel, unix_ms(now), offset_l, unmetered_l)
        for frame in outcome.frames:
            collector.receive(frame, now)
        document = certificate.paired(
            outcome,
            made=now,
            installer=installer,
            offset_l=offset_l,
            unmetered_l=unmetered_l,
            replaces=replaces,
        )
        return self.pairings.certify(unix_ms(now), document["kind"], serial, document)

    def _admit(self, outcome: PairingOutcome, now: datetime) -> int:
        """Let the unit in; return its pulses, since it was first paired here, up to the base."""
        collector, record = self.collector, outcome.record
        if record.serial not in collector.serials:
            collector.pair(record, outcome.key, now)
            from_pulses = 0
        else:
            collector.amend(record, now)
            if outcome.key is None:
                self.directory.keystore.remove(record.serial)
            else:
                self.directory.keystore.put(record.serial, outcome.key)
            register = collector.register(record.serial)
            count = (collector.unit(record.serial).base_count + register) % COUNT_MODULUS
            from_pulses = register + max(0, forward(record.base_count, count))
        phase = PhaseState(
            command_counter=outcome.command_counter or unix_ms(now) // 1000,
            phasings=0 if outcome.phased_ms is None else 1,
            phased_ms=outcome.phased_ms,
            phased_boot=None if outcome.phased_ms is None else outcome.heard.key.boot,
        )
        self._registry.set_phase(record.serial, phase)
        return from_pulses

    def _strangers(self) -> set[str]:
        """Units that were paired by a meter, and not here."""
        known = {segment.serial for segment in self.pairings.segments()}
        return set(self.collector.serials) - known

    def _forget_ended_keys(self) -> None:
        paired = self.open_segments()
        for segment in self.pairings.segments():
            if segment.serial not in paired and self.directory.keystore.get(segment.serial):
                self.directory.keystore.remove(segment.serial)
