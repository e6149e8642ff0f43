from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from dlms_cosem import cosem, enumerations
from dlms_cosem.clients.dlms_client import DlmsClient
from dlms_cosem.utils import parse_as_dlms_data

from elec_meter import Meter, Storage
from elec_meter.access import Gate
from elec_meter.config import demo_config
from elec_meter.control import OrderDesk, Orders
from elec_meter.demo.credentials import DLMS_KEYS, DLMS_MASTER_KEY, DLMS_PASSWORD, dlms_clients
from elec_meter.dlms import DlmsError
from elec_meter.dlms.acse import Result
from elec_meter.dlms.action import ActionNormal
from elec_meter.dlms.apdus import decode_apdu
from elec_meter.dlms.changes import given_of
from elec_meter.dlms.ciphering import Ciphering
from elec_meter.dlms.data import CosemData, array, enum, octets, structure, uint8, uint32
from elec_meter.dlms.get import GetNormal
from elec_meter.dlms.hdlc import Address, Control, Frame, Kind
from elec_meter.dlms.instants import encode_date_time
from elec_meter.dlms.notices import ServiceError
from elec_meter.dlms.services import AccessResult, ActionResult, Attribute, Member
from elec_meter.dlms.setting import SetNormal
from elec_meter.dlms.tags import Tag
from elec_meter.dlms_service import STATE_KEY, DlmsService, system_title
from elec_meter.errors import StorageError
from elec_meter.events import EventCode
from elec_meter.flag import FlagPort
from elec_meter.objects import Form, ValueNotTakenError
from elec_meter.runtime import Runtime
from elec_meter.storage import DLMS_KEYS_NAME
from shared.obis import Obis
from tests.elec_meter.dlms.asking import (
    KEYS,
    MANAGEMENT,
    PASSWORD,
    PUBLIC,
    READER,
    TITLE,
    Asker,
    name,
)
from tests.elec_meter.dlms.hdlc.link import frames_of

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
CHALLENGE = bytes(range(16))
SNRM = Frame(Address(1), Address(16), Control(Kind.SET_NORMAL_MODE)).to_bytes()


def service_of(meter: Meter) -> DlmsService:
    """Over a meter that nothing drives."""
    gate = Gate(lambda: meter.config.serial, meter.storage.record_event)

    def now() -> datetime:
        return max(NOON, meter.now)

    orders = Orders(meter, now=now, durable=meter.checkpoint, status=dict, gate=gate)
    return DlmsService(
        meter,
        dlms_clients(),
        durable=meter.checkpoint,
        random_bytes=bytes,
        gate=gate,
        now=now,
        actions=partial(OrderDesk, orders),
    )


def asker_of(
    service: DlmsService, sap: int, form: Ciphering | None = None, **wishes: object
) -> Asker:
    """A client of a new session."""
    return Asker(service.session(NOON)._session._server, sap, form, **wishes)


def test_the_published_credentials_are_those() -> None:
    """Other people's tests rely on them, and on the meter's title."""
    assert (PASSWORD, KEYS) == (DLMS_PASSWORD, DLMS_KEYS)
    assert [16, 32, 1] == [each.sap for each in dlms_clients()]
    assert TITLE == system_title("HHY", "00000001")


def test_counters_outlive_the_process(tmp_path: Path) -> None:
    """A request that was recorded is refused after a restart, and no nonce is used twice."""
    with Storage.open(tmp_path) as storage:
        asker = asker_of(
            service_of(Meter(demo_config(), storage, NOON)), MANAGEMENT, Ciphering.GLOBAL
        )
        response = asker.open(5, CHALLENGE)
        asker.prove(response, CHALLENGE)
        recorded = asker.sealed(GetNormal(0xC1, name("1-0:1.8.0")).to_bytes())
        before = asker.send(recorded)
        kept = storage.get_state(STATE_KEY)
    with Storage.open(tmp_path) as storage:
        assert kept == storage.get_state(STATE_KEY)
        service = service_of(Meter(demo_config(), storage, NOON))
        again = asker_of(service, MANAGEMENT, Ciphering.GLOBAL, counter=asker.counter)
        again.prove(again.open(5, CHALLENGE), CHALLENGE)
        refused = decode_apdu(again.send(recorded))
        assert ServiceError.INVOCATION_COUNTER_ERROR is refused.service
        after = again.send(again.sealed(GetNormal(0xC1, name("1-0:1.8.0")).to_bytes()))
        assert int.from_bytes(before[3:7], "big") < int.from_bytes(after[3:7], "big")


