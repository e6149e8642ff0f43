"""A pulse unit's GATT service: its UUIDs, and the bytes of what is written and read there.

Both sides share it: the unit under Bumble or MicroPython, the collector under bleak. Every
attribute wants a link that is encrypted under the key of a passkey pairing (security mode 1,
level 4 of the Bluetooth Core Specification, Vol 3, Part C, 10.2.1).
"""

from shared.wire.command import COMMAND_MAX
from shared.wire.cursor import Cursor
from shared.wire.errors import Malformed
from shared.wire.seal import BLOCKS_MAX
from shared.wire.settings import SETTINGS_LENGTH
from shared.wire.telegram import LAST_PULSE_AGE_MAX_S

SERVICE_UUID = "b5c10000-6f1a-4c0e-9d3b-2f7a4be0c86d"

TELEGRAM = 0  # read: a sealed link frame without CRCs; write anything: the next read is a new one
LOG_CONTROL = 1  # write: a `LogRequest`
LOG_DATA = 2  # notify: the pieces of the answer (`shared.wire.log_pieces`)
COMMAND = 3  # write: an authenticated command (`shared.wire.command`)
RESULT = 4  # read, notify: what became of the last command
SETTINGS = 5  # read: `shared.wire.settings`
PULSES = 6  # read: when the last pulses came
FLAGS = 7  # read: the error flags, and when tampering was first seen

UUIDS = (
    "b5c10001-6f1a-4c0e-9d3b-2f7a4be0c86d",
    "b5c10002-6f1a-4c0e-9d3b-2f7a4be0c86d",
    "b5c10003-6f1a-4c0e-9d3b-2f7a4be0c86d",
    "b5c10004-6f1a-4c0e-9d3b-2f7a4be0c86d",
    "b5c10005-6f1a-4c0e-9d3b-2f7a4be0c86d",
    "b5c10006-6f1a-4c0e-9d3b-2f7a4be0c86d",
    "b5c10007-6f1a-4c0e-9d3b-2f7a4be0c86d",
    "b5c10008-6f1a-4c0e-9d3b-2f7a4be0c86d",
)
READABLE = (TELEGRAM, RESULT, SETTINGS, PULSES, FLAGS)
WRITABLE = (TELEGRAM, LOG_CONTROL, COMMAND)
NOTIFYING = (LOG_DATA, RESULT)

TELEGRAM_MAX = 10 + 17 + 6 + 16 * BLOCKS_MAX  # link, AFL and transport layers, and what they seal
NOTIFICATION_MIN = 20  # room in a notification before a larger MTU is agreed on
NOTIFICATION_MAX = 244  # one packet of the link layer

# ATT error codes (Core Specification, Vol 3, Part F, 3.4.1.1).
ATT_OK = 0x00
ATT_READ_NOT_PERMITTED = 0x02
ATT_WRITE_NOT_PERMITTED = 0x03
ATT_INSUFFICIENT_AUTHENTICATION = 0x05
ATT_INVALID_LENGTH = 0x0D
ATT_INSUFFICIENT_RESOURCES = 0x11
ATT_VALUE_NOT_ALLOWED = 0x13

PULSES_MAX = 16  # that are told
NO_COMMAND = 0xFF  # the code of a result before the first command of a connection

_STOP = 0
_AFTER = 1
_NEWEST = 2
_LIMIT_MAX = 0xFFFF
_REQUEST_MAX = 15
_RESULT_LENGTH = 5
_AGE_LENGTH = 3
_FLAGS_LENGTH = 18
_VALUES_MAX = (
    TELEGRAM_MAX,
    _REQUEST_MAX,
    NOTIFICATION_MAX,
    COMMAND_MAX,
    _RESULT_LENGTH,
    SETTINGS_LENGTH,
    4 + PULSES_MAX * _AGE_LENGTH,
    _FLAGS_LENGTH,
)


class LogRequest:
    """Which entries of the log are asked for: those after one, or the newest.

    Attributes:
        nonce: 32 bits from the asker's source of chance; the answer's MAC covers it.
        boot: with ``tick_s``, the entry after which the answer begins; (0, 0) is before all.
        tick_s: see ``boot``.
        limit: at most so many entries; 0 for all.
        newest: whether they are the last ``limit`` of the log; ``boot`` and ``tick_s`` are 0 then.
    """

    __slots__ = ("boot", "limit", "newest", "nonce", "tick_s")

    def __init__(
        self, nonce: int, boot: int = 0, tick_s: int = 0, limit: int = 0, newest: bool = False
    ) -> None:
        self.nonce = nonce
        self.boot = boot
        self.tick_s = tick_s
        self.limit = limit
        self.newest = newest


def encode_log_request(request: "LogRequest | None") -> bytes:
    """Return the bytes of a request; None ends an answer before its end.

    Raises:
        Malformed: for a number that its field cannot hold, or the newest 0 entries.
    """
    if request is None:
        return bytes([_STOP])
    for value in (request.nonce, request.boot, request.tick_s):
        if not 0 <= value <= 0xFFFFFFFF:
            raise Malformed("a request for the log has numbers of 32 bits, unlike %d" % value)
    if not int(request.newest) <= request.limit <= _LIMIT_MAX:
        raise Malformed("no request for the log is for %d entries" % request.limit)
    nonce = request.nonce.to_bytes(4, "little")
    limit = request.limit.to_bytes(2, "little")
    if request.newest:
        return bytes([_NEWEST]) + nonce + limit
    place = request.boot.to_bytes(4, "little") + request.tick_s.to_bytes(4, "little")
    return bytes([_AFTER]) + nonce + limit + place


