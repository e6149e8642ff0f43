"""What reads DLMS/COSEM: data, APDUs, the wrapper, HDLC."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from elec_meter import Meter, Storage, demo_config
from elec_meter.dlms import (
    DlmsServer,
    InvocationCounters,
    Keys,
    LogicalDevice,
    management_client,
    public_client,
    reader_client,
)
from elec_meter.dlms.acse import AssociationRequest, ReleaseRequest
from elec_meter.dlms.action import ActionNormal
from elec_meter.dlms.apdus import decode_apdu
from elec_meter.dlms.changes import given_of
from elec_meter.dlms.data import array, decode_data, encode_data, int8, octets, structure, uint16
from elec_meter.dlms.errors import PeerError
from elec_meter.dlms.get import GetList, GetNext, GetNormal
from elec_meter.dlms.hdlc import (
    FRAME_MAX,
    Address,
    Control,
    Frame,
    HdlcLine,
    HdlcSession,
    Kind,
    LinkParameters,
)
from elec_meter.dlms.initiate import InitiateRequest
from elec_meter.dlms.instants import encode_date_time
from elec_meter.dlms.services import Attribute, Member, Selection
from elec_meter.dlms.setting import SetNormal
from elec_meter.dlms.states import State
from elec_meter.dlms.wrapper import HEADER_SIZE, PAYLOAD_MAX, Wrapped, WrapperReader
from elec_meter.objects import Form, ValueNotTakenError
from fuzz.target import Feed, Target
from shared.obis import Obis

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)

_DATA: Final = (
    "0600",
    "02020906000001 0000ff 02020ffd161b",
    "130202121106000102000304",
    "0103040aa0c00c02cf89173e800000",
)


_CALENDARS: Final = (
    (Form.SEASONS, "0101020309025331090cffff0a fe07000000008000ff 090157"),
    (Form.WEEKS, "0101020809015711011101110111011101 11021102"),
    (Form.DAYS, "01010202110101010203 090400000000 090600000a0064ff 120002"),
    (Form.SPECIAL_DAY, "0203120001 0905ffff0c19ff 1101"),
    (Form.MOMENT, "090c07ea0401ff000000000000 00"),
)


def _range() -> Selection:
    """A day of a profile, all columns."""
    clock = structure(uint16(8), octets(bytes.fromhex("0000010000ff")), int8(2), uint16(0))
    bounds = (NOW, NOW + timedelta(days=1))
    return Selection(
        1, structure(clock, *(octets(encode_date_time(each)) for each in bounds), array())
    )


_CLOCK: Final = Member(8, Obis.parse("0-0:1.0.0"), 2)
_PROFILE: Final = Member(7, Obis.parse("1-0:99.1.0"), 2)
_PROPOSED: Final = InitiateRequest(0x007E1F, 1_200).to_bytes()
_APDUS: Final = tuple(
    apdu.to_bytes()
    for apdu in (
        AssociationRequest(1, _PROPOSED),
        AssociationRequest(1, _PROPOSED, 1, b"password", b"HHY00001"),
        GetNormal(0xC1, Attribute(_CLOCK)),
        GetNormal(0xC1, Attribute(_PROFILE, _range())),
        GetNext(0xC1, 1),
        GetList(0xC1, (Attribute(_CLOCK), Attribute(_PROFILE))),
        SetNormal(0xC1, Attribute(_CLOCK), octets(bytes(12))),
        ActionNormal(0xC1, Member(15, Obis.parse("0-0:40.0.0"), 1), octets(bytes(17))),
        ReleaseRequest(0),
    )
)


def _data() -> tuple[Feed, Sequence[bytes]]:
    def feed(data: bytes) -> None:
        found = decode_data(data)
        assert encode_data(found) == encode_data(decode_data(encode_data(found)))

    return feed, [bytes.fromhex(each) for each in _DATA]


def _apdus() -> tuple[Feed, Sequence[bytes]]:
    return decode_apdu, _APDUS


def _wrapper() -> tuple[Feed, Sequence[bytes]]:
    def feed(data: bytes) -> None:
        reader = WrapperReader()
        cut = len(data) // 3
        for part in (data[:cut], data[cut:]):
            reader.feed(part)
            while reader.read() is not None:
                pass
        held = len(reader._buffer)  # noqa: SLF001 - its bound is what is looked at
        assert held < HEADER_SIZE + PAYLOAD_MAX, held

    seeds = [Wrapped(16, 1, each).to_bytes() for each in _APDUS]
    return feed, [*seeds, b"".join(seeds[:3])]


class _Echo:
    """Answers every APDU with itself."""

    def answer(self, client: int, server: int, apdu: bytes) -> bytes:  # noqa: ARG002 - as the protocol has it
        return apdu * 3

    def drop(self) -> None:
        pass


def _hdlc() -> tuple[Feed, Sequence[bytes]]:
    session, now = HdlcSession(_Echo(), HdlcLine(), NOW), NOW
    client, server = Address(16), Address(1)
    begin = Frame(server, client, Control(Kind.SET_NORMAL_MODE), LinkParameters().to_bytes())

    def feed(data: bytes) -> None:
        nonlocal now
        now += timedelta(milliseconds=len(data) * 7)
        session.receive_data(data, now)
        held = len(session._reader._buffer)  # noqa: SLF001 - its bound is what is looked at
        assert held <= FRAME_MAX + 2, held
        now += timedelta(seconds=2)
        assert session.receive_data(begin.to_bytes(), now), data.hex()

    frames = [
        begin,
        Frame(server, client, Control(Kind.INFORMATION), b"\xe6\xe6\x00\xc0\x01\xc1"),
        Frame(server, client, Control(Kind.INFORMATION), b"\xe6\xe6\x00\xc0", True),
        Frame(server, client, Control(Kind.RECEIVE_READY, True, 1)),
        Frame(server, client, Control(Kind.DISCONNECT)),
    ]
    return feed, [b"".join(each.to_bytes() for each in frames), frames[1].to_bytes()]


_TITLE: Final = b"HES00001"
_KEYS: Final = Keys(bytes(16), bytes(16))


def _calendars() -> tuple[Feed, Sequence[bytes]]:
    """What a head end writes to calendars, in the form of each attribute."""

    def feed(data: bytes) -> None:
        found = decode_data(data)
        for form, _ in _CALENDARS:
            with suppress(ValueNotTakenError):
                given_of(form, found)

    return feed, [bytes.fromhex(each) for _, each in _CALENDARS]


def _server() -> tuple[Feed, Sequence[bytes]]:
    """Three clients on one connection; whoever has no association asks for one."""
    meter = Meter(demo_config(), Storage.in_memory(), NOW)
    password = b"password"
    device = LogicalDevice(
        directory=meter.objects,
        title=b"HHY00001",
        clients=(public_client(), reader_client(password, _KEYS), management_client(_KEYS)),
        counters=InvocationCounters(),
        durable=lambda: None,
        random_bytes=bytes,
    )
    server = DlmsServer(device)

    def feed(data: bytes) -> None:
        for client, mechanism in ((16, 0), (32, 1), (1, 5)):
            decode_apdu(server.answer(client, 1, data))
            if server.association(client) is State.NONE:
                opened = AssociationRequest(1, _PROPOSED, mechanism, password, _TITLE)
                server.answer(client, 1, opened.to_bytes())

    return feed, [*_APDUS, GetList(0xC1, (Attribute(_PROFILE, _range()),) * 3).to_bytes()]


DLMS_TARGETS: Final = (
    Target("cosem", _data, (PeerError,)),
    Target("calendars", _calendars, (PeerError,)),
    Target("apdus", _apdus, (PeerError,)),
    Target("wrapper", _wrapper, (PeerError,)),
    Target("hdlc", _hdlc),
    Target("dlms", _server),
)
