"""Which modules there are, and who looks for them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from elec_meter.addon_lines import AddonLines
from elec_meter.config import AddonConfig, AddonSetting, MeterConfig, demo_config
from elec_meter.errors import ConfigError
from tests.elec_meter.flag.programmer import Desktop


def with_module(name: str) -> MeterConfig:
    """The demo's document with a module; p1 has somewhere to listen."""
    settings = (AddonSetting(name="listen", value="127.0.0.1:0"),) if name == "p1" else ()
    addon = AddonConfig(name="mine", module=name, settings=settings)
    return replace(demo_config(), addons=(addon,))


def running(config: MeterConfig) -> Desktop:
    """A meter whose slot is there."""
    desktop = Desktop(config=config)
    AddonLines(desktop.meter, desktop.desk, lambda: desktop.now, desktop.durable)
    return desktop


def test_a_module_that_is_not_there_is_not_put_in() -> None:
    """A running meter looks for it: it would fail at every start."""
    desktop = running(demo_config())
    with pytest.raises(
        ConfigError, match=r"^addons\[0\]\.module: there is no add-on module 'nosuch'"
    ):
        desktop.meter.apply_config(with_module("nosuch"), desktop.now)
    assert demo_config() == desktop.meter.config
    desktop.meter.apply_config(with_module("p1"), desktop.now)
    assert with_module("p1") == desktop.meter.config


def test_a_module_that_has_gone_stands_in_nobodys_way() -> None:
    """Its package may be missing for a while; another part is written all the same."""
    desktop = running(with_module("nosuch"))
    desktop.meter.apply_config(replace(with_module("nosuch"), checkpoint_s=30), desktop.now)
    assert 30 == desktop.meter.config.checkpoint_s
