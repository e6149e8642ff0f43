"""The configuration document: schema, validation, text forms."""

from .base import TimeBase
from .billing import (
    automatic_screens,
    billing_registers,
    check_config,
    hidden_billing_registers,
)
from .codec import (
    config_from_json,
    config_from_toml,
    config_json_schema,
    config_to_json,
    config_to_toml,
)
from .compact import apply_change, decode_document, encode_change, encode_document
from .dates import DatePattern
from .diff import Difference, differences
from .errors import (
    ChangeBaseError,
    ChangeCorruptError,
    ChangeError,
    ChangeInvalidError,
    ChangeTruncatedError,
)
from .presets import ECONOMY_7_LOCAL, ECONOMY_7_UTC, SINGLE_RATE, demo_config
from .schema import (
    BillingConfig,
    ClockConfig,
    DataChannelConfig,
    DemandConfig,
    DemandWindow,
    DisplayConfig,
    DisplayScreen,
    FlagConfig,
    GasUnitConfig,
    MeterConfig,
    ProfileConfig,
)
from .tariff import (
    BlocksConfig,
    CalendarConfig,
    DayConfig,
    PassiveTariff,
    PricesConfig,
    SeasonConfig,
    SpecialDayConfig,
    SwitchConfig,
    TariffConfig,
    WeekConfig,
    millipence,
)

__all__ = [
    "ECONOMY_7_LOCAL",
    "ECONOMY_7_UTC",
    "SINGLE_RATE",
    "BillingConfig",
    "BlocksConfig",
    "CalendarConfig",
    "ChangeBaseError",
    "ChangeCorruptError",
    "ChangeError",
    "ChangeInvalidError",
    "ChangeTruncatedError",
    "ClockConfig",
    "DataChannelConfig",
    "DatePattern",
    "DayConfig",
    "DemandConfig",
    "DemandWindow",
    "Difference",
    "DisplayConfig",
    "DisplayScreen",
    "FlagConfig",
    "GasUnitConfig",
    "MeterConfig",
    "PassiveTariff",
    "PricesConfig",
    "ProfileConfig",
    "SeasonConfig",
    "SpecialDayConfig",
    "SwitchConfig",
    "TariffConfig",
    "TimeBase",
    "WeekConfig",
    "apply_change",
    "automatic_screens",
    "billing_registers",
    "check_config",
    "config_from_json",
    "config_from_toml",
    "config_json_schema",
    "config_to_json",
    "config_to_toml",
    "decode_document",
    "demo_config",
    "differences",
    "encode_change",
    "encode_document",
    "hidden_billing_registers",
    "millipence",
]
