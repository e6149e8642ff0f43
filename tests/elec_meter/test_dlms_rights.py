from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from elec_meter import Meter, Storage
from elec_meter.config import RelayConfig, TerminalConfig, demo_config
from elec_meter.dlms import Keys
from elec_meter.dlms.acse import Diagnostic, Mechanism, Result
from elec_meter.dlms.action import ActionNormal
from elec_meter.dlms.apdus import decode_apdu
from elec_meter.dlms.ciphering import Ciphering
from elec_meter.dlms.data import CosemData, octets
from elec_meter.dlms.services import AccessResult, ActionResult
from elec_meter.dlms.setting import SetNormal
from elec_meter.dlms.tags import Tag
from elec_meter.events import EventCode
from elec_meter.objects import CosemObject
from tests.elec_meter.dlms.asking import (
    MANAGEMENT,
    PASSWORD,
    PUBLIC,
    READER,
    Asker,
    is_refused,
    name,
)
from tests.elec_meter.test_dlms_service import CHALLENGE, asker_of, managed, rights_of, service_of

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
ACCESS = "0-0:128.50.25"


@pytest.fixture
def meter() -> Meter:
    """A meter that has heard nothing yet."""
    return Meter(demo_config(), Storage.in_memory(), NOON)


def client(meter: Meter, sap: int) -> Asker:
    """The public, or the reader by its password."""
    asker = asker_of(service_of(meter), sap)
    _ = asker.open() if sap == PUBLIC else asker.open(1, PASSWORD)
    return asker


def in_force(each: CosemObject) -> CosemData:
    """The value of a text as somebody would write it again."""
    return octets(str(each.value).encode())


@pytest.mark.parametrize("sap", [PUBLIC, READER])
@pytest.mark.parametrize("code", [ACCESS, "0-0:128.50.0", "0-0:96.1.1"])
def test_nobody_learns_by_writing_whether_a_guess_is_right(
    meter: Meter, sap: int, code: str
) -> None:
    """The value in force is denied to who may not write it as any other is, and that is logged."""
    asker, each = client(meter, sap), meter.objects[code]
    for value in (in_force(each), octets(b"{}"), CosemData(Tag.UINT8, 1)):
        answer = asker.ask(SetNormal(0xC1, name(each), value))
        assert AccessResult.READ_WRITE_DENIED is answer.result
    refused = [each.code for each in meter.storage.events()]
    assert 3 == refused.count(EventCode.ORDER_REFUSED)


def test_a_right_is_looked_at_before_a_parameter(meter: Meter) -> None:
    """The reader may not open the contactor, with or without the number that it takes."""
    method = name(meter.objects["0-0:96.3.10"], 1).member
    answer = client(meter, READER).ask(ActionNormal(0xC1, method, None))
    assert ActionResult.READ_WRITE_DENIED is answer.outcome.result


def test_who_has_no_key_locks_nobody_out() -> None:
    """Any number of AARQs with another key, and as many short challenges: one entry each level."""
    meter = Meter(demo_config(), Storage.in_memory(), NOON)
    service = service_of(meter)
    strange = Keys(bytes(16), bytes(16))
    for sap in 5 * (MANAGEMENT, READER):
        forger = asker_of(service, sap, Ciphering.GLOBAL, keys=strange, counter=50)
        forged = forger.request(Mechanism.HIGH_GMAC, CHALLENGE).to_bytes()
        assert is_refused(Diagnostic.AUTHENTICATION_FAILURE, decode_apdu(forger.send(forged)))
        asker_of(service, READER).open(Mechanism.HIGH_GMAC, b"short")
    manager = asker_of(service, MANAGEMENT, Ciphering.GLOBAL)
    proved = manager.prove(manager.open(Mechanism.HIGH_GMAC, CHALLENGE), CHALLENGE)
    assert not proved.outcome.result
    assert Result.ACCEPTED is asker_of(service, READER).open(Mechanism.LOW, PASSWORD).result
    codes = [each.code for each in meter.storage.events()]
    assert 2 == codes.count(EventCode.SIGN_ON_FAILED)


def test_the_scripts_of_rates_are_nobodys(meter: Meter) -> None:
    """The list of objects gives no right to them, and executing one is denied."""
    manager, rates = managed(meter), name(meter.objects["0-0:10.0.100"], 1).member
    assert {1: 0} == rights_of(manager)[rates.obis][1]
    executed = manager.ask(ActionNormal(0xC1, rates, CosemData(Tag.UINT16, 1)))
    assert ActionResult.READ_WRITE_DENIED is executed.outcome.result


@pytest.mark.parametrize(("code", "method"), [("0-0:10.0.106", 1), ("0-0:11.0.0", 2)])
def test_a_number_that_nothing_has_is_of_the_right_type(
    meter: Meter, code: str, method: int
) -> None:
    """A script or a special day that is not there has another reason than a text."""
    manager, member = managed(meter), name(meter.objects[code], method).member
    for value, result in (
        (CosemData(Tag.UINT16, 99), ActionResult.OTHER_REASON),
        (octets(b"99"), ActionResult.TYPE_UNMATCHED),
    ):
        assert result is manager.ask(ActionNormal(0xC1, member, value)).outcome.result


def test_the_reader_may_do_what_the_document_says() -> None:
    """Adjust the clock, take a head end's time, boost a relay: nothing else in all of the meter."""
    config = replace(demo_config(), terminals=(TerminalConfig(number=1, relay=RelayConfig()),))
    rights = rights_of(client(Meter(config, Storage.in_memory(), NOON), READER))
    assert not [each for each, (modes, _) in rights.items() if {2, 3} & set(modes.values())]
    may = {(str(each), n) for each, (_, methods) in rights.items() for n in methods if methods[n]}
    assert {("0-0:1.0.0", 6), ("0-0:1.0.0", -128), ("0-1:96.3.10", -128)} == may
