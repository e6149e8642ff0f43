"""The ACTION service: normal, in blocks both ways, with list (IEC 62056-5-3, 7.5)."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from elec_meter.dlms.cursor import Cursor
from elec_meter.dlms.data import CosemData, data_at, encode_data
from elec_meter.dlms.errors import MalformedError
from elec_meter.dlms.get import GetResult, encode_result, get_result_at
from elec_meter.dlms.services import (
    ActionResult,
    Block,
    Member,
    block_at,
    encode_list,
    enum_at,
    list_at,
    member_at,
)

REQUEST: Final = 0xC3
RESPONSE: Final = 0xC7
_NORMAL, _NEXT, _LIST, _FIRST_BLOCK, _LIST_FIRST_BLOCK, _BLOCK = 1, 2, 3, 4, 5, 6
_ANSWER_BLOCK, _ANSWER_NEXT = 2, 4


class ActionNormal(NamedTuple):
    """Invoke one method."""

    invoke: int
    method: Member
    parameters: CosemData | None = None

    def to_bytes(self) -> bytes:
        """The APDU."""
        head = bytes((REQUEST, _NORMAL, self.invoke)) + self.method.to_bytes()
        if self.parameters is None:
            return head + b"\x00"
        return head + b"\x01" + encode_data(self.parameters)


class ActionNext(NamedTuple):
    """The next block of the answer, please; `number` is that of the one received."""

    invoke: int
    number: int

    def to_bytes(self) -> bytes:
        """The APDU."""
        return bytes((REQUEST, _NEXT, self.invoke)) + self.number.to_bytes(4, "big")


class ActionList(NamedTuple):
    """Invoke several methods."""

    invoke: int
    methods: tuple[Member, ...]
    parameters: tuple[CosemData, ...]

    def to_bytes(self) -> bytes:
        """The APDU."""
        methods = encode_list([each.to_bytes() for each in self.methods])
        parameters = encode_list([encode_data(each) for each in self.parameters])
        return bytes((REQUEST, _LIST, self.invoke)) + methods + parameters


class ActionFirstBlock(NamedTuple):
    """Invoke a method with parameters that come in blocks."""

    invoke: int
    method: Member
    block: Block

    def to_bytes(self) -> bytes:
        """The APDU."""
        head = bytes((REQUEST, _FIRST_BLOCK, self.invoke))
        return head + self.method.to_bytes() + self.block.to_bytes()


class ActionListFirstBlock(NamedTuple):
    """Invoke several methods with parameters that come in blocks."""

    invoke: int
    methods: tuple[Member, ...]
    block: Block

    def to_bytes(self) -> bytes:
        """The APDU."""
        methods = encode_list([each.to_bytes() for each in self.methods])
        return bytes((REQUEST, _LIST_FIRST_BLOCK, self.invoke)) + methods + self.block.to_bytes()


class ActionBlock(NamedTuple):
    """A further block."""

    invoke: int
    block: Block

    def to_bytes(self) -> bytes:
        """The APDU."""
        return bytes((REQUEST, _BLOCK, self.invoke)) + self.block.to_bytes()


class ActionOutcome(NamedTuple):
    """How one invocation ended, and what it returned, if anything."""

    result: ActionResult
    returned: GetResult | None = None

    def to_bytes(self) -> bytes:
        """As responses have it."""
        if self.returned is None:
            return bytes((self.result, 0))
        return bytes((self.result, 1)) + encode_result(self.returned)


class ActionResponse(NamedTuple):
    """One invocation."""

    invoke: int
    outcome: ActionOutcome

    def to_bytes(self) -> bytes:
        """The APDU."""
        return bytes((RESPONSE, _NORMAL, self.invoke)) + self.outcome.to_bytes()


class ActionAnswerBlock(NamedTuple):
    """A piece of a long answer."""

    invoke: int
    block: Block

    def to_bytes(self) -> bytes:
        """The APDU."""
        return bytes((RESPONSE, _ANSWER_BLOCK, self.invoke)) + self.block.to_bytes()


class ActionListResponse(NamedTuple):
    """Several invocations."""

    invoke: int
    outcomes: tuple[ActionOutcome, ...]

    def to_bytes(self) -> bytes:
        """The APDU."""
        outcomes = encode_list([each.to_bytes() for each in self.outcomes])
        return bytes((RESPONSE, _LIST, self.invoke)) + outcomes


class ActionBlockTaken(NamedTuple):
    """A block of parameters was taken; the next one, please."""

    invoke: int
    number: int

    def to_bytes(self) -> bytes:
        """The APDU."""
        return bytes((RESPONSE, _ANSWER_NEXT, self.invoke)) + self.number.to_bytes(4, "big")


ActionRequest: TypeAlias = (
    ActionNormal | ActionNext | ActionList | ActionFirstBlock | ActionListFirstBlock | ActionBlock
)
ActionAnswer: TypeAlias = ActionResponse | ActionAnswerBlock | ActionListResponse | ActionBlockTaken


def action_request_at(cursor: Cursor) -> ActionRequest:
    """A request behind its tag.

    Raises:
        MalformedError: it is none, or has more parameters than methods.
        TooLargeError: it exceeds a limit.
    """
    kind, invoke = cursor.byte(), cursor.byte()
    match kind:
        case 1:
            method = member_at(cursor)
            return ActionNormal(invoke, method, data_at(cursor) if cursor.is_present() else None)
        case 2:
            return ActionNext(invoke, cursor.unsigned(4))
        case 3:
            methods, parameters = list_at(cursor, member_at), list_at(cursor, data_at)
            if len(methods) != len(parameters):
                raise MalformedError(f"{len(parameters)} parameters for {len(methods)} methods")
            return ActionList(invoke, methods, parameters)
        case 4:
            return ActionFirstBlock(invoke, member_at(cursor), block_at(cursor))
        case 5:
            return ActionListFirstBlock(invoke, list_at(cursor, member_at), block_at(cursor))
        case 6:
            return ActionBlock(invoke, block_at(cursor))
    raise MalformedError(f"{kind} is no kind of ACTION request")


def action_response_at(cursor: Cursor) -> ActionAnswer:
    """A response behind its tag; errors as for `action_request_at`."""
    kind, invoke = cursor.byte(), cursor.byte()
    match kind:
        case 1:
            return ActionResponse(invoke, _outcome_at(cursor))
        case 2:
            return ActionAnswerBlock(invoke, block_at(cursor))
        case 3:
            return ActionListResponse(invoke, list_at(cursor, _outcome_at))
        case 4:
            return ActionBlockTaken(invoke, cursor.unsigned(4))
    raise MalformedError(f"{kind} is no kind of ACTION response")


def _outcome_at(cursor: Cursor) -> ActionOutcome:
    result = enum_at(cursor, ActionResult)
    return ActionOutcome(result, get_result_at(cursor) if cursor.is_present() else None)