def test_changed_keys_outlive_the_process(tmp_path: Path) -> None:
    """In a file that nobody else reads, beside a database that holds none; the change is logged."""
    fresh = b"E" * 16
    wrapped = structure(enum(0), octets(aes_key_wrap(DLMS_MASTER_KEY, fresh)))
    change = ActionNormal(0xC1, Member(64, Obis.parse("0-0:43.0.0"), 2), array(wrapped))
    with Storage.open(tmp_path) as storage:
        meter = Meter(demo_config(), storage, NOON)
        assert ActionResult.SUCCESS is managed(meter).ask(change).outcome.result
        assert EventCode.KEYS_CHANGED in [each.code for each in storage.events()]
    file = tmp_path / DLMS_KEYS_NAME
    assert 0o600 == file.stat().st_mode & 0o777
    everywhere = b"".join(each.read_bytes() for each in tmp_path.iterdir() if each != file)
    assert fresh not in everywhere
    assert fresh.hex().encode() not in everywhere
    with Storage.open(tmp_path) as storage:
        service = service_of(Meter(demo_config(), storage, NOON))
        for encryption, result in (
            (KEYS.encryption, Result.REJECTED_PERMANENT),
            (fresh, Result.ACCEPTED),
        ):
            keys = KEYS._replace(encryption=encryption)
            asker = asker_of(service, MANAGEMENT, Ciphering.GLOBAL, keys=keys, counter=50)
            assert result is asker.open(5, CHALLENGE).result


def test_keys_that_others_can_read_are_not_used(tmp_path: Path) -> None:
    """The sentence names the file and the remedy."""
    (tmp_path / DLMS_KEYS_NAME).write_text("{}")
    (tmp_path / DLMS_KEYS_NAME).chmod(0o644)
    with Storage.open(tmp_path) as storage:
        meter = Meter(demo_config(), storage, NOON)
        with pytest.raises(StorageError, match="chmod 600"):
            service_of(meter)


def test_damaged_counters_are_not_begun_again() -> None:
    """The meter says so, rather than use a nonce twice."""
    storage = Storage.in_memory()
    meter = Meter(demo_config(), storage, NOON)
    storage.put_state(STATE_KEY, b"\x01")
    with pytest.raises(DlmsError):
        service_of(meter)


def test_sign_ons_are_logged_and_failures_lock_one_port() -> None:
    """Three wrong passwords over TCP: the right one does not help there, and does at the meter."""
    meter = Meter(demo_config(), Storage.in_memory(), NOON)
    service = service_of(meter)
    assert Result.ACCEPTED is asker_of(service, READER).open(1, PASSWORD).result
    for _ in range(3):
        asker_of(service, READER).open(1, b"wrong")
    assert Result.REJECTED_PERMANENT is asker_of(service, READER).open(1, PASSWORD).result
    assert Result.ACCEPTED is asker_of(service, PUBLIC).open().result
    line = Asker(service.link(NOON)._server, READER)
    assert Result.ACCEPTED is line.open(1, PASSWORD).result
    codes = [each.code for each in meter.storage.events()]
    assert (2, 3) == (codes.count(EventCode.SIGNED_ON), codes.count(EventCode.SIGN_ON_FAILED))


def managed(meter: Meter) -> Asker:
    """The management of a meter."""
    asker = asker_of(service_of(meter), MANAGEMENT, Ciphering.GLOBAL)
    asker.prove(asker.open(5, CHALLENGE), CHALLENGE)
    return asker


