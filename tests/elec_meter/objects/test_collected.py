"""Pulse units as M-Bus devices of the directory."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from elec_meter import Storage
from elec_meter.config import GasUnitConfig, demo_config
from elec_meter.events import EventCode
from elec_meter.objects import EventRow, UnitFault, UnitReport
from elec_meter.objects.catalogue import directory_of
from shared.timegrid import unix_s
from tests.elec_meter.objects.fixed_meter import START, FixedMeter
from tests.elec_meter.objects.lived import whole_life

SECOND = timedelta(seconds=1)


def two_units() -> FixedMeter:
    """Gas on channels 1 and 4."""
    units = (
        GasUnitConfig(serial="00000001"),
        GasUnitConfig(serial="00004711", channel="heat", number=4),
    )
    return FixedMeter(config=replace(demo_config(), gas_units=units))


def test_a_unit_is_an_m_bus_client() -> None:
    """Its header as the unit has it: number in BCD, maker's letters in 15 bits, status bits."""
    meter = two_units()
    meter.reports["00004711"] = UnitReport(
        START,
        300,
        UnitFault.LOW_BATTERY | UnitFault.TAMPER,
        manufacturer="HHY",
        version=1,
        medium=3,
        access_number=7,
    )
    client = meter.directory["0-4:24.1.0"]
    letters = [ord(each) - 64 for each in "HHY"]
    maker = letters[0] * 1024 + letters[1] * 32 + letters[2]
    assert "00004711" == client.value
    assert [0x4711, maker, 1, 3, 7, 4, 5, 0, 4] == [client[n] for n in range(6, 15)]
    assert meter.directory["0-0:24.6.0"].obis == client[2]
    assert (1_800, 0, ()) == (client[4], client[5], client[3])
    assert () == client.methods
    assert () == client.writable


def test_a_unit_that_is_not_paired_has_a_number_alone() -> None:
    """Nothing is known of it, and nothing is made up."""
    client = two_units().directory["0-4:24.1.0"]
    assert "00004711" == client.value
    assert {None} == {client[n] for n in (7, 8, 9, 10, 11, 12, 14)}


def test_a_paired_unit_tells_what_its_pairing_and_its_telegrams_said() -> None:
    """Of a real collector: maker, medium, access number; its key is in use."""
    meter = whole_life(Storage.in_memory()).meter
    client = meter.objects["0-1:24.1.0"]
    state = meter.collector.state("00000001")
    assert state.heard is not None
    assert (3, state.heard.key.counter % 256, 4) == (client[9], client[10], client[14])
    paired, *_ = meter.objects["0-1:24.5.0"].rows()
    assert EventCode.UNIT_PAIRED == paired[1]


def test_a_units_log_has_what_is_about_it() -> None:
    """From the M-Bus and the tamper log, in order of time, whatever the sentences say."""
    meter = two_units()
    told = [
        (EventCode.UNIT_PAIRED, "paired", "00000001"),
        (EventCode.UNIT_SILENT, "silent, unlike unit 00000001", "00004711"),
        (EventCode.UNIT_TAMPERED, "tampering", "00000001"),
        (EventCode.TELEGRAM_REFUSED, "refused", "00000001"),
        (EventCode.TELEGRAM_REFUSED, "a telegram of unit 00000001 was refused", None),
        (EventCode.POWER_UP, "power came back after 1 s", "00000001"),
    ]
    meter.events += [EventRow(unix_s(START) + n, *each) for n, each in enumerate(told)]
    log = meter.directory["0-1:24.5.0"]
    assert [told[n][1] for n in (0, 2, 3)] == [row[2] for row in log.rows()]
    assert [told[2][1]] == [row[2] for row in log.rows(START + SECOND, START + 2 * SECOND)]
    assert 3 == log[7]
    assert [told[1][1]] == [row[2] for row in meter.directory["0-4:24.5.0"].rows()]


def test_units_stand_side_by_side() -> None:
    """By when they were heard last; one that never was is not in the list."""
    meter = two_units()
    units = meter.directory["0-0:128.72.0"]
    assert [] == units.rows()
    assert meter.directory["0-0:128.72.2"].value is None
    meter.reports["00000001"] = UnitReport(START + SECOND, 900, UnitFault.SILENT)
    meter.reports["00004711"] = UnitReport(START, 300)
    expected = [(START, 4, "00004711", 300, 0), (START + SECOND, 1, "00000001", 900, 32)]
    assert expected == units.rows()
    assert expected[1:] == units.rows(START + SECOND, None)
    assert [1, "00000001", 900, 32] == [
        meter.directory[f"0-0:128.72.{e}"].value for e in range(1, 5)
    ]


def test_six_channels_have_their_objects() -> None:
    """Every channel number, also where only one of them is in use."""
    serials = [f"0000000{n}" for n in range(1, 7)]
    units = tuple(
        GasUnitConfig(serial=serial, channel=f"gas{n}", number=n)
        for n, serial in enumerate(serials, start=1)
    )
    objects = directory_of(replace(demo_config(), gas_units=units))
    for n in range(1, 7):
        classes = {"24.1.0": 72, "24.2.1": 4, "24.3.0": 7, "24.5.0": 7, "96.1.0": 1}
        found = {code: objects[f"0-{n}:{code}"].class_id for code in classes}
        assert classes == found
    assert 74 == objects["0-0:24.6.0"].class_id
    assert 3 == objects["0-0:24.6.0"].value
