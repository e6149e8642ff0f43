"""One HDLC link on one line, without the line: the meter's side (IEC 62056-46)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

from elec_meter.dlms.errors import MalformedError
from elec_meter.dlms.hdlc.frames import MODULUS, Address, Control, Frame, Kind
from elec_meter.dlms.hdlc.negotiation import LinkParameters
from elec_meter.dlms.hdlc.reader import FrameReader
from elec_meter.dlms.hdlc.states import EVENTS, TRANSITIONS, Action, Event, State
from elec_meter.dlms.turns import SessionByTurns
from elec_meter.objects import (
    HDLC_FIELD_MAX,
    HDLC_OCTET_MS,
    HDLC_WINDOW_RECEIVED,
    HDLC_WINDOW_SENT,
    INACTIVITY_S,
)

APDU_MAX: Final = 4_096
"""Bytes of an APDU that is put together from segments."""

OURS: Final = LinkParameters(HDLC_FIELD_MAX, HDLC_FIELD_MAX, HDLC_WINDOW_SENT, HDLC_WINDOW_RECEIVED)
"""What the meter can do unless it is told otherwise."""

_FROM_CLIENT: Final = bytes.fromhex("e6e600")
_TO_CLIENT: Final = bytes.fromhex("e6e700")
_BROADCASTS: Final = (0x7F, 0x3FFF)
_CALLING: Final = (0x7E, 0x3FFE)
_INVALID_CONTROL, _TOO_LONG, _INVALID_RECEIVE = 1, 4, 8


class ApduServer(Protocol):
    """What answers APDUs."""

    def answer(self, client: int, server: int, apdu: bytes) -> bytes:
        """The answer to an APDU of a client to a logical device; empty for none."""

    def drop(self) -> None:
        """The line to the client is gone."""


@dataclass(frozen=True, slots=True)
class HdlcLine:
    """What a session needs to know of its line.

    Attributes:
        logical: the logical device, upper part of the meter's address.
        physical: lower part of the meter's address; None to answer to any.
        parameters: what the meter can do.
        inactivity_ms: how long a link is kept without a frame, and a line without a link.
        octet_ms: how long an unfinished frame waits for its next byte.
    """

    logical: int = 1
    physical: int | None = None
    parameters: LinkParameters = OURS
    inactivity_ms: int = 1_000 * INACTIVITY_S
    octet_ms: int = HDLC_OCTET_MS


class _Piece(NamedTuple):
    """An information field that waits to be sent and acknowledged."""

    information: bytes
    is_segment: bool


class HdlcSession(SessionByTurns):
    """A meter's side of one line. Any bytes are answered, refused or ignored; none raise.

    Args:
        server: answers the APDUs that the link carries.
        line: the line's properties.
        now: when the line was opened, in the host's UTC, as in every other call.
    """

    def __init__(self, server: ApduServer, line: HdlcLine, now: datetime) -> None:
        self._server = server
        self._line = line
        self._reader = FrameReader()
        self._state = State.DISCONNECTED
        self._client = Address(0)
        self._own = Address(line.logical)
        self._agreed = LinkParameters()
        self._fault = 0
        self._is_behind = False
        self._begin()
        self._octet_due: datetime | None = None
        self._inactive_at = _later(now, line.inactivity_ms)

    @property
    def state(self) -> State:
        """Where the link is."""
        return self._state

    @property
    def closed(self) -> bool:
        """Whether it ended for want of anything sensible; it answers nothing more."""
        return self._state is State.CLOSED

    @property
    def is_behind(self) -> bool:
        """Whether something that came may wait for `receive_one`."""
        return self._is_behind

    def receive_one(self, data: bytes, now: datetime) -> bytes:
        """As `receive_data`, but answer one frame at most; without data, one that waits."""
        if not self._is_behind:
            self.handle_timer(now)
        if self.closed or not (data or self._is_behind):
            return b""
        self._is_behind = False
        self._octet_due = None
        self._reader.feed(data)
        while (frame := self._reader.read()) is not None:
            if self._is_addressed(frame):
                self._inactive_at = _later(now, self._line.inactivity_ms)
                reply = self._received(frame)
                self._is_behind = self._reader.is_partial and not self.closed
                return reply
        if self._reader.is_partial:
            self._octet_due = _later(now, self._line.octet_ms)
        return b""

    def next_timer(self) -> datetime | None:
        """When `handle_timer` is due; None once closed."""
        if self.closed:
            return None
        due = (self._inactive_at, self._octet_due)
        return min(each for each in due if each is not None)

    def handle_timer(self, now: datetime) -> bytes:
        """Give up what waited too long; calling early or often is harmless.

        Returns:
            What is to be sent: nothing, a secondary station speaks when it is asked.
        """
        if self._octet_due is not None and now >= self._octet_due:
            self._octet_due = None
            self._reader.clear()
        while not self.closed and now >= self._inactive_at:
            self._inactive_at = _later(self._inactive_at, self._line.inactivity_ms)
            self._state, action = TRANSITIONS[self._state][Event.IDLE]
            if action is Action.DROP:
                self._drop()
        return b""

    def _is_addressed(self, frame: Frame) -> bool:
        """Whether a frame is for this meter, and from the client that the link is with."""
        address, physical = frame.destination, self._line.physical
        if address.upper != self._line.logical:
            return False
        names_one = address.lower is not None and address.lower not in (*_BROADCASTS, *_CALLING)
        if names_one and physical is not None and address.lower != physical:
            return False
        return (
            self._state is State.DISCONNECTED
            or frame.control.kind is Kind.SET_NORMAL_MODE
            or frame.source == self._client
        )

    def _received(self, frame: Frame) -> bytes:
        event = self._event(frame)
        self._state, action = TRANSITIONS[self._state][event]
        poll = frame.control.poll
        match action:
            case Action.CONNECT:
                return self._connect(frame)
            case Action.DISCONNECT:
                self._drop()
                return self._reply(frame, Kind.ACKNOWLEDGE) if poll else b""
            case Action.REFUSE:
                return self._reply(frame, Kind.DISCONNECTED_MODE) if poll else b""
            case Action.TAKE:
                self._acknowledged(frame.control.receive)
                self._take(frame)
                return self._polled(frame) if poll else b""
            case Action.GO_ON:
                self._acknowledged(frame.control.receive)
                return self._polled(frame) if poll else b""
            case Action.WAIT:
                self._acknowledged(frame.control.receive)
                return self._ready(frame) if poll else b""
            case Action.REJECT:
                reply = self._rejected(frame) if poll else b""
                self._drop()
                return reply
            case Action.DROP | Action.NOTHING:
                return b""

    def _event(self, frame: Frame) -> Event:
        """What the frame is to the table, once its numbers and lengths are looked at."""
        event, control = EVENTS[frame.control.kind], frame.control
        self._fault = _INVALID_CONTROL
        if event is Event.SET_NORMAL_MODE:
            try:
                LinkParameters.from_bytes(frame.information)
            except MalformedError:
                return Event.OTHER
        if event not in (Event.INFORMATION, Event.READY, Event.NOT_READY):
            return event
        if self._state is not State.CONNECTED:
            return event
        if (control.receive - self._first) % MODULUS > self._sent:
            self._fault = _INVALID_RECEIVE
            return Event.WRONG
        length = len(frame.information)
        if length > self._agreed.length_received or len(self._taken) + length > APDU_MAX:
            self._fault = _TOO_LONG
            return Event.WRONG
        return event

    def _connect(self, frame: Frame) -> bytes:
        self._server.drop()
        self._begin()
        self._client = frame.source
        lower = frame.destination.lower
        if self._line.physical is not None and lower in (*_BROADCASTS, *_CALLING):
            lower = self._line.physical
        self._own = Address(self._line.logical, lower, frame.destination.size)
        theirs = LinkParameters.from_bytes(frame.information)
        self._agreed = self._line.parameters.agreed_with(theirs)
        if not frame.control.poll:
            return b""
        return self._reply(frame, Kind.ACKNOWLEDGE, self._agreed.to_bytes())

    def _begin(self) -> None:
        """Nothing sent, nothing received."""
        self._expected = 0
        self._first = 0
        self._sent = 0
        self._waiting: list[_Piece] = []
        self._taken = b""

    def _drop(self) -> None:
        self._server.drop()
        self._begin()

    def _acknowledged(self, receive: int) -> None:
        """The other side has everything before `receive`."""
        count = (receive - self._first) % MODULUS
        del self._waiting[:count]
        self._first = receive
        self._sent -= count

    def _take(self, frame: Frame) -> None:
        """Take information that comes in sequence; what does not is asked for again by RR."""
        if frame.control.send != self._expected:
            return
        self._expected = (self._expected + 1) % MODULUS
        self._taken += frame.information
        if frame.is_segment:
            return
        message, self._taken = self._taken, b""
        # Whoever asks something new does not wait for the rest of an old answer.
        del self._waiting[self._sent :]
        if not message.startswith(_FROM_CLIENT):
            return
        apdu = message[len(_FROM_CLIENT) :]
        answer = self._server.answer(self._client.upper, self._line.logical, apdu)
        if answer:
            self._waiting += _pieces(_TO_CLIENT + answer, self._agreed.length_sent)

    def _polled(self, frame: Frame) -> bytes:
        """A window of what is waiting, the final bit in its last frame; RR if nothing is."""
        window = self._waiting[: self._agreed.window_sent]
        if not window:
            return self._ready(frame)
        self._sent = max(self._sent, len(window))
        reply = b""
        for place, piece in enumerate(window):
            number = (self._first + place) % MODULUS
            is_final = place == len(window) - 1
            control = Control(Kind.INFORMATION, is_final, self._expected, number)
            reply += self._frame(frame, control, piece.information, piece.is_segment)
        return reply

    def _ready(self, frame: Frame) -> bytes:
        return self._frame(frame, Control(Kind.RECEIVE_READY, True, self._expected))

    def _rejected(self, frame: Frame) -> bytes:
        number = (self._first + self._sent) % MODULUS
        information = bytes((frame.control.raw, self._expected << 5 | number << 1, self._fault))
        return self._reply(frame, Kind.FRAME_REJECT, information)

    def _reply(self, frame: Frame, kind: Kind, information: bytes = b"") -> bytes:
        return self._frame(frame, Control(kind), information)

    def _frame(
        self, asked: Frame, control: Control, information: bytes = b"", is_segment: bool = False
    ) -> bytes:
        own = self._own if asked.source == self._client else asked.destination
        return Frame(asked.source, own, control, information, is_segment).to_bytes()


def _pieces(message: bytes, length: int) -> list[_Piece]:
    starts = range(0, len(message), length)
    return [_Piece(message[at : at + length], at + length < len(message)) for at in starts]


def _later(now: datetime, by_ms: int) -> datetime:
    return now + timedelta(milliseconds=by_ms)
