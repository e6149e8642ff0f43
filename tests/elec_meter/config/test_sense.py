"""What a document may say, and is refused when somebody writes it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from elec_meter import Meter, Storage, at_rest
from elec_meter.config import (
    ContactorConfig,
    DataChannelConfig,
    EmergencyConfig,
    LimiterConfig,
    MeterConfig,
    PassiveTariff,
    RelayConfig,
    TariffConfig,
    TerminalConfig,
    demo_config,
)
from elec_meter.errors import ConfigError

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
DEMO = demo_config()
NINE = RelayConfig(control="rate", rates=(1, 9))
EMERGENCY = EmergencyConfig(threshold=1, activate=NOW, duration_min=1)


def renamed(**changes: str) -> MeterConfig:
    """The demo with another second screen."""
    first, second, *others = DEMO.display.scroll
    screens = (first, replace(second, **changes), *others)
    return replace(DEMO, display=replace(DEMO.display, scroll=screens))


SENSELESS = {
    "display.scroll[1]: 1-0:1.8.0 and 1-0:1.8.1 would both be called IMPORT": renamed(
        mnemonic="IMPORT "
    ),
    "display.scroll[1].unit: nobody is billed in MWh": renamed(unit="MWh"),
    "terminals[0].relay: the tariff of import has no rate 9, so it would never be on": replace(
        DEMO, terminals=(TerminalConfig(number=1, relay=NINE),)
    ),
    "switched_load: the tariff of export has no rate 9, so it would never be on": replace(
        DEMO, switched_load=replace(NINE, channel="export")
    ),
    "data_channels[0]: mine would record itself": replace(
        DEMO, data_channels=(DataChannelConfig(name="mine", number=2, object="0-2:128.1.0"),)
    ),
    "limiter.over: there is no contactor to open: contactor.mode is 0": replace(
        DEMO, limiter=LimiterConfig(threshold=9), contactor=ContactorConfig(mode=0)
    ),
    "limiter.over: there is no contactor to trip: contactor.mode is 0": replace(
        DEMO,
        limiter=LimiterConfig(over="trip", emergency=EMERGENCY),
        contactor=ContactorConfig(mode=0),
    ),
    "limiter.over_s: one measurement is no time: it is 1 s at least": replace(
        DEMO, limiter=LimiterConfig(threshold=9, over_s=0)
    ),
    "limiter.under_s: one measurement is no time: it is 1 s at least": replace(
        DEMO, limiter=LimiterConfig(threshold=9, under_s=0, over="log")
    ),
    "limiter.object: 1-0:1.8.0 is a total, which no house keeps within": replace(
        DEMO, limiter=LimiterConfig(threshold=9, object="1-0:1.8.0")
    ),
}


@pytest.mark.parametrize(("sentence", "config"), SENSELESS.items())
def test_what_makes_no_sense_is_refused_when_it_is_written(
    sentence: str, config: MeterConfig
) -> None:
    """On a meter that runs, on one that rests, and where a document is checked."""
    storage = Storage.in_memory()
    meter = Meter(DEMO, storage, NOW)
    meter.checkpoint()
    for write in (
        lambda: meter.apply_config(config, NOW),
        lambda: at_rest.apply_config(storage, config),
        lambda: at_rest.check_whole(config, NOW),
    ):
        with pytest.raises(ConfigError) as refusal:
            write()
        assert sentence == str(refusal.value)
    assert DEMO == meter.config


@pytest.mark.parametrize("config", SENSELESS.values())
def test_what_a_meter_has_stands_in_nobodys_way(config: MeterConfig, tmp_path: Path) -> None:
    """It starts with it, and another part may be written."""
    at_rest.check(config, NOW)
    with Storage.open(tmp_path) as storage:
        meter = Meter(config, storage, NOW)
        meter.apply_config(replace(config, checkpoint_s=30), NOW)
    with Storage.open(tmp_path) as storage:
        assert 30 == Meter(replace(config, checkpoint_s=30), storage, NOW).config.checkpoint_s


def test_rates_of_either_tariff_are_rates() -> None:
    """A relay may wait for the tariff that comes, and outlive the one that goes."""
    one = TariffConfig()
    relay = TerminalConfig(number=1, relay=RelayConfig(control="rate", rates=(2,)))
    coming = replace(
        MeterConfig(),
        terminals=(relay,),
        passive=PassiveTariff(activate=NOW.replace(year=2027), tariff=DEMO.tariff),
    )
    at_rest.check_whole(coming, NOW)
    meter = Meter(coming, Storage.in_memory(), NOW)
    meter.apply_config(replace(coming, passive=None), NOW)
    assert one == meter.config.tariff
