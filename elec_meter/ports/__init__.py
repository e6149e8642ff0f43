"""Where protocol cores meet the machine's ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shared.lazy

if TYPE_CHECKING:
    from elec_meter.ports.address import AddressError, format_address, parse_address
    from elec_meter.ports.tcp import Session, TcpLimits, TcpServer

__all__ = ["AddressError", "Session", "TcpLimits", "TcpServer", "format_address", "parse_address"]

__getattr__, __dir__ = shared.lazy.loader(
    __name__,
    {
        "address": "AddressError format_address parse_address",
        "tcp": "Session TcpLimits TcpServer",
    },
)
