"""The gate at which one unit is heard while it is paired."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from shared.units import PulseWeight
from shared.wire.oms import MANUFACTURER

from .bearers.base import ReceivedFrame
from .events import CountReceived, Refusal, StateReceived, TelegramReceived
from .fleet import Fleet, FleetUnit, UnitRecord
from .ingest import Ingest
from .keystore import MemoryKeystore

Heard: TypeAlias = TelegramReceived | CountReceived
"""A reading of the unit that is being paired."""


class Hearing:
    """What is heard of one unit; nothing of it is kept.

    Args:
        record: the unit, with whatever pulse weight: see `weigh`.
        key: the unit's; None for one that enciphers nothing.

    Attributes:
        newest: the newest of its telegrams, in the order of sending; None before the first.
    """

    def __init__(self, record: UnitRecord, key: bytes | None) -> None:
        self.newest: Heard | None = None
        self._keys = MemoryKeystore({} if key is None else {record.serial: key})
        self._unit = FleetUnit(record)
        self._gate = Ingest(Fleet([self._unit]), self._keys)
        self._newest_frame: ReceivedFrame | None = None

    def receive(self, frame: ReceivedFrame) -> Heard | Refusal | None:
        """What a frame brings; None for an advert, of whomever: by none a unit is paired."""
        if frame.address is not None:
            return None
        outcome = self._gate.receive(frame)
        assert not isinstance(outcome, StateReceived)  # adverts alone are that
        if not isinstance(outcome, Refusal) and (
            self.newest is None or outcome.key > self.newest.key
        ):
            self.newest, self._newest_frame = outcome, frame
        return outcome

    def weigh(self, weight: PulseWeight) -> Heard:
        """From now on count in steps of this weight; return the newest telegram counted so.

        A unit of ours counts its pulses, whatever they weigh.
        """
        assert self.newest is not None  # somebody has heard it
        assert self._newest_frame is not None
        if self._unit.record.manufacturer == MANUFACTURER:
            return self.newest
        formats = self._unit.formats
        self._unit = FleetUnit(replace(self._unit.record, weight=weight))
        self._unit.formats = formats
        self._gate = Ingest(Fleet([self._unit]), self._keys)
        weighed = self._gate.receive(self._newest_frame)
        assert isinstance(weighed, CountReceived)  # it was taken before, and nothing precedes it
        self.newest = weighed
        return weighed
