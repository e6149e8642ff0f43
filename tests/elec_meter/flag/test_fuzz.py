from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from elec_meter.flag import FlagSession
from elec_meter.flag.reader import COMMAND_LIMIT
from tests.elec_meter.flag.lines import (
    IDENTIFICATION,
    NOW,
    SELECT_READOUT,
    SIGN_ON,
    fed,
    flag_port,
    later,
)

WORDS = [
    b"/?!\r\n",
    b"/?1!\r\n",
    b"\x06060\r\n",
    b"\x06061\r\n",
    b"\x15",
    b"\x01B0\x03q",
    b"/",
    b"\x06",
]
PORT = flag_port()
PIECES = st.lists(
    st.tuples(st.sampled_from(WORDS) | st.binary(max_size=40), st.integers(0, 40_000)), max_size=30
)


def state_size(session: FlagSession) -> int:
    """Bytes that a session keeps: what was not understood yet, and the block to repeat."""
    return len(session._reader._buffer) + len(session._block)


@settings(max_examples=300)
@given(PIECES)
def test_any_bytes_at_any_time_are_survived(pieces: list[tuple[bytes, int]]) -> None:
    """Nothing raises, nothing grows, and a reader that signs on in time is answered."""
    session, at_ms = PORT.session(NOW), 0
    block = len(fed(PORT.session(NOW), SIGN_ON + SELECT_READOUT)) - len(IDENTIFICATION)
    for data, wait_ms in pieces:
        at_ms += wait_ms
        fed(session, data, later(at_ms))
        assert COMMAND_LIMIT + 3 + block >= state_size(session)
        due = session.next_timer()
        assert session.closed or due is not None
        assert due is None or due > later(at_ms)
    if not session.closed:
        assert fed(session, b"\r\n" + SIGN_ON, later(at_ms)).endswith(IDENTIFICATION)


@settings(max_examples=100)
@given(st.binary(max_size=4000))
def test_noise_is_never_answered_at_length(noise: bytes) -> None:
    """Bytes of chance do not make the meter talk."""
    assert len(noise) * 5 + 100 >= len(fed(PORT.session(NOW), noise))
