"""The radio frames in the bytes that a stick sends over its serial line, and its answers.

A reader is given the bytes as they come and gives what they complete. What waits in it is never
more than one message of its kind and the bytes last given. Noise is left out: reading goes on
behind the byte that looked like a beginning. Where a message never ends, none had begun: once the
line has been silent, `flush` looks for what else may have begun since.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass

from shared.wire.errors import BadCrc, Malformed, Truncated, WireError
from shared.wire.sticks import (
    AMBER_CONFIRMED,
    AMBER_RECEIVED,
    AMBER_START,
    IMST_CONFIGURATION_SET,
    IMST_ENDPOINT,
    IMST_HAS_CRC,
    IMST_HAS_RSSI,
    IMST_HAS_TIME,
    IMST_MANAGEMENT,
    IMST_RADIO,
    IMST_RECEIVED,
    IMST_START,
    exclusive_or,
    imst_crc,
)
from shared.wire.wmbus import LINK_HEADER, unframe

# C fields that a meter sends (EN 13757-4, 12.4): spontaneous data, responses, acknowledgements
_CONTROLS = frozenset(
    [0x44, 0x46, 0x47, 0x48, 0x00, 0x10, 0x20, 0x30, 0x08, 0x18, 0x28, 0x38, 0x06]
)
_AMBER_ANSWER_MAX = 132
_LINE_MAX = 1024  # characters; twice the longest frame, its prefix and signal strength are 590
_HEX_TAIL = re.compile(r"[0-9A-Fa-f]+$")


@dataclass(frozen=True, slots=True)
class StickFrame:
    """A radio frame: `data` with CRCs or without, as `shared.wire.wmbus.unframe` takes it."""

    data: bytes
    rssi_dbm: int | None


@dataclass(frozen=True, slots=True)
class StickAnswer:
    """What a stick says of itself: the message's number, and its payload or line of text."""

    number: int
    payload: bytes


Found = StickFrame | StickAnswer | WireError


