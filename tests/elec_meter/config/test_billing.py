from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from elec_meter import Meter, Storage
from elec_meter.config import (
    ECONOMY_7_UTC,
    CalendarConfig,
    DemandConfig,
    DemandWindow,
    DisplayConfig,
    DisplayScreen,
    FlagConfig,
    GasUnitConfig,
    MeterConfig,
    PassiveTariff,
    TariffConfig,
    automatic_screens,
    billing_registers,
    check_config,
    demo_config,
    flag_in_force,
    hidden_billing_registers,
)
from elec_meter.display import Display
from elec_meter.errors import ConfigError
from elec_meter.flag.readout import Readout

NOW = datetime(2026, 4, 1, tzinfo=UTC)
TWO_UNITS = (
    GasUnitConfig(serial="00000001"),
    GasUnitConfig(serial="00000002", channel="oil", number=4, pulse_weight="1 ft3"),
)


def meter_of(import_rates: int = 1, export_rates: int = 1, gas_rates: int = 1) -> MeterConfig:
    """A meter with two gas units and so many rates."""
    tariff = TariffConfig(
        import_=CalendarConfig(rates=import_rates),
        export=CalendarConfig(rates=export_rates),
        gas=CalendarConfig(rates=gas_rates),
    )
    return MeterConfig(tariff=tariff, gas_units=TWO_UNITS)


def showing(config: MeterConfig, *screens: DisplayScreen) -> MeterConfig:
    """The same meter with these screens."""
    return replace(config, display=DisplayConfig(scroll=screens))


def test_totals_are_billing_registers() -> None:
    """With one rate the total is the bill."""
    assert ("1-0:1.8.0", "1-0:2.8.0", "0-1:24.2.1", "0-4:24.2.1") == billing_registers(meter_of())


def test_rates_are_billing_registers_where_there_are_several() -> None:
    """Each of them, beside the total; gas counts its rates from instance 2."""
    assert (
        "1-0:1.8.0 1-0:1.8.1 1-0:1.8.2 1-0:2.8.0 1-0:2.8.1 1-0:2.8.2 1-0:2.8.3 "
        "0-1:24.2.1 0-1:24.2.2 0-1:24.2.3 0-4:24.2.1 0-4:24.2.2 0-4:24.2.3"
    ) == " ".join(billing_registers(meter_of(2, 3, 2)))


def test_an_empty_list_hides_nothing() -> None:
    """Then the display chooses, and shows them all."""
    check_config(meter_of(48, 48, 4))
    assert [] == hidden_billing_registers(meter_of(48, 48, 4))


def test_a_list_that_hides_a_billing_register_is_refused() -> None:
    """The sentence names the first one."""
    demo = demo_config()
    without_night = [each for each in demo.display.scroll if each.object != "1-0:1.8.2"]
    with pytest.raises(ConfigError) as refusal:
        check_config(showing(demo, *without_night))
    assert "display.scroll: the billing register 1-0:1.8.2 is on no screen" == str(refusal.value)


def test_only_a_registers_value_shows_it() -> None:
    """A screen of its unit does not, a reduced code does."""
    demo = demo_config()
    others = [each for each in demo.display.scroll if each.object != "1-0:2.8.0"]
    unit = DisplayScreen(object="1-0:2.8.0", attribute=3, format="text")
    assert ["1-0:2.8.0"] == hidden_billing_registers(showing(demo, *others, unit))
    check_config(showing(demo, *others, DisplayScreen(object="2.8.0")))


def test_the_next_tariffs_registers_count_too() -> None:
    """A list that would hide a register on the day of the change is refused before it."""
    one_rate = showing(MeterConfig(), *automatic_screens(MeterConfig()))
    check_config(one_rate)
    passive = PassiveTariff(activate=NOW, tariff=TariffConfig(import_=ECONOMY_7_UTC))
    assert ["1-0:1.8.1", "1-0:1.8.2"] == hidden_billing_registers(
        replace(one_rate, passive=passive)
    )


