"""What the xDLMS services share: names of members, blocks, results (IEC 62056-5-3)."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Final, NamedTuple, TypeVar

from elec_meter.dlms.cursor import Cursor, encode_length, encode_octets
from elec_meter.dlms.data import CosemData, data_at, encode_data
from elec_meter.dlms.errors import MalformedError, PeerError
from shared.obis import Obis

LIST_MAX: Final = 64
"""Attributes or methods in one request with a list."""

BLOCK_MAX: Final = 65_535
"""Bytes of one block."""

_T = TypeVar("_T")
_Enum = TypeVar("_Enum", bound=IntEnum)


class AccessResult(IntEnum):
    """Data-Access-Result: why an attribute was not read or set."""

    SUCCESS = 0
    HARDWARE_FAULT = 1
    TEMPORARY_FAILURE = 2
    READ_WRITE_DENIED = 3
    OBJECT_UNDEFINED = 4
    OBJECT_CLASS_INCONSISTENT = 9
    OBJECT_UNAVAILABLE = 11
    TYPE_UNMATCHED = 12
    SCOPE_OF_ACCESS_VIOLATED = 13
    DATA_BLOCK_UNAVAILABLE = 14
    LONG_GET_ABORTED = 15
    NO_LONG_GET_IN_PROGRESS = 16
    LONG_SET_ABORTED = 17
    NO_LONG_SET_IN_PROGRESS = 18
    DATA_BLOCK_NUMBER_INVALID = 19
    OTHER_REASON = 250


class ActionResult(IntEnum):
    """Action-Result: how an invocation ended."""

    SUCCESS = 0
    HARDWARE_FAULT = 1
    TEMPORARY_FAILURE = 2
    READ_WRITE_DENIED = 3
    OBJECT_UNDEFINED = 4
    OBJECT_CLASS_INCONSISTENT = 9
    OBJECT_UNAVAILABLE = 11
    TYPE_UNMATCHED = 12
    SCOPE_OF_ACCESS_VIOLATED = 13
    DATA_BLOCK_UNAVAILABLE = 14
    LONG_ACTION_ABORTED = 15
    NO_LONG_ACTION_IN_PROGRESS = 16
    OTHER_REASON = 250


class Member(NamedTuple):
    """An attribute or a method of an object: class, logical name, number."""

    class_id: int
    obis: Obis
    number: int

    def to_bytes(self) -> bytes:
        """Nine bytes."""
        return (
            self.class_id.to_bytes(2, "big")
            + self.obis.to_bytes()
            + self.number.to_bytes(1, "big", signed=True)
        )


class Selection(NamedTuple):
    """Selective access: the selector's number and its parameters."""

    selector: int
    parameters: CosemData


class Attribute(NamedTuple):
    """An attribute, or a part of one."""

    member: Member
    selection: Selection | None = None

    def to_bytes(self) -> bytes:
        """With the optional selection."""
        if self.selection is None:
            return self.member.to_bytes() + b"\x00"
        selector, parameters = self.selection
        return self.member.to_bytes() + bytes((1, selector)) + encode_data(parameters)


class Block(NamedTuple):
    """A piece of something too long for one message."""

    is_last: bool
    number: int
    raw: bytes

    def to_bytes(self) -> bytes:
        """As requests have it, and responses of ACTION."""
        return bytes((self.is_last,)) + self.number.to_bytes(4, "big") + encode_octets(self.raw)


def member_at(cursor: Cursor) -> Member:
    """The member at a cursor."""
    return Member(cursor.unsigned(2), Obis.from_bytes(cursor.take(6)), cursor.signed(1))


def attribute_at(cursor: Cursor) -> Attribute:
    """The attribute with its optional selection at a cursor."""
    member = member_at(cursor)
    if not cursor.is_present():
        return Attribute(member)
    return Attribute(member, Selection(cursor.byte(), data_at(cursor)))


def block_at(cursor: Cursor) -> Block:
    """The block at a cursor."""
    return Block(cursor.is_present(), cursor.unsigned(4), cursor.octets(BLOCK_MAX))


def list_at(cursor: Cursor, each: Callable[[Cursor], _T]) -> tuple[_T, ...]:
    """A list of at most `LIST_MAX`.

    Raises:
        TooLargeError: it has more.
    """
    return tuple(each(cursor) for _ in range(cursor.length(LIST_MAX)))


def enum_at(cursor: Cursor, kind: type[_Enum]) -> _Enum:
    """The byte at a cursor as one of the values that it may have.

    Raises:
        MalformedError: it is none of them.
    """
    number = cursor.byte()
    try:
        return kind(number)
    except ValueError:
        raise MalformedError(f"{number} is no {kind.__name__}") from None


def encode_list(items: list[bytes]) -> bytes:
    """A list of what is encoded already."""
    return encode_length(len(items)) + b"".join(items)


class RefusedError(PeerError):
    """An attribute is not given; the answer says why.

    Example scenarios: an object that the meter does not have; half-hours asked for by the public;
    a range whose ends are no times.

    Args:
        result: why.
    """

    def __init__(self, result: AccessResult) -> None:
        super().__init__(f"refused: {result.name}")
        self.result = result
