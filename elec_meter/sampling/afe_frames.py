"""What a serial front end says: frames of samples, found again after anything else.

A frame, little-endian throughout:

    0   2  A5 5A
    2   1  bits of a count: 16 or 24
    3   1  sequence: one more than the last frame's, modulo 256
    4   2  samples a second
    6   1  pairs of counts, less 1
    7   6  index of the first sample since the front end started
    13     pairs: voltage, current; signed, two or three bytes each
    end 4  CRC-32 (IEEE 802.3) of all after the first two bytes
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from elec_meter.sampling.block import RATE_MAX_HZ, RATE_MIN_HZ
from elec_meter.sampling.errors import BlockError, FrameError

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAIRS_MAX = 256
SEQUENCE_MODULUS = 256

_SYNC = b"\xa5\x5a"
_HEADER = struct.Struct("<BBHB")
_INDEX_SIZE = 6
_CRC = struct.Struct("<I")
_PAIRS_AT = len(_SYNC) + _HEADER.size + _INDEX_SIZE
_WIDTHS = {16: 2, 24: 3}
FRAME_MAX = _PAIRS_AT + 2 * 3 * PAIRS_MAX + _CRC.size
"""Bytes of the longest frame."""

BUFFER_MAX = 1 << 16
"""Bytes that a decoder keeps at most."""


@dataclass(frozen=True, slots=True, eq=False)
class SampleFrame:
    """The samples of one frame.

    Attributes:
        sequence: 0 to 255, one more than the last frame's.
        rate_hz: samples per second, 2,000 to 32,000.
        first_sample: index of the first of them since the front end started.
        voltage: int16 or int32, shape (n,), n from 1 to 256.
        current: same type and shape.
    """

    sequence: int
    rate_hz: int
    first_sample: int
    voltage: NDArray[Any]
    current: NDArray[Any]

    @property
    def end_sample(self) -> int:
        """Index of the sample after the last."""
        return self.first_sample + self.voltage.size


def encode_frame(frame: SampleFrame) -> bytes:
    """The bytes of a frame: int16 as 16 bits a count, int32 as 24.

    Raises:
        BlockError: something does not fit into a frame.
    """
    size = frame.voltage.size
    if not 1 <= size <= PAIRS_MAX or frame.current.size != size:
        raise BlockError(f"a frame has 1 to {PAIRS_MAX} pairs of counts, not {size}")
    if not 0 <= frame.first_sample < 1 << 8 * _INDEX_SIZE:
        raise BlockError(f"a frame cannot begin with sample {frame.first_sample}")
    bits = 16 if frame.voltage.dtype == np.int16 else 24
    pairs = np.stack((frame.voltage, frame.current), axis=1).astype("<i4")
    if np.abs(2 * pairs.astype(np.int64) + 1).max() >= 1 << bits:
        raise BlockError(f"a count has more than {bits} bits")
    body = _HEADER.pack(bits, frame.sequence % SEQUENCE_MODULUS, frame.rate_hz, size - 1)
    body += frame.first_sample.to_bytes(_INDEX_SIZE, "little")
    body += pairs.view(np.uint8).reshape(-1, 4)[:, : _WIDTHS[bits]].tobytes()
    return _SYNC + body + _CRC.pack(zlib.crc32(body))


class FrameDecoder:
    """Bytes in, in any cut; frames out. It keeps no more than `BUFFER_MAX` bytes."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._skipped = 0

    def receive_data(self, data: bytes) -> None:
        """Take bytes. What nobody asked for in time is skipped, oldest first."""
        self._buffer += data
        self._skip(max(0, len(self._buffer) - BUFFER_MAX))

    def next_frame(self) -> SampleFrame | None:
        """The next frame, or None: more bytes are needed.

        Raises:
            FrameError: bytes were skipped that are no frame, once for each stretch of them. What
                comes behind them can be asked for as if nothing had been.
        """
        frame = None
        while frame is None and self._seek():
            size = self._size()
            if size is None:
                break
            frame = self._frame(size) if size else None
            if frame is None:
                self._skip(1)
            elif self._skipped:
                break
            else:
                del self._buffer[:size]
        if self._skipped:
            skipped, self._skipped = self._skipped, 0
            raise FrameError(skipped)
        return frame

    def _seek(self) -> bool:
        """Skip what is before the next beginning of a frame; whether there is one."""
        at = self._buffer.find(_SYNC)
        if at < 0:
            begun = self._buffer.endswith(_SYNC[:1])
            self._skip(len(self._buffer) - begun)
            return False
        self._skip(at)
        return True

    def _size(self) -> int | None:
        """Bytes of the frame that begins the buffer; 0 if none can, None until they are there."""
        if len(self._buffer) < _PAIRS_AT:
            return None
        bits, _, rate_hz, last = _HEADER.unpack_from(self._buffer, len(_SYNC))
        if bits not in _WIDTHS or not RATE_MIN_HZ <= rate_hz <= RATE_MAX_HZ:
            return 0
        size = _PAIRS_AT + 2 * _WIDTHS[bits] * (int(last) + 1) + _CRC.size
        return size if size <= len(self._buffer) else None

    def _frame(self, size: int) -> SampleFrame | None:
        """The frame of `size` bytes that begins the buffer; None if its check sum is wrong."""
        body = bytes(self._buffer[len(_SYNC) : size - _CRC.size])
        if _CRC.unpack_from(self._buffer, size - _CRC.size) != (zlib.crc32(body),):
            return None
        bits, sequence, rate_hz, _ = _HEADER.unpack_from(body)
        width = _WIDTHS[bits]
        pairs = np.frombuffer(body, np.uint8, offset=_HEADER.size + _INDEX_SIZE)
        padded = np.zeros((pairs.size // width, 4), np.uint8)
        padded[:, 4 - width :] = pairs.reshape(-1, width)
        counts = padded.view("<i4").reshape(-1, 2) >> 8 * (4 - width)
        dtype = np.int16 if bits == 16 else np.int32
        index = body[_HEADER.size : _HEADER.size + _INDEX_SIZE]
        return SampleFrame(
            sequence=sequence,
            rate_hz=rate_hz,
            first_sample=int.from_bytes(index, "little"),
            voltage=counts[:, 0].astype(dtype),
            current=counts[:, 1].astype(dtype),
        )

    def _skip(self, size: int) -> None:
        del self._buffer[:size]
        self._skipped += size
