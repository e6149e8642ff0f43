"""What the directory of a meter that lived says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from elec_meter import Storage
from elec_meter.config import ProfileConfig
from elec_meter.objects import CosemObject, DemandRegister, ProfileGeneric
from shared.obis import Obis
from tests.elec_meter.objects.lived import BEGUN, HOUR, MINUTE, Life, lived_config, whole_life

LIFE = whole_life(Storage.in_memory())
OBJECTS = LIFE.meter.objects
APRIL = datetime(2026, 4, 1, tzinfo=UTC)


def profile(code: str) -> ProfileGeneric:
    """A profile of the directory."""
    found = OBJECTS[code]
    assert isinstance(found, ProfileGeneric)
    return found


def row_at(code: str, stamp: datetime) -> dict[tuple[str, int], object]:
    """The one row of a stamp, by code and attribute of its columns."""
    (row,) = profile(code).rows(stamp, stamp)
    columns = profile(code).columns
    return {(str(c.obis), c.attribute): v for c, v in zip(columns, row, strict=True)}


def sums(code: str, column: str) -> int:
    """What a column of a profile adds up to."""
    place = [each.obis for each in profile(code).columns].index(Obis.parse(column))
    return sum(row[place] for row in profile(code).rows() if isinstance(row[place], int))


def test_energy_is_in_rates_blocks_rows_and_the_spell() -> None:
    """10,260 Wh: 2,060 and 3,500 of rate 1, by block of two months; 100 Wh without a time."""
    codes = ["1.8.0", "1.8.1", "1.8.2", "2.8.0", "5.8.0", "6.8.0", "3.8.0", "4.8.0"]
    assert [10_260, 5_560, 4_700, 11, 44, 0, 44, 0] == [OBJECTS[code].value for code in codes]
    blocks = [OBJECTS[f"1.8.{e}"].value for e in (129, 130, 133, 134)]
    assert [2_000, 3_560, 2_700, 2_000] == blocks
    assert 100 == OBJECTS["0-0:128.30.0"].value

    in_rows = sums("1-0:99.1.0", "1-0:1.29.0")
    assert 10_260 == in_rows + 100 + 20
    assert in_rows == OBJECTS["0-0:128.34.0"].value
    assert [44, 0] == [sums("1-0:99.1.0", code) for code in ("1-0:3.29.0", "1-0:4.29.0")]
    assert 44 == OBJECTS["0-0:128.34.2"].value


def test_rows_of_a_quarter_of_an_hour_are_in_the_load_profile_alone() -> None:
    """Its period is 900 s and it has no hole; gas has half-hours in a profile of its own.

    The half-hour that the setting skipped was none of the gas meter's.
    """
    load, gas = profile("1-0:99.1.0"), profile("0-1:24.3.0")
    stamps = [row[0] for row in load.rows()]
    halves = [BEGUN + n * 30 * MINUTE for n in range(1, 89)]
    halves.remove(APRIL + timedelta(hours=8, minutes=30))

    assert [BEGUN + n * 15 * MINUTE for n in range(1, 177)] == stamps
    assert halves == [row[0] for row in gas.rows()]
    assert [900, len(stamps), 1800, len(halves)] == [
        each[n] for each in (load, gas) for n in (4, 7)
    ]
    assert ["1-0:1.29.0", "1-0:2.29.0"] == [str(each.obis) for each in load.columns[2:4]]
    assert 39 == sums("0-1:24.3.0", "0-1:128.1.0")


def test_rows_tell_of_the_outage_the_setting_and_the_spell() -> None:
    """Power-down 128; set from 08:00 to 08:40: 32, 4 where it skipped; unknown from 10:40 on: 2."""

    def status(day: int, hour: int, minute: int) -> object:
        stamp = APRIL + timedelta(days=day - 1, hours=hour, minutes=minute)
        return row_at("1-0:99.1.0", stamp)["0-0:96.10.1", 2]

    assert [0, 128, 128, 0] == [status(0, *at) for at in ((4, 0), (4, 15), (5, 0), (5, 15))]
    assert [32, 4, 4, 32] == [status(1, *at) for at in ((8, 15), (8, 30), (8, 30), (8, 45))]
    assert [6, 6] == [status(1, *at) for at in ((11, 0), (15, 45))]
    assert 0 == status(1, 18, 0)


def test_every_row_of_sums_is_the_one_before_and_its_energy() -> None:
    """The profile of sums has a revision, and the index at each row's end."""
    energies, indexes = profile("1-0:99.1.0").rows(), profile("1-0:99.1.2").rows()
    total = 0
    for energy, index in zip(energies, indexes, strict=True):
        total += int(str(energy[2]))
        assert (energy[0], energy[1], total) == (index[0], index[1], index[3])
    assert {0} == {row[2] for row in indexes[1:]}