def rights_of(asker: Asker) -> dict[Obis, tuple[dict[int, int], dict[int, int]]]:
    """What the list of objects says of attributes and of methods, by logical name."""
    rights = {}
    for class_id, _, obis, both in (each.value for each in asker.value(OBJECTS).value):
        assert class_id.value
        attributes, methods = ([item.value for item in part.value] for part in both.value)
        rights[Obis.from_bytes(obis.value)] = (
            {number.value: mode.value for number, mode, _ in attributes},
            {number.value: mode.value for number, mode in methods},
        )
    return rights


def test_an_association_is_told_what_it_may_change() -> None:
    """The reader may shift the time, the supplier set it too, and the factory's part neither."""
    meter = Meter(demo_config(), Storage.in_memory(), NOON)
    public, reader = asker_of(service_of(meter), PUBLIC), asker_of(service_of(meter), READER)
    public.open()
    reader.open(1, PASSWORD)
    clock, password, serial = map(Obis.parse, ("0-0:1.0.0", "0-0:128.52.3", "0-0:128.50.1"))

    assert (1, {6: 0, -128: 0}) == (rights_of(public)[clock][0][2], rights_of(public)[clock][1])
    assert (1, {6: 1, -128: 1}) == (rights_of(reader)[clock][0][2], rights_of(reader)[clock][1])
    told = rights_of(managed(meter))
    assert (3, {6: 1, -128: 1}) == (told[clock][0][2], told[clock][1])
    assert (3, 1) == (told[password][0][2], told[serial][0][2])
    assert 1 == told[Obis.parse("1-0:1.8.0")][0][2]
    assert {1: 1} == told[Obis.parse("0-0:40.0.0")][1]


CLOCK = name("0-0:1.0.0", class_id=8)
OBJECTS = name("0-0:40.0.0", class_id=15)
CLOCK_4_S = CosemData(Tag.DATE_TIME, encode_date_time(NOON + timedelta(seconds=4)))
LATER = octets(encode_date_time(NOON + timedelta(minutes=7)))


def test_the_management_sets_the_clock() -> None:
    """At once, with its author in the log; the reader may not."""
    meter = Meter(demo_config(), Storage.in_memory(), NOON)
    reader = asker_of(service_of(meter), READER)
    reader.open(1, PASSWORD)
    assert AccessResult.READ_WRITE_DENIED is reader.ask(SetNormal(0xC1, CLOCK, LATER)).result
    assert NOON == meter.clock.read(meter.now)

    manager = managed(meter)
    assert AccessResult.SUCCESS is manager.ask(SetNormal(0xC1, CLOCK, LATER)).result
    assert LATER == manager.value(CLOCK)
    event = next(each for each in meter.storage.events() if each.code == EventCode.CLOCK_SET)
    assert "level 3 at DLMS TCP" in event.text


def test_the_management_invokes_methods() -> None:
    """Shifting the time little by little, and a maker's method of a negative number."""
    manager = managed(Meter(demo_config(), Storage.in_memory(), NOON))
    left = name("0-0:128.40.0")
    for number, value, seconds in ((6, CosemData(Tag.INT16, -3), -3), (-128, CLOCK_4_S, 4)):
        shift = ActionNormal(0xC1, CLOCK.member._replace(number=number), value)
        assert ActionResult.SUCCESS is manager.ask(shift).outcome.result
        assert seconds == manager.value(left).value


@pytest.mark.parametrize(
    ("attribute", "value", "result"),
    [
        (CLOCK, uint8(1), AccessResult.TYPE_UNMATCHED),
        (CLOCK, octets(bytes(12)), AccessResult.TYPE_UNMATCHED),
        (CLOCK, octets(b"noon"), AccessResult.TYPE_UNMATCHED),
        (name("0-0:1.0.0", 99, 8), LATER, AccessResult.OBJECT_UNAVAILABLE),
        (name("1-0:1.8.0"), uint32(0), AccessResult.READ_WRITE_DENIED),
        (name("1-0:9.9.9"), uint32(0), AccessResult.OBJECT_UNDEFINED),
    ],
)
def test_what_cannot_be_set_is_refused(
    attribute: Attribute, value: CosemData, result: AccessResult
) -> None:
    """No register is reset, and nothing is half done."""
    manager = managed(Meter(demo_config(), Storage.in_memory(), NOON))

    assert result is manager.ask(SetNormal(0xC1, attribute, value)).result
    method = attribute.member._replace(number=99)
    assert manager.ask(ActionNormal(0xC1, method, value)).outcome.result


