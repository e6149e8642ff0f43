"""GET, SET and ACTION of one association, in blocks where they are long (IEC 62056-5-3, 9.4)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from elec_meter.dlms.action import (
    ActionAnswer,
    ActionBlock,
    ActionBlockTaken,
    ActionFirstBlock,
    ActionList,
    ActionListFirstBlock,
    ActionListResponse,
    ActionNext,
    ActionNormal,
    ActionOutcome,
    ActionRequest,
    ActionResponse,
)
from elec_meter.dlms.cursor import Cursor, encode_length
from elec_meter.dlms.data import CosemData, data_at, decode_data
from elec_meter.dlms.errors import MalformedError, PeerError
from elec_meter.dlms.get import (
    GetAnswer,
    GetBlock,
    GetList,
    GetListResponse,
    GetNext,
    GetNormal,
    GetRequest,
    GetResponse,
    GetResult,
    encode_results,
)
from elec_meter.dlms.initiate import Conformance
from elec_meter.dlms.services import (
    AccessResult,
    ActionResult,
    Attribute,
    Block,
    Member,
    list_at,
)
from elec_meter.dlms.setting import (
    SetAnswer,
    SetBlock,
    SetBlockTaken,
    SetFirstBlock,
    SetLastBlockResponse,
    SetList,
    SetListFirstBlock,
    SetListLastBlockResponse,
    SetListResponse,
    SetNormal,
    SetRequest,
    SetResponse,
)
from elec_meter.dlms.view import View

RECEIVED_MAX: Final = 65_536
"""Bytes of a value that comes in blocks."""

READ_MAX: Final = 65_536
"""Bytes of values after which nothing more of a list is read."""

# Tag, kind, invoke id, last block, number, choice, and the longest length of a block.
_BLOCK_HEAD: Final = 9
_TOO_MUCH: Final = AccessResult.DATA_BLOCK_UNAVAILABLE


class Getting:
    """The GET service.

    Args:
        view: what is read.
        conformance: what was agreed.
    """

    def __init__(self, view: View, conformance: Conformance) -> None:
        self._view = view
        self._conformance = conformance
        self._rest = b""
        self._number = 0

    def respond(self, request: GetRequest, room: int) -> GetAnswer:
        """What a request is answered with; all that it asks for is read at one instant.

        Args:
            request: any kind.
            room: bytes that the answer may have.
        """
        if isinstance(request, GetNext):
            return self._next(request, room)
        self._rest, now = b"", self._view.now()
        answer: GetAnswer
        if isinstance(request, GetNormal):
            result = self._view.read(request.attribute, now)
            answer = GetResponse(request.invoke, result)
            if isinstance(result, AccessResult) or len(result) + 4 <= room:
                return answer
            long = result
        else:
            results = self._read(request.attributes, now)
            answer = GetListResponse(request.invoke, results)
            long = encode_results(results)
            if len(long) + 3 <= room:
                return answer
        if Conformance.BLOCKS_WITH_GET not in self._conformance:
            return self._too_long(request)
        self._rest, self._number = long, 0
        return self._block(request.invoke, room)

    def _read(self, attributes: tuple[Attribute, ...], now: datetime) -> tuple[GetResult, ...]:
        """Values until there is enough for one answer: each costs everybody else time."""
        results: list[GetResult] = []
        size = 0
        for each in attributes:
            is_enough = size >= READ_MAX
            result = _TOO_MUCH if is_enough else self._view.read(each, now)
            size += 0 if isinstance(result, AccessResult) else len(result)
            results.append(result)
        return tuple(results)

    def _too_long(self, request: GetNormal | GetList) -> GetAnswer:
        """The client cannot take it, and did not say that it knows blocks."""
        if isinstance(request, GetNormal):
            return GetResponse(request.invoke, _TOO_MUCH)
        return GetListResponse(request.invoke, (_TOO_MUCH,) * len(request.attributes))

    def _next(self, request: GetNext, room: int) -> GetAnswer:
        if not self._rest:
            error = AccessResult.NO_LONG_GET_IN_PROGRESS
            return GetBlock(request.invoke, True, request.number, error)
        if request.number != self._number:
            self._rest = b""
            error = AccessResult.DATA_BLOCK_NUMBER_INVALID
            return GetBlock(request.invoke, True, request.number, error)
        return self._block(request.invoke, room)

    def _block(self, invoke: int, room: int) -> GetBlock:
        size = payload(room)
        raw, self._rest = self._rest[:size], self._rest[size:]
        self._number += 1
        return GetBlock(invoke, not self._rest, self._number, raw)


def payload(room: int) -> int:
    """Bytes of a block's raw data in an answer of at most `room` bytes."""
    room -= _BLOCK_HEAD
    return max(1, room - len(encode_length(room)))


class _Received:
    """Blocks of something that is not whole yet."""

    def __init__(self) -> None:
        self.count = 0
        self.raw = b""

    def take(self, block: Block) -> bool:
        """Take the next block; False if it is not the next, or too much."""
        if block.number != self.count + 1 or len(self.raw) + len(block.raw) > RECEIVED_MAX:
            return False
        self.count += 1
        self.raw += block.raw
        return True


