from __future__ import annotations

import random
import re
import tracemalloc
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elec_meter.sampling import BlockError, FrameDecoder, FrameError, SampleFrame, encode_frame
from elec_meter.sampling.afe_frames import BUFFER_MAX, FRAME_MAX, PAIRS_MAX
from tests.elec_meter.sampling.front_end import frames, mains, said

SMALL = SampleFrame(
    7,
    4000,
    0x010203,
    np.array([1, -2], np.int16),
    np.array([-32768, 32767], np.int16),
)


def decoded(pieces: Iterable[bytes]) -> tuple[list[SampleFrame], int]:
    """The frames in pieces, and how many bytes were none."""
    decoder = FrameDecoder()
    found, skipped = [], 0
    for piece in pieces:
        decoder.receive_data(piece)
        while True:
            try:
                frame = decoder.next_frame()
            except FrameError as error:
                skipped += error.size
                continue
            if frame is None:
                break
            found.append(frame)
    return found, skipped


def plain(frame: SampleFrame) -> tuple[object, ...]:
    """A frame as something that can be compared."""
    counts = frame.voltage.tolist(), frame.current.tolist()
    return frame.sequence, frame.rate_hz, frame.first_sample, frame.voltage.dtype, *counts


def test_vector() -> None:
    """A frame of two pairs of 16 bits, byte by byte as the layout says."""
    body = "10 07 a00f 01 030201000000 0100 0080 feff ff7f".replace(" ", "")
    check = zlib.crc32(bytes.fromhex(body)).to_bytes(4, "little")
    data = bytes.fromhex("a55a" + body) + check
    assert data == encode_frame(SMALL)
    found, skipped = decoded([data])
    assert ([plain(SMALL)], 0) == ([plain(frame) for frame in found], skipped)


def test_24_bits() -> None:
    """Counts of 24 bits keep their sign, and come as int32."""
    counts = np.array([-(1 << 23), (1 << 23) - 1, -1, 0], np.int32)
    frame = SampleFrame(255, 8000, (1 << 48) - 9, counts, counts[::-1].copy())
    (found,), skipped = decoded([encode_frame(frame)])
    assert (plain(frame), 0) == (plain(found), skipped)


@pytest.mark.parametrize("bits", [16, 24])
def test_three_ways(bits: int) -> None:
    """Whole, byte by byte and at random cuts: the same frames."""
    given_frames = list(frames(mains(bits), 1, 97))
    data = b"".join(said(given_frames))
    rng = random.Random(bits)
    cuts = sorted(rng.sample(range(len(data)), 50))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    expected = [plain(frame) for frame in given_frames]
    for ways in ([data], [bytes([byte]) for byte in data], pieces):
        found, skipped = decoded(ways)
        assert 0 == skipped
        assert expected == [plain(frame) for frame in found]


@settings(max_examples=30)
@given(
    garbage=st.lists(st.binary(max_size=60), min_size=4, max_size=4),
    torn=st.integers(0, 40),
    cut=st.integers(1, 100),
)
def test_garbage(garbage: list[bytes], torn: int, cut: int) -> None:
    """Whatever stands between frames, the frames are found, and all else is counted."""
    whole = said(list(frames(mains(), 1, 3))[:3])
    data = garbage[0] + whole[0] + garbage[1] + whole[1][torn:] + garbage[2] + whole[2]
    data += garbage[3] + bytes(FRAME_MAX)  # so that no beginning of a frame waits for its end
    found, skipped = decoded(data[k : k + cut] for k in range(0, len(data), cut))
    numbers = [frame.sequence for frame in found]
    assert numbers == ([0, 1, 2] if torn == 0 else [0, 2])
    assert len(data) == skipped + len(whole[0]) * len(numbers)


@pytest.mark.parametrize("place", range(len(encode_frame(SMALL))))
def test_a_damaged_byte(place: int) -> None:
    """Any byte changed: no frame of it, and the next one is found."""
    data = bytearray(encode_frame(SMALL))
    data[place] ^= 0x41
    good = encode_frame(SMALL) * 200  # more than the longest frame that the damage may announce
    found, _ = decoded([bytes(data) + good])
    assert 200 - FRAME_MAX // len(data) - 1 <= len(found) <= 200
    assert {str(plain(SMALL))} == {str(plain(frame)) for frame in found}


def test_noise() -> None:
    """A megabyte of noise gives no frame, takes bounded memory, and hides no frame behind it."""
    noise = random.Random(5).randbytes(1 << 20)
    decoder = FrameDecoder()
    tracemalloc.start()
    for at in range(0, len(noise), 4096):
        decoder.receive_data(noise[at : at + 4096])
        for _ in range(4096):
            try:
                assert decoder.next_frame() is None
                break
            except FrameError:
                continue
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 4 * BUFFER_MAX > peak
    whole = said(list(frames(mains(), 1, 256)))
    found, _ = decoded([noise, *whole])
    assert len(whole) == len(found)


def test_what_nobody_takes() -> None:
    """A decoder whose frames nobody asks for keeps the newest bytes and counts the others."""
    decoder = FrameDecoder()
    data = b"".join(said(list(frames(mains(), 10))))
    decoder.receive_data(data)
    with pytest.raises(FrameError) as caught:
        decoder.next_frame()
    assert len(data) - BUFFER_MAX <= caught.value.size < len(data) - BUFFER_MAX + FRAME_MAX
    assert decoder.next_frame() is not None


@pytest.mark.parametrize(
    "frame",
    [
        SampleFrame(0, 4000, 0, np.zeros(0, np.int16), np.zeros(0, np.int16)),
        SampleFrame(0, 4000, 0, np.zeros(PAIRS_MAX + 1, np.int16), np.zeros(257, np.int16)),
        SampleFrame(0, 4000, 0, np.zeros(2, np.int16), np.zeros(3, np.int16)),
        SampleFrame(0, 4000, -1, np.zeros(2, np.int16), np.zeros(2, np.int16)),
        SampleFrame(0, 4000, 1 << 48, np.zeros(2, np.int16), np.zeros(2, np.int16)),
        SampleFrame(0, 4000, 0, np.full(2, 1 << 23, np.int32), np.zeros(2, np.int32)),
    ],
)
def test_what_fits_into_no_frame(frame: SampleFrame) -> None:
    """No samples, too many, an index or a count that is too large: refused."""
    with pytest.raises(BlockError):
        encode_frame(frame)


def test_the_documented_frame() -> None:
    """The example in the documentation is the frame of this test."""
    page = Path(__file__).parents[3] / "docs" / "metrology.md"
    (example,) = re.findall(r"```frame\n(.*?)\n```", page.read_text(), re.DOTALL)
    assert encode_frame(SMALL) == bytes.fromhex(example)
