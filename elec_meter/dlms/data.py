"""COSEM data in A-XDR: every type of the choice `Data` (IEC 62056-5-3, IEC 61334-6).

Nothing that is read nests deeper, counts more or is longer than the limits below, however few
bytes claim it.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple, TypeAlias

from elec_meter.dlms.cursor import Cursor, encode_length, encode_octets
from elec_meter.dlms.errors import (
    EncodingError,
    MalformedError,
    TooLargeError,
    TruncatedError,
)
from elec_meter.dlms.tags import EMPTY, NUMBERS, SIZES, Tag

DEPTH_MAX: Final = 12
"""Arrays and structures within each other; the list of objects needs six."""

ELEMENTS_MAX: Final = 65_536
"""Values in one datum, all levels together."""

Value: TypeAlias = "int | float | str | bytes | tuple[CosemData, ...] | CompactArray | None"
"""By tag: numbers as such, strings of octets and date-times as bytes, other strings as text, a
bit-string as text of `0` and `1`, arrays and structures as tuples."""


class CosemData(NamedTuple):
    """A value with its type."""

    tag: Tag
    value: Value = None


class TypeDescription(NamedTuple):
    """What every element of a compact array is.

    Attributes:
        tag: the type.
        members: of a structure its parts, of an array the one type of its elements.
        size: elements of an array.
    """

    tag: Tag
    members: tuple[TypeDescription, ...] = ()
    size: int = 0


class CompactArray(NamedTuple):
    """Elements of one type, whose tags are said once."""

    description: TypeDescription
    elements: tuple[CosemData, ...]


NULL: Final = CosemData(Tag.NULL)


def uint8(value: int) -> CosemData:
    """An unsigned number of 8 bits."""
    return CosemData(Tag.UINT8, value)


def uint16(value: int) -> CosemData:
    """An unsigned number of 16 bits."""
    return CosemData(Tag.UINT16, value)


def uint32(value: int) -> CosemData:
    """An unsigned number of 32 bits."""
    return CosemData(Tag.UINT32, value)


def int8(value: int) -> CosemData:
    """A signed number of 8 bits."""
    return CosemData(Tag.INT8, value)


def enum(value: int) -> CosemData:
    """A number that stands for a word."""
    return CosemData(Tag.ENUM, value)


def octets(value: bytes) -> CosemData:
    """A string of octets."""
    return CosemData(Tag.OCTETS, value)


def structure(*members: CosemData) -> CosemData:
    """Parts of whatever types."""
    return CosemData(Tag.STRUCTURE, members)


def array(*elements: CosemData) -> CosemData:
    """Elements of one type."""
    return CosemData(Tag.ARRAY, elements)


def decode_data(data: bytes) -> CosemData:
    """The one datum that these bytes are.

    Raises:
        MalformedError: they are none, or only the beginning of one (`TruncatedError`).
        TooLargeError: it exceeds a limit.
    """
    cursor = Cursor(data)
    found = data_at(cursor)
    cursor.finish()
    return found


def data_at(cursor: Cursor) -> CosemData:
    """The datum at a cursor; errors as for `decode_data`."""
    return _Reader(cursor).datum(DEPTH_MAX)


def encode_data(data: CosemData) -> bytes:
    """The bytes of a datum.

    Raises:
        EncodingError: the value does not fit its type.
    """
    try:
        return bytes((data.tag,)) + _content(data)
    except (struct.error, TypeError, ValueError, AttributeError) as error:
        raise EncodingError(f"no {data.tag.name} is {str(data.value)[:40]!r}: {error}") from None


class _Reader:
    """Reads one datum and counts its values."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._left = ELEMENTS_MAX

    def datum(self, depth: int) -> CosemData:
        tag = self._tag()
        if tag is Tag.COMPACT_ARRAY:
            return CosemData(tag, self._compact_array(depth - 1))
        if tag in (Tag.ARRAY, Tag.STRUCTURE):
            self._require(depth)
            count = self._cursor.length(ELEMENTS_MAX)
            return CosemData(tag, tuple(self.datum(depth - 1) for _ in range(count)))
        return self._simple(tag)

    def _tag(self) -> Tag:
        number = self._cursor.byte()
        try:
            return Tag(number)
        except ValueError:
            raise MalformedError(f"{number:02X} is no type of COSEM data") from None

    def _require(self, depth: int) -> None:
        if depth <= 0:
            raise TooLargeError(f"data nests deeper than {DEPTH_MAX} levels")

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise TooLargeError(f"data has more than {ELEMENTS_MAX} values")

    def _simple(self, tag: Tag) -> CosemData:
        self._count()
        number = NUMBERS.get(tag)
        if number is not None:
            return CosemData(tag, number.unpack(self._cursor.take(number.size))[0])
        if tag in EMPTY:
            return CosemData(tag)
        size = SIZES.get(tag)
        if size is not None:
            return CosemData(tag, self._cursor.take(size))
        if tag is Tag.BIT_STRING:
            return CosemData(tag, self._bits())
        content = self._cursor.octets()
        return CosemData(tag, content if tag is Tag.OCTETS else _text(tag, content))

    def _bits(self) -> str:
        length = self._cursor.length()
        content = self._cursor.take((length + 7) // 8)
        return "".join(f"{byte:08b}" for byte in content)[:length]

    def _compact_array(self, depth: int) -> CompactArray:
        self._require(depth)
        description = self._description(depth)
        content = self._cursor.octets()
        if content and not _takes_bytes(description):
            raise MalformedError("the elements of a compact array take no bytes")
        inner = Cursor(content)
        outer, self._cursor = self._cursor, inner
        elements = []
        try:
            while inner.remaining:
                elements.append(self._described(description))
        except TruncatedError as error:
            raise MalformedError(f"a compact array ends inside an element: {error}") from None
        self._cursor = outer
        return CompactArray(description, tuple(elements))

    def _description(self, depth: int) -> TypeDescription:
        tag = self._tag()
        self._count()
        if tag is Tag.COMPACT_ARRAY:
            raise MalformedError("a compact array contains no compact arrays")
        if tag is Tag.ARRAY:
            self._require(depth)
            size = self._cursor.unsigned(2)
            return TypeDescription(tag, (self._description(depth - 1),), size)
        if tag is Tag.STRUCTURE:
            self._require(depth)
            members = range(self._cursor.length(ELEMENTS_MAX))
            return TypeDescription(tag, tuple(self._description(depth - 1) for _ in members))
        return TypeDescription(tag)

    def _described(self, description: TypeDescription) -> CosemData:
        tag, members, size = description
        if tag is Tag.ARRAY:
            members *= size
        elif tag is not Tag.STRUCTURE:
            return self._simple(tag)
        self._count()
        return CosemData(tag, tuple(self._described(each) for each in members))


def _text(tag: Tag, content: bytes) -> str:
    try:
        return content.decode("utf-8" if tag is Tag.UTF8_STRING else "latin-1")
    except UnicodeDecodeError:
        raise MalformedError("a string is not UTF-8") from None


def _takes_bytes(description: TypeDescription) -> bool:
    """Whether an element has at least one byte: otherwise there is no end to them."""
    tag, members, size = description
    if tag is Tag.ARRAY:
        return size > 0 and _takes_bytes(members[0])
    if tag is Tag.STRUCTURE:
        return any(map(_takes_bytes, members))
    return tag not in EMPTY


def _content(data: CosemData) -> bytes:
    """What follows the tag."""
    tag, value = data
    if isinstance(value, CompactArray) and tag is Tag.COMPACT_ARRAY:
        content = b"".join(_untagged(each, value.description) for each in value.elements)
        return _described_type(value.description) + encode_octets(content)
    if tag in (Tag.ARRAY, Tag.STRUCTURE) and isinstance(value, tuple):
        return encode_length(len(value)) + b"".join(map(encode_data, value))
    return _simple_content(tag, value)


def _simple_content(tag: Tag, value: Value) -> bytes:
    number = NUMBERS.get(tag)
    if number is not None:
        return number.pack(value)
    if tag in EMPTY and value is None:
        return b""
    if isinstance(value, bytes) and tag in SIZES and len(value) == SIZES[tag]:
        return value
    if isinstance(value, bytes) and tag is Tag.OCTETS:
        return encode_octets(value)
    if isinstance(value, str) and tag is Tag.BIT_STRING:
        padded = value.ljust(-(-len(value) // 8) * 8, "0")
        return encode_length(len(value)) + _packed(padded)
    if isinstance(value, str) and tag in (Tag.VISIBLE_STRING, Tag.UTF8_STRING):
        return encode_octets(value.encode("utf-8" if tag is Tag.UTF8_STRING else "latin-1"))
    raise TypeError(type(value).__name__)


def _packed(bits: str) -> bytes:
    return int(bits, 2).to_bytes(len(bits) // 8, "big") if bits else b""


def _untagged(data: CosemData, description: TypeDescription) -> bytes:
    """An element of a compact array."""
    tag, members, size = description
    if data.tag is not tag:
        raise TypeError(f"{data.tag.name} where {tag.name} is described")
    if tag not in (Tag.ARRAY, Tag.STRUCTURE):
        return _simple_content(tag, data.value)
    if tag is Tag.ARRAY:
        members *= size
    if not isinstance(data.value, tuple) or isinstance(data.value, CompactArray):
        raise TypeError(type(data.value).__name__)
    pairs = zip(data.value, members, strict=True)
    return b"".join(_untagged(each, member) for each, member in pairs)


def _described_type(description: TypeDescription) -> bytes:
    tag, members, size = description
    head = bytes((tag,))
    if tag is Tag.ARRAY:
        head += size.to_bytes(2, "big")
    elif tag is Tag.STRUCTURE:
        head += encode_length(len(members))
    return head + b"".join(map(_described_type, members))