def decode_log_request(data: bytes) -> "LogRequest | None":
    """Return the request in ``data``; None if it ends the answer that is being given.

    Raises:
        Truncated: if it is shorter than its kind.
        Malformed: if it is longer, of an unknown kind, or for the newest 0 entries.
    """
    cursor = Cursor(data)
    kind = cursor.u8()
    request = None
    if kind in (_AFTER, _NEWEST):
        request = LogRequest(cursor.u32(), limit=cursor.u16(), newest=kind == _NEWEST)
    elif kind != _STOP:
        raise Malformed("no request for the log has the kind %d" % kind)
    if request is not None and kind == _AFTER:
        request.boot = cursor.u32()
        request.tick_s = cursor.u32()
    if cursor.remaining:
        raise Malformed("a request for the log has %d bytes too many" % cursor.remaining)
    if request is not None and request.newest and not request.limit:
        raise Malformed("no request for the log is for 0 entries")
    return request


class CommandResult:
    """What became of a command: its `counter` and `code`, 0 if it was obeyed.

    The code is `pulse_unit`'s refusal, or `NO_COMMAND`. The counter is that of the bytes that were
    written, whether they are authentic or not; 0 if they have none.
    """

    __slots__ = ("code", "counter")

    def __init__(self, counter: int, code: int) -> None:
        self.counter = counter
        self.code = code


def encode_result(command: bytes, code: int) -> bytes:
    """Return the result of a command whose bytes were ``command``."""
    counter = bytes(command[1:5])
    return bytes([code]) + counter + bytes(4 - len(counter))


def decode_result(data: bytes) -> CommandResult:
    """Return the result in ``data``.

    Raises:
        Truncated: if it is shorter than a result.
        Malformed: if it is longer.
    """
    cursor = Cursor(data)
    code = cursor.u8()
    counter = cursor.u32()
    if cursor.remaining:
        raise Malformed("a result has %d bytes too many" % cursor.remaining)
    return CommandResult(counter, code)


def encode_pulses(uptime_s: int, pulses_s: "tuple[int, ...]") -> bytes:
    """Return the uptime now, and how long ago each of the last pulses came, newest first.

    Args:
        uptime_s: seconds, modulo 2^32.
        pulses_s: the uptimes at the pulses, newest first; of more than 16 the first are told. An
            age saturates at `LAST_PULSE_AGE_MAX_S`, as in a telegram.
    """
    data = bytearray((uptime_s & 0xFFFFFFFF).to_bytes(4, "little"))
    for pulse_s in pulses_s[:PULSES_MAX]:
        data += min(uptime_s - pulse_s, LAST_PULSE_AGE_MAX_S).to_bytes(_AGE_LENGTH, "little")
    return bytes(data)


def decode_pulses(data: bytes) -> "tuple[int, tuple[int, ...]]":
    """Return the uptime and the ages of the last pulses, all in seconds, newest first.

    Raises:
        Truncated: if it ends within a number.
        Malformed: if an age is below the one before it, or there are more than 16.
    """
    cursor = Cursor(data)
    uptime_s = cursor.u32()
    ages_s: "list[int]" = []
    while cursor.remaining:
        age_s = int.from_bytes(cursor.take(_AGE_LENGTH), "little")
        if (ages_s and age_s < ages_s[-1]) or len(ages_s) == PULSES_MAX:
            raise Malformed("these are not the last 16 pulses, newest first")
        ages_s.append(age_s)
    return uptime_s, tuple(ages_s)


def encode_flags(
    flags: int, tamper: "tuple[int, int] | None", magnet: "tuple[int, int] | None"
) -> bytes:
    """Return the error flags, and the boot and its uptime in seconds at which two of them came.

    Args:
        flags: `FLAG_...` of `shared.wire.telegram`, 16 bits.
        tamper: when the open tamper loop was first seen; None while its flag is down.
        magnet: when the magnet was.
    """
    data = flags.to_bytes(2, "little")
    for seen in (tamper, magnet):
        boot, uptime_s = seen or (0, 0)
        data += boot.to_bytes(4, "little") + uptime_s.to_bytes(4, "little")
    return data


def decode_flags(
    data: bytes,
) -> "tuple[int, tuple[int, int] | None, tuple[int, int] | None]":
    """Return what `encode_flags` was given; boot 0 is before any, so a flag of it is down.

    Raises:
        Truncated: if it is shorter than the flags.
        Malformed: if it is longer.
    """
    cursor = Cursor(data)
    flags = cursor.u16()
    tamper = (cursor.u32(), cursor.u32())
    magnet = (cursor.u32(), cursor.u32())
    if cursor.remaining:
        raise Malformed("the flags have %d bytes too many" % cursor.remaining)
    return flags, tamper if tamper[0] else None, magnet if magnet[0] else None


def value_max(attribute: int) -> int:
    """Return the most bytes that an attribute of `UUIDS` is read or written with."""
    return _VALUES_MAX[attribute]