@given(
    st.integers(1, 48),
    st.integers(1, 48),
    st.integers(1, 4),
    st.integers(10**6, 10**11),
    st.integers(10**3, 10**11),
)
def test_automatic_screens_show_what_a_bill_is_made_of(
    import_rates: int, export_rates: int, gas_rates: int, modulus_wh: int, modulus_l: int
) -> None:
    """Whatever the rates and moduli are, the list hides nothing and is a list one could write."""
    config = replace(
        meter_of(import_rates, export_rates, gas_rates),
        modulus_wh=modulus_wh,
        gas_units=tuple(replace(unit, modulus_l=modulus_l) for unit in TWO_UNITS),
    )
    assert [] == hidden_billing_registers(showing(config, *automatic_screens(config)))


@pytest.mark.parametrize("modulus", [10**6, 10**6 + 1, 10**8, 10**9, 10**10, 10**11])
def test_a_display_can_show_the_automatic_screens(modulus: int) -> None:
    """Their digits suffice for every register of a real meter, at any modulus."""
    units = tuple(replace(unit, modulus_l=modulus) for unit in TWO_UNITS)
    config = replace(meter_of(3, 2, 4), modulus_wh=modulus, gas_units=units)
    with Storage.in_memory() as storage:
        meter = Meter(config, storage, NOW)
        Display(config.display, meter.objects, automatic_screens(config))


def test_mnemonics_tell_screens_apart() -> None:
    """One unit is GAS; of several, each has its channel's number."""
    several = [each.mnemonic for each in automatic_screens(meter_of(2, 1, 2))]
    assert (
        "IMPORT,IMP R1,IMP R2,EXPORT,GAS1,GAS1 R1,GAS1 R2,GAS4,GAS4 R1,GAS4 R2,TIME,DATE"
    ) == ",".join(several)
    alone = replace(meter_of(), gas_units=TWO_UNITS[:1])
    assert "IMPORT,EXPORT,GAS,TIME,DATE" == ",".join(
        each.mnemonic for each in automatic_screens(alone)
    )


def test_the_list_of_the_button_is_what_counts() -> None:
    """A register that only scrolls past is out of a person's reach, and all that are are named."""
    demo = demo_config()
    screens = demo.display.scroll
    display = DisplayConfig(scroll=screens, button=(screens[0], *screens[3:]))
    with pytest.raises(ConfigError) as refusal:
        check_config(replace(demo, display=display))
    assert (
        "display.button: the billing register 1-0:1.8.1 is on no screen, nor are 1-0:1.8.2"
        == str(refusal.value)
    )
    check_config(replace(demo, display=DisplayConfig(scroll=screens[:1], button=screens)))


def test_demand_that_is_billed_is_a_billing_register() -> None:
    """That of any time, or of each window where there are some; the automatic screens show it."""
    windows = (
        DemandWindow(start="07:00", end="09:00"),
        DemandWindow(start="16:00", end="19:00"),
    )
    bare = replace(MeterConfig(), demand=DemandConfig(billed=True))
    several = replace(MeterConfig(), demand=DemandConfig(billed=True, windows=windows))
    assert ("1-0:1.6.0",) == billing_registers(bare)[2:]
    assert ("1-0:1.6.129", "1-0:1.6.130") == billing_registers(several)[2:]
    for config in (bare, several):
        screens = automatic_screens(config)
        assert [] == hidden_billing_registers(showing(config, *screens))
        Display(config.display, Meter(config, Storage.in_memory(), NOW).objects, screens)


def test_a_readout_without_a_list_has_what_a_bill_is_made_of() -> None:
    """Behind state, number, time and date; demand is not for everybody, even where it is billed."""
    config = replace(meter_of(2), demand=DemandConfig(billed=True))
    energy = "1-0:1.8.0 1-0:1.8.1 1-0:1.8.2 1-0:2.8.0 0-1:24.2.1 0-4:24.2.1"
    codes = flag_in_force(config).readout
    assert f"F.F 0.0.0 0.9.1 0.9.2 {energy}" == " ".join(codes)
    meter = Meter(config, Storage.in_memory(), NOW)
    block = Readout(meter.objects, codes, meter.checkpoint).block()
    assert len(codes) == block.count(b"\r\n") - 1
    own = replace(config, flag=FlagConfig(readout=("1-0:1.8.0",)))
    assert own.flag == flag_in_force(own)
