"""Compact profiles: a history in one record, unrolled into one record per reading (EN 13757-3, F).

The first two bytes of the record give the kind of its elements and the time between them. With
increments, each reading is found from the one before it, beginning at the base record: the one of
the same storage, tariff, subunit, function and unit. The inverse profile goes into the past, the
other into the future; each reading's storage number is one more than the last one's.
"""

from shared.wire.records import CODING_VARIABLE, Record
from shared.wire.values import binary_integer, decimal_digits, integer
from shared.wire.vif import PROFILE_INVERSE, Meaning, meaning

_ELEMENT_SIZES = {1: 1, 2: 2, 3: 3, 4: 4, 6: 6, 7: 8, 9: 1, 10: 2, 11: 3, 12: 4, 14: 6}
_UNITS = ("s", "min", "h", "d")
_MONTH = 0xFE
_HALF_MONTH = 0xFD
_MODE_ABSOLUTE = 0
_MODE_RISING = 1
_MODE_FALLING = 2
_CODING_RESULT = 7  # a signed 64-bit integer holds every reading
_CODING_DECIMAL = 9
_LEAST = -(1 << 63)
_PROFILE_VIFES = (0x13, 0x1E, 0x1F)


def unrolled(records: "list[Record]", modulus: "int | None" = None) -> "list[Record]":
    """Return ``records`` with each compact profile replaced by its readings.

    A profile that cannot be unrolled (no base record, elements of an unknown kind) stays as it is.
    Readings by increments end at the first increment that is invalid; an absolute reading that is
    invalid stays, as an invalid one.

    Args:
        records: of one message, in its order.
        modulus: where counters are known to wrap, else None.
    """
    result = []
    for record in records:
        told = meaning(record.vif) if record.coding == CODING_VARIABLE else None
        readings = None
        if told is not None and told.profile is not None:
            readings = _readings(record, told, records, modulus)
        result.extend([record] if readings is None else readings)
    return result


def _readings(
    record: Record, told: Meaning, records: "list[Record]", modulus: "int | None"
) -> "list[Record] | None":
    data = record.data
    if len(data) < 2:
        return None
    element = data[0] & 0x0F
    size = _ELEMENT_SIZES.get(element)
    mode = data[0] >> 6
    if size is None or (len(data) - 2) % size:
        return None
    spacing = _spacing(data[0] >> 4 & 3, data[1])
    plain = _plain_vif(record.vif)
    value = 0
    if mode != _MODE_ABSOLUTE:
        base = _base(record, plain, records, modulus)
        if base is None:
            return None
        value = base
    unsigned = mode in (_MODE_RISING, _MODE_FALLING)
    backwards = told.profile == PROFILE_INVERSE
    sign = -1 if (mode == _MODE_FALLING) != backwards else 1
    readings: "list[Record]" = []
    for start in range(2, len(data), size):
        step = _element(element, data[start : start + size], unsigned)
        if mode == _MODE_ABSOLUTE:
            value = _LEAST if step is None else step
        elif step is None:
            break
        else:
            value += sign * step
            if modulus is not None:
                value %= modulus
            if not _LEAST < value < -_LEAST:
                return None
        readings.append(_reading(record, plain, value, len(readings) + 1, spacing))
    return readings


def _spacing(unit: int, number: int) -> "tuple[int, str]":
    if unit == 3 and number == _MONTH:
        return 1, "month"
    if unit == 3 and number == _HALF_MONTH:
        return 1, "half_month"
    return number, _UNITS[unit]


def _plain_vif(vif: bytes) -> bytes:
    start = 2 if vif[0] in (0xFB, 0xFD) else 1
    rest = [byte for byte in vif[start:] if byte & 0x7F not in _PROFILE_VIFES]
    kept = bytearray(vif[:start]) + bytes(rest)
    for index in range(len(kept)):
        kept[index] |= 0x80
    kept[-1] &= 0x7F
    return bytes(kept)


def _base(
    record: Record, plain: bytes, records: "list[Record]", modulus: "int | None"
) -> "int | None":
    for other in records:
        if (
            other.vif == plain
            and other.storage == record.storage
            and other.tariff == record.tariff
            and other.subunit == record.subunit
            and other.function == record.function
        ):
            if modulus is not None and other.coding < _CODING_DECIMAL:
                return int.from_bytes(other.data, "little")  # every number is a count
            return integer(other, unsigned=meaning(plain).unsigned)
    return None


def _element(element: int, data: bytes, unsigned: bool) -> "int | None":
    return decimal_digits(data) if element >= 9 else binary_integer(data, unsigned)


def _reading(
    record: Record, plain: bytes, value: int, index: int, spacing: "tuple[int, str]"
) -> Record:
    return Record(
        _CODING_RESULT,
        plain,
        (value & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "little"),
        function=record.function,
        storage=record.storage + index,
        tariff=record.tariff,
        subunit=record.subunit,
        text=record.text,
        spacing=spacing,
    )
