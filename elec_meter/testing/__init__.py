"""For tests of half-hour boundaries: a meter on a settlement date, in time that stands still.

This module is the pytest plug-in. Loading it loads no meter: that waits for the first name or
fixture that a test asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import shared.lazy

if TYPE_CHECKING:
    from .day import SettlementDay
    from .errors import FreezegunMissingError, SettlementDayError
    from .frozen import FrozenTime, freeze_at_period
    from .plugin import MakeSettlementDay

__all__ = [
    "FreezegunMissingError",
    "FrozenTime",
    "MakeSettlementDay",
    "SettlementDay",
    "SettlementDayError",
    "freeze_at_period",
]

pytest_plugins: Final = ("elec_meter.testing.plugin",)

# There is no `__dir__`: pytest asks a plug-in for every name that it lists.
__getattr__, _ = shared.lazy.loader(
    __name__,
    {
        "day": "SettlementDay",
        "errors": "FreezegunMissingError SettlementDayError",
        "frozen": "FrozenTime freeze_at_period",
        "plugin": "MakeSettlementDay",
    },
)