@pytest.mark.parametrize(
    ("form", "data", "given"),
    [
        (Form.NUMBER, CosemData(Tag.INT16, -3), -3),
        (Form.NUMBER, CosemData(Tag.BOOLEAN, True), None),
        (Form.NUMBER, octets(b"3"), None),
        (Form.TEXT, octets(b"text"), "text"),
        (Form.TEXT, octets(b"\xff"), None),
        (Form.TEXT, CosemData(Tag.UTF8_STRING, "text"), "text"),
        (Form.TEXT, CosemData(Tag.BIT_STRING, "01"), None),
        (Form.OCTETS, octets(b"\x01"), b"\x01"),
        (Form.OCTETS, CosemData(Tag.VISIBLE_STRING, "text"), None),
        (Form.DOCUMENT, CosemData(Tag.UTF8_STRING, "{}"), "{}"),
        (Form.DOCUMENT, octets(b"\x01"), b"\x01"),
        (Form.TIME, uint32(60), datetime(1970, 1, 1, 0, 1, tzinfo=UTC)),
        (Form.TIME, octets(b"\xff" * 12), None),
    ],
)
def test_a_value_is_made_of_what_can_be_one(form: Form, data: CosemData, given: object) -> None:
    """Anything else is of another type."""
    if given is None:
        with pytest.raises(ValueNotTakenError):
            given_of(form, data)
    else:
        assert given == given_of(form, data)


def test_a_flag_line_goes_over_to_hdlc() -> None:
    """Mode E: after its acknowledgement the reader's SNRM is answered with UA."""
    meter = Meter(demo_config(), Storage.in_memory(), NOON)
    port = FlagPort(
        meter.config.flag,
        meter.objects,
        serial=meter.config.serial,
        durable=meter.checkpoint,
        enhanced=service_of(meter).link,
    )
    session = port.session(NOON)
    assert session.receive_data(b"/?!\r\n", NOON)
    assert session.receive_data(b"\x06262\r\n", NOON)
    (answer,) = frames_of(session.receive_data(SNRM, NOON))
    assert Kind.ACKNOWLEDGE is answer.control.kind


def test_a_running_meter_is_read_over_tcp(tmp_path: Path) -> None:
    """By a client that nobody here wrote, with the key."""

    def read(address: str) -> object:
        host, _, port = address.rpartition(":")
        client = DlmsClient.with_tcp_transport(
            host,
            int(port),
            MANAGEMENT,
            1,
            authentication_method=enumerations.AuthenticationMechanism.HLS_GMAC,
            encryption_key=DLMS_KEYS.encryption,
            authentication_key=DLMS_KEYS.authentication,
            client_initial_invocation_counter=1,
        )
        register = cosem.CosemAttribute(
            enumerations.CosemInterface.REGISTER, cosem.Obis(1, 0, 1, 8, 0), 2
        )
        with client.session():
            return parse_as_dlms_data(client.get(register))

    async def run(storage: Storage) -> None:
        meter = Meter(demo_config(), storage, NOON)
        meter.receive_energy("import", 7 * 3_600_000, NOON, NOON + timedelta(seconds=1), NOON)
        address = ("127.0.0.1", 0)
        clients = dlms_clients()
        now = NOON + timedelta(seconds=2)
        async with Runtime(meter, lambda: now, dlms=address, dlms_clients=clients) as runtime:
            assert ["DLMS"] == list(runtime.ports)
            async with asyncio.timeout(20):
                assert 7 == await asyncio.to_thread(read, runtime.ports["DLMS"])

    with Storage.open(tmp_path) as storage:
        asyncio.run(run(storage))
