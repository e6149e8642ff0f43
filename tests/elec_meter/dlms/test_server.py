from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elec_meter.dlms import DlmsPort, DlmsTiming, WrapperSession
from elec_meter.dlms.acse import AssociationRequest, ReleaseRequest
from elec_meter.dlms.apdus import decode_apdu
from elec_meter.dlms.ciphering import Ciphering
from elec_meter.dlms.get import GetNext, GetNormal, GetResponse
from elec_meter.dlms.hdlc import HdlcSession
from elec_meter.dlms.initiate import InitiateRequest
from elec_meter.dlms.wrapper import HEADER_SIZE, PAYLOAD_MAX, Wrapped, WrapperReader
from tests.elec_meter.dlms.asking import (
    EVERYTHING,
    MANAGEMENT,
    PASSWORD,
    PUBLIC,
    READER,
    Asker,
    device_of,
    lived_in,
    name,
)
from tests.elec_meter.dlms.hdlc.link import Primary

METER = lived_in(4)
DEVICE = device_of(METER.directory)
NOW = METER.now
AARQ = AssociationRequest(1, InitiateRequest(EVERYTHING, 200).to_bytes()).to_bytes()
READ = GetNormal(0xC1, name("1-0:1.8.0")).to_bytes()
LIST = GetNormal(0xC1, name("0-0:40.0.0", class_id=15)).to_bytes()
SPEECH = [
    Wrapped(PUBLIC, 1, AARQ).to_bytes(),
    Wrapped(PUBLIC, 1, READ).to_bytes(),
    Wrapped(PUBLIC, 1, LIST).to_bytes(),
    Wrapped(PUBLIC, 1, GetNext(0xC1, 1).to_bytes()).to_bytes(),
    Wrapped(PUBLIC, 2, READ).to_bytes(),
    Wrapped(99, 1, READ).to_bytes(),
    Wrapped(PUBLIC, 1, b"\x06\x00").to_bytes(),
    Wrapped(PUBLIC, 1, ReleaseRequest(0).to_bytes()).to_bytes(),
]


def later(milliseconds: float) -> datetime:
    """An instant after `NOW`."""
    return NOW + timedelta(milliseconds=milliseconds)


def new_session() -> WrapperSession:
    """A connection that was just opened."""
    return DlmsPort(DEVICE).wrapped(NOW)


def messages_of(data: bytes) -> list[Wrapped]:
    """Every message of a reply; nothing else is in it."""
    reader = WrapperReader(65_535)
    reader.feed(data)
    found = []
    while (message := reader.read()) is not None:
        found.append(message)
    assert not reader.is_partial
    return found


def test_a_client_reads_over_a_connection() -> None:
    """Answers come from the logical device that was asked, to the client that asked."""
    session = new_session()
    accepted, read = messages_of(session.receive_data(SPEECH[0] + SPEECH[1], NOW))

    assert (1, PUBLIC) == (accepted.source, accepted.destination)
    assert b"\x61" == accepted.apdu[:1]
    assert GetResponse(0xC1, bytes.fromhex("060000002e")) == decode_apdu(read.apdu)
    assert b"" == session.receive_data(SPEECH[4], NOW)
    assert not session.closed


@given(st.lists(st.sampled_from(SPEECH), max_size=8), st.data())
def test_cuts_change_nothing(speech: list[bytes], data: st.DataObject) -> None:
    """Whole, byte by byte and at random cuts the same is answered."""
    stream = b"".join(speech)
    at = data.draw(st.integers(0, len(stream)))
    whole = new_session().receive_data(stream, NOW)
    for pieces in ([bytes((byte,)) for byte in stream], [stream[:at], stream[at:]]):
        session = new_session()
        assert whole == b"".join(session.receive_data(piece, NOW) for piece in pieces)


@given(st.lists(st.sampled_from(SPEECH), max_size=8))
def test_one_by_one_the_same_is_answered(speech: list[bytes]) -> None:
    """A turn has one answer at most, and all turns together have what is said at once."""
    stream = b"".join(speech)
    session = DlmsPort(DEVICE).session(NOW)
    answers = [session.receive_one(stream, NOW)]
    while session.is_behind:
        answers.append(session.receive_one(b"", NOW))
    assert all(len(messages_of(each)) <= 1 for each in answers)
    assert new_session().receive_data(stream, NOW) == b"".join(answers)


