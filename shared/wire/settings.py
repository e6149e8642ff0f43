"""A unit's settings as a command carries them and its memory keeps them: 24 bytes."""

from shared.wire.errors import Malformed, Truncated

SETTINGS_LENGTH = 24

# Name and bytes, low byte first; `initial_index_l` is signed and None as its least number.
_FIELDS = (
    ("pulse_weight_nl", 5),
    ("flow_max_l_per_h", 3),
    ("initial_index_l", 4),
    ("telegram_period_s", 3),
    ("reply_window_ms", 2),
    ("advert_period_s", 2),
    ("window_period_s", 3),
    ("history", 1),
)
SETTING_NAMES = tuple([name for name, _ in _FIELDS])
_UNKNOWN_INDEX = 0x80000000


def encode_settings(settings: "dict[str, int | None]") -> bytes:
    """Return the bytes of ``settings``, which has every field by its name in `UnitConfig`.

    Raises:
        Malformed: for a value that its field cannot hold.
    """
    data = bytearray()
    for name, size in _FIELDS:
        value = settings[name]
        if name == "initial_index_l":
            if value is not None and not -0x80000000 < value <= 0x7FFFFFFF:
                raise Malformed("%s = %d is out of its range" % (name, value))
            value = _UNKNOWN_INDEX if value is None else value & 0xFFFFFFFF
        if value is None or not 0 <= value < 1 << 8 * size:
            raise Malformed("%s = %s is out of its range" % (name, value))
        data += value.to_bytes(size, "little")
    data += bytes(SETTINGS_LENGTH - len(data))
    return bytes(data)


def decode_settings(data: bytes) -> "dict[str, int | None]":
    """Return the fields in ``data``; whether a unit can work with them is another question.

    Raises:
        Truncated: if it is shorter than settings.
        Malformed: if it is longer, or a spare byte is not zero.
    """
    if len(data) < SETTINGS_LENGTH:
        raise Truncated("settings have %d bytes, not %d" % (SETTINGS_LENGTH, len(data)))
    settings: "dict[str, int | None]" = {}
    offset = 0
    for name, size in _FIELDS:
        value = int.from_bytes(data[offset : offset + size], "little")
        offset += size
        if name != "initial_index_l":
            settings[name] = value
        elif value == _UNKNOWN_INDEX:
            settings[name] = None
        else:
            settings[name] = value - (1 << 32) if value >> 31 else value
    if bytes(data[offset:]) != bytes(SETTINGS_LENGTH - offset):
        raise Malformed("settings end in spare bytes of zero")
    return settings
