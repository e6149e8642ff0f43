"""One FLAG session on one line, without the line (IEC 62056-21, mode C at a fixed speed)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from elec_meter.flag.framing import BREAK, with_even_parity
from elec_meter.flag.identification import Identification
from elec_meter.flag.reader import Kind, Message, MessageReader
from elec_meter.flag.readout import Readout
from elec_meter.flag.states import PROGRESS, Action, Event, State, next_state


@dataclass(frozen=True, slots=True)
class FlagTiming:
    """How long the meter waits.

    Attributes:
        option_ms: for the option select message after the identification.
        character_ms: for the next character of a message (IEC 62056-21, 6.3.14: 1500 ms).
        inactivity_ms: for anything sensible at all, before the session closes.
    """

    option_ms: int = 2_000
    character_ms: int = 1_500
    inactivity_ms: int = 120_000


@dataclass(frozen=True, slots=True)
class FlagLine:
    """What a session needs to know of its line.

    Attributes:
        timing: how long it waits.
        repeats: how often a block is sent again on request.
        software_parity: whether parity bits are set here, on a line that has none of its own.
    """

    timing: FlagTiming = FlagTiming()
    repeats: int = 3
    software_parity: bool = False


class FlagSession:
    """A meter's side of one line. Any bytes are answered, refused or ignored; none raise.

    Args:
        identification: who the meter is, and what a sign-on must name.
        readout: what is sent when the data readout is asked for.
        line: the line's properties.
        now: when the line was opened, in the host's UTC, as in every other call.
    """

    def __init__(
        self, identification: Identification, readout: Readout, line: FlagLine, now: datetime
    ) -> None:
        self._identification = identification
        self._readout = readout
        self._line = line
        self._reader = MessageReader()
        self._state = State.SIGN_ON
        self._block = b""
        self._repeats_left = 0
        self._option_due: datetime | None = None
        self._character_due: datetime | None = None
        self._inactive_at = _later(now, line.timing.inactivity_ms)

    @property
    def state(self) -> State:
        """Where the session is."""
        return self._state

    @property
    def closed(self) -> bool:
        """Whether it ended for want of anything sensible; it answers nothing more."""
        return self._state is State.CLOSED

    def receive_data(self, data: bytes, now: datetime) -> bytes:
        """Take bytes from the line.

        Returns:
            What is to be sent.
        """
        self.handle_timer(now)
        if self.closed or not data:
            return b""
        reply = b""
        self._reader.feed(data)
        while (message := self._reader.read(option_awaited=self._awaits_option)) is not None:
            reply += self._happened(self._event(message), now)
        self._character_due = None
        if self._reader.is_partial:
            self._character_due = _later(now, self._line.timing.character_ms)
        return with_even_parity(reply) if self._line.software_parity else reply

    def next_timer(self) -> datetime | None:
        """When `handle_timer` is due; None once closed."""
        if self.closed:
            return None
        due = (self._inactive_at, self._option_due, self._character_due)
        return min(each for each in due if each is not None)

    def handle_timer(self, now: datetime) -> bytes:
        """Give up what waited too long; calling early or often is harmless.

        Returns:
            What is to be sent.
        """
        if self._character_due is not None and now >= self._character_due:
            self._character_due = None
            self._reader.clear()
        if self._option_due is not None and now >= self._option_due:
            self._reader.clear()
            self._enter(Event.LATE, now)
        if not self.closed and now >= self._inactive_at:
            self._reader.clear()
            self._enter(Event.IDLE, now)
        return b""

    @property
    def _awaits_option(self) -> bool:
        return self._state is State.OPTION_SELECT

    def _event(self, message: Message) -> Event:
        match message.kind:
            case Kind.REQUEST:
                called = self._identification.is_called_by(message.text)
                return Event.REQUEST if called else Event.REQUEST_ELSEWHERE
            case Kind.OPTION_SELECT:
                return _option(message.text, self._identification.baud)
            case Kind.NAK:
                return Event.NAK if self._repeats_left else Event.NAK_TOO_OFTEN
            case Kind.ACK:
                return Event.ACK
            case Kind.COMMAND if message.text == "B0\x03":
                return Event.BREAK
            case _:
                return Event.MALFORMED

    def _happened(self, event: Event, now: datetime) -> bytes:
        if event in PROGRESS:
            self._inactive_at = _later(now, self._line.timing.inactivity_ms)
        match self._enter(event, now):
            case Action.IDENTIFY:
                return self._identification.message
            case Action.SEND_READOUT:
                self._block = self._readout.block()
                self._repeats_left = self._line.repeats
                return self._block
            case Action.REPEAT:
                self._repeats_left -= 1
                return self._block
            case Action.BREAK:
                return BREAK
            case Action.NOTHING:
                return b""

    def _enter(self, event: Event, now: datetime) -> Action:
        self._state, action = next_state(self._state, event)
        self._option_due = None
        if self._state is State.OPTION_SELECT:
            self._option_due = _later(now, self._line.timing.option_ms)
        if self._state is not State.READOUT:
            self._block = b""
        return action


def _option(characters: str, baud: str) -> Event:
    """`V Z Y`: protocol 0 (normal), a speed that was offered, 0 for the data readout."""
    protocol, speed, mode = characters[0], characters[1], characters[2]
    if protocol == "0" and mode == "0" and speed <= baud:
        return Event.READOUT_SELECTED
    return Event.OTHER_SELECTED


def _later(now: datetime, by_ms: int) -> datetime:
    return now + timedelta(milliseconds=by_ms)
