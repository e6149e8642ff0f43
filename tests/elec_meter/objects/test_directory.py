from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import cast

import pytest
from msgspec.structs import replace

from elec_meter.config import MeterConfig, demo_config
from elec_meter.errors import ConfigError
from elec_meter.objects import (
    Actions,
    Data,
    DemandRegister,
    Directory,
    ExtendedRegister,
    NoSuchAttributeError,
    Register,
    UnitFault,
    UnitReport,
    UnknownObjectError,
)
from elec_meter.objects.catalogue import complete_config
from shared.obis import Obis
from shared.timegrid import unix_s
from tests.elec_meter.objects.fixed_meter import START, FixedMeter

NIGHT = START + timedelta(hours=1)


def test_energy_is_what_the_ledger_booked() -> None:
    """Totals and rates are the ledger's Wh: Economy 7 has rate 2 at 01:00."""
    meter = FixedMeter()
    meter.book("import", 1234)
    meter.book("import", 66, NIGHT)
    meter.book("export", 5)

    codes = ["1.8.0", "1.8.1", "1.8.2", "2.8.0", "2.8.1"]
    assert [1300, 1234, 66, 5, 5] == [meter.directory[code].value for code in codes]
    assert {"Wh"} == {meter.directory[code].unit for code in codes}


def test_a_register_rolls_over_where_it_is_shown() -> None:
    """The directory shows the energy modulo 10^9 Wh; the ledger keeps all of it."""
    meter = FixedMeter()
    meter.book("import", 10**9 + 7)

    assert 7 == meter.directory["1-0:1.8.0"].value
    assert 10**9 + 7 == meter.ledger.total("import")


def test_live_quantities_are_exact_numbers_of_their_resolution() -> None:
    """A float for people becomes an integer with a scaler, and a decimal when scaled."""
    meter = FixedMeter()
    shown = {
        str(each.obis): each.value
        for each in meter.directory
        if (each.obis.a, each.obis.d, each.obis.e) == (1, 7, 0)
    }

    assert {
        "1-0:1.7.0": 291,
        "1-0:2.7.0": 0,
        "1-0:16.7.0": 291,
        "1-0:3.7.0": 40,
        "1-0:4.7.0": 0,
        "1-0:9.7.0": 296,
        "1-0:10.7.0": 0,
        "1-0:13.7.0": Decimal("0.981"),
        "1-0:14.7.0": Decimal("49.988"),
        "1-0:31.7.0": Decimal("1.234"),
        "1-0:32.7.0": Decimal("239.87"),
    } == shown
    assert 23987 == meter.directory["1-0:32.7.0"][2]


def test_export_shows_on_the_export_side_only() -> None:
    """Power that flows out is positive in 2.7.0 and 10.7.0, and negative in 16.7.0."""
    meter = FixedMeter()
    assert meter.live is not None
    meter.live.power_w = -1500.0

    codes = ["1.7.0", "2.7.0", "16.7.0", "9.7.0", "10.7.0"]
    assert [0, 1500, -1500, 0, 296] == [meter.directory[code].value for code in codes]


def test_what_is_not_known_is_none() -> None:
    """Without samples, a time or a unit there is no value; a zero would be a lie."""
    meter = FixedMeter(live=None)
    meter.clock.valid = False
    codes = ["32.7.0", "16.7.0", "0-0:1.0.0", "0-0:1.1.0", "0.9.1", "0-0:96.14.0", "0-1:96.6.6"]

    assert [None] * 7 == [meter.directory[code].value for code in codes]
    assert 3 == meter.directory["0-0:97.97.0"].value


def test_a_quantity_that_is_no_number_is_none() -> None:
    """No cycle found, no frequency."""
    meter = FixedMeter()
    assert meter.live is not None
    meter.live.frequency_hz = float("nan")

    assert meter.directory["1-0:14.7.0"].value is None


def test_the_clock_is_the_meters_time() -> None:
    """Clock, UNIX clock, time and date are renderings of one instant in UTC."""
    meter = FixedMeter()

    assert meter.now == meter.directory["0-0:1.0.0"].value
    assert unix_s(meter.now) == meter.directory["0-0:1.1.0"].value
    assert time(0, 40, 7) == meter.directory["1-0:0.9.1"].value
    assert date(2012, 10, 28) == meter.directory["1-0:0.9.2"].value
    assert 0 == meter.directory["0-0:1.0.0"][4]


def test_identity_comes_from_the_configuration() -> None:
    """The logical device name has 16 characters and begins with the maker."""
    directory = FixedMeter().directory

    assert "HHY0000000000001" == directory["0-0:42.0.0"].value
    assert "00000001" == directory["C.1.0"].value == directory["0.0.0"].value
    assert "0.1.0" == directory["0.2.0"].value


