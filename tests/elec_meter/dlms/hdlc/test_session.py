from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elec_meter.dlms.hdlc import (
    Address,
    Control,
    Frame,
    HdlcLine,
    HdlcSession,
    Kind,
    LinkParameters,
    State,
)
from elec_meter.dlms.hdlc.reader import BUFFER_MAX
from elec_meter.dlms.hdlc.session import APDU_MAX
from elec_meter.dlms.hdlc.states import EVENTS, TRANSITIONS, Event
from tests.elec_meter.dlms.hdlc.link import (
    CLIENT,
    LLC,
    NOW,
    SERVER,
    Echo,
    Primary,
    frames_of,
    later,
)

WIDE = LinkParameters(1_024, 1_024, 7, 7)


def kinds(frames: list[Frame]) -> list[Kind]:
    """What they are."""
    return [each.control.kind for each in frames]


def test_every_state_knows_every_event() -> None:
    """Nothing can leave a link stuck."""
    for state in State:
        assert set(Event) == set(TRANSITIONS[state])
    assert set(Kind) == set(EVENTS)


def test_a_link_is_made_used_and_ended() -> None:
    """UA, answers, UA; and the association goes with the link."""
    primary = Primary()

    assert LinkParameters() == primary.connect()
    assert b"one" == primary.ask(b"one")
    assert b"two" == primary.ask(b"two")
    assert [Kind.ACKNOWLEDGE] == kinds(primary.tell(Control(Kind.DISCONNECT)))
    assert 2 == primary.server.drops
    assert State.DISCONNECTED is primary.session.state


def test_without_a_link_there_is_only_dm() -> None:
    """Whatever is asked, if an answer is asked for."""
    primary = Primary()
    for kind in (Kind.INFORMATION, Kind.RECEIVE_READY, Kind.RECEIVE_NOT_READY, Kind.DISCONNECT):
        assert [Kind.DISCONNECTED_MODE] == kinds(primary.tell(Control(kind)))
        assert [] == primary.tell(Control(kind, poll=False))
    assert [] == primary.server.asked


@pytest.mark.parametrize("times", [1, 3, 40])
@pytest.mark.parametrize("window", [1, 2, 7])
@pytest.mark.parametrize("length", [32, 128, 700])
def test_long_messages_go_in_segments(times: int, window: int, length: int) -> None:
    """In both directions, in frames and windows that were agreed on."""
    primary = Primary(Echo(times))
    agreed = primary.connect(LinkParameters(length, length, 1, window))
    asked = bytes(range(256)) * 2

    assert (length, window) == (agreed.length_sent, agreed.window_sent)
    for _ in range(5):
        assert asked * times == primary.ask(asked, agreed.length_received)
    assert [asked] * 5 == primary.server.asked


def test_frames_keep_to_what_was_agreed() -> None:
    """As many as the window, none longer, the final bit on the last alone."""
    primary = Primary(Echo(10))
    primary.connect(LinkParameters(128, 40, 1, 3))
    frames = primary.inform(LLC + b"0123456789")

    assert [(40, False), (40, False), (23, True)] == [
        (len(each.information), each.control.poll) for each in frames
    ]


def test_a_lost_answer_is_sent_again() -> None:
    """To a repeated request, which is not served twice, and to RR."""
    primary = Primary()
    primary.connect()
    (first,) = primary.inform(LLC + b"once")
    primary.send_number = 0
    (again,) = primary.inform(LLC + b"once")

    assert first == again
    assert [first] == primary.ready()
    assert [b"once"] == primary.server.asked
    primary.receive_number = 1
    assert [Kind.RECEIVE_READY] == kinds(primary.ready())


def test_a_lost_frame_of_a_window_is_sent_again() -> None:
    """From the first that is missing on."""
    primary = Primary(Echo(100))
    primary.connect(LinkParameters(128, 32, 1, 4))
    window = primary.inform(LLC + b"12345678")
    primary.receive_number = 2
    again = primary.ready()

    assert [0, 1, 2, 3] == [each.control.send for each in window]
    assert [2, 3, 4, 5] == [each.control.send for each in again]
    assert [each.information for each in window[2:]] == [each.information for each in again[:2]]


