"""`HOST:PORT`, as people write where something listens."""

from __future__ import annotations

import re
from typing import Final

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
