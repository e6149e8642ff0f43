"""What the meter switches and hears through its terminals, as something physical."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shared.lazy

if TYPE_CHECKING:
    from .base import BUTTON, CONTACTOR, ContactEdge, TerminalBlock
    from .driving import TerminalDriver
    from .gpio import GpioBlock
    from .virtual import VirtualBlock

__all__ = [
    "BUTTON",
    "CONTACTOR",
    "ContactEdge",
    "GpioBlock",
    "TerminalBlock",
    "TerminalDriver",
    "VirtualBlock",
]

__getattr__, __dir__ = shared.lazy.loader(
    __name__,
    {
        "base": "BUTTON CONTACTOR ContactEdge TerminalBlock",
        "driving": "TerminalDriver",
        "gpio": "GpioBlock",
        "virtual": "VirtualBlock",
    },
)
