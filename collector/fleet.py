"""The paired units, and what has been received from each: the replay windows."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from fractions import Fraction
from typing import Final, NamedTuple

from shared.quoting import quoted
from shared.timegrid import HALF_HOUR_S, require_utc, unix_ms
from shared.units import PULSE_10_L, PulseWeight
from shared.wire.address import is_serial
from shared.wire.compact import Formats
from shared.wire.grid import COUNT_MODULUS
from shared.wire.oms import MANUFACTURER, MEDIUM_GAS

from .advance import PLACEHOLDERS
from .entries import HORIZON_S, LOG_HORIZON_S, Pairing, TelegramKey
from .errors import UnitPairedError, UnitRecordError
from .selector import RecordSelector

WINDOW: Final = 4096
"""Telegrams behind the newest that are told apart from replays."""
BOOT_MODULUS: Final = 1 << 16
"""A telegram's reset counter is a boot's number modulo this."""
ADDRESS_BYTES: Final = 6
"""Of a Bluetooth address."""


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
        address: the Bluetooth address of its adverts, six bytes, if it sends such.
        base_advert: the counter of the newest advert that the pairing heard; none up to it counts.
        selector: which record of another maker's telegrams is the count: `count`, `volume`,
            `gas volume`, `energy`, or the hexadecimal digits of its DIF to last VIFE.
        wh_per_count: what a count stands for where energy is counted.
        max_power_w: the meter's maximum power where energy is counted; more is implausible.
        is_log_readable: whether its log can be read, now and then: then a half-hour that telegrams
            do not measure waits for that for 31 days, and not for 48 hours.

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
    address: bytes | None = None
    base_advert: int | None = None
    selector: str = "count"
    wh_per_count: int = 1
    max_power_w: int = 23_000
    is_log_readable: bool = False

    def __post_init__(self) -> None:
        require_utc(self.paired_utc)
        if not is_serial(self.serial):
            raise UnitRecordError(f"a serial has 8 digits, unlike {quoted(self.serial)}")
        if not 0 <= self.base_count < COUNT_MODULUS:
            raise UnitRecordError(f"a count has 32 bits: {self.base_count}")
        if self.max_flow_l_h <= 0 or self.period_s <= 0:
            raise UnitRecordError("maximum flow and period are above zero")
        if self.wh_per_count <= 0 or self.max_power_w <= 0:
            raise UnitRecordError("energy of a count and maximum power are above zero")
        if self.address is not None and len(self.address) != ADDRESS_BYTES:
            raise UnitRecordError(f"a Bluetooth address has 6 bytes, not {len(self.address)}")
        self.record_selector()

    def record_selector(self) -> RecordSelector:
        """What finds the count in another maker's telegrams."""
        return RecordSelector(self.selector, self.weight, self.wh_per_count)

    def after(self, earlier: UnitRecord) -> UnitRecord:
        """This pairing of a unit that was paired before: its register goes on from that base.

        Raises:
            UnitRecordError: its telegrams would now tell another count.
        """
        if self._counting() != earlier._counting():
            raise UnitRecordError(
                f"the unit {self.serial} was paired with another maker, another security or another"
                " step of its count before, and its register goes on in these"
            )
        address, base_advert = self.address, self.base_advert
        if address is None:
            address, base_advert = earlier.address, earlier.base_advert
        return replace(
            self,
            paired_utc=earlier.paired_utc,
            base_count=earlier.base_count,
            base_key=earlier.base_key,
            is_log_readable=earlier.is_log_readable,
            address=address,
            base_advert=base_advert,
        )

    def _counting(self) -> tuple[object, ...]:
        """What a telegram's count depends on."""
        is_own = self.manufacturer == MANUFACTURER
        rule = None if is_own else self.record_selector().rule
        return (self.manufacturer, self.allow_unauthenticated, rule)

    def pulses_max(self, elapsed_s: int) -> int:
        """The most pulses that the meter can turn in a time, with one more for where it starts."""
        if self.record_selector().quantity == "energy":
            return self.max_power_w * elapsed_s // (3600 * self.wh_per_count) + 1
        litres = Fraction(self.max_flow_l_h * elapsed_s, 3600)
        return int(litres / self.weight.litres_per_pulse) + 1

    @property
    def pairing(self) -> Pairing:
        """The pairing as the fold takes it."""
        # Boundaries are known to 10 s on either side.
        pulses_max = self.pulses_max(HALF_HOUR_S + 20)
        horizon_s = LOG_HORIZON_S if self.is_log_readable else HORIZON_S
        return Pairing(unix_ms(self.paired_utc), self.base_count, pulses_max, horizon_s)


