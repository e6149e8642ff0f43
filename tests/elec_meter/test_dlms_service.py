from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dlms_cosem import cosem, enumerations
from dlms_cosem.clients.dlms_client import DlmsClient
from dlms_cosem.utils import parse_as_dlms_data
from msgspec.structs import replace

from elec_meter import Meter, Storage
from elec_meter.access import Gate
from elec_meter.config import demo_config
from elec_meter.demo.credentials import DLMS_KEYS, DLMS_PASSWORD, dlms_clients
from elec_meter.dlms import DlmsError
from elec_meter.dlms.acse import Result
from elec_meter.dlms.apdus import decode_apdu
from elec_meter.dlms.ciphering import Form
from elec_meter.dlms.get import GetNormal
from elec_meter.dlms.hdlc import Address, Control, Frame, Kind
from elec_meter.dlms.notices import ServiceError
from elec_meter.dlms_service import STATE_KEY, DlmsService, system_title
from elec_meter.events import EventCode
from elec_meter.flag import FlagPort
from elec_meter.runtime import Runtime
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
    return DlmsService(
        meter,
        dlms_clients(),
        durable=meter.checkpoint,
        random_bytes=bytes,
        gate=gate,
        now=lambda: NOON,
    )


def asker_of(service: DlmsService, sap: int, form: Form | None = None, **wishes: object) -> Asker:
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
        asker = asker_of(service_of(Meter(demo_config(), storage, NOON)), MANAGEMENT, Form.GLOBAL)
        response = asker.open(5, CHALLENGE)
        asker.prove(response, CHALLENGE)
        recorded = asker.sealed(GetNormal(0xC1, name("1-0:1.8.0")).to_bytes())
        before = asker.send(recorded)
        kept = storage.get_state(STATE_KEY)
    with Storage.open(tmp_path) as storage:
        assert kept == storage.get_state(STATE_KEY)
        service = service_of(Meter(demo_config(), storage, NOON))
        again = asker_of(service, MANAGEMENT, Form.GLOBAL, counter=asker.counter)
        again.prove(again.open(5, CHALLENGE), CHALLENGE)
        refused = decode_apdu(again.send(recorded))
        assert ServiceError.INVOCATION_COUNTER_ERROR is refused.service
        after = again.send(again.sealed(GetNormal(0xC1, name("1-0:1.8.0")).to_bytes()))
        assert int.from_bytes(before[3:7], "big") < int.from_bytes(after[3:7], "big")


def test_damaged_counters_are_not_begun_again() -> None:
    """The meter says so, rather than use a nonce twice."""
    storage = Storage.in_memory()
    meter = Meter(demo_config(), storage, NOON)
    storage.put_state(STATE_KEY, b"\x01")
    with pytest.raises(DlmsError):
        service_of(meter)


def test_new_sessions_use_the_configuration_in_force() -> None:
    """Reactive energy has registers then; a session that is under way keeps its own."""
    meter = Meter(demo_config(), Storage.in_memory(), NOON)
    service = service_of(meter)
    before = asker_of(service, READER)
    before.open(1, PASSWORD)
    config = replace(meter.config, profile=replace(meter.config.profile, reactive=True))
    meter.apply_config(config, NOON + timedelta(seconds=1), author="a test")
    after = asker_of(service, READER)
    after.open(1, PASSWORD)

    reactive = name("1-0:5.8.0")
    assert not isinstance(before.get(reactive), bytes)
    assert isinstance(after.get(reactive), bytes)


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
