"""Wired frames, whole and as a stream."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.wire.errors import BadCrc, Malformed, Truncated, WireError
from shared.wire.mbus import (
    FRAME_MAX,
    REQ_UD2,
    RSP_UD,
    SND_NKE,
    Frame,
    FrameReader,
    decode_frame,
    encode_frame,
)
from tests.shared.wire.samples import GAS_WIRED
from tests.shared.wire.strategies import damaged

# EN 13757-2
VECTORS = [
    (bytes.fromhex("e5"), Frame(None)),
    (bytes.fromhex("1040014116"), Frame(SND_NKE, 1)),
    (bytes.fromhex("105b015c16"), Frame(REQ_UD2, 1)),
    (bytes.fromhex("107b017c16"), Frame(0x7B, 1)),
    (bytes.fromhex("680303685301 50a416"), Frame(0x53, 1, b"\x50")),
    (GAS_WIRED, Frame(RSP_UD, 0xFD, GAS_WIRED[6:-2])),
]
STREAM = b"".join(data for data, _ in VECTORS)

FRAMES = st.one_of(
    st.just(Frame(None)),
    st.builds(Frame, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=253)),
)


@pytest.mark.parametrize(("data", "frame"), VECTORS)
def test_published_frames(data: bytes, frame: Frame) -> None:
    """Each example decodes to its fields and encodes to its bytes."""
    assert frame == decode_frame(data)
    assert data == encode_frame(frame)


@given(FRAMES)
@settings(max_examples=60)
def test_round_trip(frame: Frame) -> None:
    """Any frame survives encoding and decoding."""
    data = encode_frame(frame)
    assert frame == decode_frame(data)
    assert len(data) <= FRAME_MAX


@pytest.mark.parametrize(("data", "frame"), VECTORS)
def test_every_shorter_frame_needs_more(data: bytes, frame: Frame) -> None:
    """Cut anywhere, a frame is `Truncated`."""
    for end in range(len(data)):
        with pytest.raises(Truncated):
            decode_frame(data[:end])


def test_bad_frames_are_named() -> None:
    """A wrong check sum, stop byte, length or tail each say so."""
    with pytest.raises(BadCrc):
        decode_frame(GAS_WIRED[:-2] + b"\x00\x16")
    with pytest.raises(Malformed, match="stops with 16"):
        decode_frame(GAS_WIRED[:-1] + b"\x17")
    with pytest.raises(Malformed, match="length twice"):
        decode_frame(b"\x68\x20\x21" + GAS_WIRED[3:])
    with pytest.raises(Malformed, match="CI fields"):
        decode_frame(bytes.fromhex("6802026808000816"))
    with pytest.raises(Malformed, match="after the frame's end"):
        decode_frame(GAS_WIRED + b"\x00")
    with pytest.raises(Malformed, match="do not fit"):
        encode_frame(Frame(RSP_UD, 1, bytes(254)))


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
@settings(max_examples=40)
def test_stream_gives_the_same_frames_at_any_cuts(cuts: list[int]) -> None:
    """Whole, byte by byte or cut at random, a stream has the same frames."""
    edges = [0, *sorted(cuts), len(STREAM)]
    reader = FrameReader()
    found = []
    for start, end in itertools.pairwise(edges):
        found += reader.receive_data(STREAM[start:end])
    assert [frame for _, frame in VECTORS] == found


def test_stream_byte_by_byte_and_through_noise() -> None:
    """Bytes one at a time, with noise between the frames, change nothing."""
    reader = FrameReader()
    noisy = b"\x00\xff" + GAS_WIRED + b"\x16\x01" + GAS_WIRED
    found = [item for byte in noisy for item in reader.receive_data(bytes([byte]))]
    assert [VECTORS[-1][1]] * 2 == found


def test_stream_goes_on_after_a_bad_frame() -> None:
    """A frame with a wrong check sum is an error; the next one is found."""
    reader = FrameReader()
    found = reader.receive_data(GAS_WIRED[:-2] + b"\x00\x16" + bytes.fromhex("1040014116"))
    assert isinstance(found[0], BadCrc)
    assert Frame(SND_NKE, 1) == found[-1]


def test_unfinished_frame_can_be_dropped() -> None:
    """After a pause the bytes of a half frame do not spoil the next."""
    reader = FrameReader()
    assert [] == reader.receive_data(GAS_WIRED[:20])
    reader.reset()
    assert [VECTORS[-1][1]] == reader.receive_data(GAS_WIRED)


@given(st.lists(st.binary(max_size=300), max_size=6))
@settings(max_examples=60)
def test_any_stream_is_bounded_and_typed(pieces: list[bytes]) -> None:
    """Any bytes give frames and `WireError`s, and no more waits than a frame has."""
    reader = FrameReader()
    for piece in pieces:
        for item in reader.receive_data(piece):
            assert isinstance(item, Frame | WireError)
        assert len(reader._buffer) < FRAME_MAX


@given(st.data())
@settings(max_examples=60)
def test_damaged_frame_is_an_error_or_another_frame(data: st.DataObject) -> None:
    """Turned bits give a typed error, or a frame that encodes to these very bytes."""
    changed = data.draw(damaged(encode_frame(data.draw(FRAMES))))
    try:
        frame = decode_frame(changed)
    except WireError:
        return
    assert changed == encode_frame(frame)
