"""One FLAG session on one line, without the line (IEC 62056-21, modes A, C and E)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol, TypeAlias

from elec_meter.errors import CheckpointFailedError, StorageLostError
from elec_meter.flag.conversation import Conversation, ProgrammingDesk
from elec_meter.flag.framing import ASK_AGAIN, BREAK, with_even_parity
from elec_meter.flag.identification import Identification
from elec_meter.flag.line import FlagLine, LineSetting, Sending
from elec_meter.flag.reader import Kind, Message, MessageReader
from elec_meter.flag.readout import Readout
from elec_meter.flag.states import PROGRESS, UNDER_WAY, Action, Event, State, next_state


class Stream(Protocol):
    """A protocol that takes the line over in mode E: bytes and the time in, bytes out."""

    @property
    def closed(self) -> bool:
        """Whether it has ended, and the line is FLAG's again."""

    def receive_data(self, data: bytes, now: datetime) -> bytes:
        """Take what came; return what is to be sent."""

    def next_timer(self) -> datetime | None:
        """When `handle_timer` is due."""

    def handle_timer(self, now: datetime) -> bytes:
        """Let time pass; return what is to be sent."""


StreamFactory: TypeAlias = Callable[[datetime, FlagLine], Stream]
"""Makes what takes a line over at an instant."""


class Services(NamedTuple):
    """What a session can do for a reader.

    Attributes:
        identification: who the meter is, and what a sign-on must name.
        readout: what is sent when the data readout is asked for.
        durable: called before values are read; it returns once they survive a power cut.
        desk: where programming leads to; there is none without it, or without any password.
        enhanced: makes the protocol of mode E; None where there is none.
    """

    identification: Identification
    readout: Readout
    durable: Callable[[], None]
    desk: ProgrammingDesk | None = None
    enhanced: StreamFactory | None = None