class StickReader(ABC):
    """The reader of one kind of stick."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def is_waiting(self) -> bool:
        """Whether something has begun that more bytes may complete."""
        return bool(self._buffer)

    def receive_data(self, data: bytes) -> list[Found]:
        """What the bytes complete, in order; an empty list means that more are needed.

        A message whose check is wrong comes as the error; whatever the bytes are, none is raised.
        """
        self._buffer += data
        return self._take()

    def flush(self) -> list[Found]:
        """What is left when the line has been silent: the beginning that waited was none."""
        found: list[Found] = []
        while self._buffer:
            del self._buffer[:1]
            found += self._take()
        return found

    @abstractmethod
    def _take(self) -> list[Found]:
        """Take what is complete off the buffer."""


class _Messages(StickReader):
    """A stick whose messages begin with a byte of their own."""

    _start: bytes

    def _take(self) -> list[Found]:
        found: list[Found] = []
        start = 0
        while start < len(self._buffer):
            start = self._buffer.find(self._start, start)
            if start < 0:
                start = len(self._buffer)
                break
            try:
                length, message = self._message(bytes(self._buffer[start : start + 300]))
            except Truncated:
                break
            except BadCrc as error:
                found.append(error)
                length, message = 1, None
            except Malformed:
                length, message = 1, None
            start += length
            if message is not None:
                found.append(message)
        del self._buffer[:start]
        return found

    def _message(self, data: bytes) -> tuple[int, Found | None]:
        """The message that the bytes begin with, and how many of them are read with it.

        Raises:
            Truncated: more bytes are needed.
            BadCrc: its check is wrong.
            Malformed: no message begins like this.
        """
        raise NotImplementedError


class ImstReader(_Messages):
    """iM871A: messages with a flagged time, signal strength and CRC."""

    _start = bytes([IMST_START])

    def _message(self, data: bytes) -> tuple[int, Found | None]:
        if len(data) < 4:
            raise Truncated("a message of an iM871A has four bytes in front")
        flags, endpoint = data[1] & ~IMST_ENDPOINT, data[1] & IMST_ENDPOINT
        number, length = data[2], data[3]
        is_frame = (endpoint, number) == (IMST_RADIO, IMST_RECEIVED)
        is_answer = (endpoint, number) == (IMST_MANAGEMENT, IMST_CONFIGURATION_SET)
        if flags & 0x10 or not (is_frame or is_answer):
            raise Malformed("no message of an iM871A begins like this")
        if is_frame:
            _check_meter(length, data[4:5])
        end = 4 + length
        payload = data[4:end]
        end += 4 if flags & IMST_HAS_TIME else 0
        rssi = end if flags & IMST_HAS_RSSI else None
        end += 0 if rssi is None else 1
        if flags & IMST_HAS_CRC:
            if len(data) >= end + 2 and imst_crc(data[1:end]) != data[end : end + 2]:
                raise BadCrc("the CRC of an iM871A's message is wrong")
            end += 2
        if len(data) < end:
            raise Truncated("the message goes on")
        # Nothing vouches for a message without a CRC: what may be a true one inside it is read too.
        taken = end if flags & IMST_HAS_CRC or is_answer else 1
        if is_answer:
            return taken, StickAnswer(number, payload)
        rssi_dbm = None if rssi is None else _imst_dbm(data[rssi])
        return taken, StickFrame(bytes([length]) + payload, rssi_dbm)


class AmberReader(_Messages):
    """AMB8465 in command mode.

    Attributes:
        has_rssi: whether the last byte of a received frame is its signal strength, as the stick's
            parameter 45 says.
    """

    _start = bytes([AMBER_START])

    def __init__(self, *, has_rssi: bool = True) -> None:
        super().__init__()
        self.has_rssi = has_rssi

    def _message(self, data: bytes) -> tuple[int, Found | None]:
        if len(data) < 4:
            raise Truncated("a message of an AMB8465 has three bytes in front")
        command, length = data[1], data[2]
        is_frame = command == AMBER_RECEIVED
        if is_frame:
            _check_meter(length, data[3:4])
        is_answer = bool(command & AMBER_CONFIRMED) and length <= _AMBER_ANSWER_MAX
        if not (is_frame or is_answer):
            raise Malformed("no message of an AMB8465 begins like this")
        # Firmwares differ in whether the length counts the signal strength.
        beyond = (0, 1) if is_frame and self.has_rssi else (0,)
        for extra in beyond:
            end = 3 + length + extra
            if len(data) <= end:
                raise Truncated("the message goes on")
            if exclusive_or(data[:end]) == data[end]:
                payload = data[3:end]
                if is_answer:
                    return end + 1, StickAnswer(command & ~AMBER_CONFIRMED, payload)
                return end + 1, self._frame(payload)
        raise BadCrc("the check byte of an AMB8465's message is wrong")

    def _frame(self, payload: bytes) -> StickFrame:
        rssi_dbm = None
        if self.has_rssi:
            payload, rssi_dbm = payload[:-1], _chipcon_dbm(payload[-1])
        return StickFrame(bytes([len(payload)]) + payload, rssi_dbm)


class LineReader(StickReader):
    """Frames as lines of hexadecimal digits: those of a CUL (`b`, `bY`), and plain ones.

    Noise before a frame on its line is left out: the frame is where length field and CRCs fit.
    After it, one or two bytes may tell link quality and signal strength.
    """

    def _take(self) -> list[Found]:
        *lines, rest = bytes(self._buffer).split(b"\n")
        self._buffer = bytearray(rest[-_LINE_MAX:])
        found = []
        for line in lines:
            text = line[-_LINE_MAX:].rstrip(b"\r ").decode("ascii", "replace")
            if text:
                found.append(_line(text))
        return found

    def flush(self) -> list[Found]:
        """See `StickReader`: a line is complete with its end only; it goes on waiting."""
        return []

    @property
    def is_waiting(self) -> bool:
        """See `StickReader`."""
        return False


def _check_meter(length: int, control: bytes) -> None:
    if not control:
        raise Truncated("a frame has a C field")
    if length < LINK_HEADER - 1 or control[0] not in _CONTROLS:
        raise Malformed("no meter's frame begins like this")


def _line(text: str) -> Found:
    tail = _HEX_TAIL.search(text)
    digits = tail.group() if tail else ""
    if len(digits) < 2 * LINK_HEADER:
        return StickAnswer(0, text.encode("ascii", "replace"))
    # The marks b and bY end where the digits begin, except that b is a digit itself.
    for start in range(len(digits) - 2 * LINK_HEADER + 1):
        if (len(digits) - start) % 2 == 0:
            frame = _fitting(bytes.fromhex(digits[start:]))
            if frame is not None:
                return frame
    return Malformed(f"a line of {len(digits)} digits has no frame")


def _fitting(data: bytes) -> StickFrame | None:
    """The frame that these bytes are, with up to two bytes more."""
    for extra in (0, 1, 2):
        body = data[: len(data) - extra]
        if len(body) < LINK_HEADER or body[1] not in _CONTROLS:
            return None
        try:
            unframe(body)
        except WireError:
            continue
        return StickFrame(body, _chipcon_dbm(data[-1]) if extra else None)
    return None


def _imst_dbm(value: int) -> int:
    return round(value * 8 / 15 - 380 / 3)


def _chipcon_dbm(value: int) -> int:
    """Signal strength as the radio chips of Texas Instruments tell it, in steps of half a dB."""
    return (value - 256 if value >= 128 else value) // 2 - 74