def test_a_frame_out_of_sequence_is_asked_for_again() -> None:
    """RR says which was expected."""
    primary = Primary()
    primary.connect()
    primary.send_number = 3
    (reply,) = primary.inform(LLC + b"early")

    assert (Kind.RECEIVE_READY, 0) == (reply.control.kind, reply.control.receive)
    assert [] == primary.server.asked


def test_information_without_a_poll_is_answered_to_the_next_poll() -> None:
    """A reader with a window of its own."""
    primary = Primary(line=HdlcLine(parameters=LinkParameters(128, 128, 1, 7)))
    primary.connect(WIDE)

    assert [] == primary.inform(LLC + b"12", poll=False, more=True)
    assert [] == primary.inform(b"34", poll=False)
    (reply,) = primary.ready()
    assert bytes.fromhex("e6e700") + b"1234" == reply.information


def test_not_ready_is_waited_for() -> None:
    """RNR is answered with RR, and the answer stays."""
    primary = Primary(Echo(30))
    primary.connect()
    (first,) = primary.inform(LLC + b"0123456789")
    primary.receive_number = 1
    waiting = primary.tell(Control(Kind.RECEIVE_NOT_READY, True, 1))

    assert [Kind.RECEIVE_READY] == kinds(waiting)
    assert [1] == [each.control.send for each in primary.ready()]
    assert first.is_segment


@pytest.mark.parametrize(
    ("control", "information", "fault"),
    [
        (Control.of(0xFF), b"", 1),
        (Control(Kind.RECEIVE_READY, True, 5), b"", 8),
        (Control(Kind.INFORMATION), bytes(129), 4),
    ],
)
def test_nonsense_is_rejected_until_the_link_begins_again(
    control: Control, information: bytes, fault: int
) -> None:
    """FRMR says why."""
    primary = Primary()
    primary.connect()
    (reply,) = primary.tell(control, information)

    assert (Kind.FRAME_REJECT, fault) == (reply.control.kind, reply.information[2])
    assert control.to_byte() == reply.information[0]
    assert [Kind.FRAME_REJECT] == kinds(primary.inform(LLC + b"no"))
    assert [] == primary.server.asked
    primary.connect()
    assert b"yes" == primary.ask(b"yes")