def test_what_is_no_wrapper_ends_the_connection() -> None:
    """With the answers that were due before it; nothing after it is read."""
    session = new_session()
    reply = session.receive_data(SPEECH[0] + b"\x06\x00" + SPEECH[1], NOW)

    assert 1 == len(messages_of(reply))
    assert session.closed
    assert session.next_timer() is None
    assert b"" == session.receive_data(SPEECH[0], NOW)


def test_a_connection_is_given_up_after_a_while() -> None:
    """Half a message does not keep it, a whole one does."""
    session = DlmsPort(DEVICE, DlmsTiming(inactivity_ms=1_000)).wrapped(NOW)
    session.receive_data(SPEECH[0], later(900))
    session.receive_data(SPEECH[1][:9], later(1_800))

    assert later(1_900) == session.next_timer()
    session.handle_timer(later(1_899))
    assert not session.closed
    session.handle_timer(later(1_900))
    assert session.closed


PIECES = st.lists(
    st.tuples(st.sampled_from(SPEECH) | st.binary(max_size=40), st.integers(0, 90_000)), max_size=20
)


@settings(max_examples=150)
@given(PIECES)
def test_any_bytes_at_any_time_are_survived(pieces: list[tuple[bytes, int]]) -> None:
    """Nothing raises and nothing grows."""
    session, at_ms = new_session(), 0
    for data, wait_ms in pieces:
        at_ms += wait_ms
        session.receive_data(data, later(at_ms))
        assert HEADER_SIZE + PAYLOAD_MAX >= len(session._reader._buffer) or session.closed
        assert 1 >= len(session._server._associations)
        due = session.next_timer()
        assert session.closed or (due is not None and due > later(at_ms))


@settings(max_examples=300)
@given(st.lists(st.sampled_from([AARQ, READ, LIST, b"\x60", b"\x62\x00"]) | st.binary(max_size=60)))
def test_any_apdus_are_answered(apdus: list[bytes]) -> None:
    """Each with one that a client can read."""
    client = Asker(DlmsPort(DEVICE).wrapped(NOW)._server, PUBLIC)
    for apdu in apdus:
        decode_apdu(client.send(apdu))


@pytest.mark.parametrize("opened", [DlmsPort.link, DlmsPort.session])
def test_the_same_server_is_read_over_hdlc(opened: Callable[..., HdlcSession]) -> None:
    """In segments; the association ends with the link. A first flag is enough to say so."""
    primary = Primary()
    primary.session, primary.now = opened(DlmsPort(DEVICE), NOW), NOW
    primary.connect()
    assert b"\x61" == primary.ask(AARQ)[:1]
    assert GetResponse(0xC1, bytes.fromhex("060000002e")) == decode_apdu(primary.ask(READ))
    assert 200 >= len(primary.ask(LIST)) > 128
    primary.connect()
    assert b"\xd8\x01\x01" == primary.ask(READ)


def test_a_connection_begins_with_one_or_the_other() -> None:
    """Whatever does not begin with a flag is the wrapper, and stays it; silence ends both."""
    session = DlmsPort(DEVICE).session(NOW)
    assert 2 == len(messages_of(session.receive_data(SPEECH[0] + SPEECH[1], NOW)))
    session.receive_data(b"\x7e\xa0", NOW)
    assert session.closed

    session = DlmsPort(DEVICE).session(NOW)
    session.handle_timer(session.next_timer())
    assert session.closed
    assert b"" == session.receive_data(b"\x7e" * 20, later(1e6))
    assert session.next_timer() is None


@pytest.mark.parametrize("form", [None, Ciphering.GENERAL_GLOBAL])
def test_a_server_keeps_nothing_of_a_connection_that_is_gone(form: Ciphering | None) -> None:
    """Whoever comes next begins anew."""
    server = DlmsPort(DEVICE).wrapped(NOW)._server
    client = Asker(server, READER if form is None else MANAGEMENT, form)
    client.open(*((1, PASSWORD) if form is None else (5, bytes(16))))
    server.drop()

    assert not server._associations
    assert b"\xd8\x01\x01" == client.send(READ)
