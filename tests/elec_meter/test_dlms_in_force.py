"""A configuration that changes while somebody reads over DLMS."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from elec_meter import Meter, Storage
from elec_meter.config import demo_config
from elec_meter.dlms.data import CosemData
from elec_meter.dlms.services import AccessResult
from elec_meter.dlms.setting import SetNormal
from elec_meter.dlms.tags import Tag
from tests.elec_meter.dlms.asking import PASSWORD, READER, name
from tests.elec_meter.test_dlms_service import NOON, asker_of, managed, service_of


def test_sessions_use_the_configuration_in_force() -> None:
    """The meter has another name then, also in a session that is under way."""
    meter = Meter(demo_config(), Storage.in_memory(), NOON)
    service = service_of(meter)
    before = asker_of(service, READER)
    before.open(1, PASSWORD)
    config = replace(meter.config, flag=replace(meter.config.flag, manufacturer="ABC"))
    meter.apply_config(config, NOON + timedelta(seconds=1), author="a test")
    after = asker_of(service, READER)
    after.open(1, PASSWORD)

    called = name("0-0:42.0.0", class_id=1)
    assert b"ABC0000000000001" == before.value(called).value
    assert b"ABC0000000000001" == after.value(called).value


def test_what_was_written_is_read_back_and_stays() -> None:
    """In one association: a second part of the configuration does not bring the old first back."""
    meter = Meter(demo_config(), Storage.in_memory(), NOON)
    manager = managed(meter)
    parts = [each for each in meter.objects if str(each.obis).startswith("0-0:128.50.")]
    clock, billing = (
        next(each for each in parts if each.name.endswith(f": {part}"))
        for part in ("clock", "billing")
    )
    for each, text in ((clock, '{"sync_limit_s": 7}'), (billing, '{"day": 7}')):
        written = SetNormal(0xC1, name(each), CosemData(Tag.UTF8_STRING, text))
        assert AccessResult.SUCCESS is manager.ask(written).result
    assert (7, 7) == (meter.config.clock.sync_limit_s, meter.config.billing.day)
    told = manager.value(name(meter.objects[clock.obis])).value
    assert told == meter.objects[clock.obis].read(2, meter.now)
