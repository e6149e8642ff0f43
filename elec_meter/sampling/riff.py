"""Samples in a wav file: RIFF chunks with linear PCM, plain or WAVE_FORMAT_EXTENSIBLE."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

_CHUNK: Final = struct.Struct("<4sI")
_FORMAT: Final = struct.Struct("<HHIIHH")
_EXTENSION: Final = struct.Struct("<HHI16s")
_PCM: Final = 1
_EXTENSIBLE: Final = 0xFFFE
# The subformat of linear PCM, a GUID as it lies in the file.
_PCM_GUID: Final = bytes.fromhex("0100000000001000800000aa00389b71")


class RiffError(ValueError):
    """Bytes are no wav file, or not the whole of one; says why after the file's name.

    Example scenarios: floating point; a file that was cut off while it was copied; a chunk whose
    length leads beyond the end.
    """


class Pcm(NamedTuple):
    """Linear PCM.

    Attributes:
        channels: how many.
        width: bytes of a sample.
        rate_hz: samples a second of each channel.
        data: the samples, little-endian, channel after channel.
    """

    channels: int
    width: int
    rate_hz: int
    data: memoryview


def parse_wav(content: bytes) -> Pcm:
    """The samples of a wav file.

    Raises:
        RiffError: it is none of linear PCM, or is cut off.
    """
    if len(content) < 12 or content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise RiffError("is not a readable wav file")
    form: tuple[int, int, int] | None = None
    for name, size, body in _chunks(memoryview(content)[12:]):
        if name == b"data" and form is not None:
            channels, width, rate_hz = form
            if len(body) < size or size % (channels * width):
                raise RiffError(f"is cut off: it has {len(body)} of {size} bytes of samples")
            return Pcm(channels, width, rate_hz, body)
        if len(body) < size:
            break
        if name == b"fmt ":
            form = _form(body)
    raise RiffError("is not a readable wav file")


def _chunks(rest: memoryview) -> Iterator[tuple[bytes, int, memoryview]]:
    """Each chunk's name, the size it says, and what there is of it."""
    while len(rest) >= _CHUNK.size:
        name, size = _CHUNK.unpack_from(rest)
        end = _CHUNK.size + size
        yield name, size, rest[_CHUNK.size : end]
        rest = rest[end + size % 2 :]


def _form(body: memoryview) -> tuple[int, int, int]:
    """Channels, bytes of a sample and rate."""
    if len(body) < _FORMAT.size:
        raise RiffError("is not a readable wav file")
    kind, channels, rate_hz, _, frame_size, bits = _FORMAT.unpack_from(body)
    if kind == _EXTENSIBLE and len(body) >= _FORMAT.size + _EXTENSION.size:
        _, _, _, guid = _EXTENSION.unpack_from(body, _FORMAT.size)
        kind = _PCM if guid == _PCM_GUID else kind
    width = (bits + 7) // 8
    if kind != _PCM or not channels or not width or frame_size != channels * width:
        raise RiffError("is not a readable wav file")
    return channels, width, rate_hz
