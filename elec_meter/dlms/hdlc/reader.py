"""Bytes from a line to HDLC frames; noise and damaged frames are dropped (IEC 62056-46, 6.4.2)."""

from __future__ import annotations

from typing import Final

from elec_meter.dlms.errors import MalformedError
from elec_meter.dlms.hdlc.frames import FLAG, FRAME_MAX, Frame, decode_frame, frame_length

BUFFER_MAX: Final = FRAME_MAX + 2
"""Bytes that are kept between two reads: less than one frame with its flags."""


class FrameReader:
    """Finds frames in a stream.

    What turns out to be none is given up only as far as the flag that it began with: a flag within
    may begin a frame. A frame's last flag may be the next one's first.

    Attributes:
        damaged: how many beginnings were no frame.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.damaged = 0

    @property
    def is_partial(self) -> bool:
        """Whether a frame has begun and not ended."""
        return len(self._buffer) > 1

    def feed(self, data: bytes) -> None:
        """Take bytes from the line."""
        self._buffer += data

    def clear(self) -> None:
        """Forget an unfinished frame."""
        self._buffer.clear()

    def read(self) -> Frame | None:
        """The next frame that is whole and undamaged, or None when more bytes are needed."""
        while self._find_start():
            try:
                length = frame_length(self._buffer[1], self._buffer[2])
                if len(self._buffer) < length + 2:
                    return None
                if self._buffer[length + 1] != FLAG:
                    raise MalformedError("a frame does not end where it says")
                frame = decode_frame(bytes(self._buffer[1 : length + 1]))
            except MalformedError:
                self.damaged += 1
                del self._buffer[:1]
                continue
            del self._buffer[: length + 1]
            return frame
        return None

    def _find_start(self) -> bool:
        """Drop what precedes the last of the flags before a format; whether one is there whole."""
        at = self._buffer.find(FLAG)
        if at < 0:
            self._buffer.clear()
            return False
        while self._buffer[at + 1 : at + 2] == b"\x7e":
            at += 1
        del self._buffer[:at]
        return len(self._buffer) > 2
