"""Class 40 over DLMS: read, written and invoked as a head end does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from elec_meter import Meter, Storage
from elec_meter.config import PushConfig, demo_config
from elec_meter.dlms.action import ActionNormal
from elec_meter.dlms.data import (
    NULL,
    CosemData,
    array,
    enum,
    int8,
    octets,
    structure,
    uint8,
    uint16,
)
from elec_meter.dlms.services import AccessResult, ActionResult, Member
from elec_meter.dlms.setting import SetNormal
from elec_meter.errors import ConfigError
from shared.obis import Obis
from tests.elec_meter.dlms.asking import PASSWORD, READER, name
from tests.elec_meter.test_dlms_service import NOON, asker_of, managed, service_of

DESTINATION = structure(enum(0), octets(b"head.end:4059"), enum(0))


def told(class_id: int, code: str, attribute: int = 2, index: int = 0) -> CosemData:
    """A member of what is told."""
    obis = octets(Obis.parse(code).to_bytes())
    return structure(uint16(class_id), obis, int8(attribute), uint16(index))


MEMBERS = array(told(3, "1-0:1.8.0"), told(7, "1-0:99.1.0"))


def attribute(number: int) -> object:
    """One of the push setup."""
    return name("0-0:25.9.0", number, 40)


def test_a_head_end_says_where_it_is_and_what_it_wants() -> None:
    """As COSEM has it; the configuration says the same afterwards, and so does the object."""
    meter = Meter(demo_config(), Storage.in_memory(), NOON)
    manager = managed(meter)
    for number, value in ((2, MEMBERS), (3, DESTINATION), (6, uint8(3)), (7, uint16(4_000))):
        setting = SetNormal(0xC1, attribute(number), value)
        assert AccessResult.SUCCESS is manager.ask(setting).result
    push = meter.config.push
    assert "head.end:4059" == push.destination
    assert ["1-0:1.8.0", "1-0:99.1.0"] == [each.object for each in push.objects]
    assert (3, 4_000, 4_000) == (push.retries, push.delay_s, push.delay_max_s)
    values = [manager.value(attribute(number)) for number in (2, 3, 4, 5, 6, 7)]
    assert [MEMBERS, DESTINATION, array(), uint16(0), uint8(3), uint16(4_000)] == values


NONSENSE = [
    (2, array(told(1, "1-0:1.8.0")), AccessResult.TYPE_UNMATCHED),
    (2, array(told(3, "1-0:1.8.0", index=1)), AccessResult.TYPE_UNMATCHED),
    (2, array(told(7, "1-0:99.2.0")), AccessResult.OTHER_REASON),
    (2, array(told(3, "1-0:1.8.0", attribute=9)), AccessResult.OTHER_REASON),
    (2, array(), AccessResult.OTHER_REASON),
    (2, uint8(0), AccessResult.TYPE_UNMATCHED),
    (2, octets(b"{"), AccessResult.TYPE_UNMATCHED),
    (3, structure(enum(1), octets(b"head.end:4059"), enum(0)), AccessResult.TYPE_UNMATCHED),
    (3, structure(enum(0), octets(b"head.end"), enum(0)), AccessResult.OTHER_REASON),
    (3, array(NULL), AccessResult.TYPE_UNMATCHED),
    (5, uint16(1), AccessResult.READ_WRITE_DENIED),
    (7, uint16(0), AccessResult.OTHER_REASON),
]


def test_what_makes_no_sense_is_refused() -> None:
    """Nothing is changed."""
    meter = Meter(demo_config(), Storage.in_memory(), NOON)
    manager = managed(meter)
    for number, value, result in NONSENSE:
        assert result is manager.ask(SetNormal(0xC1, attribute(number), value)).result, value
    assert PushConfig() == meter.config.push


def test_a_reader_sees_it_and_changes_nothing() -> None:
    """Half-hours are sent where the supplier says."""
    meter = Meter(demo_config(), Storage.in_memory(), NOON)
    reader = asker_of(service_of(meter), READER)
    reader.open(1, PASSWORD)
    setting = SetNormal(0xC1, attribute(3), DESTINATION)
    assert AccessResult.READ_WRITE_DENIED is reader.ask(setting).result
    push = ActionNormal(0xC1, Member(40, Obis.parse("0-0:25.9.0"), 1), int8(0))
    assert ActionResult.READ_WRITE_DENIED is reader.ask(push).outcome.result
    assert 3 == len(reader.value(attribute(2)).value)


def test_an_object_that_there_is_not_is_refused_with_its_place() -> None:
    """Whichever way the configuration comes; a destination is a host and a port."""
    meter = Meter(demo_config(), Storage.in_memory(), NOON)
    known = meter.objects["0-0:25.9.0"]

    class Desk:
        """Puts a document in force."""

        def apply_config(self, config: object) -> None:
            meter.apply_config(config, NOON + timedelta(seconds=1))

    with pytest.raises(ConfigError, match=r"push.objects\[0\]: the meter has no object 1-0:9.9.9"):
        known.write(2, '[{"object": "1-0:9.9.9"}]', Desk())
    known.write(3, "[::1]:4059", Desk())
    assert ("::1", 4059) == meter.config.push.address
    assert "[::1]:4059" == meter.objects["0-0:25.9.0"].value
    for wrong in ("x", "::1:4059", "x:0", "x:65536", "x y:1", ":1"):
        with pytest.raises(ConfigError, match="is no HOST:PORT"):
            known.write(3, wrong, Desk())
