"""The types of COSEM data (IEC 62056-5-3, the choice `Data`)."""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import Final


class Tag(IntEnum):
    """A type; the number is its tag."""

    NULL = 0
    ARRAY = 1
    STRUCTURE = 2
    BOOLEAN = 3
    BIT_STRING = 4
    INT32 = 5
    UINT32 = 6
    OCTETS = 9
    VISIBLE_STRING = 10
    UTF8_STRING = 12
    BCD = 13
    INT8 = 15
    INT16 = 16
    UINT8 = 17
    UINT16 = 18
    COMPACT_ARRAY = 19
    INT64 = 20
    UINT64 = 21
    ENUM = 22
    FLOAT32 = 23
    FLOAT64 = 24
    DATE_TIME = 25
    DATE = 26
    TIME = 27
    DONT_CARE = 255


NUMBERS: Final[dict[Tag, Struct]] = {
    Tag.BOOLEAN: Struct(">?"),
    Tag.INT32: Struct(">i"),
    Tag.UINT32: Struct(">I"),
    Tag.BCD: Struct(">b"),
    Tag.INT8: Struct(">b"),
    Tag.INT16: Struct(">h"),
    Tag.UINT8: Struct(">B"),
    Tag.UINT16: Struct(">H"),
    Tag.INT64: Struct(">q"),
    Tag.UINT64: Struct(">Q"),
    Tag.ENUM: Struct(">B"),
    Tag.FLOAT32: Struct(">f"),
    Tag.FLOAT64: Struct(">d"),
}
"""How the types of one number are laid out."""

SIZES: Final[dict[Tag, int]] = {Tag.DATE_TIME: 12, Tag.DATE: 5, Tag.TIME: 4}
"""Bytes of the types that are bytes of a fixed number."""

EMPTY: Final = frozenset({Tag.NULL, Tag.DONT_CARE})
"""Types whose tag is all there is."""
