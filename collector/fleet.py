"""The paired units, and what has been received from each: the replay windows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from fractions import Fraction
from typing import Final

from shared.timegrid import HALF_HOUR_S, require_utc, unix_ms
from shared.units import PULSE_10_L, PulseWeight
from shared.wire.address import is_serial
from shared.wire.grid import COUNT_MODULUS
from shared.wire.oms import MANUFACTURER, MEDIUM_GAS

from .entries import TelegramKey
from .errors import UnitPairedError, UnitRecordError
from .halfhours import Pairing

WINDOW: Final = 4096
"""Telegrams behind the newest that are told apart from replays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRecord:
    """What the pairing of a unit fixed.

    Attributes:
        serial: identification number, 8 digits.
        channel: the channel that it feeds.
        paired_utc: when; pulses count from here.
        base_count: the unit's count then.
        weight: what a pulse stands for.
        medium: the device type byte (EN 13757-7); 3 is gas.
        manufacturer: the unit's maker, three letters.
        max_flow_l_h: the meter's maximum flow, litres an hour; more is implausible.
        period_s: seconds from one telegram to the next.
        allow_unauthenticated: whether telegrams without a MAC are taken; their rows say so.
        base_key: the newest telegram that the pairing heard, if it heard one: older ones are late.

    Raises:
        UnitRecordError: one of them cannot be.
    """

    serial: str
    channel: str
    paired_utc: datetime
    base_count: int
    weight: PulseWeight = PULSE_10_L
    medium: int = MEDIUM_GAS
    manufacturer: str = MANUFACTURER
    max_flow_l_h: int = 6000
    period_s: int = 900
    allow_unauthenticated: bool = False
    base_key: TelegramKey | None = None

    def __post_init__(self) -> None:
        require_utc(self.paired_utc)
        if not is_serial(self.serial):
            raise UnitRecordError(f"a serial has 8 digits, unlike {self.serial[:40]!r}")
        if not 0 <= self.base_count < COUNT_MODULUS:
            raise UnitRecordError(f"a count has 32 bits: {self.base_count}")
        if self.max_flow_l_h <= 0 or self.period_s <= 0:
            raise UnitRecordError("maximum flow and period are above zero")

    def pulses_max(self, elapsed_s: int) -> int:
        """The most pulses that the meter can turn in a time, with one more for where it starts."""
        litres = Fraction(self.max_flow_l_h * elapsed_s, 3600)
        return int(litres / self.weight.litres_per_pulse) + 1

    @property
    def pairing(self) -> Pairing:
        """The pairing as the fold takes it."""
        # Boundaries are known to 10 s on either side.
        pulses_max = self.pulses_max(HALF_HOUR_S + 20)
        return Pairing(unix_ms(self.paired_utc), self.base_count, pulses_max)


class Freshness(Enum):
    """What a replay window knows of a telegram."""

    UNSEEN = "unseen"
    SEEN = "seen"
    TOO_OLD = "too old"


class ReplayWindow:
    """Which of a unit's telegrams have been accepted, as far back as they can be.

    Message counters rise through all boots of a unit. A telegram of a later boot is new. One of
    this boot must be less than `WINDOW` behind the newest; one of an earlier boot, less than that
    behind the highest counter there was, and not ahead of the newest.

    Args:
        keys: of telegrams accepted before: at least those of the newest boot that are within the
            window, and those of any boot that are within it of the highest counter.
    """

    def __init__(self, keys: Iterable[TelegramKey] = ()) -> None:
        self._seen = set(keys)
        self._newest = max(self._seen, default=None)
        # It only rises: what was forgotten once stays behind it.
        self._floor = max((key.counter for key in self._seen), default=0) - WINDOW
        self._forget()

    def judge(self, key: TelegramKey) -> Freshness:
        """Tell whether a telegram may be accepted."""
        if key in self._seen:
            return Freshness.SEEN
        newest = self._newest
        is_ahead = newest is not None and key.boot < newest.boot and key.counter >= newest.counter
        return Freshness.UNSEEN if self._is_remembered(key) and not is_ahead else Freshness.TOO_OLD

    def accept(self, key: TelegramKey) -> None:
        """Remember an accepted telegram."""
        self._seen.add(key)
        self._floor = max(self._floor, key.counter - WINDOW)
        if self._newest is None or key > self._newest:
            self._newest = key
        if len(self._seen) > 2 * WINDOW:
            self._forget()

    def _is_remembered(self, key: TelegramKey) -> bool:
        newest = self._newest
        if newest is None or key.boot > newest.boot:
            return True
        floor = newest.counter - WINDOW if key.boot == newest.boot else self._floor
        return key.counter > floor

    def _forget(self) -> None:
        self._seen = {key for key in self._seen if self._is_remembered(key)}


class FleetUnit:
    """A paired unit at the gate: its record, and what it was last heard to say.

    Args:
        record: the pairing.
        accepted: keys of telegrams accepted before; the replay window's worth is enough.
        count: the count of the newest of them.
    """

    def __init__(
        self, record: UnitRecord, accepted: Iterable[TelegramKey] = (), count: int | None = None
    ) -> None:
        self.record = record
        keys = set(accepted)
        if record.base_key is not None:
            keys.add(record.base_key)
        self.window = ReplayWindow(keys)
        self.newest = max(keys, default=None)
        self.count = record.base_count if count is None else count

    def accept(self, key: TelegramKey, count: int) -> None:
        """Remember an accepted telegram."""
        self.window.accept(key)
        if self.newest is None or key >= self.newest:
            self.newest = key
            self.count = count


class Fleet:
    """The paired units by serial."""

    def __init__(self, units: Iterable[FleetUnit] = ()) -> None:
        self._units: dict[str, FleetUnit] = {}
        for unit in units:
            self.add(unit)

    def __len__(self) -> int:
        return len(self._units)

    def __contains__(self, serial: str) -> bool:
        return serial in self._units

    @property
    def serials(self) -> tuple[str, ...]:
        """All serials, in order."""
        return tuple(sorted(self._units))

    def get(self, serial: str) -> FleetUnit | None:
        """The unit, if it is paired."""
        return self._units.get(serial)

    def add(self, unit: FleetUnit) -> None:
        """Let a unit in.

        Raises:
            UnitPairedError: it is in already.
        """
        if unit.record.serial in self._units:
            raise UnitPairedError(f"the unit {unit.record.serial} is paired already")
        self._units[unit.record.serial] = unit
