"""The configuration document: schema, validation, text forms."""

from .codec import config_from_json, config_from_toml, config_json_schema, config_to_json
from .presets import ECONOMY_7_LOCAL, ECONOMY_7_UTC, SINGLE_RATE, demo_config
from .schema import (
    CalendarConfig,
    DisplayConfig,
    DisplayScreen,
    FlagConfig,
    GasUnitConfig,
    MeterConfig,
    ProfileConfig,
    SwitchConfig,
    TariffConfig,
)

__all__ = [
    "ECONOMY_7_LOCAL",
    "ECONOMY_7_UTC",
    "SINGLE_RATE",
    "CalendarConfig",
    "DisplayConfig",
    "DisplayScreen",
    "FlagConfig",
    "GasUnitConfig",
    "MeterConfig",
    "ProfileConfig",
    "SwitchConfig",
    "TariffConfig",
    "config_from_json",
    "config_from_toml",
    "config_json_schema",
    "config_to_json",
    "demo_config",
]