def test_maximum_demand_has_the_end_of_its_period() -> None:
    """220 W from 08:45 on by the clock that was set; 100 W by night; 150 W in the window."""
    found = [OBJECTS[f"1.6.{e}"] for e in (0, 1, 2, 129, 161, 162)]
    assert [220, 220, 100, 150, 220, 220] == [each.value for each in found]
    ends = [timedelta(hours=9), timedelta(minutes=45), timedelta(hours=16, minutes=15)]
    assert [APRIL + end for end in ends] == [found[n][5] for n in (0, 2, 3)]
    assert {"W"} == {each.unit for each in found}
    assert 1_000 == OBJECTS["1.2.0"].value
    assert [1, APRIL] == [OBJECTS["0.1.0"].value, OBJECTS["0.1.2"].value]


def test_a_demand_register_has_running_and_last_average() -> None:
    """20 Wh of a quarter that began at 18:00 are 80 W; the last one had 150 W."""
    register = OBJECTS["1-0:1.4.0"]
    assert isinstance(register, DemandRegister)

    six = APRIL + 18 * HOUR
    assert [80, 150, (0, 27), 0, six, six, 900, 1] == [register[n] for n in range(2, 10)]
    assert (80, "W", 150) == (register.value, register.unit, register.present(3, LIFE.meter.now))


def test_the_end_of_a_billing_period_keeps_every_register() -> None:
    """At midnight: registers, maxima with their times, gas, what the period has cost, and why."""
    row = row_at("0-0:98.1.0", APRIL)
    kept = {code: value for (code, attribute), value in row.items() if attribute == 2}

    assert [8_600, 4_600, 4_000] == [kept[f"1-0:1.8.{e}"] for e in (0, 1, 2)]
    assert [3, 40, 370, 370] == [
        kept[c] for c in ("1-0:2.8.0", "1-0:5.8.0", "0-1:24.2.1", "0-1:24.2.2")
    ]
    assert 1_000 == kept["1-0:1.6.0"]
    assert APRIL - timedelta(hours=23, minutes=45) == row["1-0:1.6.0", 5]
    assert "date" == kept["0-0:128.1.0"] == OBJECTS["0-0:128.1.0"].value
    assert [1, 1, APRIL] == [OBJECTS[f"0-0:0.1.{e}"].value for e in (0, 1, 2)]


def test_costs_are_those_of_blocks_and_standing_charges() -> None:
    """Since midnight UTC 900 Wh at 24.5 p, 60 at 30 and 700 at 8; local days add 0.5 p each."""
    since_midnight = Decimal("0.9") * Decimal("24.5") + Decimal("0.06") * 30 + Decimal("0.7") * 8
    evening = Decimal("0.1") * Decimal("24.5")

    period, today = OBJECTS["0-0:128.20.2"], OBJECTS["0-0:128.20.0"]
    assert (since_midnight, "p") == (period.value, period.unit)
    assert since_midnight + evening + Decimal("0.5") == today.value
    assert 30 == OBJECTS["0-0:128.22.0"].value
    assert [2, 1] == [OBJECTS[f"0-0:128.14.{k}"].value for k in (0, 1)]
    before = row_at("0-0:98.1.0", APRIL)["0-0:128.20.2", 2]
    assert 2 * 500_000 + 166_450_000 == before


def test_energy_without_a_price_has_no_cost() -> None:
    """Export had no price when it was measured; that one came later does not make it free."""
    assert [None] * 3 == [OBJECTS[f"0-0:128.21.{e}"].value for e in range(3)]
    assert Decimal("1.5") == OBJECTS["0-0:128.22.1"].value
    assert row_at("0-0:98.1.0", APRIL)["0-0:128.21.2", 2] is None


