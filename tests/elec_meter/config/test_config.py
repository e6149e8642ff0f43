from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from elec_meter.config import (
    CalendarConfig,
    DisplayScreen,
    MeterConfig,
    SwitchConfig,
    config_from_json,
    config_from_toml,
    config_json_schema,
    config_to_json,
    demo_config,
)
from elec_meter.errors import ConfigError
from elec_meter.storage import read_config
from shared.units import PULSE_1_FT3

DOCUMENT = """
serial = "12345678"
checkpoint_s = 5

[profile]
depth_days = 400

[tariff.import]
time_base = "local"
rates = 2
switches = [{at = "00:30", rate = 2}, {at = "07:30", rate = 1}]

[[gas_units]]
serial = "00000007"
pulse_weight = "1 ft3"

[[display.scroll]]
object = "1-0:1.8.0"
mnemonic = "IMPORT"
format = "000000.0"
unit = "kWh"

[flag]
readout = ["1-0:1.8.0"]
"""

REFUSALS = {
    "m.toml: there is no key 'cereal'": 'cereal = "1"',
    "m.toml: profile: there is no key 'depth'": "[profile]\ndepth = 5",
    "m.toml: serial: expected a text, got a whole number": "serial = 5",
    "m.toml: profile.depth_days: expected a whole number of at least 1": (
        "[profile]\ndepth_days = 0"
    ),
    "m.toml: tariff.import.time_base: 'solar' is none of 'utc', 'local'": (
        '[tariff.import]\ntime_base = "solar"'
    ),
    "m.toml: tariff.import.switches[0].at: this must be a time from 00:00 to 23:59": (
        '[tariff.import]\nswitches = [{at = "24:00", rate = 1}]'
    ),
    "m.toml: tariff.export: the switch time 01:00 occurs twice": (
        '[tariff.export]\nswitches = [{at = "01:00", rate = 1}, {at = "01:00", rate = 1}]'
    ),
    "m.toml: tariff.export: the switch at 01:00 asks for rate 2, and there are 1": (
        '[tariff.export]\nswitches = [{at = "01:00", rate = 2}]'
    ),
    "m.toml: tariff: gas has at most 4 rates, not 5": "[tariff.gas]\nrates = 5",
    "m.toml: gas_units[0].serial: this must be eight digits": '[[gas_units]]\nserial = "7"',
    "m.toml: gas_units[0]: there must be a key 'serial'": "[[gas_units]]",
    "m.toml: gas_units[0]: a pulse weight is above zero, not 0 litres": (
        '[[gas_units]]\nserial = "00000007"\npulse_weight = "0 l"'
    ),
    "m.toml: gas_units[0]: a pulse channel cannot be named 'import'": (
        '[[gas_units]]\nserial = "00000007"\nchannel = "import"'
    ),
    "m.toml: the unit serial 00000007 occurs twice": (
        '[[gas_units]]\nserial = "00000007"\n[[gas_units]]\nserial = "00000007"\nnumber = 2'
    ),
    "m.toml: display.scroll[0]: '1-0' is not an OBIS code such as '1-0:1.8.0'": (
        '[[display.scroll]]\nobject = "1-0"'
    ),
    "m.toml: display.scroll[0]: '0,0' is no display format such as '#####0.0', 'time' or 'text'": (
        '[[display.scroll]]\nobject = "1-0:1.8.0"\nformat = "0,0"'
    ),
    "m.toml: display.scroll[0]: the format '00000000.0' asks for more than 8 digits": (
        '[[display.scroll]]\nobject = "1-0:1.8.0"\nformat = "00000000.0"'
    ),
    "m.toml: flag: the readout entry 1-0:1.8.0 occurs twice": (
        '[flag]\nreadout = ["1-0:1.8.0", "1-0:1.8.0"]'
    ),
    "m.toml: flag.identification: this must be up to 14 characters": (
        '[flag]\nidentification = "A/B"'
    ),
    "m.toml: serial: this must be eight digits": 'serial = "00000001\\n"',
    "m.toml is not TOML: ": "serial =",
}


