"""Credentials of a meter that runs: where they are taken, and what becomes of those before."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from elec_meter import Meter, Storage
from elec_meter.config import demo_config
from elec_meter.dlms.acse import Mechanism, Result
from elec_meter.dlms.action import ActionNormal
from elec_meter.dlms.ciphering import Ciphering
from elec_meter.dlms.data import array, enum, octets, structure
from elec_meter.dlms.services import ActionResult, Member
from elec_meter.flag import FlagLine
from shared.obis import Obis
from tests.elec_meter.dlms.asking import KEYS, MANAGEMENT, PASSWORD, READER, Asker
from tests.elec_meter.test_dlms_service import CHALLENGE, NOON, asker_of, service_of

AK = b"A" * 16


def test_no_secret_travels_in_clear_where_strangers_listen() -> None:
    """The reader's password is taken on this computer alone; with keys it is served anywhere."""
    meter = Meter(demo_config(), Storage.in_memory(), NOON)
    service = service_of(meter)
    keys = {"encryption": KEYS.encryption[::-1].hex(), "authentication": AK.hex()}
    service.give("reader", {"password": b"long enough".hex()} | keys, "a test")

    def opened(mechanism: int, secret: bytes, *, is_exposed: bool) -> Result:
        session = service.session(NOON, is_exposed=is_exposed)
        asker = Asker(session._session._server, READER, None)
        return Result(asker.open(mechanism, secret).result)

    assert Result.ACCEPTED is opened(1, b"long enough", is_exposed=False)
    assert Result.REJECTED_PERMANENT is opened(1, b"long enough", is_exposed=True)
    assert Result.ACCEPTED is opened(Mechanism.HIGH_GMAC, CHALLENGE, is_exposed=True)
    assert Result.REJECTED_PERMANENT is opened(1, PASSWORD, is_exposed=False)


def test_what_everybody_knows_may_be_heard() -> None:
    """The demo's password is published: it is taken on any line."""
    service = service_of(Meter(demo_config(), Storage.in_memory(), NOON))
    session = service.session(NOON, is_exposed=True)
    asker = Asker(session._session._server, READER, None)
    assert Result.ACCEPTED is asker.open(1, PASSWORD).result


def test_keys_that_are_given_anew_end_what_a_head_end_made_of_them(tmp_path: Path) -> None:
    """The first ones, too: they are in force again, with counters that go on."""
    fresh = b"E" * 16
    wrapped = structure(enum(0), octets(aes_key_wrap(b"K" * 16, fresh)))
    change = ActionNormal(0xC1, Member(64, Obis.parse("0-0:43.0.0"), 2), array(wrapped))
    mine = KEYS._replace(encryption=b"M" * 16, authentication=AK)
    given = {
        "encryption": mine.encryption.hex(),
        "authentication": mine.authentication.hex(),
        "master": (b"K" * 16).hex(),
    }
    with Storage.open(tmp_path) as storage:
        service = service_of(Meter(demo_config(), storage, NOON))
        service.give("management", given, "a test")
        asker = asker_of(service, MANAGEMENT, Ciphering.GLOBAL, keys=mine)
        asker.prove(asker.open(5, CHALLENGE), CHALLENGE)
        assert ActionResult.SUCCESS is asker.ask(change).outcome.result
        for keys, result in ((mine, Result.REJECTED_PERMANENT), (None, Result.ACCEPTED)):
            if keys is None:
                service.give("management", given, "a test")
            again = asker_of(service, MANAGEMENT, Ciphering.GLOBAL, keys=mine, counter=50)
            assert result is again.open(5, CHALLENGE).result


@pytest.mark.parametrize("title", [b"HES00001", b"HES00002"])
def test_keys_may_be_one_head_ends_alone(title: bytes) -> None:
    """Whoever else has them is refused by its system title."""
    service = service_of(Meter(demo_config(), Storage.in_memory(), NOON))
    keys = {"encryption": (b"M" * 16).hex(), "authentication": AK.hex()}
    service.give("management", keys | {"title": title.hex()}, "a test")
    mine = KEYS._replace(encryption=b"M" * 16, authentication=AK)
    asker = asker_of(service, MANAGEMENT, Ciphering.GLOBAL, keys=mine)
    expected = Result.ACCEPTED if asker.title == title else Result.REJECTED_PERMANENT
    assert expected is asker.open(5, CHALLENGE).result


def test_mode_e_has_the_locks_and_the_secrecy_of_its_line() -> None:
    """A stranger on TCP locks nobody out at the meter, and is asked for keys."""
    meter = Meter(demo_config(), Storage.in_memory(), NOON)
    service = service_of(meter)
    service.give("reader", {"password": b"long enough".hex()}, "a test")

    def opened(secret: bytes, line: FlagLine) -> Result:
        asker = Asker(service.link(NOON, line)._server, READER, None)
        return Result(asker.open(1, secret).result)

    optical, closed = FlagLine(port="FLAG optical"), FlagLine()
    for _ in range(3):
        opened(b"wrong one", closed)
    assert Result.ACCEPTED is opened(b"long enough", optical)
    assert Result.REJECTED_PERMANENT is opened(b"long enough", closed)
    exposed = FlagLine(port="FLAG elsewhere", is_exposed=True)
    assert Result.ACCEPTED is opened(b"long enough", FlagLine(port="FLAG elsewhere"))
    service.give("reader", {"password": b"another one".hex()}, "a test")
    assert Result.REJECTED_PERMANENT is opened(b"another one", exposed)