class FlagSession:
    """A meter's side of one line. Any bytes are answered, refused or ignored; none raise.

    Args:
        services: what it can do.
        line: the line's properties.
        now: when the line was opened, in the host's UTC, as in every other call.
    """

    def __init__(self, services: Services, line: FlagLine, now: datetime) -> None:
        self._services = services
        self._line = line
        self._reader = MessageReader()
        self._state = State.SIGN_ON
        self._opening = self._setting = LineSetting(line.opening_bps)
        self._chosen = self._opening
        self._conversation: Conversation | None = None
        self._stream: Stream | None = None
        self._block = b""
        self._repeats_left = self._patience = 0
        self._is_behind = False
        self._character_due: datetime | None = None
        self._step_due: datetime | None = None
        self._inactive_at = _later(now, line.timing.inactivity_ms)

    @property
    def state(self) -> State:
        """Where the session is."""
        return self._state

    @property
    def setting(self) -> LineSetting:
        """How the next characters are expected, once everything has been sent."""
        return self._setting

    @property
    def closed(self) -> bool:
        """Whether it ended for want of anything sensible; it answers nothing more."""
        return self._state is State.CLOSED

    @property
    def is_at_rest(self) -> bool:
        """Whether nobody has begun anything: another session could take its place."""
        return self._state is State.SIGN_ON and not self._reader.is_partial

    @property
    def size(self) -> int:
        """Bytes that it keeps, apart from what a protocol of mode E does."""
        kept = 0 if self._conversation is None else self._conversation.size
        return self._reader.size + len(self._block) + kept

    def receive_data(self, data: bytes, now: datetime) -> bytes:
        """Take bytes from a line without a speed of its own.

        Returns:
            What is to be sent.
        """
        return _joined(self.receive(data, now))

    def handle_timer(self, now: datetime) -> bytes:
        """Give up what waited too long; calling early or often is harmless.

        Returns:
            What is to be sent.
        """
        return _joined(self.expire(now))

    def next_timer(self) -> datetime | None:
        """When `handle_timer` is due; None once closed."""
        if self.closed:
            return None
        due = [self._inactive_at, self._step_due, self._character_due]
        if self._stream is not None:
            due.append(self._stream.next_timer())
        return min(each for each in due if each is not None)

    def receive(self, data: bytes, now: datetime) -> list[Sending]:
        """As `receive_data`, and how it is to be sent."""
        sent = self._receive_one(data, now)
        while self._is_behind:
            sent += self._receive_one(b"", now)
        return sent

    @property
    def is_behind(self) -> bool:
        """Whether something that came may wait for `receive_one`."""
        return self._is_behind

    def receive_one(self, data: bytes, now: datetime) -> bytes:
        """As `receive_data`, but answer one message at most; without data, one that waits."""
        return _joined(self._receive_one(data, now))

    def _receive_one(self, data: bytes, now: datetime) -> list[Sending]:
        sent = [] if self._is_behind else self.expire(now)
        if self.closed or not (data or self._is_behind):
            return sent
        if self._stream is not None:
            return sent + self._passed_on(data, now)
        self._is_behind = False
        self._character_due = None
        self._reader.feed(data)
        message = self._reader.read(option_awaited=self._awaits_option)
        if message is not None:
            sent += self._happened(self._event(message), now)
            if self._is_handed_over:
                return sent + self._passed_on(self._reader.take_rest(), now)
            self._is_behind = self._reader.is_partial and not self.closed
        elif self._reader.is_partial:
            self._character_due = _later(now, self._line.timing.character_ms)
        return sent

    def expire(self, now: datetime) -> list[Sending]:
        """As `handle_timer`, and how it is to be sent."""
        sent: list[Sending] = []
        if self._stream is not None:
            sent += self._from_stream(self._stream.handle_timer(now))
        if self._character_due is not None and now >= self._character_due:
            self._character_due = None
            self._reader.clear()
        if self._step_due is not None and now >= self._step_due:
            self._reader.clear()
            sent += self._happened(Event.LATE, now)
        if not self.closed and now >= self._inactive_at:
            self._reader.clear()
            sent += self._happened(Event.IDLE, now)
        return sent

    @property
    def _is_handed_over(self) -> bool:
        return self._stream is not None

    @property
    def _awaits_option(self) -> bool:
        return self._state is State.OPTION_SELECT

    def _passed_on(self, data: bytes, now: datetime) -> list[Sending]:
        assert self._stream is not None
        if not data:
            return []
        self._inactive_at = _later(now, self._line.timing.inactivity_ms)
        return self._from_stream(self._stream.receive_data(data, now))

    def _from_stream(self, reply: bytes) -> list[Sending]:
        sent = [Sending(reply, self._setting)] if reply else []
        if self._stream is not None and self._stream.closed:
            self._enter(next_state(self._state, Event.BREAK)[0])
        return sent

    def _event(self, message: Message) -> Event:
        match message.kind:
            case Kind.REQUEST if self._services.identification.is_called_by(message.text):
                if self._line.reads_at_once:
                    return self._read_out(Event.REQUEST_TO_READ)
                return Event.REQUEST
            case Kind.REQUEST:
                return Event.REQUEST_ELSEWHERE
            case Kind.OPTION_SELECT:
                return self._option(message.text)
            case Kind.NAK:
                return Event.NAK if self._repeats_left else Event.NAK_TOO_OFTEN
            case Kind.ACK if self._state is State.BLOCKS and self._conversation is not None:
                event, self._block = self._conversation.next_block()
                return event
            case Kind.ACK:
                return Event.ACK
            case Kind.COMMAND if message.text == "B0\x03":
                return Event.BREAK
            case Kind.COMMAND if self._conversation is not None:
                event, self._block = self._conversation.answer(message.text)
                return event
            case Kind.COMMAND:
                return Event.COMMAND
            case Kind.MALFORMED:
                return Event.MALFORMED if self._patience else Event.MALFORMED_TOO_OFTEN

    def _option(self, characters: str) -> Event:
        """`V Z Y`: normal protocol or HDLC, a speed that was offered, what is to be done."""
        protocol, speed, mode = characters[0], characters[1], characters[2]
        services = self._services
        if speed > services.identification.baud:
            return Event.OTHER_SELECTED
        self._chosen = self._line.setting_of(speed)
        if (protocol, mode) == ("0", "0"):
            return self._read_out(Event.READOUT_SELECTED)
        desk = services.desk
        if (protocol, mode) == ("0", "1") and desk is not None and desk.gate.levels:
            return Event.PROGRAMMING_SELECTED
        if (protocol, mode) == ("2", "2") and services.enhanced is not None:
            self._chosen = self._chosen._replace(is_seven_bit=False)
            self._block = f"\x06{characters}\r\n".encode("ascii")
            return Event.ENHANCED_SELECTED
        return Event.OTHER_SELECTED

    def _read_out(self, event: Event) -> Event:
        """Make the block of a readout; what cannot be made durable is not read out."""
        try:
            self._block = self._services.readout.block()
        except StorageLostError:
            raise
        except CheckpointFailedError:
            return Event.READOUT_FAILED
        return event

    def _happened(self, event: Event, now: datetime) -> list[Sending]:
        state, action = next_state(self._state, event)
        if event in PROGRESS:
            self._inactive_at = _later(now, self._line.timing.inactivity_ms)
        if event is not Event.MALFORMED:
            self._patience = self._line.repeats
        if event in _SELECTED:
            self._setting = self._chosen
        data, setting = self._acted(action, event, now), self._setting
        after_ms = self._reaction_ms(is_switch=event in _SELECTED and setting != self._opening)
        self._enter(state)
        sent_ms = after_ms + self._line.sending_ms(len(data), setting) if data else 0
        if sent_ms:  # nobody answers what has not arrived yet
            self._inactive_at += timedelta(milliseconds=sent_ms)
        self._step_due = self._due(_later(now, sent_ms))
        if not data:
            return []
        is_bare = self._line.software_parity and setting.is_seven_bit
        return [Sending(with_even_parity(data) if is_bare else data, setting, after_ms)]

    def _reaction_ms(self, *, is_switch: bool) -> int:
        """How long the meter waits before it answers (IEC 62056-21, 6.3.14, item 12)."""
        if not self._line.opening_bps:
            return 0
        if is_switch:
            return self._line.timing.switch_ms
        return 20 if self._services.identification.is_quick else 200

    def _acted(self, action: Action, event: Event, now: datetime) -> bytes:
        services = self._services
        match action:
            case Action.NOTHING:
                return b""
            case Action.IDENTIFY:
                return services.identification.message
            case Action.CHALLENGE:
                assert services.desk is not None  # else it cannot be selected
                self._conversation = Conversation(services.desk, self._line, services.durable)
                self._block = self._conversation.challenge()
            case Action.SEND_READOUT | Action.ANSWER:
                pass  # the block was made before its event was known
            case Action.REPEAT:
                self._repeats_left -= 1
                return self._block
            case Action.ASK_AGAIN:
                self._patience -= 1
                return ASK_AGAIN
            case Action.HAND_OVER:
                assert services.enhanced is not None  # else it cannot be selected
                self._stream = services.enhanced(now, self._line)
            case Action.BREAK:
                return BREAK
        self._repeats_left = self._line.repeats
        if event is Event.REQUEST_TO_READ:
            return services.identification.message_of_mode_a + self._block
        return self._block

    def _enter(self, state: State) -> None:
        self._state = state
        if state not in UNDER_WAY:
            self._conversation = None
            if state is not State.READOUT:
                self._block = b""
        if state is State.TRANSPARENT:
            self._setting = self._chosen  # the acknowledgement travels as the request for it did
        elif state in (State.SIGN_ON, State.CLOSED):
            self._setting = self._opening
            self._stream = None

    def _due(self, sent_at: datetime) -> datetime | None:
        """When a step that waits for the reader is given up."""
        if self._state is State.OPTION_SELECT:
            return _later(sent_at, self._line.timing.option_ms)
        if self._state is State.READOUT:
            return _later(sent_at, self._line.timing.repeat_ms)
        return None


_SELECTED: Final = frozenset(
    {Event.READOUT_SELECTED, Event.READOUT_FAILED, Event.PROGRAMMING_SELECTED}
)
"""After these the answer itself travels at the speed that was chosen."""


def _joined(sent: list[Sending]) -> bytes:
    return b"".join(each.data for each in sent)


def _later(now: datetime, by_ms: int) -> datetime:
    return now + timedelta(milliseconds=by_ms)