def test_document_becomes_a_meter() -> None:
    """Every table of the document is read, and what it leaves out has its default."""
    config = config_from_toml(DOCUMENT)
    assert "12345678" == config.serial
    assert 400 == config.profile.depth_days
    assert (30, 2) == (config.tariff.import_.switches[0].minute, 2)
    assert PULSE_1_FT3 == config.gas_units[0].weight
    assert "gas" == config.gas_units[0].channel
    assert "000000.0" == config.display.scroll[0].format
    assert "HHY" == config.flag.manufacturer
    assert 10**9 == config.modulus_wh


def test_empty_document_is_a_meter() -> None:
    """All of the document is optional."""
    assert MeterConfig() == config_from_toml("")


@pytest.mark.parametrize(("sentence", "document"), REFUSALS.items(), ids=list(REFUSALS))
def test_refusal_is_one_sentence_with_the_path(sentence: str, document: str) -> None:
    """What the meter could not do is refused, naming where and why in one line."""
    with pytest.raises(ConfigError) as refusal:
        config_from_toml(document, "m.toml")
    assert str(refusal.value).startswith(sentence)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("config", [MeterConfig(), demo_config()], ids=["default", "demo"])
def test_json_reads_back_as_an_equal_value(config: MeterConfig) -> None:
    """What the database keeps is the whole configuration."""
    assert config == config_from_json(config_to_json(config))


@pytest.mark.parametrize("document", [b"", b"[]", b"\xff", b'{"serial": "\xff"}', b'{"x": 1}'])
def test_foreign_json_is_refused(document: bytes) -> None:
    """Whatever is not a configuration is a ConfigError."""
    with pytest.raises(ConfigError):
        config_from_json(document)


def test_configuration_cannot_be_changed() -> None:
    """A configuration is a value."""
    with pytest.raises(AttributeError):
        demo_config().serial = "00000002"  # type: ignore[misc]  # what the test is about


def test_copies_with_changes_are_checked_too() -> None:
    """A configuration built in Python obeys the same rules."""
    with pytest.raises(ValueError, match="asks for rate 3"):
        CalendarConfig(rates=2, switches=(SwitchConfig(at="01:00", rate=3),))
    with pytest.raises(ValueError, match="no display format"):
        msgspec.structs.replace(DisplayScreen(object="1-0:1.8.0"), format="0" * 40 + "x")


def test_demo_meter_is_what_its_commands_promise() -> None:
    """The demo's serials, tariffs and depth are published."""
    config = demo_config()
    assert ("00000001", "00000001") == (config.serial, config.gas_units[0].serial)
    assert (10, 731) == (config.checkpoint_s, config.profile.depth_days)
    assert [("00:30", 2), ("07:30", 1)] == [
        (switch.at, switch.rate) for switch in config.tariff.import_.switches
    ]
    assert (1, 1) == (config.tariff.export.rates, config.tariff.gas.rates)


def test_schema_describes_the_document() -> None:
    """The JSON schema has every table of the document."""
    properties = config_json_schema()["$defs"]["MeterConfig"]["properties"]
    assert {"serial", "profile", "tariff", "gas_units", "display", "flag"} <= properties.keys()


def test_file_is_read(tmp_path: Path) -> None:
    """A TOML file is a configuration."""
    path = tmp_path / "meter.toml"
    path.write_text(DOCUMENT)
    assert config_from_toml(DOCUMENT) == read_config(path)


def test_unreadable_file_is_refused_by_name(tmp_path: Path) -> None:
    """A missing, binary or faulty file is one sentence that begins with its name."""
    path = tmp_path / "meter.toml"
    for content in (None, b"\xff\xfe", b"serial = 5"):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ConfigError) as refusal:
            read_config(path)
        assert str(refusal.value).startswith(str(path))


def test_a_key_of_a_thousand_parts_is_refused_at_once() -> None:
    """Reading it would take the square of its length."""
    with pytest.raises(ConfigError, match="is nested too deeply"):
        config_from_toml(".".join(["a"] * 200_000) + " = 1", "m.toml")
