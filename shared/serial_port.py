"""What every serial port of ours needs of pyserial that pyserial does not do."""

from __future__ import annotations

import contextlib
from urllib.parse import urlsplit

import serial


def is_port(text: str) -> bool:
    """Whether a text may name a serial port: what says `socket://` names a host and a TCP port."""
    if not text.lower().startswith("socket:"):
        return bool(text)
    try:
        address = urlsplit(text)
        return bool(address.hostname) and bool(address.port) and address.scheme == "socket"
    except ValueError:  # a port that is no number, or above 65535
        return False


def close(port: serial.SerialBase, *, unsent: bool = True) -> None:
    """Give a port back, whatever state its device or its peer is in.

    Args:
        port: open or closed; also one of a URL such as `socket://`.
        unsent: whether to wait for what has not been sent: a port that hangs would wait for ever.
    """
    link = getattr(port, "_socket", None)
    with contextlib.suppress(OSError, ValueError):
        if not unsent:
            port.reset_output_buffer()
        port.close()
    if link is not None:
        link.close()  # pyserial leaves one open whose peer has gone