def test_further_identifications_are_the_configurations() -> None:
    """Those that there are not are empty; one is written as a text, whole or not at all."""
    meter = FixedMeter(config=replace(demo_config(), device_ids=("A 1", "B 2")))
    objects = meter.directory
    assert ["A 1", "B 2", "", "", ""] == [objects[f"0-0:96.1.{n}"].value for n in range(1, 6)]
    taken: list[MeterConfig] = []
    actions = cast("Actions", SimpleNamespace(apply_config=taken.append))
    objects["0-0:96.1.4"].write(2, "D 4", actions)
    objects["0-0:96.1.2"].write(2, "", actions)
    assert [("A 1", "B 2", "", "D 4"), ("A 1",)] == [each.device_ids for each in taken]
    with pytest.raises(ConfigError, match="printable ASCII"):
        objects["0-0:96.1.1"].write(2, "\u20ac", actions)


def test_gas_is_an_exact_volume_with_the_time_of_its_last_telegram() -> None:
    """1234 pulses of 10 l are 12.340 m3, received when the report says so."""
    meter = FixedMeter()
    received = START + timedelta(minutes=30)
    meter.pulses.received = 1234
    meter.reports["00000001"] = UnitReport(received, 3650, UnitFault.LOW_BATTERY)
    index = meter.directory["0-1:24.2.1"]

    assert (Decimal("12.340"), "m3") == (index.value, index.unit)
    assert [12340, (-3, 13), UnitFault.LOW_BATTERY, received] == [index[n] for n in (2, 3, 4, 5)]
    assert 1234 == meter.directory["0-1:128.0.0"].value
    assert 3650 == meter.directory["0-1:96.6.6"].value


def test_a_channel_without_a_unit_has_no_index() -> None:
    """Nothing was ever paired: unknown. A unit that has not counted yet is at zero."""
    meter = FixedMeter()
    codes = ["0-1:24.2.1", "0-1:24.2.2", "0-1:128.0.0"]

    assert [None] * 3 == [meter.directory[code].value for code in codes]
    meter.reports["00000001"] = UnitReport()
    assert [0] * 3 == [meter.directory[code].value for code in codes]


def test_gas_rates_take_final_pulses_only() -> None:
    """The index runs ahead of its rates by what is not final."""
    meter = FixedMeter()
    meter.pulses.add(3)
    meter.pulses.add(4)
    meter.pulses.received = 12
    meter.ledger.book_pulses()

    assert Decimal("0.120") == meter.directory["0-1:24.2.1"].value
    assert Decimal("0.070") == meter.directory["0-1:24.2.2"].value


def test_the_directory_is_in_the_order_of_its_codes() -> None:
    """Iteration follows the OBIS groups."""
    codes = [each.obis for each in FixedMeter().directory]

    assert sorted(codes) == codes
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("code", ["1-0:99.99.9", "nonsense", "1-0:1.8.3", "0-2:24.2.1"])
def test_an_unknown_object_is_a_refusal_that_names_it(code: str) -> None:
    """Asking for what is not there is a lookup error with the code in its sentence."""
    directory = FixedMeter().directory

    assert code not in directory
    with pytest.raises(UnknownObjectError, match=code):
        directory[code]
    with pytest.raises(LookupError):
        directory[code]


def test_an_unknown_attribute_is_a_refusal_that_names_it() -> None:
    """A register has attributes 1 to 3."""
    register = FixedMeter().directory["1-0:1.8.0"]

    assert (1, 2, 3) == register.attributes
    assert Obis.parse("1-0:1.8.0") == register[1]
    with pytest.raises(NoSuchAttributeError, match="attribute 9"):
        register[9]


def test_every_listed_attribute_can_be_read() -> None:
    """No object lists an attribute that fails."""
    for each in FixedMeter().directory:
        for attribute in each.attributes:
            each[attribute]


def test_no_object_can_be_reset() -> None:
    """There is no method, setter or item assignment that changes a register."""
    register = FixedMeter().directory["1-0:1.8.0"]

    with pytest.raises(AttributeError):
        register.value = 0
    with pytest.raises(TypeError):
        register[2] = 0


def test_no_register_has_a_method() -> None:
    """Those of COSEM would reset it; of a meter that has every object none is written either."""
    directory = FixedMeter(config=complete_config()).directory
    registers = [each for each in directory if isinstance(each, Register)]
    assert {Register, ExtendedRegister, DemandRegister} == set(map(type, registers))
    assert [()] * len(registers) == [each.methods for each in registers]
    assert [()] * len(registers) == [each.writable for each in registers]


def test_two_objects_of_one_name_are_a_mistake() -> None:
    """A directory has one object for each code."""
    twins = [Data("0-0:96.1.0", name, datetime.now, lambda _: None) for name in "ab"]
    with pytest.raises(ValueError, match="one OBIS code"):
        Directory(twins, lambda: START)
