"""Where protocol cores meet the machine's ports."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elec_meter.ports.address import AddressError, parse_address
    from elec_meter.ports.tcp import Session, TcpLimits, TcpServer

__all__ = ["AddressError", "Session", "TcpLimits", "TcpServer", "parse_address"]

_HOMES = {
    "AddressError": "address",
    "Session": "tcp",
    "TcpLimits": "tcp",
    "TcpServer": "tcp",
    "parse_address": "address",
}


def __getattr__(name: str) -> object:
    # asyncio is loaded only by those who serve, not by everyone who names an address.
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