def test_a_spell_of_unknown_time_is_a_row() -> None:
    """By the host's time from 10:00 to 16:00, with what was measured in it."""
    begun, ended = APRIL + 10 * HOUR, APRIL + 16 * HOUR

    assert [(begun, ended, 100, 0, 0, 0, 0, 0)] == profile("0-0:128.31.0").rows()
    assert [] == profile("0-0:128.31.0").rows(begun + MINUTE)
    assert [ended, 100] == [OBJECTS[code].value for code in ("0-0:128.31.1", "0-0:128.32.0")]


def test_data_channels_have_their_objects_unit() -> None:
    """A register that accumulates gives what it advanced by; another one its value."""
    assert (38, "Wh") == (OBJECTS["0-2:128.1.0"].value, OBJECTS["0-2:128.1.0"].unit)
    assert (220, "W") == (OBJECTS["0-3:128.1.0"].value, OBJECTS["0-3:128.1.0"].unit)
    assert "1-0:1.8.0;2" == OBJECTS["0-2:128.4.0"].value
    assert sums("0-2:24.3.0", "0-2:128.1.0") == OBJECTS["0-2:128.0.0"].value
    assert "0-3:128.0.0" not in OBJECTS
    assert 220 == row_at("0-3:24.3.0", APRIL + 10 * HOUR)["0-3:128.1.0", 2]


@pytest.mark.parametrize("each", [each for each in OBJECTS if isinstance(each, ProfileGeneric)])
def test_every_column_is_an_attribute_of_an_object(each: ProfileGeneric) -> None:
    """What a profile captures can be looked up, is of the class it says, and is in every row."""
    for column in each.columns:
        assert column.class_id == OBJECTS[column.obis].class_id
        assert column.attribute in OBJECTS[column.obis].attributes
    assert {len(each.columns)} >= {len(row) for row in each.rows()}


def test_while_the_time_is_unknown_what_depends_on_it_is_too() -> None:
    """No cost of a day, no rate, no running demand: none of them is nothing."""
    life = Life(Storage.in_memory())
    life.live(HOUR, 100)
    life.meter.lose_clock(life.now)
    life.live(HOUR, 100)
    objects = life.meter.objects

    codes = "0-0:128.20.0 0-0:128.20.1 0-0:128.22.0 0-0:96.14.0 0-0:128.14.0 1.4.0 0-0:128.40.0"
    assert [None] * 7 == [objects[code].value for code in codes.split()]
    assert [2, None] == [objects["1.4.0"][n] for n in (5, 7)]
    assert [200, 100] == [objects[code].value for code in ("1.8.0", "0-0:128.30.0")]
    spell = [BEGUN + HOUR, None, 100]
    assert spell == list(values_of(objects["0-0:128.31.0"])[0][:3])
    assert objects["0-0:128.20.2"].value is not None


def values_of(each: CosemObject) -> list[tuple[object, ...]]:
    """The rows of a profile."""
    assert isinstance(each, ProfileGeneric)
    return list(each.rows())


def test_load_profiles_can_do_without_reactive_energy() -> None:
    """Its columns are an option; its registers are not."""
    config = msgspec.structs.replace(lived_config(), profile=ProfileConfig(reactive=False))
    objects = Life(Storage.in_memory(), config).meter.objects

    columns = ["0-0:1.0.0", "0-0:96.10.1", "1-0:1.29.0", "1-0:2.29.0"]
    assert columns == profile_columns(objects["1-0:99.1.0"])
    assert ["1-0:3.29.0", "1-0:4.29.0"] == profile_columns(OBJECTS["1-0:99.1.0"])[4:]
    assert ["0-0:128.34.0", "0-0:128.34.1"] == profile_columns(objects["1-0:99.1.2"])[3:]
    assert [0] * 4 == [objects[f"{c}.8.0"].value for c in range(5, 9)]


def profile_columns(each: CosemObject) -> list[str]:
    """Codes of what a profile captures."""
    assert isinstance(each, ProfileGeneric)
    return [str(column.obis) for column in each.columns]