class Freshness(Enum):
    """What a replay window knows of a telegram."""

    UNSEEN = "unseen"
    SEEN = "seen"
    TOO_OLD = "too old"


class Judged(NamedTuple):
    """What a replay window says of a telegram, and the telegram's place in the order of sending."""

    freshness: Freshness
    key: TelegramKey


def boot_near(reset_counter: int, boot: int) -> int:
    """The number of the boot, nearest to another one's, that a telegram tells the low 16 bits of.

    A boot's number goes on where the telegram's reset counter wraps. The first ones heard are what
    their telegrams say; before them it may be negative.
    """
    half = BOOT_MODULUS >> 1
    return boot + (reset_counter - boot + half) % BOOT_MODULUS - half


class ReplayWindow:
    """Which of a unit's telegrams have been accepted, as far back as they can be.

    Message counters rise through all boots of a unit and none is used again, so they alone tell its
    telegrams apart and put them in order. A telegram that was not seen must be less than `WINDOW`
    behind the highest counter there was. Its boot is not before that of the telegram sent before
    it, nor after that of the next.

    Args:
        keys: of telegrams accepted before: at least those within the window, and the one before.
        floor: the counter of one that was sent before all that may be accepted; None if there is
            none.
    """

    def __init__(self, keys: Iterable[TelegramKey] = (), floor: int | None = None) -> None:
        self._floor = -1 if floor is None else floor
        boots = dict(sorted((key.counter, key.boot) for key in keys))
        self._counters = array("q", boots.keys())
        self._boots = array("q", boots.values())
        self._forget()

    def __len__(self) -> int:
        return len(self._counters)

    def judge(self, reset_counter: int, counter: int) -> Judged:
        """Tell whether a telegram may be accepted.

        Args:
            reset_counter: the telegram's.
            counter: its message counter.
        """
        boots, counters = self._boots, self._counters
        place = bisect_left(counters, counter)
        if place < len(counters) and counters[place] == counter:
            return Judged(Freshness.SEEN, TelegramKey(boots[place], counter))
        before = boots[place - 1] if place else None
        after = boots[place] if place < len(counters) else None
        boot = reset_counter
        if before is not None:
            boot = before + (reset_counter - before) % BOOT_MODULUS
        elif after is not None:
            boot = after - (after - reset_counter) % BOOT_MODULUS
        is_remembered = counter > self._floor
        is_remembered &= not counters or counter > counters[-1] - WINDOW
        is_between = after is None or boot <= after
        freshness = Freshness.UNSEEN if is_remembered and is_between else Freshness.TOO_OLD
        return Judged(freshness, TelegramKey(boot, counter))

    @property
    def newest(self) -> int | None:
        """The highest counter there was; None before the first."""
        return self._counters[-1] if self._counters else None

    def accept(self, key: TelegramKey) -> None:
        """Remember an accepted telegram."""
        place = bisect_left(self._counters, key.counter)
        if place < len(self._counters) and self._counters[place] == key.counter:
            self._boots[place] = key.boot
            return
        self._counters.insert(place, key.counter)
        self._boots.insert(place, key.boot)
        if len(self._counters) > 2 * WINDOW:
            self._forget()

    def _forget(self) -> None:
        counters = self._counters
        if not counters:
            return
        # One more is kept: by it a telegram's boot is known that was sent after it.
        forgotten = max(0, bisect_right(counters, counters[-1] - WINDOW) - 1)
        del counters[:forgotten], self._boots[:forgotten]


