"""How plain data of the configuration document becomes few bytes, and back (docs/configuration.md).

Numbers are varints: seven bits a byte, least significant first, bit 7 set in all but the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from shared.errors import SharedError
from shared.obis import Obis
from shared.timegrid import from_unix_s, unix_s

from .base import minute_of
from .errors import ChangeCorruptError, ChangeTruncatedError
from .shape import Field, Kind, Maybe, Plain, Rows, Scalar, Shape, Table

_VARINT_BITS: Final = 63
_HALF_HOUR_MIN: Final = 30
_MINUTE_S: Final = 60
_DECIMALS: Final = 8
"""More than the schema allows anywhere, and a power of two."""
_GROUPS: Final = 16
"""Values of the groups A and B that the short form of an OBIS code has room for."""
_MEDIA: Final = 15


class Writer:
    """Bytes in the making; a text that was written before is written as its number."""

    def __init__(self) -> None:
        self._out = bytearray()
        self._texts: dict[str, int] = {}

    def fork(self) -> Writer:
        """A writer that goes on from here without touching this one."""
        other = Writer()
        other._out = bytearray(self._out)
        other._texts = dict(self._texts)
        return other

    def take_over(self, other: Writer) -> None:
        """Become what a fork has become."""
        self._out, self._texts = other._out, other._texts

    def __len__(self) -> int:
        return len(self._out)

    def __bytes__(self) -> bytes:
        return bytes(self._out)

    def raw(self, octets: bytes) -> None:
        """Bytes as they are."""
        self._out += octets

    def count(self, number: int) -> None:
        """A varint."""
        while number > 0x7F:
            self._out.append(number & 0x7F | 0x80)
            number >>= 7
        self._out.append(number)

    def text(self, text: str) -> None:
        """An even varint of twice the length and UTF-8, or an odd one with an earlier text."""
        if text in self._texts:
            self.count(self._texts[text] << 1 | 1)
            return
        self._texts[text] = len(self._texts)
        octets = text.encode()
        self.count(len(octets) << 1)
        self.raw(octets)


class Reader:
    """Takes bytes apart.

    Raises:
        ChangeTruncatedError: from any method, when they end too early.
        ChangeCorruptError: from any method, when they are nothing that a Writer writes.
    """

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0
        self._texts: list[str] = []

    @property
    def left(self) -> int:
        """Bytes that were not read yet."""
        return len(self._octets) - self._at

    def raw(self, length: int) -> bytes:
        """Bytes as they are."""
        if length > self.left:
            raise ChangeTruncatedError("the change ends before it is complete")
        self._at += length
        return self._octets[self._at - length : self._at]

    def count(self) -> int:
        """A varint."""
        number = shift = 0
        while True:
            (octet,) = self.raw(1)
            number |= (octet & 0x7F) << shift
            if octet < 0x80:
                break
            shift += 7
            if shift > _VARINT_BITS:
                raise ChangeCorruptError("the change has a number that is too long")
        return number

    def length(self) -> int:
        """A varint of how many elements follow, each of at least one byte."""
        length = self.count()
        if length > self.left:
            raise ChangeTruncatedError("the change ends before it is complete")
        return length

    def text(self) -> str:
        """What `Writer.text` writes."""
        number = self.count()
        if number & 1:
            if number >> 1 >= len(self._texts):
                raise ChangeCorruptError("the change repeats a text that it does not have")
            return self._texts[number >> 1]
        try:
            text = self.raw(number >> 1).decode()
        except UnicodeDecodeError:
            raise ChangeCorruptError("the change has a text that is not UTF-8") from None
        self._texts.append(text)
        return text


def write_value(out: Writer, shape: Shape, value: Plain) -> None:
    """A value that does not lean on an earlier one."""
    match shape:
        case Scalar(kind=kind, choices=choices):
            if kind is Kind.CHOICE:
                out.count(choices.index(value))
            else:
                _WRITERS[kind](out, value)
        case Rows(element=element):
            out.count(len(value))
            for each in value:
                write_value(out, element, each)
        case Maybe(inner=inner):
            out.count(0 if value is None else 1)
            if value is not None:
                write_value(out, inner, value)
        case Table(fields=fields):
            for field in fields:
                if field.required:
                    write_value(out, field.shape, value[field.name])
            given = [
                field
                for field in fields
                if not field.required and value[field.name] != field.default
            ]
            for field in write_fields(out, given):
                write_value(out, field.shape, value[field.name])


def read_value(source: Reader, shape: Shape) -> Plain:
    """What `write_value` writes."""
    match shape:
        case Scalar(kind=kind, choices=choices):
            if kind is not Kind.CHOICE:
                return _READERS[kind](source)
            index = source.count()
            if index >= len(choices):
                raise ChangeCorruptError(f"the change makes choice {index} of {len(choices)}")
            return choices[index]
        case Rows(element=element):
            return [read_value(source, element) for _ in range(source.length())]
        case Maybe(inner=inner):
            return read_value(source, inner) if read_option(source, 1) else None
        case Table(fields=fields):
            value = {field.name: field.default for field in fields}
            for field in fields:
                if field.required:
                    value[field.name] = read_value(source, field.shape)
            for field in read_fields(source, shape):
                value[field.name] = read_value(source, field.shape)
            return value


def write_fields(out: Writer, fields: Sequence[Field]) -> Iterator[Field]:
    """Tag by tag: a field's number plus one, doubled, plus one where another tag follows.

    Write a field's value when it is yielded. No field at all is a zero.
    """
    if not fields:
        out.count(0)
    for field in fields:
        out.count((field.number + 1) << 1 | (field is not fields[-1]))
        yield field


def read_fields(source: Reader, table: Table) -> Iterator[Field]:
    """What `write_fields` writes."""
    before, tag = -1, source.count()
    while tag:
        number = (tag >> 1) - 1
        if number >= len(table.fields):
            raise ChangeCorruptError(
                f"the change sets field {number} of {table.name}: unknown here"
            )
        if number <= before:
            raise ChangeCorruptError("the change does not name fields in their order")
        yield table.fields[number]
        if not tag & 1:
            return
        before, tag = number, source.count()


def read_option(source: Reader, most: int) -> int:
    """A varint up to a bound."""
    option = source.count()
    if option > most:
        raise ChangeCorruptError(f"the change has {option} where at most {most} can stand")
    return option


def _write_number(out: Writer, value: int) -> None:
    out.count(_zigzag(value))


def _read_number(source: Reader) -> int:
    return _unzigzag(source.count())


def _zigzag(value: int) -> int:
    """Small numbers of either sign as small ones: 0, -1, 1, -2 are 0, 1, 2, 3."""
    return value << 1 if value >= 0 else (-value << 1) - 1


def _unzigzag(number: int) -> int:
    return -(number + 1 >> 1) if number & 1 else number >> 1


def _write_decimal(out: Writer, value: Decimal) -> None:
    numerator, denominator = value.as_integer_ratio()
    decimals = next(n for n in range(_DECIMALS) if 10**n % denominator == 0)
    out.count(_zigzag(numerator * 10**decimals // denominator) * _DECIMALS + decimals)


def _read_decimal(source: Reader) -> Decimal:
    number, decimals = divmod(source.count(), _DECIMALS)
    return Decimal(_unzigzag(number)).scaleb(-decimals)


def _write_minute(out: Writer, value: str) -> None:
    half_hours, odd = divmod(minute_of(value), _HALF_HOUR_MIN)
    out.count(minute_of(value) << 1 | 1 if odd else half_hours << 1)


def _read_minute(source: Reader) -> str:
    number = source.count()
    minute = number >> 1 if number & 1 else (number >> 1) * _HALF_HOUR_MIN
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _write_obis(out: Writer, value: str) -> None:
    code = Obis.parse(value)
    short = str(Obis(code.a, code.b, code.c, code.d, code.e))
    if value != short or code.a >= _MEDIA or code.b >= _GROUPS:
        out.raw(b"\0")
        out.text(value)
        return
    out.raw(bytes((1 + code.a * _GROUPS + code.b, code.c, code.d, code.e)))


def _read_obis(source: Reader) -> str:
    (first,) = source.raw(1)
    if not first:
        return source.text()
    a, b = divmod(first - 1, _GROUPS)
    return str(Obis(a, b, *source.raw(3)))


def _write_instant(out: Writer, value: datetime) -> None:
    out.count(unix_s(value) // _MINUTE_S)


def _read_instant(source: Reader) -> datetime:
    minute = source.count()
    try:
        return from_unix_s(minute * _MINUTE_S)
    except SharedError:
        raise ChangeCorruptError("the change has an instant beyond the calendar") from None


_WRITERS: Final[dict[Kind, Callable[[Writer, Plain], None]]] = {
    Kind.TRUTH: Writer.count,
    Kind.COUNT: Writer.count,
    Kind.NUMBER: _write_number,
    Kind.DECIMAL: _write_decimal,
    Kind.MINUTE: _write_minute,
    Kind.SERIAL: lambda out, value: out.count(int(value)),
    Kind.OBIS: _write_obis,
    Kind.TEXT: Writer.text,
    Kind.INSTANT: _write_instant,
}
_READERS: Final[dict[Kind, Callable[[Reader], Plain]]] = {
    Kind.TRUTH: lambda source: bool(read_option(source, 1)),
    Kind.COUNT: Reader.count,
    Kind.NUMBER: _read_number,
    Kind.DECIMAL: _read_decimal,
    Kind.MINUTE: _read_minute,
    Kind.SERIAL: lambda source: f"{source.count():08d}",
    Kind.OBIS: _read_obis,
    Kind.TEXT: Reader.text,
    Kind.INSTANT: _read_instant,
}
