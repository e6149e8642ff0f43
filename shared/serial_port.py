"""What every serial port of ours needs of pyserial that pyserial does not do."""

from __future__ import annotations

import contextlib

import serial


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
