"""The master's side of a wired M-Bus: one request at a time, and what is heard of it.

EN 13757-2 leaves 11 to 330 bit times and 50 ms for the beginning of an answer, and no pause above
33 bit times within it. Whoever owns the port adds how late it may hear of bytes.
"""

from __future__ import annotations

from enum import Enum

from shared.wire.mbus import (
    ACKNOWLEDGE,
    ADDRESS_MAX,
    FRAME_MAX,
    RSP_UD,
    Frame,
    FrameReader,
    encode_frame,
)

_BYTE_BITS = 11
_ANSWER_BITS = 330
_ANSWER_MS = 50
_GAP_BITS = 33
_KIND = 0x0F  # of a C field from a slave
_FROM_MASTER = 0x40
_DONE = bytes([ACKNOWLEDGE])


class Expected(Enum):
    """What a request is answered with."""

    ACKNOWLEDGEMENT = "E5"
    DATA = "RSP_UD"


class Unanswered(Enum):
    """Why there is no answer."""

    SILENCE = "silence"
    NOISE = "noise"  # something was heard: several at once, or a bad line


class LinkState(Enum):
    """Where a request is: what moves it on is in `MasterLink` alone.

    IDLE -ask-> WAITING -byte-> HEARING; WAITING and HEARING -answer or timer-> IDLE.
    """

    IDLE = "idle"
    WAITING = "waiting"
    HEARING = "hearing"


Answer = Frame | Unanswered


class MasterLink:
    """One request and its answer. Time is ``now_ms``: integer ms of a clock that only rises.

    Args:
        baud: bit/s on the line.
        latency_ms: how late bytes may be known of: the adapter's, or a network's.
    """

    def __init__(self, baud: int, latency_ms: int) -> None:
        self._baud = baud
        self._latency_ms = latency_ms
        self._state = LinkState.IDLE
        self._reader = FrameReader()
        self._echo = b""
        self._heard = b""
        self._answer: Answer | None = None
        self._quiet_ms = 0
        self._due_ms = 0
        self._last_ms = 0

    @property
    def ready_ms(self) -> int:
        """From when on the next request may be sent."""
        return self._quiet_ms

    def ask(self, request: Frame, expected: Expected, now_ms: int) -> bytes:
        """The bytes to send now; what was heard before is forgotten.

        Raises:
            Malformed: the request's user data are too long for a frame.
        """
        data = encode_frame(request)
        sent_ms = now_ms + self._bits_ms(len(data) * _BYTE_BITS)
        self._state = LinkState.WAITING
        self._request = request
        self._expected = expected
        self._reader.reset()
        self._echo = data
        self._heard = b""
        self._answer = None
        self._due_ms = sent_ms + self._bits_ms(_ANSWER_BITS) + _ANSWER_MS + self._latency_ms
        # However much is heard: no answer lasts longer than the longest frame.
        self._last_ms = self._due_ms + self._bits_ms(FRAME_MAX * _BYTE_BITS) + self._latency_ms
        return data

    def receive_data(self, data: bytes, now_ms: int) -> None:
        """Take what is heard; between requests it means nothing."""
        self._quiet_ms = now_ms + self._bits_ms(_GAP_BITS)
        if self._state is LinkState.IDLE:
            return
        data = self._without_echo(data)
        end_ms = min(self._last_ms, now_ms + self._bits_ms(_GAP_BITS) + self._latency_ms)
        if not data:
            self._due_ms = max(self._due_ms, end_ms)
            return
        self._state = LinkState.HEARING
        self._due_ms = end_ms
        self._heard = (self._heard + data)[: FRAME_MAX + 1]
        if self._expected is Expected.DATA:
            self._look_for_data(data)
        self.handle_timer(now_ms)

    def next_timer(self) -> int | None:
        """When `handle_timer` has something to do; None while nothing is asked."""
        return None if self._state is LinkState.IDLE else self._due_ms

    def handle_timer(self, now_ms: int) -> None:
        """End a request whose time is over."""
        if self._state is LinkState.IDLE or now_ms < self._due_ms:
            return
        if self._state is LinkState.WAITING:
            self._end(Unanswered.SILENCE)
        elif self._expected is Expected.ACKNOWLEDGEMENT and self._heard == _DONE:
            self._end(Frame(None))
        else:
            self._end(Unanswered.NOISE)

    def take_answer(self) -> Answer | None:
        """The answer, once; None while it is waited for."""
        answer, self._answer = self._answer, None
        return answer

    def _look_for_data(self, data: bytes) -> None:
        for start in range(0, len(data), FRAME_MAX):
            for found in self._reader.receive_data(data[start : start + FRAME_MAX]):
                if isinstance(found, Frame) and self._is_answer(found):
                    self._end(found)
                    return

    def _is_answer(self, frame: Frame) -> bool:
        if frame.control is None or frame.control & _FROM_MASTER or not frame.user_data:
            return False
        if frame.control & _KIND != RSP_UD:
            return False
        return self._request.address > ADDRESS_MAX or frame.address == self._request.address

    def _without_echo(self, data: bytes) -> bytes:
        """Leave out what some converters hand back: the request itself."""
        if not self._echo:
            return data
        heard = self._heard + data
        if len(heard) < len(self._echo) and self._echo.startswith(heard):
            self._heard = heard
            return b""
        self._heard = b""
        is_echo = heard.startswith(self._echo)
        heard = heard[len(self._echo) :] if is_echo else heard
        self._echo = b""
        return heard

    def _end(self, answer: Answer) -> None:
        if self._answer is None and self._state is not LinkState.IDLE:
            self._answer = answer
        self._state = LinkState.IDLE

    def _bits_ms(self, bits: int) -> int:
        return -(-bits * 1000 // self._baud)
