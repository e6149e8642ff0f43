"""A wired slave at any cuts, and through whatever else is on the line."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.wire.mbus import (
    BAUDS,
    CI_COMMAND,
    FCB,
    FRAME_MAX,
    REQ_UD2,
    RSP_UD,
    SND_NKE,
    Frame,
    decode_frame,
)
from tests.pulse_unit.wired import (
    ASK,
    ASK_TOGGLED,
    COMMAND,
    DONE,
    RESET,
    SECONDARY,
    Line,
    select,
    set_address,
    short,
    user_data,
)

CONVERSATION = (
    RESET,
    ASK,
    ASK,
    ASK_TOGGLED,
    select(SECONDARY),
    short(REQ_UD2, 253),
    set_address(7),
    short(REQ_UD2, 7),
    user_data(COMMAND, 7),
    user_data(b"\x99", 7),
    short(REQ_UD2 | FCB, 7),
    user_data(b"\xbc", 254),
    short(SND_NKE, 255),
    short(REQ_UD2, 7),
)


def replies(cuts: list[int]) -> tuple[list[bytes], list[tuple[bytes, int]]]:
    """What is answered to each frame of a conversation when it comes in these pieces."""
    line = Line()
    told = []
    for data in CONVERSATION:
        line.now_ms += 1000
        edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
        pieces = [data[start:end] for start, end in itertools.pairwise(edges)]
        told.append(b"".join(line.slave.receive_data(piece, line.now_ms) for piece in pieces))
    return told, line.unit.obeyed


def test_conversation_byte_by_byte() -> None:
    """Whole and byte by byte the replies are the same; those of this conversation are known."""
    told, obeyed = replies([])
    assert (told, obeyed) == replies([*range(FRAME_MAX)])
    assert [1, 49, 49, 49, 1, 49, 1, 49, 1, 0, 10, 1, 0, 49] == [len(each) for each in told]


def test_request_behind_much_noise() -> None:
    """Bytes that begin no frame are passed over, however many come at once."""
    assert DONE == Line().send(bytes(10 * FRAME_MAX) + RESET)


@given(st.lists(st.integers(1, 40), max_size=6))
@settings(max_examples=30)
def test_conversation_at_any_cuts(cuts: list[int]) -> None:
    """However the bytes are cut, each frame is answered alike."""
    assert replies([]) == replies(cuts)


CONTENTS = st.one_of(
    st.just(b""),
    st.binary(max_size=40),
    st.builds(
        lambda ci, rest: bytes([ci]) + rest,
        st.sampled_from([0x50, 0x51, 0x52, CI_COMMAND, *BAUDS]),
        st.binary(max_size=10) | st.just(SECONDARY) | st.just(b"\x01\x7a\x05"),
    ),
)
HEARD = st.binary(max_size=300) | st.builds(
    user_data,
    CONTENTS,
    st.sampled_from([0, 5, 253, 254, 255]),
    st.sampled_from([0x40, 0x53, 0x73, 0x43, 0x5B, 0x7B, 0x5A, 0x08]) | st.integers(0, 255),
)


@given(
    st.lists(st.tuples(HEARD, st.integers(0, 400_000)), max_size=12),
    st.sampled_from([0, 2, 3]),
)
@settings(max_examples=100)
def test_any_bytes_leave_a_slave_that_answers(heard: list[tuple[bytes, int]], refusal: int) -> None:
    """Nothing raises, replies are frames, and after a pause a proper poll gets its data."""
    line = Line()
    line.unit.refusal = refusal
    for data, pause_ms in heard:
        line.now_ms += pause_ms
        reply = line.slave.receive_data(data, line.now_ms)
        assert reply in (b"", DONE) or len(reply) >= 8
        assert line.slave.baud in BAUDS.values()
        assert len(line.slave._reader._buffer) <= FRAME_MAX
    address = line.slave.address
    line.send(short(SND_NKE, address))
    frame = decode_frame(line.send(short(REQ_UD2 | FCB, address)))
    assert Frame(RSP_UD, address, frame.user_data) == frame
    assert SECONDARY == frame.user_data[1:9]
