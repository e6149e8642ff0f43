"""The bytes of FLAG messages: characters, block check, parity (IEC 62056-21, 5 and 6)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import xor
from typing import Final

SOH: Final = 0x01
STX: Final = 0x02
ETX: Final = 0x03
EOT: Final = 0x04
ACK: Final = 0x06
LF: Final = 0x0A
CR: Final = 0x0D
NAK: Final = 0x15
CR_LF: Final = b"\r\n"

_SEVEN_BITS: Final = bytes(byte & 0x7F for byte in range(256))
_EVEN_PARITY: Final = bytes(
    byte | 0x80 if byte < 0x80 and byte.bit_count() % 2 else byte for byte in range(256)
)


def block_check(data: bytes) -> int:
    """The BCC: exclusive or of what follows SOH or STX, up to ETX or EOT and including it."""
    return reduce(xor, data, 0)


def data_message(lines: list[str]) -> bytes:
    """A data readout: `STX line CR LF ... ! CR LF ETX BCC`."""
    text = "".join(f"{line}\r\n" for line in lines)
    checked = text.encode("ascii") + b"!\r\n" + bytes((ETX,))
    return bytes((STX,)) + checked + bytes((block_check(checked),))


def command_message(command: str, data: str = "") -> bytes:
    """A command: `SOH B 0 ETX BCC`, or with data `SOH P 0 STX data ETX BCC`."""
    text = f"{command}\x02{data}" if data else command
    checked = text.encode("ascii") + bytes((ETX,))
    return bytes((SOH,)) + checked + bytes((block_check(checked),))


def answer_message(lines: Sequence[str], *, is_last: bool = True) -> bytes:
    """An answer in programming mode: `STX line CR LF line ETX BCC`, or EOT where more follows."""
    checked = "\r\n".join(lines).encode("ascii") + bytes((ETX if is_last else EOT,))
    return bytes((STX,)) + checked + bytes((block_check(checked),))


def without_parity(data: bytes) -> bytes:
    """Seven data bits of each byte: what a line without hardware parity delivers of 7E1."""
    return data.translate(_SEVEN_BITS)


def with_even_parity(data: bytes) -> bytes:
    """7E1 in the eight bits of a line without hardware parity."""
    return data.translate(_EVEN_PARITY)


ACKNOWLEDGED: Final = bytes((ACK,))
ASK_AGAIN: Final = bytes((NAK,))
BREAK: Final = command_message("B0")
