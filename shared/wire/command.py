"""Authenticated commands to a unit: the same bytes over Bluetooth or in a radio's reply window.

A command is its kind (one byte), the sender's counter and one argument (four bytes each, low byte
first) and a CMAC of eight bytes under a key of its own, derived from the unit's. The counter only
rises, so that a recorded command applies once.
"""

from shared.crypto.block import BlockCipher
from shared.crypto.cmac import cmac, same_mac
from shared.wire.errors import BadMac, Malformed, Replayed, Truncated, Unsupported
from shared.wire.grid import HALF_HOUR_MS

PHASE = 1
COMMAND_LENGTH = 17

_PLAIN_LENGTH = 9
# 21 bytes: no other derivation from the unit's key has this length (telegrams 16, BTHome 15).
_LABEL = b"halfhourly command v1"


class Command:
    """An authentic command: `kind` (`PHASE`), its `counter` and, for a phase, `since_boundary_ms`.

    `since_boundary_ms` is how long ago the last UTC half-hour began when the command was sent.
    """

    __slots__ = ("counter", "kind", "since_boundary_ms")

    def __init__(self, kind: int, counter: int, since_boundary_ms: int) -> None:
        self.kind = kind
        self.counter = counter
        self.since_boundary_ms = since_boundary_ms


def seal_phase(aes: "type[BlockCipher]", key: bytes, counter: int, since_boundary_ms: int) -> bytes:
    """Return the command that tells a unit where it is in the UTC half-hour.

    Args:
        aes: the AES block class of a backend.
        key: the unit's 16-byte key.
        counter: 32 bits, above that of every command sent to this unit before.
        since_boundary_ms: milliseconds since the half-hour began, below 1,800,000.

    Raises:
        Malformed: for a time outside the half-hour, or a counter that is used up.
    """
    if not 0 <= since_boundary_ms < HALF_HOUR_MS:
        raise Malformed("a half-hour has no millisecond %d" % since_boundary_ms)
    if not 0 <= counter <= 0xFFFFFFFF:
        raise Malformed("a command counter has 32 bits: %d" % counter)
    plain = bytes([PHASE]) + counter.to_bytes(4, "little") + since_boundary_ms.to_bytes(4, "little")
    return plain + _mac(aes, key, plain)


def open_command(
    aes: "type[BlockCipher]", key: bytes, data: bytes, last_counter: "int | None"
) -> Command:
    """Return the command in ``data``.

    Args:
        aes: the AES block class of a backend.
        key: the unit's 16-byte key.
        data: what was received.
        last_counter: the counter of the last command obeyed; None if there was none.

    Raises:
        Truncated: if it is shorter than a command.
        Malformed: if it is longer, or its time is outside the half-hour.
        BadMac: if it is not authentic.
        Replayed: if its counter does not exceed ``last_counter``.
        Unsupported: if it is authentic and of another kind.
    """
    if len(data) < COMMAND_LENGTH:
        raise Truncated("a command has %d bytes, not %d" % (COMMAND_LENGTH, len(data)))
    if len(data) > COMMAND_LENGTH:
        raise Malformed("a command has %d bytes, not %d" % (COMMAND_LENGTH, len(data)))
    plain = bytes(data[:_PLAIN_LENGTH])
    if not same_mac(_mac(aes, key, plain), bytes(data[_PLAIN_LENGTH:])):
        raise BadMac("the command is not authentic")
    counter = int.from_bytes(plain[1:5], "little")
    if last_counter is not None and counter <= last_counter:
        raise Replayed("command %d comes after command %d" % (counter, last_counter))
    if plain[0] != PHASE:
        raise Unsupported("a command of kind %d" % plain[0])
    since_boundary_ms = int.from_bytes(plain[5:9], "little")
    if since_boundary_ms >= HALF_HOUR_MS:
        raise Malformed("a half-hour has no millisecond %d" % since_boundary_ms)
    return Command(PHASE, counter, since_boundary_ms)


def _mac(aes: "type[BlockCipher]", key: bytes, plain: bytes) -> bytes:
    return cmac(aes, cmac(aes, key, _LABEL), plain)[:8]
