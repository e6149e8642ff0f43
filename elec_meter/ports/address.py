"""`HOST:PORT`, as people write where something listens."""

from __future__ import annotations

import re
from typing import Final

from elec_meter.errors import MeterError

_ADDRESS: Final = re.compile(r"(\[[0-9A-Fa-f:.%a-z]+\]|[^:\[\]\s]+):([0-9]{1,5})", re.ASCII)


class AddressError(MeterError):
    """There is no listening at this address.

    Example scenarios: `8063` without a host; port 99999; a host that this computer does not know or
    is not; a port below 1024 without the right to it.
    """


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`; an IPv6 host stands in brackets, port 0 is any free one.

    Raises:
        AddressError: it is not written so.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise AddressError(f"{text!r} is no address; write HOST:PORT, such as 127.0.0.1:8063")
    port = int(match[2])
    if port > 65535:
        raise AddressError(f"{text!r} asks for port {port}; ports end at 65535")
    return match[1].strip("[]"), port


def format_address(host: str, port: int) -> str:
    """What `parse_address` reads."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
