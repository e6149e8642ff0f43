"""What is known of a pulse unit beside its pulses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntFlag
from typing import Final


class UnitFault(IntFlag):
    """The error register 0-n:97.97.0 of a channel; 0 is a healthy unit."""

    TAMPER = 1
    MAGNET = 2
    LOW_BATTERY = 4
    MEMORY = 8
    CLOCK = 16
    SILENT = 32
    """It was not heard for longer than its reporting period explains."""
    EDGES = 64
    """More edges of the reed came at once than it could keep: pulses may be missing."""


_HEALTHY: Final = UnitFault(0)


@dataclass(frozen=True, slots=True)
class UnitReport:
    """What is known of a pulse unit beside its pulses.

    Attributes:
        last_received_utc: when its last telegram came; None before the first.
        battery_left_d: days; None when it did not say.
        faults: what is wrong with it.
        signal_dbm: how strong that telegram was; None where the bearer does not say.
        manufacturer: its maker's three letters.
        version: of its kind; None when it is not known.
        medium: the device type byte (EN 13757-7).
        access_number: of its last telegram, modulo 256.
        is_keyed: whether its telegrams have to be authentic.
    """

    last_received_utc: datetime | None = None
    battery_left_d: int | None = None
    faults: UnitFault = _HEALTHY
    signal_dbm: int | None = None
    manufacturer: str | None = None
    version: int | None = None
    medium: int | None = None
    access_number: int | None = None
    is_keyed: bool = True
