"""`HOST:PORT`, as people write where something listens."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

_Number = ipaddress.IPv4Address | ipaddress.IPv6Address
_ADDRESS: Final = re.compile(r"(\[[0-9A-Fa-f:.%a-z]+\]|[^:\[\]\s]+):([0-9]{1,5})", re.ASCII)


def host_and_port(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`; an IPv6 host stands in brackets, port 0 is any free one.

    Raises:
        ValueError: it is not written so; the sentence says how it is.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no address; write HOST:PORT, such as 127.0.0.1:8063")
    port = int(match[2])
    if port > 65535:
        raise ValueError(f"{text!r} asks for port {port}; ports end at 65535")
    return match[1].strip("[]"), port


def shares_port(one: str, other: str) -> bool:
    """Whether two listeners would be in each other's way.

    A port of all hosts of an IP version is one of each of them; port 0 is never the same twice.
    Names are not looked up.

    Args:
        one: as `host_and_port` reads it.
        other: likewise.
    """
    (first, port), (second, another) = host_and_port(one), host_and_port(other)
    if port != another or not port:
        return False
    return first == second or any(
        here == there or (here.version == there.version and _is_any(here, there))
        for here in _numbers(first)
        for there in _numbers(second)
    )


def _numbers(host: str) -> list[_Number]:
    named = ("127.0.0.1", "::1") if host == "localhost" else (host,)
    try:
        return [ipaddress.ip_address(each) for each in named]
    except ValueError:
        return []


def _is_any(*hosts: _Number) -> bool:
    return any(each.is_unspecified for each in hosts)
