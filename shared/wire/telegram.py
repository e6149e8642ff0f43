"""What a pulse unit says: `PulseTelegram` and its EN 13757-3 data records.

The records stand in one order, that of `_FIELDS`, with the history last. A field that the unit does
not know is left out: a count may be any number, all ones included. The history of half-hours is an
inverse compact profile (EN 13757-3, Annex F): increments before the newest 30-minute tick, newest
first.
"""

from shared.wire.cursor import Cursor
from shared.wire.errors import Malformed

FLAG_TAMPER = 0x0001
FLAG_MAGNET = 0x0002
FLAG_LOW_BATTERY = 0x0004
FLAG_NVM = 0x0008
FLAG_CLOCK = 0x0010
FLAG_EDGES = 0x0020  # more edges of the reed than the unit could buffer

LAST_PULSE_AGE_MAX_S = 0x7FFFFF  # and no less than that: it saturates
HISTORY_BYTES = 96  # two days of half-hours below 255 pulses, one day of more
HISTORY_BYTES_MAX = 146

# Attribute, DIF to last VIFE, bytes of the value. Low byte first; volume is signed.
_FIELDS = (
    ("count", b"\x04\xfd\x3a", 4),
    ("volume_l", b"\x04\x13", 4),
    ("uptime_s", b"\x04\x20", 4),
    ("last_pulse_age_s", b"\x43\x74", 3),
    ("battery_left_d", b"\x02\xfd\x74", 2),
    ("error_flags", b"\x02\xfd\x17", 2),
    ("reset_counter", b"\x02\xfd\x60", 2),
    ("grid_count", b"\x84\x04\xfd\x3a", 4),
    ("grid_age_s", b"\x82\x04\x74", 2),
)
_REQUIRED = ("count", "uptime_s", "battery_left_d", "error_flags", "reset_counter")
_PROFILE = b"\x8d\x04\xfd\xba\x13"
_SPACING_MINUTES = 0x1E
_SPACING_CONTROL = {0x51: 1, 0x52: 2}  # rising, in minutes, of so many bytes each
_FILLER = 0x2F


class PulseTelegram:
    """One report of a unit; a plain value.

    `count` and `grid_count` are cyclic (modulo 2^32). `grid_count` is the count at the newest
    30-minute tick, `grid_age_s` ago; `increments` are the pulses of the half-hours before it,
    newest first, up to the first one that the unit cannot vouch for. None: not known to the unit.
    """

    __slots__ = (
        "battery_left_d",
        "count",
        "error_flags",
        "grid_age_s",
        "grid_count",
        "increments",
        "last_pulse_age_s",
        "reset_counter",
        "uptime_s",
        "volume_l",
    )

    def __init__(
        self,
        *,
        count: int,
        uptime_s: int,
        volume_l: "int | None" = None,
        last_pulse_age_s: "int | None" = None,
        battery_left_d: int = 0,
        error_flags: int = 0,
        reset_counter: int = 0,
        grid_count: "int | None" = None,
        grid_age_s: "int | None" = None,
        increments: "tuple[int, ...]" = (),
    ) -> None:
        self.count = count
        self.volume_l = volume_l
        self.uptime_s = uptime_s
        self.last_pulse_age_s = last_pulse_age_s
        self.battery_left_d = battery_left_d
        self.error_flags = error_flags
        self.reset_counter = reset_counter
        self.grid_count = grid_count
        self.grid_age_s = grid_age_s
        self.increments = tuple(increments)

    @property
    def grid_tick_s(self) -> "int | None":
        """The unit's uptime at its newest 30-minute tick, in seconds."""
        return None if self.grid_age_s is None else self.uptime_s - self.grid_age_s

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PulseTelegram) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def __repr__(self) -> str:
        shown = [
            "%s=%r" % (field[0], getattr(self, field[0]))
            for field in _FIELDS
            if getattr(self, field[0]) is not None
        ]
        return "PulseTelegram(%s, increments=%r)" % (", ".join(shown), self.increments)

    def _fields(self) -> "tuple[object, ...]":
        values = [getattr(self, field[0]) for field in _FIELDS]
        values.append(self.increments)
        return tuple(values)


