"""Which record of another maker's telegram is a channel's count, and how its value becomes one."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from shared.quoting import quoted
from shared.units import LITRES_PER_CUBIC_FOOT, PulseWeight
from shared.wire.errors import WireError
from shared.wire.grid import COUNT_MODULUS
from shared.wire.records import Record, parse_head
from shared.wire.values import integer, is_real, real
from shared.wire.vif import Meaning, meaning

from .errors import UnitRecordError

NAMES: Final = {"count": "count", "volume": "volume", "gas volume": "volume", "energy": "energy"}
"""The selectors by name, and the quantity that each selects."""

_COUNT: Final = "count"
_VOLUME: Final = "volume"
_ENERGY: Final = "energy"
_PER_UNIT: Final = {
    (_COUNT, ""): Fraction(1),
    (_VOLUME, "m3"): Fraction(1000),
    (_VOLUME, "ft3"): LITRES_PER_CUBIC_FOOT,
    (_ENERGY, "kWh"): Fraction(1000),
    (_ENERGY, "MJ"): Fraction(1000 * 10, 36),
}
_UPTIME_S: Final = b"\x20"
_RESET_COUNTER: Final = b"\xfd\x60"
_NUMBER_MAX: Final = 0xFFFFFFFF
# What a volume may be said to be and still be the dial's: metered, not converted to a standard.
_PLAIN: Final[tuple[list[str], ...]] = ([], ["uncorrected"])
# What converters send in a field of 24 bits that they cannot fill, in whole cubic metres.
_VOLUME_UNKNOWN_L: Final = 0xFFFFFF * 1000


@dataclass(frozen=True, slots=True)
class CountSaid:
    """What a meter's telegram says of its count.

    Attributes:
        count: modulo 2^32.
        uptime_s: the meter's clock, where it sends one that counts seconds.
        reset_counter: which of its boots this is, where it sends that.
    """

    count: int
    uptime_s: int | None
    reset_counter: int | None


class RecordSelector:
    """The record that is a channel's count.

    A name selects the first present total of its quantity: storage, tariff and subunit 0, an
    instantaneous value, and for a volume the metered one. Digits select the record whose DIF to
    last VIFE (EN 13757-3) they are.

    A count is the number of whole steps in the meter's total, modulo 2^32: of a volume steps of the
    channel's pulse weight, of an energy steps of `wh_per_count`. A meter that shows less than a
    step loses nothing: what is beyond the last whole step is in a later telegram's total.

    Args:
        text: `count`, `volume`, `gas volume`, `energy`, or hexadecimal digits.
        weight: what a count stands for if it counts a volume.
        wh_per_count: what it stands for if it counts energy.

    Raises:
        UnitRecordError: no record is selected so, or none that counts anything.
    """

    def __init__(self, text: str, weight: PulseWeight, wh_per_count: int = 1) -> None:
        self.text = text
        self._head = None if text in NAMES else _parsed(text)
        quantity = NAMES[text] if self._head is None else meaning(self._head.vif).quantity
        if quantity not in NAMES:
            raise UnitRecordError(f"{text[:40]} selects {quantity}, which counts nothing")
        self.quantity = quantity
        self._step = {
            _COUNT: Fraction(1),
            _VOLUME: weight.litres_per_pulse,
            _ENERGY: Fraction(wh_per_count),
        }[quantity]

    @property
    def rule(self) -> tuple[str, Fraction]:
        """Which record is selected, and how much of its quantity a count is."""
        return (NAMES.get(self.text, self.text.upper()), self._step)

    def read(self, records: list[Record]) -> CountSaid | str:
        """What a telegram's records say of the count; if nothing, why, in a few words."""
        selected = next((record for record in records if self._selects(record)), None)
        if selected is None:
            return f"the telegram has no {self.text}"
        count = self._count(selected)
        if count is None:
            return f"the {self.quantity} is a placeholder"
        return CountSaid(count, _whole(records, _UPTIME_S), _whole(records, _RESET_COUNTER))

    def _count(self, record: Record) -> int | None:
        told = meaning(record.vif)
        if not record.data or record.data == b"\xff" * len(record.data):
            return None
        value = exact_value(record, told)
        per_unit = _PER_UNIT.get((told.quantity, told.unit))
        if value is None or per_unit is None:
            return None
        total = value * per_unit
        if self.quantity == _VOLUME and total == _VOLUME_UNKNOWN_L:
            return None
        return int(total // self._step % COUNT_MODULUS)

    def _selects(self, record: Record) -> bool:
        if self._head is not None:
            return _place(record) == _place(self._head)
        if any(_place(record)[1:5]):
            return False
        told = meaning(record.vif)
        is_whole = told.profile is None and (told.quantity, told.unit) in _PER_UNIT
        return is_whole and told.quantity == self.quantity and told.qualifiers in _PLAIN


def exact_value(record: Record, told: Meaning) -> Fraction | None:
    """A record's number in its unit, exactly; None if it is none, or invalid."""
    if told.error is not None or told.is_date:
        return None
    if is_real(record):
        parts = real(record.data)
        if parts is None:
            return None
        number = parts[0] * Fraction(2) ** parts[1]
    else:
        whole = integer(record, told.unsigned)
        if whole is None:
            return None
        number = Fraction(whole)
    return number * told.factor * Fraction(10) ** told.exponent


def _whole(records: list[Record], vif: bytes) -> int | None:
    """The number in the record with a unit that stands for now, if there is one."""
    for record in records:
        if record.vif == vif and not any(_place(record)[1:5]):
            number = integer(record, unsigned=True)
            return number if number is not None and 0 <= number <= _NUMBER_MAX else None
    return None


def _parsed(text: str) -> Record:
    try:
        return parse_head(bytes.fromhex(text))
    except ValueError as error:
        reason = f": {error}" if isinstance(error, WireError) else ""
        raise UnitRecordError(
            f"{quoted(text)} selects no record: give {', '.join(NAMES)} or DIF and VIF{reason}"
        ) from None


def _place(record: Record) -> tuple[int, int, int, int, int, bytes]:
    place = (record.function, record.storage, record.tariff, record.subunit)
    return (record.coding, *place, record.vif)
