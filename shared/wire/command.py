"""Authenticated commands to a unit: the same bytes over Bluetooth, a wire or in a reply window.

A command is its kind (one byte), the sender's counter (four, low byte first), its argument and a
CMAC of eight bytes under a key of its own, derived from the unit's. The counter only rises, so
that a recorded command applies once.
"""

from shared.crypto.block import BlockCipher
from shared.crypto.cmac import cmac, same_mac
from shared.wire.errors import BadMac, Malformed, Replayed, Truncated, Unsupported
from shared.wire.grid import HALF_HOUR_MS
from shared.wire.settings import SETTINGS_LENGTH

PHASE = 1  # milliseconds since the last UTC half-hour began, u32
CONFIGURE = 2  # all settings (`shared.wire.settings`)
CLEAR = 3  # error flags to take down, u16
COMMAND_MAX = 5 + SETTINGS_LENGTH + 8

# What becomes of a command, as a unit tells it.
OBEYED = 0
REFUSED_MALFORMED = 1
REFUSED_NOT_AUTHENTIC = 2
REFUSED_REPLAYED = 3
REFUSED_ILLEGAL = 4  # what it wants no unit can do
REFUSED_NOT_PERSISTED = 5
REFUSED_UNKNOWN = 6  # a kind that this unit does not know

_ARGUMENT_LENGTHS = {PHASE: 4, CONFIGURE: SETTINGS_LENGTH, CLEAR: 2}
_HEAD_LENGTH = 5
_MAC_LENGTH = 8
# 21 bytes: no other derivation from the unit's key has this length (telegrams 16, BTHome 15).
_LABEL = b"halfhourly command v1"


class Command:
    """An authentic command: its `kind`, its `counter` and its `argument` as it was sent."""

    __slots__ = ("argument", "counter", "kind")

    def __init__(self, kind: int, counter: int, argument: bytes) -> None:
        self.kind = kind
        self.counter = counter
        self.argument = argument

    @property
    def number(self) -> int:
        """The argument as an unsigned number: a phase's milliseconds, the flags to clear."""
        return int.from_bytes(self.argument, "little")


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
    return seal_command(aes, key, PHASE, counter, since_boundary_ms.to_bytes(4, "little"))


def seal_command(
    aes: "type[BlockCipher]", key: bytes, kind: int, counter: int, argument: bytes
) -> bytes:
    """Return a command of any kind; ``counter`` as in `seal_phase`.

    Raises:
        Malformed: for a counter that is used up, or an argument of another kind's length.
    """
    if not 0 <= counter <= 0xFFFFFFFF:
        raise Malformed("a command counter has 32 bits: %d" % counter)
    if len(argument) != _ARGUMENT_LENGTHS.get(kind):
        raise Malformed("no command of kind %d has %d bytes of argument" % (kind, len(argument)))
    plain = bytes([kind]) + counter.to_bytes(4, "little") + bytes(argument)
    return plain + _mac(aes, key, plain)


def open_command(
    aes: "type[BlockCipher]", key: bytes, data: bytes, last_counter: "int | None"
) -> Command:
    """Return the command that is exactly ``data``.

    Args:
        aes: the AES block class of a backend.
        key: the unit's 16-byte key.
        data: what was received.
        last_counter: the counter of the last command obeyed; None if there was none.

    Raises:
        Truncated: if it is shorter than any command.
        BadMac: if it is not authentic.
        Replayed: if its counter does not exceed ``last_counter``.
        Unsupported: if it is authentic and of another kind.
        Malformed: if it is longer than any command, or its argument is not its kind's.
    """
    if len(data) < _HEAD_LENGTH + _MAC_LENGTH:
        raise Truncated("a command has 13 bytes or more, not %d" % len(data))
    if len(data) > COMMAND_MAX:
        raise Malformed("a command has %d bytes at most, not %d" % (COMMAND_MAX, len(data)))
    end = len(data) - _MAC_LENGTH
    plain = bytes(data[:end])
    if not same_mac(_mac(aes, key, plain), bytes(data[end:])):
        raise BadMac("the command is not authentic")
    counter = int.from_bytes(plain[1:_HEAD_LENGTH], "little")
    if last_counter is not None and counter <= last_counter:
        raise Replayed("command %d comes after command %d" % (counter, last_counter))
    command = Command(plain[0], counter, plain[_HEAD_LENGTH:])
    length = _ARGUMENT_LENGTHS.get(command.kind)
    if length is None:
        raise Unsupported("a command of kind %d" % command.kind)
    if len(command.argument) != length:
        raise Malformed("a command of kind %d has %d bytes of argument" % (command.kind, length))
    if command.kind == PHASE and command.number >= HALF_HOUR_MS:
        raise Malformed("a half-hour has no millisecond %d" % command.number)
    return command


def _mac(aes: "type[BlockCipher]", key: bytes, plain: bytes) -> bytes:
    return cmac(aes, cmac(aes, key, _LABEL), plain)[:_MAC_LENGTH]
