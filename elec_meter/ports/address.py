"""`HOST:PORT`, as people write where something listens."""

from __future__ import annotations

from elec_meter.config.address import host_and_port
from elec_meter.errors import MeterError


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
    try:
        return host_and_port(text)
    except ValueError as error:
        raise AddressError(str(error)) from None


def format_address(host: str, port: int) -> str:
    """What `parse_address` reads."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
