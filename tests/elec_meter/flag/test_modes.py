"""Modes A and E, the speeds of a serial line, and sessions that are fed in pieces."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elec_meter.access import Level
from elec_meter.flag import FlagLine, FlagSession, LineSetting, Sending, State
from elec_meter.flag.framing import command_message, without_parity
from tests.elec_meter.flag.lines import (
    IDENTIFICATION,
    SELECT_READOUT,
    SIGN_ON,
    cuts,
    fed,
    fed_at_cuts,
    fed_bytewise,
)
from tests.elec_meter.flag.programmer import (
    ACK,
    BREAK,
    NAK,
    NOON,
    PROGRAM,
    Desktop,
    Programmer,
)

SERIAL = FlagLine(port="FLAG optical", opening_bps=300)
SLOW = LineSetting(300)
FAST = LineSetting(19_200)
ENHANCED = b"\x06262\r\n"
SNRM = bytes.fromhex("7ea0070321930f017e")


class Hdlc:
    """Stands for the protocol of mode E: says everything back; `q` ends it."""

    def __init__(self, now: datetime, line: FlagLine) -> None:
        self.line = line
        self.received = b""
        self.closed = False

    def receive_data(self, data: bytes, now: datetime) -> bytes:
        """All eight bits of it."""
        self.received += data
        self.closed = b"q" in data
        return data

    def next_timer(self) -> datetime | None:
        """None."""
        return None

    def handle_timer(self, now: datetime) -> bytes:
        """Nothing to say."""
        return b""


def sent(session: FlagSession, data: bytes, now: datetime = NOON) -> list[tuple[bytes, int]]:
    """What is sent, and how fast."""
    return [(each.data, each.setting.speed_bps) for each in session.receive(data, now)]


def test_mode_a_answers_a_request_with_the_readout() -> None:
    """At the opening speed, with an identification that offers none; it can be repeated."""
    session = Desktop().session(FlagLine(opening_bps=300, reads_at_once=True))
    ((data, speed),) = sent(session, SIGN_ON)
    identification, _, block = data.partition(b"\r\n")
    assert (b"/HHY-HALFHOURLY", 300) == (identification, speed)
    assert block.startswith(b"\x02F.F(")
    assert [(block, 300)] == sent(session, NAK)
    assert [] == sent(session, b"/?2!\r\n")
    assert State.SIGN_ON is session.state


def test_speeds_follow_the_option() -> None:
    """Identified at 300, read out at what was chosen, and back to 300 after the break."""
    session = Desktop().session(SERIAL)
    assert [(IDENTIFICATION, 300)] == sent(session, SIGN_ON)
    assert SLOW == session.setting
    ((block, speed),) = sent(session, b"\x06050\r\n")
    assert (b"\x02", 9_600) == (block[:1], speed)
    assert LineSetting(9_600) == session.setting
    assert [(block, 9_600)] == sent(session, NAK)
    assert [] == sent(session, BREAK)
    assert SLOW == session.setting


def test_programming_is_at_the_speed_chosen_and_its_end_brings_300_back() -> None:
    """The challenge travels fast already; the break that ends a silence does too."""
    desktop = Desktop()
    programmer = Programmer(desktop, desktop.session(SERIAL))
    programmer.challenge()
    programmer.prove(Level.SUPPLIER)
    assert FAST == programmer.session.setting
    assert [Sending(BREAK, FAST, 200)] == programmer.session.expire(NOON + timedelta(seconds=125))
    assert SLOW == programmer.session.setting


def test_what_is_refused_keeps_the_speed() -> None:
    """A break to an option that there is not comes at 300."""
    session = Desktop().session(SERIAL)
    sent(session, SIGN_ON)
    assert [(BREAK, 300)] == sent(session, ENHANCED)
    assert SLOW == session.setting


def test_time_on_the_line_does_not_count_as_waiting() -> None:
    """An identification of 20 characters takes two thirds of a second at 300 bit/s."""
    session = Desktop().session(SERIAL)
    sent(session, SIGN_ON)
    ms = 200 + len(IDENTIFICATION) * 10_000 // 300
    assert NOON + timedelta(milliseconds=2_000 + ms) == session.next_timer()
    (reading,) = session.receive(b"\x06000\r\n", NOON)
    ms = 200 + len(reading.data) * 10_000 // 300
    assert NOON + timedelta(milliseconds=2_000 + ms) == session.next_timer()
    session.expire(NOON + timedelta(milliseconds=2_000 + ms))
    assert State.SIGN_ON is session.state


@pytest.mark.parametrize("seed", range(6))
def test_mode_e_hands_over_every_bit_that_follows(seed: int) -> None:
    """The acknowledgement comes at the old speed; then eight bits at the new one, however cut."""
    streams: list[Hdlc] = []

    def made(now: datetime, line: FlagLine) -> Hdlc:
        streams.append(Hdlc(now, line))
        return streams[-1]

    session = Desktop(enhanced=made).session(SERIAL)
    talk = SIGN_ON + ENHANCED + SNRM + b"\x01\xff\x80/?!\r\n"
    pieces = [talk] if not seed else cuts(talk, seed)
    answers = [each for piece in pieces for each in session.receive(piece, NOON)]
    assert [Sending(IDENTIFICATION, SLOW, 200), Sending(ENHANCED, SLOW, 200)] == answers[:2]
    fast = LineSetting(19_200, is_seven_bit=False)
    assert {fast} == {each.setting for each in answers[2:]}
    assert SNRM + b"\x01\xff\x80/?!\r\n" == b"".join(each.data for each in answers[2:])
    assert State.TRANSPARENT is session.state
    assert fast == session.setting
    assert [SERIAL] == [each.line for each in streams]
    session.receive(b"q", NOON)
    assert (State.SIGN_ON, SLOW) == (session.state, session.setting)
    assert IDENTIFICATION == session.receive_data(SIGN_ON, NOON)


def test_mode_e_waits_longer_than_1500_ms_for_its_first_frame() -> None:
    """Some clients take more than two seconds; two minutes without a byte are too many."""
    session = Desktop(enhanced=Hdlc).session()
    session.receive_data(SIGN_ON + ENHANCED, NOON)
    assert SNRM == session.receive_data(SNRM, NOON + timedelta(seconds=30))
    session.handle_timer(NOON + timedelta(seconds=149))
    assert not session.closed
    session.handle_timer(NOON + timedelta(seconds=150))
    assert session.closed


def test_seven_bits_with_parity_are_sent_on_a_line_without_it() -> None:
    """In programming too; mode E has eight bits."""
    desktop = Desktop(enhanced=Hdlc)
    session = desktop.session(FlagLine(software_parity=True))
    session.receive_data(SIGN_ON, NOON)
    challenge = session.receive_data(PROGRAM, NOON)
    assert {0} == {byte.bit_count() % 2 for byte in challenge}
    assert without_parity(challenge).startswith(b"\x01P0\x02(")
    session.receive_data(BREAK + SIGN_ON + ENHANCED, NOON)
    assert SNRM == session.receive_data(SNRM, NOON)


COMMANDS = [
    SIGN_ON,
    PROGRAM,
    SELECT_READOUT,
    ACK,
    NAK,
    BREAK,
    command_message("R1", "1.8.0()"),
    command_message("R3", "P.1.0()"),
    command_message("R3", "0-0:128.50.0()"),
    command_message("R1", "nonsense()")[:-1] + b"\x00",
    command_message("P1", "(reader)"),
    command_message("P2", f"(3,{'0' * 64})"),
    command_message("W1", "0-0:128.50.2(20)"),
    b"\x01W3\x020-0:128.50.2(2\x04\x17",
    b"/?2!\r\n",
    b"\x00\xff noise",
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(COMMANDS) | st.binary(max_size=20), max_size=12), st.randoms())
def test_however_it_is_cut_the_answers_are_the_same(
    pieces: list[bytes], chance: random.Random
) -> None:
    """Whole, byte by byte and at random cuts, every session says and keeps the same."""
    talk = SIGN_ON + PROGRAM + b"".join(pieces)
    answers, states = [], []
    for feed in (fed, fed_bytewise, lambda *a: fed_at_cuts(*a[:2], chance.randrange(99), *a[2:])):
        desktop = Desktop()
        session = desktop.session()
        answers.append(feed(session, talk, NOON))
        states.append((session.state, desktop.texts(241), desktop.meter.config_version))
    assert answers[0] == answers[1] == answers[2]
    assert states[0] == states[1] == states[2]