def status_byte(error_flags: int) -> int:
    """Return the transport header's status byte for ``error_flags`` (EN 13757-7, 7.5.6)."""
    status = 0
    if error_flags & FLAG_LOW_BATTERY:
        status |= 0x04
    if error_flags & FLAG_NVM:
        status |= 0x08  # permanent error
    if error_flags & (FLAG_CLOCK | FLAG_EDGES):
        status |= 0x10  # temporary error
    if error_flags & FLAG_TAMPER:
        status |= 0x20  # the maker's own three bits
    if error_flags & FLAG_MAGNET:
        status |= 0x40
    return status


def encode_records(telegram: PulseTelegram, history_bytes: int = HISTORY_BYTES) -> bytes:
    """Return the data records of ``telegram``.

    Args:
        telegram: what to say.
        history_bytes: room for increments, of one byte each if all of them are below 255, else of
            two; at most `HISTORY_BYTES_MAX`. Those that do not fit are left out, and so is what
            lies before one above 65,534.

    Raises:
        Malformed: for a value that its field cannot hold.
    """
    data = bytearray()
    for name, head, size in _FIELDS:
        value = getattr(telegram, name)
        if value is None:
            if name in _REQUIRED:
                raise Malformed("a telegram has a %s" % name)
            continue
        if name == "last_pulse_age_s":
            value = min(value, LAST_PULSE_AGE_MAX_S)
        data += head
        data += _packed(name, value, size)
    if telegram.grid_count is not None and telegram.increments:
        data += _encoded_profile(telegram.increments, min(history_bytes, HISTORY_BYTES_MAX))
    return bytes(data)


def decode_records(data: bytes) -> PulseTelegram:
    """Return the telegram in our own layout of ``data``, fillers around it allowed.

    Raises:
        Truncated: if it ends within a record.
        Malformed: if a record is missing, repeated, out of order or not ours.
    """
    cursor = Cursor(data)
    _skip_fillers(cursor)
    telegram = PulseTelegram(count=0, uptime_s=0)
    for name, head, size in _FIELDS:
        if _skip(cursor, head):
            value = int.from_bytes(cursor.take(size), "little")
            if name == "volume_l" and value >> 31:
                value -= 1 << 32
            setattr(telegram, name, value)
        elif name in _REQUIRED:
            raise Malformed("the telegram has no %s" % name)
    if (telegram.grid_count is None) != (telegram.grid_age_s is None):
        raise Malformed("a tick needs both its count and its age")
    if telegram.grid_count is not None and _skip(cursor, _PROFILE):
        telegram.increments = _decoded_profile(cursor)
    _skip_fillers(cursor)
    if cursor.remaining:
        raise Malformed("%d bytes that no telegram of ours has" % cursor.remaining)
    return telegram


def _packed(name: str, value: int, size: int) -> bytes:
    least = -(1 << 31) if name == "volume_l" else 0
    most = (1 << 31) - 1 if name == "volume_l" else (1 << 8 * size) - 1
    if not least <= value <= most:
        raise Malformed("%s = %d is out of its range" % (name, value))
    return (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")


def _encoded_profile(increments: "tuple[int, ...]", room: int) -> bytes:
    size = 1
    if max(increments[:room]) > 0xFE:
        size = 2
    values = bytearray()
    for increment in increments[: room // size]:
        if increment > 0xFFFE:
            break
        values += increment.to_bytes(size, "little")
    control = 0x50 | size
    return _PROFILE + bytes([2 + len(values), control, _SPACING_MINUTES]) + bytes(values)


def _decoded_profile(cursor: Cursor) -> "tuple[int, ...]":
    length = cursor.u8()
    fields = Cursor(cursor.take(length))
    size = _SPACING_CONTROL.get(fields.u8())
    if size is None or fields.u8() != _SPACING_MINUTES or fields.remaining % size:
        raise Malformed("the history is not one of half-hourly increments")
    values = fields.rest()
    if size == 1:
        end = values.find(b"\xff")
        return tuple(values if end < 0 else values[:end])
    increments = []
    for place in range(0, len(values), 2):
        increment = values[place] | values[place + 1] << 8
        if increment == 0xFFFF:
            break
        increments.append(increment)
    return tuple(increments)


def _skip(cursor: Cursor, head: bytes) -> bool:
    end = cursor.position + len(head)
    if cursor.data[cursor.position : end] != head:
        return False
    cursor.position = end
    return True


def _skip_fillers(cursor: Cursor) -> None:
    while cursor.remaining and cursor.data[cursor.position] == _FILLER:
        cursor.position += 1
