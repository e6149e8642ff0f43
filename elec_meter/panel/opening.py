"""Whether the panel may be opened where it was asked for; light, for it is asked at every start."""

from __future__ import annotations

import ipaddress
from importlib.util import find_spec

from shared.extras import installing

from .errors import PanelExposedError, PanelMissingError


def require_installed() -> None:
    """Refuse to open a panel without what it is made with.

    Raises:
        PanelMissingError: the `panel` extra is not installed.
    """
    if find_spec("starlette") is None or find_spec("uvicorn") is None:
        raise PanelMissingError("the web panel needs starlette and uvicorn: " + installing("panel"))


def require_closed(
    host: str, *, is_encrypted: bool, is_insecure: bool, consent: str = "--insecure"
) -> None:
    """Refuse to open the panel to a network in clear, unless that is wanted.

    Args:
        host: where it would listen.
        is_encrypted: whether it has a certificate.
        is_insecure: whether that is wanted.
        consent: how it is said that it is.

    Raises:
        PanelExposedError: it would be.
    """
    if is_encrypted or is_insecure or is_loopback(host):
        return
    raise PanelExposedError(
        f"the panel would be open to the network on {host} in clear: give it a certificate, or"
        f" {consent} if nobody else is on that network"
    )


def is_loopback(host: str) -> bool:
    """Whether only this computer can reach a host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
