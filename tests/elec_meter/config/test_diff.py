from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from msgspec.structs import replace

from elec_meter.config import (
    CalendarConfig,
    DayConfig,
    Difference,
    DisplayConfig,
    DisplayScreen,
    GasUnitConfig,
    MeterConfig,
    PassiveTariff,
    SpecialDayConfig,
    SwitchConfig,
    TariffConfig,
    WeekConfig,
    demo_config,
    differences,
)
from tests.elec_meter.config.strategies import meter_configs
from tests.elec_meter.config.tariff_strategies import EXAMPLES


def sentences(old: MeterConfig, new: MeterConfig) -> list[str]:
    """The differences as people read them."""
    return [str(each) for each in differences(old, new)]


def weekly(*day_names: str, special: str = "2026-12-25", weekend_rate: int = 2) -> MeterConfig:
    """A meter with day profiles of these names, the last of them a special day's too."""
    rates = {"weekend": weekend_rate}
    days = tuple(
        DayConfig(name=name, switches=(SwitchConfig(at="00:00", rate=rates.get(name, 1)),))
        for name in day_names
    )
    calendar = CalendarConfig(
        rates=3,
        days=days,
        weeks=(WeekConfig(name="all", days=(day_names[0],) * 7),),
        special_days=(SpecialDayConfig(date=special, day=day_names[-1]),),
    )
    return MeterConfig(tariff=TariffConfig(import_=calendar))


def test_equal_documents_do_not_differ() -> None:
    """Nothing to say is an empty list."""
    assert [] == differences(demo_config(), demo_config())


def test_a_changed_value_has_its_path_and_both_values() -> None:
    """Plain data for records, a sentence for people."""
    old = demo_config()
    calendar = old.tariff.import_
    switches = (calendar.switches[0], SwitchConfig(at="07:40", rate=1))
    new = replace(old, tariff=replace(old.tariff, import_=replace(calendar, switches=switches)))
    assert [Difference("tariff.import.switches[1].at", "changed", "07:30", "07:40")] == differences(
        old, new
    )
    assert ['tariff.import.switches[1].at: "07:30" -> "07:40"'] == sentences(old, new)


def test_differences_stand_in_the_order_of_the_document() -> None:
    """As somebody who reads both from the top meets them."""
    new = replace(demo_config(), serial="00000002", checkpoint_s=5, display=DisplayConfig())
    found = [each.path for each in differences(demo_config(), new)]
    assert ["serial", "checkpoint_s", "display.scroll[0]"] == found[:3]


def test_an_element_between_others_is_one_addition() -> None:
    """What stands behind it did not change because its place did."""
    old = demo_config()
    screens = old.display.scroll
    new = replace(old, display=DisplayConfig(scroll=(*screens[:2], *screens[3:])))
    assert ["display.scroll[2]: removed"] == sentences(old, new)
    one = DisplayScreen(object="2.8.0", mnemonic="OUT", unit="kWh")
    with_one = (*screens[:2], one, *screens[2:])
    assert [
        'display.scroll[2]: added {"object": "2.8.0", "mnemonic": "OUT", "unit": "kWh"}'
    ] == sentences(old, replace(old, display=DisplayConfig(scroll=with_one)))


def test_elements_with_a_name_are_told_apart_by_it() -> None:
    """A day profile in another place is compared with itself; a unit is known by its serial."""
    assert ["tariff.import.days[weekend].switches[0].rate: 2 -> 3"] == [
        each
        for each in sentences(
            weekly("work", "weekend"), weekly("work", "holiday", "weekend", weekend_rate=3)
        )
        if "holiday" not in each
    ]
    unit = GasUnitConfig(serial="00000001")
    other = GasUnitConfig(serial="00000002")
    changed = replace(unit, max_flow_l_h=2_500)
    old, new = MeterConfig(gas_units=(unit,)), MeterConfig(gas_units=(changed,))
    assert ["gas_units[00000001].max_flow_l_h: 6000 -> 2500"] == sentences(old, new)
    assert [
        "gas_units[00000001]: removed",
        'gas_units[00000002]: added {"serial": "00000002"}',
    ] == sentences(old, MeterConfig(gas_units=(other,)))


def test_another_key_is_another_element() -> None:
    """A special day of another date is not the same one changed."""
    assert [
        "tariff.import.special_days[2026-12-25]: removed",
        'tariff.import.special_days[2026-12-26]: added {"date": "2026-12-26", "day": "work"}',
    ] == sentences(weekly("work"), weekly("work", special="2026-12-26"))


def test_a_table_that_comes_or_goes_is_one_difference() -> None:
    """A tariff to come, and none any more."""
    passive = PassiveTariff(
        activate=datetime(2026, 4, 1, tzinfo=UTC), tariff=TariffConfig(offset_limit_s=60)
    )
    new = MeterConfig(passive=passive)
    assert [
        'passive: added {"activate": "2026-04-01T00:00:00Z", "tariff": {"offset_limit_s": 60}}'
    ] == sentences(MeterConfig(), new)
    assert ["passive: removed"] == sentences(new, MeterConfig())
    later = replace(passive, activate=datetime(2026, 5, 1, tzinfo=UTC))
    assert ['passive.activate: "2026-04-01T00:00:00Z" -> "2026-05-01T00:00:00Z"'] == sentences(
        new, MeterConfig(passive=later)
    )


@settings(max_examples=EXAMPLES)
@given(meter_configs(), meter_configs())
def test_documents_differ_where_they_are_not_equal(old: MeterConfig, new: MeterConfig) -> None:
    """There is a difference exactly if there is one, and each can be said in one line."""
    found = differences(old, new)
    assert (old == new) == (not found)
    assert len(found) == len({(each.path, each.kind) for each in found})
    assert [] == [each for each in map(str, found) if "\n" in each]
