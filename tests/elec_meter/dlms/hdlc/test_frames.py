from __future__ import annotations

import pytest
from dlms_cosem.hdlc import frames as other
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.dlms.errors import EncodingError, MalformedError
from elec_meter.dlms.hdlc import (
    FRAME_MAX,
    Address,
    Control,
    Frame,
    FrameReader,
    Kind,
    LinkParameters,
    check,
    decode_frame,
)
from elec_meter.dlms.hdlc.reader import BUFFER_MAX

CLIENT, SERVER = Address(16), Address(1)
one_byte = st.builds(Address, st.integers(0, 0x7F), st.none(), st.just(1))
two_bytes = st.builds(Address, st.integers(0, 0x7F), st.integers(0, 0x7F), st.just(2))
four_bytes = st.builds(Address, st.integers(0, 0x3FFF), st.integers(0, 0x3FFF), st.just(4))
addresses = one_byte | two_bytes | four_bytes
controls = st.integers(0, 255).map(Control.of).filter(lambda each: each.kind is not Kind.UNKNOWN)
frames = st.builds(Frame, addresses, addresses, controls, st.binary(max_size=200), st.booleans())

SNRM = "7ea0210002002303939a74818012050180060180070400000001080400000007655e7e"
UA = "7ea01e210373c37a818012050180060180070400000001080400000001533b7e"


def test_the_check_is_that_of_x25() -> None:
    """The value that catalogues give for `123456789`, low byte first."""
    assert "6e90" == check(b"123456789").hex()


@pytest.mark.parametrize(
    ("frame", "encoded"),
    [
        (Frame(Address(1, 17, 2), CLIENT, Control(Kind.SET_NORMAL_MODE)), "7ea00802232193bd647e"),
        (
            Frame(
                Address(1, 17, 4),
                Address(1),
                Control(Kind.SET_NORMAL_MODE),
                LinkParameters(128, 128, 1, 7).to_bytes(),
            ),
            SNRM,
        ),
        (Frame(CLIENT, SERVER, Control(Kind.ACKNOWLEDGE), LinkParameters().to_bytes()), UA),
    ],
)
def test_a_frame_is_these_bytes(frame: Frame, encoded: str) -> None:
    """Frames of other people's meters and readers; both ways."""
    assert encoded == frame.to_bytes().hex()
    read = decode_frame(bytes.fromhex(encoded)[1:-1])
    assert frame == read._replace(control=read.control._replace(raw=0))


def read_all(pieces: list[bytes]) -> list[Frame]:
    """Every frame."""
    reader, found = FrameReader(), []
    for piece in pieces:
        reader.feed(piece)
        while (frame := reader.read()) is not None:
            found.append(frame)
    return found


@given(st.lists(frames | st.binary(max_size=9), max_size=5), st.booleans(), st.data())
def test_cuts_change_nothing(
    parts: list[Frame | bytes], share_flags: bool, data: st.DataObject
) -> None:
    """Whole, byte by byte and at random cuts, with noise between, the same frames are read."""
    stream = b"".join(each if isinstance(each, bytes) else each.to_bytes() for each in parts)
    if share_flags:
        stream = stream.replace(b"\x7e\x7e", b"\x7e")
    at = data.draw(st.integers(0, len(stream)))
    whole = read_all([stream])

    assert whole == read_all([bytes((byte,)) for byte in stream])
    assert whole == read_all([stream[:at], stream[at:]])


@given(st.lists(frames, max_size=4), st.booleans())
def test_frames_are_read_as_written(sent: list[Frame], share_flags: bool) -> None:
    """One flag between two of them is enough."""
    stream = b"".join(each.to_bytes() for each in sent)
    if share_flags:
        stream = b"".join(each.to_bytes()[:-1] for each in sent) + b"\x7e"

    assert sent == read_all([stream])