class Setting:
    """The SET service.

    Args:
        view: what is changed.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._attributes: tuple[Attribute, ...] = ()
        self._is_list = False
        self._received = _Received()

    def respond(self, request: SetRequest) -> SetAnswer:
        """What a request is answered with."""
        match request:
            case SetNormal(invoke, attribute, value):
                self._forget()
                return SetResponse(invoke, self._view.write(attribute, value))
            case SetList(invoke, attributes, values):
                self._forget()
                return SetListResponse(invoke, self._write(attributes, values))
            case SetFirstBlock(invoke, attribute, block):
                self._forget()
                self._attributes = (attribute,)
                return self._take(invoke, block)
            case SetListFirstBlock(invoke, attributes, block):
                self._forget()
                self._attributes, self._is_list = attributes, True
                return self._take(invoke, block)
            case SetBlock(invoke, block):
                if not self._attributes:
                    result = AccessResult.NO_LONG_SET_IN_PROGRESS
                    return SetLastBlockResponse(invoke, result, block.number)
                return self._take(invoke, block)

    def _forget(self) -> None:
        self._attributes, self._is_list = (), False
        self._received = _Received()

    def _take(self, invoke: int, block: Block) -> SetAnswer:
        if not self._received.take(block):
            self._forget()
            result = AccessResult.DATA_BLOCK_NUMBER_INVALID
            return SetLastBlockResponse(invoke, result, block.number)
        if not block.is_last:
            return SetBlockTaken(invoke, block.number)
        attributes, is_list, raw = self._attributes, self._is_list, self._received.raw
        self._forget()
        try:
            values = _values(raw, is_list=is_list)
        except PeerError:
            values = ()
        results = (AccessResult.TYPE_UNMATCHED,) * len(attributes)
        if len(values) == len(attributes):
            results = self._write(attributes, values)
        if is_list:
            return SetListLastBlockResponse(invoke, results, block.number)
        return SetLastBlockResponse(invoke, results[0], block.number)

    def _write(
        self, attributes: tuple[Attribute, ...], values: tuple[CosemData, ...]
    ) -> tuple[AccessResult, ...]:
        pairs = zip(attributes, values, strict=True)
        return tuple(self._view.write(attribute, value) for attribute, value in pairs)


class Acting:
    """The ACTION service; answers are never so long that they need blocks.

    Args:
        view: what is invoked.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._methods: tuple[Member, ...] = ()
        self._is_list = False
        self._received = _Received()

    def respond(self, request: ActionRequest) -> ActionAnswer:
        """What a request is answered with."""
        match request:
            case ActionNormal(invoke, method, parameters):
                self._forget()
                return ActionResponse(invoke, self._view.invoke(method, parameters))
            case ActionList(invoke, methods, parameters):
                self._forget()
                return ActionListResponse(invoke, self._invoke(methods, parameters))
            case ActionFirstBlock(invoke, method, block):
                self._forget()
                self._methods = (method,)
                return self._take(invoke, block)
            case ActionListFirstBlock(invoke, methods, block):
                self._forget()
                self._methods, self._is_list = methods, True
                return self._take(invoke, block)
            case ActionBlock(invoke, block) if self._methods:
                return self._take(invoke, block)
            case ActionBlock(invoke, _) | ActionNext(invoke, _):
                result = ActionResult.NO_LONG_ACTION_IN_PROGRESS
                return ActionResponse(invoke, ActionOutcome(result))

    def _forget(self) -> None:
        self._methods, self._is_list = (), False
        self._received = _Received()

    def _take(self, invoke: int, block: Block) -> ActionAnswer:
        if not self._received.take(block):
            self._forget()
            outcome = ActionOutcome(ActionResult.LONG_ACTION_ABORTED)
            return ActionResponse(invoke, outcome)
        if not block.is_last:
            return ActionBlockTaken(invoke, block.number)
        methods, is_list, raw = self._methods, self._is_list, self._received.raw
        self._forget()
        try:
            parameters = _values(raw, is_list=is_list)
        except PeerError:
            parameters = ()
        outcomes = (ActionOutcome(ActionResult.TYPE_UNMATCHED),) * len(methods)
        if len(parameters) == len(methods):
            outcomes = self._invoke(methods, parameters)
        if is_list:
            return ActionListResponse(invoke, outcomes)
        return ActionResponse(invoke, outcomes[0])

    def _invoke(
        self, methods: tuple[Member, ...], parameters: tuple[CosemData, ...]
    ) -> tuple[ActionOutcome, ...]:
        pairs = zip(methods, parameters, strict=True)
        return tuple(self._view.invoke(method, value) for method, value in pairs)


def _values(raw: bytes, *, is_list: bool) -> tuple[CosemData, ...]:
    """What came in blocks: one datum, or a list of data."""
    if not is_list:
        return (decode_data(raw),)
    cursor = Cursor(raw)
    values = list_at(cursor, data_at)
    cursor.finish()
    if not values:
        raise MalformedError("a list of no values")
    return values
