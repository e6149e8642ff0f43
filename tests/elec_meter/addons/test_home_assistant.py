from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest
from msgspec.structs import replace

from elec_meter.addons.home_assistant import (
    Entity,
    Identity,
    Topics,
    discovery,
    entities,
    state_text,
)
from elec_meter.config import CalendarConfig, GasUnitConfig, TariffConfig, demo_config
from elec_meter.objects import UnitFault, UnitReport
from tests.elec_meter.addons.reading_out import read_out
from tests.elec_meter.flag.lines import busy_meter
from tests.elec_meter.objects.fixed_meter import START, FixedMeter

TOPICS = Topics("halfhourly/00000001", "homeassistant", "halfhourly_00000001")
IDENTITY = Identity("00000001", "0.1.0")

# What Home Assistant 2026.11 takes, of what a meter might say: by device class the units and the
# state classes that it may have, and the keys of an announcement. A key that it does not know it
# drops without a word.
UNITS: dict[str, set[str | None]] = {
    "energy": {"Wh", "kWh", "MWh", "J", "kJ", "MJ", "GJ"},
    "gas": {"m³", "ft³", "CCF", "L", "MCF"},
    "power": {"mW", "W", "kW", "MW"},
    "voltage": {"V", "mV", "μV", "kV", "MV"},
    "current": {"A", "mA", "μA"},
    "frequency": {"mHz", "Hz", "kHz", "MHz", "GHz"},
    "power_factor": {None, "%"},
    "duration": {"d", "h", "min", "s", "ms", "μs"},
}
KEYS: set[str] = {
    "availability",
    "availability_mode",
    "default_entity_id",
    "device",
    "device_class",
    "entity_category",
    "expire_after",
    "name",
    "origin",
    "state_topic",
    "unique_id",
    "value_template",
}
SENSOR_KEYS: set[str] = {"state_class", "suggested_display_precision", "unit_of_measurement"}
DEVICE_KEYS: set[str] = {
    "identifiers",
    "manufacturer",
    "model",
    "name",
    "serial_number",
    "sw_version",
    "via_device",
}
STATE_CLASSES: dict[str, set[str | None]] = {
    "energy": {"total", "total_increasing"},
    "gas": {"total", "total_increasing"},
    "duration": {"measurement", "total", "total_increasing"},
}


def found(meter: FixedMeter | None = None) -> dict[Entity, object]:
    """The entities of a meter."""
    return dict(entities(read_out(meter or busy_meter())))


def values(meter: FixedMeter) -> dict[str, object]:
    """The state document, as a program that reads JSON has it."""
    return dict(json.loads(state_text(entities(read_out(meter))), parse_float=Decimal))


def test_the_values_are_the_registers() -> None:
    """Energy in kWh, gas in cubic metres, power in W, exactly."""
    meter = busy_meter()
    state = values(meter)
    assert Decimal("123.463") == state["import"]
    assert Decimal("123.456") == state["import_rate_1"]
    assert Decimal("0.007") == state["import_rate_2"]
    assert Decimal("0.012") == state["export"]
    assert Decimal("12.340") == state["gas"]
    assert 291 == state["power"]
    assert Decimal("239.87") == state["voltage"]
    assert 3_650 == state["gas_battery_left"]
    assert "OFF" == state["gas_battery_low"]


def test_what_is_not_known_is_null() -> None:
    """No mains, no unit heard: null, which makes an entity unavailable, and never 0."""
    meter = FixedMeter()
    meter.live = None
    state = values(meter)
    for key in ("power", "voltage", "current", "frequency", "gas", "gas_battery_left"):
        assert state[key] is None, key
    assert state["gas_battery_low"] is None
    assert 0 == state["import"]


def test_a_low_battery_is_on() -> None:
    """As a binary sensor of a battery has it."""
    meter = busy_meter()
    meter.reports["00000001"] = UnitReport(START, 30, UnitFault.LOW_BATTERY | UnitFault.TAMPER)
    assert "ON" == values(meter)["gas_battery_low"]


@pytest.mark.parametrize("entity", found(), ids=lambda entity: entity.key)
def test_entities_keep_home_assistants_rules(entity: Entity) -> None:
    """Device class, unit and state class go together, and the templates name a value there is."""
    config = discovery(TOPICS, IDENTITY, entity, 10)
    if entity.component == "binary_sensor":
        assert "battery" == config["device_class"]
        assert config.keys() <= KEYS
    else:
        assert config.keys() <= KEYS | SENSOR_KEYS
        device_class = config["device_class"]
        assert config.get("unit_of_measurement") in UNITS[device_class]
        assert config["state_class"] in STATE_CLASSES.get(device_class, {"measurement"})
    assert f"{{{{ value_json.{entity.key} }}}}" == config["value_template"]
    assert re.fullmatch(r"[a-z][a-z0-9_]*", entity.key)
    assert "halfhourly/00000001/state" == config["state_topic"]
    assert "all" == config["availability_mode"]
    assert {"topic": "halfhourly/00000001/status"} in config["availability"]
    (known,) = (each for each in config["availability"] if "value_template" in each)
    assert f"value_json.{entity.key} is not none" in known["value_template"]
    assert config["expire_after"] >= 60
    assert config["device"]["identifiers"]
    assert config["device"].keys() <= DEVICE_KEYS
    assert config["origin"]["name"]


def test_volts_and_hertz_have_decimals() -> None:
    """On a dashboard, where a mains that wanders would else be 50 Hz all day."""
    configs = {entity.key: discovery(TOPICS, IDENTITY, entity, 10) for entity in found()}
    shown = {key: config.get("suggested_display_precision") for key, config in configs.items()}
    assert {"voltage": 1, "frequency": 2} == {key: n for key, n in shown.items() if n is not None}


def test_unique_ids_are_unique() -> None:
    """Of a meter with three rates and two gas units, and topics are too."""
    meter = FixedMeter(
        config=replace(
            demo_config(),
            tariff=TariffConfig(import_=CalendarConfig(rates=3), export=CalendarConfig(rates=2)),
            gas_units=(
                GasUnitConfig(serial="00000001"),
                GasUnitConfig(serial="00000002", channel="gas_2", number=2),
            ),
        )
    )
    listed = list(found(meter))
    ids = [discovery(TOPICS, IDENTITY, entity, 10)["unique_id"] for entity in listed]
    assert len(set(ids)) == len(ids)
    assert len({TOPICS.config(entity) for entity in listed}) == len(ids)
    keys = {entity.key for entity in listed}
    assert {"import_rate_3", "export_rate_2", "gas", "gas_2", "gas_2_battery_left"} <= keys


def test_gas_is_a_device_behind_the_meter() -> None:
    """Index and battery belong to it, and it names the meter that it is reached through."""
    devices = {entity.key: discovery(TOPICS, IDENTITY, entity, 10)["device"] for entity in found()}
    assert devices["gas"] == devices["gas_battery_left"] == devices["gas_battery_low"]
    assert "halfhourly_00000001" == devices["gas"]["via_device"]
    assert ["halfhourly_00000001"] == devices["import"]["identifiers"]
    assert IDENTITY == Identity.of(read_out(busy_meter()))
    assert "0.1.0" == devices["import"]["sw_version"]
