"""Alarms: raised by events, latched, cleared by a person, quiet where that is configured."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args, get_type_hints

import pytest
from msgspec.structs import replace

from elec_meter import Meter, Storage, demo_config
from elec_meter.access import Level
from elec_meter.alarms import ALARMS_KEY, Alarm, Alarms, alarm_of, alarms_named
from elec_meter.config import AlarmsConfig
from elec_meter.control import ClearAlarms, GetStatus, Orders
from elec_meter.errors import CorruptError, NotAllowedError
from elec_meter.events import EventCode, Log
from tests.elec_meter.mains import BEGUN, SECOND, House

HOUR = timedelta(hours=1)
QUIET = get_args(get_args(get_type_hints(AlarmsConfig)["quiet"])[0])


def registers(meter: Meter) -> list[object]:
    """Now, minded, since the last clearing."""
    return [meter.objects[f"0-0:97.98.{e}"].value for e in (0, 10, 20)]


def test_the_configuration_names_every_alarm() -> None:
    """And no other; each is one bit."""
    assert [alarm.name.lower() for alarm in Alarm if alarm.name] == list(QUIET)
    assert Alarm.TAMPER | Alarm.UNIT_SILENT == alarms_named(("tamper", "unit_silent"))


def test_every_alarm_is_raised_by_some_event() -> None:
    """None is there for nothing, and everyday events raise none."""
    raised = Alarm(0)
    for code in EventCode:
        raised |= alarm_of(code)
    assert Alarm(sum(Alarm)) == raised
    everyday = (EventCode.POWER_UP, EventCode.CONFIGURATION_CHANGED, EventCode.BILLING_ENDED, 9_999)
    assert {Alarm(0)} == {alarm_of(code) for code in everyday}


def test_an_alarm_stays_until_it_is_cleared() -> None:
    """Through an outage, and although what raised it has passed; then it can be raised again."""
    house = House(demo_config())
    assert [0, 0xFFFFFFFF, 0] == registers(house.meter)
    house.meter.lose_clock(house.now)
    assert [Alarm.CLOCK_INVALID] * 2 == registers(house.meter)[::2]
    house.meter.set_clock(house.now, house.now)
    house.meter.checkpoint()
    house.cut(HOUR)
    assert [0, Alarm.CLOCK_INVALID] == registers(house.meter)[::2]
    assert Alarm.CLOCK_INVALID == house.meter.clear_alarms(house.now, author="a person")
    assert [0, 0] == registers(house.meter)[::2]
    assert Alarm(0) == house.meter.clear_alarms(house.now)
    house.cut(HOUR)
    assert 0 == registers(house.meter)[2]
    house.meter.lose_clock(house.now)
    assert Alarm.CLOCK_INVALID == registers(house.meter)[2]
    assert "the alarms 0x00000001 were cleared by a person" in house.said(253, 253)


def test_a_quiet_alarm_is_an_event_and_no_more() -> None:
    """Neither now nor since then; who minds it again sees it."""
    config = replace(demo_config(), alarms=AlarmsConfig(quiet=("clock_invalid",)))
    house = House(config)
    house.meter.lose_clock(house.now)
    assert [0, 0xFFFFFFFE, 0] == registers(house.meter)
    assert house.said(EventCode.CLOCK_INVALID, EventCode.CLOCK_INVALID)
    house.meter.apply_config(demo_config(), house.now)
    assert [1, 0xFFFFFFFF, 1] == registers(house.meter)


def test_an_installer_clears_and_a_reader_does_not() -> None:
    """Level 2 and above."""
    house = House(demo_config())
    house.meter.lose_clock(house.now)
    with pytest.raises(NotAllowedError, match="level 1 may not clear alarms"):
        house.meter.clear_alarms(house.now, level=Level.READER)
    assert Alarm.CLOCK_INVALID == registers(house.meter)[2]
    assert house.meter.clear_alarms(house.now, level=Level.INSTALLER)


def test_alarms_are_cleared_through_the_control_port() -> None:
    """The reply names them; a refused order raises one itself."""
    meter = Meter(demo_config(), Storage.in_memory(), BEGUN)
    orders = Orders(meter, now=lambda: BEGUN, durable=meter.checkpoint, status=dict)
    with pytest.raises(NotAllowedError):
        orders.perform(ClearAlarms(level=1))
    assert {"cleared": ["order_refused"]} == orders.perform(ClearAlarms())
    assert {"cleared": []} == orders.perform(ClearAlarms())
    assert orders.perform(GetStatus())


def test_the_display_has_a_screen_for_alarms() -> None:
    """Before all others, in hexadecimal, as long as there is one."""
    house = House(demo_config())

    def seen() -> set[str]:
        faces = (house.meter.display.snapshot(house.now + n * SECOND) for n in range(54))
        return {f"{face.mnemonic} {face.text}" for face in faces if face.mnemonic == "ALARM"}

    assert set() == seen()
    house.meter.lose_clock(house.now)
    assert {"ALARM 00000001"} == seen()
    assert house.meter.display.snapshot(house.now).icons.alarm
    house.meter.clear_alarms(house.now)
    assert set() == seen()


def test_what_happened_before_there_were_alarms_raises_none() -> None:
    """A directory of an earlier version begins with none."""
    storage = Storage.in_memory()
    Meter(demo_config(), storage, BEGUN).lose_clock(BEGUN + SECOND)
    storage.connection.execute("DELETE FROM meter_state WHERE key = ?", (ALARMS_KEY,))
    assert Alarm(0) == Meter(demo_config(), storage, BEGUN + HOUR).alarms.raised
    with pytest.raises(CorruptError, match="what is kept of the alarms is damaged"):
        Alarms(dict, b"\xff")


def test_each_log_has_its_object_and_its_counter() -> None:
    """What the limiter and the units do is not in the standard log."""
    house = House(demo_config())
    house.meter.open_contactor(house.now)
    house.meter.arm_contactor(house.now)
    objects = house.meter.objects
    counts = [objects[f"0-0:96.15.{log:d}"].value for log in Log]
    assert [1, 0, 2, 0, 0, 0] == counts
    texts = [row[2] for row in objects["0-0:99.98.2"][2]]  # type: ignore[attr-defined]  # a profile gives rows
    assert [f"the contactor was {what} by the program" for what in ("opened", "armed")] == texts
    assert texts[-1] == objects["0-0:128.11.2"].value
    assert EventCode.CONTACTOR_ARMED == objects["0-0:96.11.2"].value
    assert [None] * 4 == [objects[f"0-0:96.11.{log}"].value for log in (1, 3, 4, 5)]
