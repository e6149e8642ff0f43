from __future__ import annotations

import pytest
from dlms_cosem.protocol.wrappers import WrapperHeader, WrapperProtocolDataUnit
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.dlms.errors import EncodingError, MalformedError, PeerError, TooLargeError
from elec_meter.dlms.wrapper import HEADER_SIZE, PAYLOAD_MAX, Wrapped, WrapperReader

ports = st.integers(0, 0xFFFF)
messages = st.lists(
    st.builds(Wrapped, ports, ports, st.binary(min_size=1, max_size=90)), max_size=4
)


def read_all(pieces: list[bytes]) -> list[Wrapped]:
    """Every message."""
    reader, found = WrapperReader(), []
    for piece in pieces:
        reader.feed(piece)
        while (message := reader.read()) is not None:
            found.append(message)
    assert not reader.is_partial
    return found


def test_the_header_is_this() -> None:
    """Version 1, from, to, length."""
    assert "00010001001000020600" == Wrapped(1, 16, b"\x06\x00").to_bytes().hex()


@given(messages, st.data())
def test_cuts_change_nothing(messages: list[Wrapped], data: st.DataObject) -> None:
    """Whole, byte by byte and at random cuts the same messages are read."""
    stream = b"".join(each.to_bytes() for each in messages)
    at = data.draw(st.integers(0, len(stream)))

    assert messages == read_all([stream])
    assert messages == read_all([bytes((byte,)) for byte in stream])
    assert messages == read_all([stream[:at], stream[at:]])


@pytest.mark.parametrize("data", ["06", "0600", "0002", "0101", "7ea0", "2f3f210d0a"])
def test_what_is_no_wrapper_is_refused_at_its_first_byte(data: str) -> None:
    """`06 00`, HDLC, FLAG, another version."""
    reader = WrapperReader()
    reader.feed(bytes.fromhex(data))
    with pytest.raises(MalformedError):
        reader.read()


@pytest.mark.parametrize("length", [0, PAYLOAD_MAX + 1, 0xFFFF])
def test_a_length_is_refused_before_its_bytes_come(length: int) -> None:
    """None at all, or more than is taken."""
    reader = WrapperReader()
    reader.feed(bytes.fromhex("000100100001") + length.to_bytes(2, "big"))
    with pytest.raises(TooLargeError):
        reader.read()


@given(st.binary(max_size=3_000))
def test_any_bytes_leave_less_than_one_message_behind(noise: bytes) -> None:
    """What is kept is bounded, whatever came."""
    reader = WrapperReader()
    for byte in b"\x00\x01" + noise:
        reader.feed(bytes((byte,)))
        try:
            while reader.read() is not None:
                pass
        except PeerError:
            return
        assert HEADER_SIZE + PAYLOAD_MAX > len(reader._buffer)


def test_an_apdu_too_long_for_the_header_is_our_mistake() -> None:
    """Its length has 16 bits."""
    with pytest.raises(EncodingError):
        Wrapped(1, 16, bytes(65_536)).to_bytes()


def test_another_library_agrees() -> None:
    """Both ways."""
    header = WrapperHeader(source_wport=1, destination_wport=16, length=2)
    theirs = WrapperProtocolDataUnit(b"\xc0\x01", header)

    assert theirs.to_bytes() == Wrapped(1, 16, b"\xc0\x01").to_bytes()