@given(frames, st.data())
def test_a_changed_bit_makes_it_none(frame: Frame, data: st.DataObject) -> None:
    """Somewhere between the flags."""
    encoded = bytearray(frame.to_bytes())
    bit = data.draw(st.integers(8, 8 * len(encoded) - 9))
    encoded[bit // 8] ^= 1 << bit % 8

    with pytest.raises(MalformedError):
        decode_frame(bytes(encoded[1:-1]))


@given(st.binary(max_size=3_000))
def test_any_bytes_leave_less_than_one_frame_behind(noise: bytes) -> None:
    """What is kept is bounded, and the frame that comes after it is found."""
    reader = FrameReader()
    for byte in b"\x7e\xa7" + noise:
        reader.feed(bytes((byte,)))
        while reader.read() is not None:
            pass
        assert BUFFER_MAX >= len(reader._buffer)
    reader.clear()
    reader.feed(bytes.fromhex(UA))
    assert reader.read() is not None


@pytest.mark.parametrize("content", ["", "0600", "a000", "a007030341", "b007032141930000"])
def test_what_is_no_frame_is_refused(content: str) -> None:
    """Too short, another type, another length than it says."""
    with pytest.raises(MalformedError):
        decode_frame(bytes.fromhex(content))


def checked(content: str) -> bytes:
    """With the check that fits."""
    data = bytes.fromhex(content)
    return data + check(data)


@pytest.mark.parametrize("content", ["a00c0202020202210393", "a0090202210393", "a007020303"])
def test_addresses_have_one_two_or_four_bytes(content: str) -> None:
    """Not three, not five, and not half a frame."""
    with pytest.raises(MalformedError):
        decode_frame(checked(content))


@pytest.mark.parametrize(
    "address",
    [Address(128), Address(1, 2), Address(1, None, 2), Address(1, 128, 2), Address(1, 1, 3)],
)
def test_an_address_that_does_not_fit_is_our_mistake(address: Address) -> None:
    """It never becomes bytes."""
    with pytest.raises(EncodingError):
        address.to_bytes()


def test_a_frame_is_as_long_as_eleven_bits_can_say() -> None:
    """One byte more is our mistake."""
    head = Frame(SERVER, CLIENT, Control(Kind.INFORMATION))
    longest = head._replace(information=bytes(FRAME_MAX - 9))

    assert [longest] == [
        each._replace(control=each.control._replace(raw=0))
        for each in read_all([longest.to_bytes()])
    ]
    with pytest.raises(EncodingError):
        head._replace(information=bytes(FRAME_MAX - 8)).to_bytes()


@pytest.mark.parametrize("information", ["8180", "818003050180ff", "8180020500", "828000"])
def test_parameters_that_are_none_are_refused(information: str) -> None:
    """Another format, a number without bytes, half of one."""
    with pytest.raises(MalformedError):
        LinkParameters.from_bytes(bytes.fromhex(information))


def test_both_sides_agree_on_what_both_can_do() -> None:
    """The lesser of each, defaults where nothing is said, never absurd."""
    ours = LinkParameters(1_024, 512, 7, 1)

    assert LinkParameters(128, 128, 1, 1) == ours.agreed_with(LinkParameters.from_bytes(b""))
    assert LinkParameters(300, 200, 3, 1) == ours.agreed_with(LinkParameters(200, 300, 7, 3))
    greedy = LinkParameters.from_bytes(bytes.fromhex("818008050200000702ffff"))
    assert (32, 7) == (greedy.length_sent, greedy.window_sent)


def test_another_library_reads_an_answer() -> None:
    """UA and information."""
    assert other.UnNumberedAcknowledgmentFrame.from_bytes(bytes.fromhex(UA)).information
    answer = Frame(CLIENT, SERVER, Control(Kind.INFORMATION, True, 1, 0), b"\xe6\xe7\x00\xc4")
    theirs = other.InformationFrame.from_bytes(answer.to_bytes())
    assert (b"\xe6\xe7\x00\xc4", 0, 1) == (
        theirs.payload,
        theirs.send_sequence_number,
        theirs.receive_sequence_number,
    )
