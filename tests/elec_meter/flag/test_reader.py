from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.flag.reader import ADDRESS_LIMIT, COMMAND_LIMIT, Kind, Message, MessageReader

BEGINNINGS = [b"/?!\r\n", b"/?", b"/", b"\x06", b"\x15", b"\x01B0\x03q", b"\x01", b"\x01R1\x02"]
ENDINGS = [b"/x", b"!", b"\r\n", b"060\r\n", b"\x03", b"\x04", b"\x00", b"1", b"\xaf\x3f"]
SPEECH = st.lists(st.sampled_from(BEGINNINGS) | st.sampled_from(ENDINGS)).map(b"".join)


def read_all(pieces: list[bytes], *, option_awaited: bool = False) -> list[Message]:
    """Every message, in one state."""
    reader = MessageReader()
    messages = []
    for piece in pieces:
        reader.feed(piece)
        while (message := reader.read(option_awaited=option_awaited)) is not None:
            messages.append(message)
    return messages


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"/?!\r\n", Message(Kind.REQUEST)),
        (b"/?00000001!\r\n", Message(Kind.REQUEST, "00000001")),
        (b"\x15", Message(Kind.NAK)),
        (b"\x06", Message(Kind.ACK)),
        (b"\x01B0\x03q", Message(Kind.COMMAND, "B0\x03")),
        (b"\x01R1\x021.8.0()\x03Z", Message(Kind.COMMAND, "R1\x021.8.0()\x03")),
        (b"\x01B0\x03z", Message(Kind.MALFORMED)),
        (b"/?" + b"1" * ADDRESS_LIMIT + b"!\r\n", Message(Kind.REQUEST, "1" * ADDRESS_LIMIT)),
        (b"/?" + b"1" * (ADDRESS_LIMIT + 1), Message(Kind.MALFORMED)),
        (b"/?!\n", Message(Kind.MALFORMED)),
        (b"/?x\n", Message(Kind.MALFORMED)),
        (b"\x01W1\x021(a//b/?)\x03D", Message(Kind.COMMAND, "W1\x021(a//b/?)\x03")),
        (b"\x01W1\x021(a//b/?)\x03g", Message(Kind.MALFORMED)),
        (b"\x01" + b"1" * (COMMAND_LIMIT + 1), Message(Kind.MALFORMED)),
    ],
)
def test_a_message_is_what_its_bytes_say(data: bytes, message: Message) -> None:
    """One message, or one refusal, and nothing after it."""
    assert [message] == read_all([data])


def test_an_option_is_read_where_one_is_awaited() -> None:
    """The same ACK is one character elsewhere."""
    option = Message(Kind.OPTION_SELECT, "060")

    assert [option] == read_all([b"\x06060\r\n"], option_awaited=True)
    assert [Message(Kind.ACK)] == read_all([b"\x06060\r\n"])


def test_leading_noise_is_dropped() -> None:
    """NULs that wake a battery meter, line ends and letters begin no message."""
    assert [Message(Kind.REQUEST)] == read_all([b"\x00" * 500 + b"\r\nhe/llo//" + b"/?!\r\n"])


def test_a_new_sign_on_ends_whatever_was_begun() -> None:
    """An unfinished message gives way to the request that interrupts it."""
    for begun in (b"/?12", b"\x01P1\x02(12", b"/?!\r", b"\x01B0\x03", b"\x01a//b/?"):
        assert Message(Kind.REQUEST) == read_all([begun + b"/?!\r\n"])[-1]


@pytest.mark.parametrize("length", range(COMMAND_LIMIT - 6, COMMAND_LIMIT + 3))
def test_a_sign_on_is_found_behind_a_command_of_any_length(length: int) -> None:
    """Also where the command becomes too long in its midst."""
    expected = [Message(Kind.MALFORMED), Message(Kind.REQUEST)]
    assert expected == read_all([b"\x01" + b"1" * length + b"/?!\r\n"])


def test_parity_bits_are_stripped() -> None:
    """A sign-on as a line without hardware parity delivers it."""
    assert [Message(Kind.REQUEST)] == read_all([b"\xaf\x3f\x21\x8d\x0a"])


@given(SPEECH, st.booleans(), st.data())
def test_cuts_change_nothing(speech: bytes, option_awaited: bool, data: st.DataObject) -> None:
    """Whole, byte by byte and at random cuts the same messages are read."""
    whole = read_all([speech], option_awaited=option_awaited)
    at = data.draw(st.integers(0, len(speech)))

    bytewise = [bytes((byte,)) for byte in speech]
    assert whole == read_all(bytewise, option_awaited=option_awaited)
    assert whole == read_all([speech[:at], speech[at:]], option_awaited=option_awaited)


@given(st.binary(max_size=2000), st.booleans())
def test_any_bytes_leave_less_than_one_message_behind(noise: bytes, option_awaited: bool) -> None:
    """What is kept is bounded, whatever came."""
    reader = MessageReader()
    for byte in noise:
        reader.feed(bytes((byte,)))
        while reader.read(option_awaited=option_awaited) is not None:
            pass
        assert COMMAND_LIMIT + 3 >= len(reader._buffer)
