"""The GET service: normal, next, with list, with data block (IEC 62056-5-3, 7.3)."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from elec_meter.dlms.cursor import Cursor, encode_octets
from elec_meter.dlms.data import data_at, encode_data
from elec_meter.dlms.errors import MalformedError
from elec_meter.dlms.services import (
    BLOCK_MAX,
    AccessResult,
    Attribute,
    attribute_at,
    encode_list,
    enum_at,
    list_at,
)

REQUEST: Final = 0xC0
RESPONSE: Final = 0xC4
_NORMAL, _NEXT, _LIST = 1, 2, 3
_BLOCK = 2
_DATA, _ERROR = 0, 1

GetResult: TypeAlias = "bytes | AccessResult"
"""An encoded datum, or why there is none."""


class GetNormal(NamedTuple):
    """Read one attribute."""

    invoke: int
    attribute: Attribute

    def to_bytes(self) -> bytes:
        """The APDU."""
        return bytes((REQUEST, _NORMAL, self.invoke)) + self.attribute.to_bytes()


class GetNext(NamedTuple):
    """The next block, please; `number` is that of the one received."""

    invoke: int
    number: int

    def to_bytes(self) -> bytes:
        """The APDU."""
        return bytes((REQUEST, _NEXT, self.invoke)) + self.number.to_bytes(4, "big")


class GetList(NamedTuple):
    """Read several attributes."""

    invoke: int
    attributes: tuple[Attribute, ...]

    def to_bytes(self) -> bytes:
        """The APDU."""
        items = encode_list([each.to_bytes() for each in self.attributes])
        return bytes((REQUEST, _LIST, self.invoke)) + items


class GetResponse(NamedTuple):
    """One attribute."""

    invoke: int
    result: GetResult

    def to_bytes(self) -> bytes:
        """The APDU."""
        return bytes((RESPONSE, _NORMAL, self.invoke)) + encode_result(self.result)


class GetBlock(NamedTuple):
    """A piece of a long response, or why there is none."""

    invoke: int
    is_last: bool
    number: int
    raw: GetResult

    def to_bytes(self) -> bytes:
        """The APDU."""
        head = bytes((RESPONSE, _BLOCK, self.invoke, self.is_last)) + self.number.to_bytes(4, "big")
        if isinstance(self.raw, AccessResult):
            return head + bytes((_ERROR, self.raw))
        return head + bytes((_DATA,)) + encode_octets(self.raw)


class GetListResponse(NamedTuple):
    """Several attributes, in the order asked for."""

    invoke: int
    results: tuple[GetResult, ...]

    def to_bytes(self) -> bytes:
        """The APDU."""
        return bytes((RESPONSE, _LIST, self.invoke)) + encode_results(self.results)


GetRequest: TypeAlias = GetNormal | GetNext | GetList
GetAnswer: TypeAlias = GetResponse | GetBlock | GetListResponse


def encode_result(result: GetResult) -> bytes:
    """A choice of data and error; ACTION's return parameters have it too."""
    if isinstance(result, AccessResult):
        return bytes((_ERROR, result))
    return bytes((_DATA,)) + result


def encode_results(results: tuple[GetResult, ...]) -> bytes:
    """What a list is answered with; cut into blocks if it is long."""
    return encode_list([encode_result(each) for each in results])


def get_result_at(cursor: Cursor) -> GetResult:
    """The choice of data and error at a cursor."""
    if cursor.is_present():
        return enum_at(cursor, AccessResult)
    return encode_data(data_at(cursor))


def get_request_at(cursor: Cursor) -> GetRequest:
    """A request behind its tag.

    Raises:
        MalformedError: it is none.
        TooLargeError: it exceeds a limit.
    """
    kind, invoke = cursor.byte(), cursor.byte()
    match kind:
        case 1:
            return GetNormal(invoke, attribute_at(cursor))
        case 2:
            return GetNext(invoke, cursor.unsigned(4))
        case 3:
            return GetList(invoke, list_at(cursor, attribute_at))
    raise MalformedError(f"{kind} is no kind of GET request")


def get_response_at(cursor: Cursor) -> GetAnswer:
    """A response behind its tag; errors as for `get_request_at`."""
    kind, invoke = cursor.byte(), cursor.byte()
    match kind:
        case 1:
            return GetResponse(invoke, get_result_at(cursor))
        case 2:
            is_last, number = cursor.is_present(), cursor.unsigned(4)
            if cursor.is_present():
                return GetBlock(invoke, is_last, number, enum_at(cursor, AccessResult))
            return GetBlock(invoke, is_last, number, cursor.octets(BLOCK_MAX))
        case 3:
            return GetListResponse(invoke, list_at(cursor, get_result_at))
    raise MalformedError(f"{kind} is no kind of GET response")