def test_an_apdu_has_a_limit() -> None:
    """Segments without end are rejected, and forgotten."""
    primary = Primary(line=HdlcLine(parameters=LinkParameters(128, 1_024, 1, 7)))
    primary.connect(WIDE)
    for _ in range(APDU_MAX // 1_024):
        assert [] == primary.inform(bytes(1_024), poll=False, more=True)
    assert [Kind.FRAME_REJECT] == kinds(primary.inform(bytes(1_024), more=True))


def test_information_without_its_header_is_acknowledged_and_dropped() -> None:
    """`E6 E6 00` is missing."""
    primary = Primary()
    primary.connect()

    assert [Kind.RECEIVE_READY] == kinds(primary.inform(b"\xc0\x01\xc1"))
    assert [] == primary.server.asked


@pytest.mark.parametrize(
    ("address", "answered"),
    [
        (Address(1), True),
        (Address(1, 17, 2), True),
        (Address(1, 17, 4), True),
        (Address(1, 0x7F, 2), True),
        (Address(1, 0x3FFE, 4), True),
        (Address(1, 18, 2), False),
        (Address(2), False),
        (Address(0x7F), False),
    ],
)
def test_a_meter_answers_to_its_own_address(address: Address, answered: bool) -> None:
    """In one, two or four bytes; and to whoever calls all or any."""
    primary = Primary(line=HdlcLine(physical=17))
    replies = primary.tell(Control(Kind.SET_NORMAL_MODE), destination=address)

    assert answered == bool(replies)
    for reply in replies:
        lower = None if address.size == 1 else 17
        assert Address(1, lower, address.size) == reply.source


def test_a_stranger_on_the_line_does_not_get_in_between() -> None:
    """Frames of another client are none of this link's; its SNRM begins another one."""
    primary = Primary()
    primary.connect()
    stranger = Address(32)

    assert [] == primary.tell(Control(Kind.RECEIVE_READY), source=stranger)
    assert b"one" == primary.ask(b"one")
    (reply,) = primary.tell(Control(Kind.SET_NORMAL_MODE), source=stranger)
    assert (stranger, Kind.ACKNOWLEDGE) == (reply.destination, reply.control.kind)
    assert [] == primary.ready()


def test_a_line_is_given_up_in_steps() -> None:
    """The association with the link, then the line itself."""
    primary = Primary()
    primary.connect()
    session, line = primary.session, HdlcLine()

    assert later(line.inactivity_ms) == session.next_timer()
    assert b"" == session.handle_timer(later(line.inactivity_ms))
    assert (State.DISCONNECTED, 2) == (session.state, primary.server.drops)
    session.handle_timer(later(2 * line.inactivity_ms))
    assert session.closed
    assert session.next_timer() is None
    assert b"" == session.receive_data(bytes.fromhex("7ea00802232193bd647e"), NOW)


def test_half_a_frame_is_forgotten() -> None:
    """The next one is read whole, however the first ended."""
    primary = Primary()
    frame = Frame(SERVER, CLIENT, Control(Kind.SET_NORMAL_MODE)).to_bytes()
    primary.session.receive_data(b"\x7e\xa7\xff" + frame[:3], NOW)

    assert later(1_500) == primary.session.next_timer()
    primary.session.handle_timer(later(1_500))
    assert b"" != primary.session.receive_data(frame, later(1_500))


SPEECH = [
    Frame(SERVER, CLIENT, Control(Kind.SET_NORMAL_MODE)).to_bytes(),
    Frame(SERVER, CLIENT, Control(Kind.INFORMATION), LLC + b"hello").to_bytes(),
    Frame(SERVER, CLIENT, Control(Kind.INFORMATION), LLC + b"hel", True).to_bytes(),
    Frame(SERVER, CLIENT, Control(Kind.RECEIVE_READY, True, 1)).to_bytes(),
    Frame(SERVER, CLIENT, Control(Kind.DISCONNECT)).to_bytes(),
    Frame(SERVER, CLIENT, Control.of(0xFF)).to_bytes(),
]
PIECES = st.lists(
    st.tuples(st.sampled_from(SPEECH) | st.binary(max_size=40), st.integers(0, 90_000)), max_size=30
)


@settings(max_examples=200)
@given(PIECES)
def test_any_bytes_at_any_time_are_survived(pieces: list[tuple[bytes, int]]) -> None:
    """Nothing raises, nothing grows, and a reader that begins in time is answered."""
    session, at_ms = HdlcSession(Echo(), HdlcLine(), NOW), 0
    for data, wait_ms in pieces:
        at_ms += wait_ms
        session.receive_data(data, later(at_ms))
        assert BUFFER_MAX >= len(session._reader._buffer)
        assert APDU_MAX >= len(session._taken)
        due = session.next_timer()
        assert session.closed or (due is not None and due > later(at_ms))
    at_ms += 5_000
    if not session.closed:
        session.handle_timer(later(at_ms))
    if not session.closed:
        replies = frames_of(session.receive_data(SPEECH[0], later(at_ms)))
        assert Kind.ACKNOWLEDGE is replies[-1].control.kind


@given(st.lists(st.sampled_from(SPEECH), max_size=12), st.data())
def test_cuts_change_nothing(speech: list[bytes], data: st.DataObject) -> None:
    """Whole, byte by byte and at random cuts the same is answered."""
    stream = b"".join(speech)
    at = data.draw(st.integers(0, len(stream)))
    whole = HdlcSession(Echo(), HdlcLine(), NOW).receive_data(stream, NOW)
    for pieces in ([bytes((byte,)) for byte in stream], [stream[:at], stream[at:]]):
        session = HdlcSession(Echo(), HdlcLine(), NOW)
        assert whole == b"".join(session.receive_data(piece, NOW) for piece in pieces)
