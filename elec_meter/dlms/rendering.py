"""How attributes of the directory's objects become COSEM data: one table, by class and attribute.

A value that is not known is null-data; a time that is not known is a date-time with nothing in it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from enum import IntEnum
from struct import Struct, error
from typing import Final, NamedTuple, TypeAlias

from elec_meter.config import DatePattern
from elec_meter.dlms.cursor import encode_length, encode_octets
from elec_meter.dlms.data import encode_data, enum, int8, octets, structure, uint16
from elec_meter.dlms.errors import EncodingError
from elec_meter.dlms.instants import (
    UNKNOWN,
    encode_date,
    encode_date_pattern,
    encode_date_time,
    encode_midnight_pattern,
    encode_time,
)
from elec_meter.dlms.tags import NUMBERS, Tag
from elec_meter.objects import (
    CaptureObject,
    Clock,
    CosemObject,
    ProfileGeneric,
    Register,
    ScalerUnit,
    Unit,
)
from shared.obis import Obis

NULL: Final = bytes((Tag.NULL,))

Encoder: TypeAlias = Callable[[object], bytes]
"""A value of an attribute to its bytes, tag and all."""

_ORDER: Final = (Tag.UINT32, Tag.INT32, Tag.UINT64, Tag.INT64)
_UINT32_MODULUS: Final = 1 << 32
_FIFO: Final = 1
_INTERNAL_CRYSTAL: Final = 1
_UNSPECIFIED: Final = bytes((Tag.OCTETS,)) + encode_octets(UNKNOWN[:-1] + b"\xff")
_SUMS: Final = frozenset({Unit.WATT_HOUR, Unit.VAR_HOUR, Unit.CUBIC_METRE, Unit.DAY})

# Groups C and D of class 1 objects whose numbers are not of 32 bits.
_DATA_TAGS: Final = {
    (96, 10): Tag.UINT8,
    (96, 11): Tag.UINT16,
    (96, 14): Tag.UINT8,
    (128, 14): Tag.UINT8,
    (128, 37): Tag.UINT16,
}


class Column(NamedTuple):
    """How the values of one attribute look in rows.

    Attributes:
        encode: a value to its bytes.
        tag: the type of a number, if it is one as a rule.
    """

    encode: Encoder
    tag: Tag | None = None


def render(each: CosemObject, attribute: int, now: datetime) -> bytes:
    """An attribute as COSEM data. Buffers of profiles are rows: see `elec_meter.dlms.profiles`.

    Raises:
        NoSuchAttributeError: the object has none of this number.
    """
    constant = _CONSTANTS.get((each.class_id, attribute))
    if constant is not None:
        return constant(each)
    value = each.read(attribute, now)
    if isinstance(each, Clock) and attribute == 2:
        return _date_time(value, int(each.status_at(now)))
    return column(each, attribute).encode(value)


def attributes_of(each: CosemObject) -> tuple[int, ...]:
    """The numbers of the attributes that can be rendered."""
    constants = {number for class_id, number in _CONSTANTS if class_id == each.class_id}
    return tuple(sorted({*each.attributes, *constants}))


def version_of(class_id: int) -> int:
    """The version of a class, as the list of objects gives it."""
    return _VERSIONS.get(class_id, 0)


def column(each: CosemObject, attribute: int) -> Column:
    """How the values of an attribute are encoded."""
    choose = _COLUMNS.get((each.class_id, attribute))
    return Column(encode_any) if choose is None else choose(each)


def encode_any(value: object) -> bytes:
    """A value by what it is in Python, for attributes that the table does not name.

    Raises:
        EncodingError: there is no COSEM data for it.
    """
    if value is None:
        return NULL
    if isinstance(value, Obis):
        return encode_data(octets(value.to_bytes()))
    if isinstance(value, IntEnum):
        return encode_data(enum(value))
    if isinstance(value, bool):
        return bytes((Tag.BOOLEAN, value))
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, bytes):
        return encode_data(octets(value))
    if isinstance(value, str):
        return encode_data(octets(value.encode()))
    if isinstance(value, (date, time)):
        return _instant(value)
    if isinstance(value, (tuple, list)):
        # A tuple with names has parts, one without is a list.
        tag = Tag.STRUCTURE if hasattr(value, "_fields") else Tag.ARRAY
        return bytes((tag,)) + encode_length(len(value)) + b"".join(map(encode_any, value))
    raise EncodingError(f"a {type(value).__name__} is no COSEM data")


def capture_object(captured: CaptureObject) -> bytes:
    """A column of a profile, as attribute 3 and selections have it."""
    obis = octets(captured.obis.to_bytes())
    return encode_data(
        structure(uint16(captured.class_id), obis, int8(captured.attribute), uint16(0))
    )


def capture_objects(columns: tuple[CaptureObject, ...]) -> bytes:
    """Attribute 3 of a profile."""
    return (
        bytes((Tag.ARRAY,)) + encode_length(len(columns)) + b"".join(map(capture_object, columns))
    )


def number_column(tag: Tag) -> Column:
    """Numbers of one type; one that does not fit takes the smallest other that does."""
    layout = Struct(">B" + NUMBERS[tag].format[1:])

    def encode(value: object) -> bytes:
        if not isinstance(value, int):
            return encode_any(value)
        try:
            return layout.pack(tag, value)
        except error:
            return _integer(value)

    return Column(encode, tag)


def _integer(value: int) -> bytes:
    for tag in _ORDER:
        try:
            return bytes((tag,)) + NUMBERS[tag].pack(value)
        except error:
            continue
    raise EncodingError(f"{value} is no number of 64 bits")


def _instant(value: object) -> bytes:
    if isinstance(value, datetime):
        return _date_time(value)
    content = encode_date(value) if isinstance(value, date) else b""
    if isinstance(value, time):
        content = encode_time(value)
    return encode_data(octets(content)) if content else NULL


def _date_time(value: object, status: int = 0) -> bytes:
    content = encode_date_time(value, status) if isinstance(value, datetime) else UNKNOWN
    return bytes((Tag.OCTETS,)) + encode_octets(content)


def _scaler_unit(value: object) -> bytes:
    assert isinstance(value, ScalerUnit)
    return encode_data(structure(int8(value.scaler), enum(value.unit)))


def _captured(value: object) -> bytes:
    assert isinstance(value, tuple)
    return capture_objects(value)


def _enum(value: object) -> bytes:
    return bytes((Tag.ENUM, value)) if isinstance(value, int) else encode_any(value)


def _parts(*encoders: Encoder) -> Encoder:
    """Makes the encoder of a structure from those of its parts."""

    def encode(value: object) -> bytes:
        if not isinstance(value, tuple):
            return encode_any(value)
        parts = (each(part) for each, part in zip(encoders, value, strict=True))
        return bytes((Tag.STRUCTURE, len(encoders))) + b"".join(parts)

    return encode


def _array(element: Encoder) -> Encoder:
    """Makes the encoder of a list from that of its elements."""

    def encode(value: object) -> bytes:
        if not isinstance(value, (tuple, list)):
            return encode_any(value)
        head = bytes((Tag.ARRAY,)) + encode_length(len(value))
        return head + b"".join(map(element, value))

    return encode


def _pattern(value: object) -> bytes:
    assert isinstance(value, DatePattern)
    return encode_data(octets(encode_date_pattern(value)))


def _midnight(value: object) -> bytes:
    assert isinstance(value, DatePattern)
    return encode_data(octets(encode_midnight_pattern(value)))


def _data(each: CosemObject) -> Column:
    return number_column(_DATA_TAGS.get((each.obis.c, each.obis.d), Tag.UINT32))


def _register(each: CosemObject) -> Column:
    """Sums and counts are unsigned, money has 64 bits, everything else is signed."""
    assert isinstance(each, Register)
    scaler, unit = each.scaler_unit
    if unit is Unit.CURRENCY:
        return number_column(Tag.INT64)
    if each.modulus is not None and each.modulus > _UINT32_MODULUS:
        return number_column(Tag.UINT64)
    is_count = unit is Unit.COUNT and scaler == 0
    is_unsigned = each.modulus is not None or unit in _SUMS or is_count
    return number_column(Tag.UINT32 if is_unsigned else Tag.INT32)


def _sort_object(each: CosemObject) -> bytes:
    assert isinstance(each, ProfileGeneric)
    return capture_object(each.columns[0])


_TIME: Final = Column(_date_time)
_SCALER_UNIT: Final = Column(_scaler_unit)
_UINT8, _UINT16, _UINT32 = map(number_column, (Tag.UINT8, Tag.UINT16, Tag.UINT32))
_INT8, _INT16, _INT32 = map(number_column, (Tag.INT8, Tag.INT16, Tag.INT32))
_ENUM: Final = Column(_enum)
_MONITORED: Final = Column(_parts(_UINT16.encode, encode_any, _INT8.encode))
_EMERGENCY: Final = Column(_parts(_UINT16.encode, _date_time, _UINT32.encode))
_ACTION: Final = _parts(encode_any, _UINT16.encode)
_ACTIONS: Final = Column(_parts(_ACTION, _ACTION))
_ASSIGNED: Final = Column(_array(_parts(_UINT16.encode, encode_any)))
_MASKS: Final = Column(_array(_parts(encode_any, _array(_UINT8.encode))))
_SCRIPTS: Final = Column(_array(_parts(_UINT16.encode, encode_any)))
_SPECIAL_DAYS: Final = Column(_array(_parts(_UINT16.encode, _pattern, _UINT8.encode)))
_SEASONS: Final = Column(_array(_parts(encode_any, _midnight, encode_any)))
_WEEKS: Final = Column(_array(_parts(encode_any, *(_UINT8.encode,) * 7)))
_DAY_ACTION: Final = _parts(encode_any, encode_any, _UINT16.encode)
_DAYS: Final = Column(_array(_parts(_UINT8.encode, _array(_DAY_ACTION))))
_MEMBERS: Final = Column(_array(_parts(_UINT16.encode, encode_any, _INT8.encode, _UINT16.encode)))
_EXECUTIONS: Final = Column(_array(_parts(encode_any, _pattern)))

_COLUMNS: Final[dict[tuple[int, int], Callable[[CosemObject], Column]]] = {
    (1, 2): _data,
    (3, 2): _register,
    (3, 3): lambda _: _SCALER_UNIT,
    (4, 2): _register,
    (4, 3): lambda _: _SCALER_UNIT,
    (4, 4): lambda _: _UINT32,
    (4, 5): lambda _: _TIME,
    (5, 2): _register,
    (5, 3): _register,
    (5, 4): lambda _: _SCALER_UNIT,
    (5, 5): lambda _: _UINT8,
    (5, 6): lambda _: _TIME,
    (5, 7): lambda _: _TIME,
    (5, 8): lambda _: _UINT32,
    (5, 9): lambda _: _UINT16,
    (6, 2): lambda _: _ASSIGNED,
    (6, 3): lambda _: _MASKS,
    (7, 3): lambda _: Column(_captured),
    (7, 4): lambda _: _UINT32,
    (7, 7): lambda _: _UINT32,
    (7, 8): lambda _: _UINT32,
    (8, 2): lambda _: _TIME,
    (8, 3): lambda _: _INT16,
    (8, 4): lambda _: _UINT8,
    (8, 7): lambda _: _INT8,
    (9, 2): lambda _: _SCRIPTS,
    (11, 2): lambda _: _SPECIAL_DAYS,
    (23, 2): lambda _: _ENUM,
    (23, 3): lambda _: _UINT8,
    (23, 4): lambda _: _UINT8,
    **{(23, number): lambda _: _UINT16 for number in (5, 6, 7, 8, 9)},
    (20, 3): lambda _: _SEASONS,
    (20, 4): lambda _: _WEEKS,
    (20, 5): lambda _: _DAYS,
    (20, 7): lambda _: _SEASONS,
    (20, 8): lambda _: _WEEKS,
    (20, 9): lambda _: _DAYS,
    (20, 10): lambda _: _TIME,
    (22, 2): lambda _: Column(_ACTION),
    (22, 3): lambda _: _ENUM,
    (22, 4): lambda _: _EXECUTIONS,
    (40, 2): lambda _: _MEMBERS,
    (40, 5): lambda _: _UINT16,
    (40, 6): lambda _: _UINT8,
    (40, 7): lambda _: _UINT16,
    (41, 2): lambda _: _UINT16,
    (41, 5): lambda _: _UINT8,
    (41, 6): lambda _: _UINT16,
    (70, 3): lambda _: _ENUM,
    (70, 4): lambda _: _ENUM,
    (72, 4): lambda _: _UINT32,
    (72, 5): lambda _: _UINT8,
    (72, 6): lambda _: _UINT32,
    (72, 7): lambda _: _UINT16,
    **{(72, number): lambda _: _UINT8 for number in (8, 9, 10, 11, 12)},
    (72, 13): lambda _: _UINT16,
    (72, 14): lambda _: _ENUM,
    (74, 2): lambda _: _ENUM,
    (71, 2): lambda _: _MONITORED,
    (71, 3): lambda _: _INT32,
    (71, 4): lambda _: _INT32,
    (71, 5): lambda _: _INT32,
    (71, 6): lambda _: _UINT32,
    (71, 7): lambda _: _UINT32,
    (71, 8): lambda _: _EMERGENCY,
    (71, 9): lambda _: Column(_array(_UINT16.encode)),
    (71, 11): lambda _: _ACTIONS,
}

# Attributes that the standard demands and that are the same for every object of ours: profiles are
# in the order of their first column, and a clock that keeps UTC has no daylight saving.
_CONSTANTS: Final[dict[tuple[int, int], Callable[[CosemObject], bytes]]] = {
    (7, 5): lambda _: bytes((Tag.ENUM, _FIFO)),
    (7, 6): _sort_object,
    (8, 5): lambda _: _UNSPECIFIED,
    (8, 6): lambda _: _UNSPECIFIED,
    (8, 9): lambda _: bytes((Tag.ENUM, _INTERNAL_CRYSTAL)),
}

_VERSIONS: Final = {7: 1, 15: 1, 19: 1, 23: 1, 72: 1}