class FleetUnit:
    """A paired unit at the gate: its record, and what it was last heard to say.

    Args:
        record: the pairing.
        accepted: keys of telegrams accepted before: the replay window's worth, and the newest.
        count: the newest of their counts that is data.
        adverts: keys of adverts accepted before, likewise.
        has_ended: whether it was taken off its meter.
    """

    def __init__(
        self,
        record: UnitRecord,
        accepted: Iterable[TelegramKey] = (),
        count: int | None = None,
        adverts: Iterable[TelegramKey] = (),
        *,
        has_ended: bool = False,
    ) -> None:
        self.record = record
        self.has_ended = has_ended
        self.selector = record.record_selector()
        self.formats = Formats()
        self.adverts = ReplayWindow(adverts, record.base_advert)
        keys = set(accepted)
        if record.base_key is not None:
            keys.add(record.base_key)
        # What proves nothing has no counter to trust: its clock and count must rise.
        self.window = ReplayWindow(() if record.allow_unauthenticated else keys)
        self.newest = max(keys, default=None)
        self.count = record.base_count if count is None else count

    def next_key(self, reset_counter: int | None, uptime_s: int | None) -> TelegramKey:
        """The place of a telegram that has no counter: its clock's, else the next one.

        Args:
            reset_counter: of the boot, if it is told.
            uptime_s: of the clock, if it is told.
        """
        newest = self.newest or TelegramKey(reset_counter or 0, -1)
        boot = newest.boot if reset_counter is None else boot_near(reset_counter, newest.boot)
        return TelegramKey(boot, newest.counter + 1 if uptime_s is None else uptime_s)

    def is_late(self, key: TelegramKey, *, is_advert: bool) -> bool:
        """Whether what was sent after an accepted frame has been accepted too."""
        if is_advert:
            return self.adverts.newest is not None and key.counter < self.adverts.newest
        return self.newest is not None and key < self.newest

    def accept(self, key: TelegramKey, count: int) -> None:
        """Remember an accepted telegram."""
        if not self.record.allow_unauthenticated:
            self.window.accept(key)
        if self.newest is None or key >= self.newest:
            self.newest = key
            self.count = self.count if count in PLACEHOLDERS else count


class Fleet:
    """The paired units by serial, and by the address of their adverts."""

    def __init__(self, units: Iterable[FleetUnit] = ()) -> None:
        self._units: dict[str, FleetUnit] = {}
        self._advertisers: dict[bytes, FleetUnit] = {}
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

    def end(self, serial: str) -> None:
        """Take a unit's frames no more."""
        self._units[serial].has_ended = True

    def advertiser(self, address: bytes) -> FleetUnit | None:
        """The unit that advertises from a Bluetooth address, if it is paired."""
        return self._advertisers.get(address)

    def add(self, unit: FleetUnit) -> None:
        """Let a unit in.

        Raises:
            UnitPairedError: it is in already, or another one with its address is.
        """
        self.refuse_known(unit.record)
        self._units[unit.record.serial] = unit
        if unit.record.address is not None:
            self._advertisers[unit.record.address] = unit

    def replace(self, unit: FleetUnit) -> None:
        """Let a unit in, in the place of the one with its serial.

        Raises:
            UnitPairedError: another one with its address is in; nothing has changed.
        """
        old = self._units.pop(unit.record.serial)
        known = self._advertisers
        self._advertisers = {at: each for at, each in known.items() if each is not old}
        try:
            self.add(unit)
        except UnitPairedError:
            self._units[old.record.serial], self._advertisers = old, known
            raise

    def refuse_known(self, record: UnitRecord) -> None:
        """Make sure that a unit can be let in.

        Raises:
            UnitPairedError: it cannot, as for `add`.
        """
        if record.serial in self._units:
            raise UnitPairedError(f"the unit {record.serial} is paired already")
        if record.address is not None and record.address in self._advertisers:
            raise UnitPairedError(f"the address {record.address.hex(':')} is paired already")
