from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from elec_meter import Meter, Storage
from elec_meter.config import (
    MeterConfig,
    SwitchConfig,
    apply_change,
    check_config,
    config_from_toml,
    config_to_toml,
    decode_document,
    demo_config,
    encode_change,
    encode_document,
)
from elec_meter.errors import ConfigError
from elec_meter.flag import FlagPort

PAGE = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()
REFUSED = re.findall(r"^\| (`\[?.*`) \| `(.*: .*)` \|$", PAGE, re.MULTILINE)


def block(language: str) -> str:
    """The page's one fenced block of a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_example_is_a_meter() -> None:
    """It is read, shows every billing register, and a meter is made of it, readout and all."""
    config = config_from_toml(block("toml"))
    check_config(config)
    with Storage.in_memory() as storage:
        now = datetime(2026, 11, 1, tzinfo=UTC)
        meter = Meter(config, storage, now)
        FlagPort(config.flag, meter.objects, serial=config.serial, durable=meter.checkpoint)


def test_the_example_comes_back_from_text_and_bytes() -> None:
    """What is written there survives TOML and the compact coding."""
    config = config_from_toml(block("toml"))
    assert config == config_from_toml(config_to_toml(config))
    assert config == decode_document(encode_document(config))


def test_the_refusals_are_listed() -> None:
    """There is something to check below."""
    assert 6 == len(REFUSED)


@pytest.mark.parametrize(("written", "sentence"), REFUSED, ids=[each for _, each in REFUSED])
def test_refusals_are_as_shown(written: str, sentence: str) -> None:
    """Each document of the table is refused in the words beside it."""
    lines = re.findall(r"`([^`]*)`", written)
    with pytest.raises(ConfigError) as refusal:
        config_from_toml("\n".join(lines))
    assert f"configuration: {sentence}" == str(refusal.value)


def test_the_change_is_as_shown() -> None:
    """The worked example is what the code writes and reads, in the pieces of its table."""
    old = demo_config()
    calendar = old.tariff.import_
    switches = (calendar.switches[0], SwitchConfig(at="07:40", rate=1))
    new = replace(old, tariff=replace(old.tariff, import_=replace(calendar, switches=switches)))
    change = encode_change(old, new)
    assert block("change").split() == change.hex(" ").split()
    assert new == apply_change(old, change)
    pieces = re.findall(r"^\| `([0-9a-f ]+)` \|", PAGE.partition("### An example")[2], re.MULTILINE)
    assert change.hex(" ") == " ".join(pieces)


def test_the_sizes_are_as_shown() -> None:
    """Economy 7 on a meter that had one rate takes what the page says."""
    old = MeterConfig()
    new = replace(old, tariff=demo_config().tariff)
    local = replace(new.tariff.import_, time_base="local")
    size = len(encode_change(old, replace(old, tariff=replace(new.tariff, import_=local))))
    assert f"had one rate, {size}." in PAGE
