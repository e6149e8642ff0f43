"""The SET service: normal, in blocks, with list (IEC 62056-5-3, 7.4)."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from elec_meter.dlms.cursor import Cursor
from elec_meter.dlms.data import CosemData, data_at, encode_data
from elec_meter.dlms.errors import MalformedError
from elec_meter.dlms.services import (
    AccessResult,
    Attribute,
    Block,
    attribute_at,
    block_at,
    encode_list,
    enum_at,
    list_at,
)

REQUEST: Final = 0xC1
RESPONSE: Final = 0xC5
_NORMAL, _FIRST_BLOCK, _BLOCK, _LIST, _LIST_FIRST_BLOCK = 1, 2, 3, 4, 5
_DONE, _ACKNOWLEDGED, _LAST_DONE, _LIST_LAST_DONE, _LIST_DONE = 1, 2, 3, 4, 5


class SetNormal(NamedTuple):
    """Change one attribute."""

    invoke: int
    attribute: Attribute
    value: CosemData

    def to_bytes(self) -> bytes:
        """The APDU."""
        head = bytes((REQUEST, _NORMAL, self.invoke))
        return head + self.attribute.to_bytes() + encode_data(self.value)


class SetFirstBlock(NamedTuple):
    """Change one attribute to a value that comes in blocks."""

    invoke: int
    attribute: Attribute
    block: Block

    def to_bytes(self) -> bytes:
        """The APDU."""
        head = bytes((REQUEST, _FIRST_BLOCK, self.invoke))
        return head + self.attribute.to_bytes() + self.block.to_bytes()


class SetBlock(NamedTuple):
    """A further block."""

    invoke: int
    block: Block

    def to_bytes(self) -> bytes:
        """The APDU."""
        return bytes((REQUEST, _BLOCK, self.invoke)) + self.block.to_bytes()


class SetList(NamedTuple):
    """Change several attributes."""

    invoke: int
    attributes: tuple[Attribute, ...]
    values: tuple[CosemData, ...]

    def to_bytes(self) -> bytes:
        """The APDU."""
        attributes = encode_list([each.to_bytes() for each in self.attributes])
        values = encode_list([encode_data(each) for each in self.values])
        return bytes((REQUEST, _LIST, self.invoke)) + attributes + values


class SetListFirstBlock(NamedTuple):
    """Change several attributes to values that come in blocks."""

    invoke: int
    attributes: tuple[Attribute, ...]
    block: Block

    def to_bytes(self) -> bytes:
        """The APDU."""
        attributes = encode_list([each.to_bytes() for each in self.attributes])
        head = bytes((REQUEST, _LIST_FIRST_BLOCK, self.invoke))
        return head + attributes + self.block.to_bytes()


class SetResponse(NamedTuple):
    """How one change ended."""

    invoke: int
    result: AccessResult

    def to_bytes(self) -> bytes:
        """The APDU."""
        return bytes((RESPONSE, _DONE, self.invoke, self.result))


class SetBlockTaken(NamedTuple):
    """A block was taken; the next one, please."""

    invoke: int
    number: int

    def to_bytes(self) -> bytes:
        """The APDU."""
        return bytes((RESPONSE, _ACKNOWLEDGED, self.invoke)) + self.number.to_bytes(4, "big")


class SetLastBlockResponse(NamedTuple):
    """How a change in blocks ended."""

    invoke: int
    result: AccessResult
    number: int

    def to_bytes(self) -> bytes:
        """The APDU."""
        head = bytes((RESPONSE, _LAST_DONE, self.invoke, self.result))
        return head + self.number.to_bytes(4, "big")


class SetListLastBlockResponse(NamedTuple):
    """How several changes in blocks ended."""

    invoke: int
    results: tuple[AccessResult, ...]
    number: int

    def to_bytes(self) -> bytes:
        """The APDU."""
        head = bytes((RESPONSE, _LIST_LAST_DONE, self.invoke))
        return head + _results(self.results) + self.number.to_bytes(4, "big")


class SetListResponse(NamedTuple):
    """How several changes ended."""

    invoke: int
    results: tuple[AccessResult, ...]

    def to_bytes(self) -> bytes:
        """The APDU."""
        return bytes((RESPONSE, _LIST_DONE, self.invoke)) + _results(self.results)


SetRequest: TypeAlias = SetNormal | SetFirstBlock | SetBlock | SetList | SetListFirstBlock
SetAnswer: TypeAlias = (
    SetResponse | SetBlockTaken | SetLastBlockResponse | SetListLastBlockResponse | SetListResponse
)


def set_request_at(cursor: Cursor) -> SetRequest:
    """A request behind its tag.

    Raises:
        MalformedError: it is none, or has more values than attributes.
        TooLargeError: it exceeds a limit.
    """
    kind, invoke = cursor.byte(), cursor.byte()
    match kind:
        case 1:
            return SetNormal(invoke, attribute_at(cursor), data_at(cursor))
        case 2:
            return SetFirstBlock(invoke, attribute_at(cursor), block_at(cursor))
        case 3:
            return SetBlock(invoke, block_at(cursor))
        case 4:
            attributes, values = list_at(cursor, attribute_at), list_at(cursor, data_at)
            if len(attributes) != len(values):
                raise MalformedError(f"{len(values)} values for {len(attributes)} attributes")
            return SetList(invoke, attributes, values)
        case 5:
            return SetListFirstBlock(invoke, list_at(cursor, attribute_at), block_at(cursor))
    raise MalformedError(f"{kind} is no kind of SET request")


def set_response_at(cursor: Cursor) -> SetAnswer:
    """A response behind its tag; errors as for `set_request_at`."""
    kind, invoke = cursor.byte(), cursor.byte()
    match kind:
        case 1:
            return SetResponse(invoke, _result(cursor))
        case 2:
            return SetBlockTaken(invoke, cursor.unsigned(4))
        case 3:
            return SetLastBlockResponse(invoke, _result(cursor), cursor.unsigned(4))
        case 4:
            return SetListLastBlockResponse(invoke, list_at(cursor, _result), cursor.unsigned(4))
        case 5:
            return SetListResponse(invoke, list_at(cursor, _result))
    raise MalformedError(f"{kind} is no kind of SET response")


def _result(cursor: Cursor) -> AccessResult:
    return enum_at(cursor, AccessResult)


def _results(results: tuple[AccessResult, ...]) -> bytes:
    return encode_list([bytes((each,)) for each in results])
