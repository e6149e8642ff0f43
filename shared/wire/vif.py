"""Units of data records: VIF, its extension tables FB and FD, and what VIFEs add (EN 13757-3).

Units are brought to one per quantity wherever that is exact: kWh for energy in watt hours (joules
stay MJ), m3, m3/h, W, s. Anything unknown is named by its code, never taken for something else.
"""

from shared.wire.vif_tables import (
    ERRORS,
    FB_RANGES,
    FD_PLAIN,
    FD_RANGES,
    FD_SCALED,
    FURTHER_QUALIFIERS,
    PRIMARY_RANGES,
    QUALIFIERS,
)

PROFILE_INVERSE = "inverse"
PROFILE_FORWARD = "forward"

_EXTENSION_FB = 0xFB
_EXTENSION_FD = 0xFD
_EXTENSION_FD_FD = b"\xfd\xfd"
_SECONDS = (1, 60, 3600, 86_400)
# VIF of nn = 0 seconds, 1 minutes, 2 hours, 3 days
_DURATIONS = {0x20: "on_time", 0x24: "operating_time", 0x70: "averaging", 0x74: "actuality"}
_FD_DURATIONS = {0x24: "storage_interval", 0x2C: "readout_age", 0x34: "tariff_period"}
_FD_DURATIONS[0x3C] = "transmission_period"
_DATES = {0x6C: "date", 0x6D: "datetime"}
_NAMES = {
    0x6E: "heat_cost_allocator",
    0x78: "fabrication_number",
    0x79: "identification",
    0x7A: "bus_address",
    0x7C: "text_unit",
    0x7E: "any",
    0x7F: "manufacturer_specific",
}
_PROFILES = {0x13: PROFILE_INVERSE, 0x1E: PROFILE_FORWARD, 0x1F: PROFILE_FORWARD}
_MANUFACTURER_VIFE = 0x7F
_FURTHER_VIFE = 0x7C


class Meaning:
    """What a VIF says.

    Attributes:
        quantity: its name; the record's value times `factor` times ten to `exponent` is in `unit`.
        unit: "" where there is none.
        exponent: of ten.
        factor: a whole number.
        unsigned: whether a binary value has no sign.
        is_date: whether the value is a date or time.
        qualifiers: what VIFEs say beyond quantity and scale, in their order.
        profile: `PROFILE_INVERSE` or `PROFILE_FORWARD` for a compact profile, else None.
        error: what the meter reports instead of a value, else None.
    """

    __slots__ = (
        "error",
        "exponent",
        "factor",
        "is_date",
        "profile",
        "qualifiers",
        "quantity",
        "unit",
        "unsigned",
    )

    def __init__(self, quantity: str, unit: str = "", exponent: int = 0, factor: int = 1) -> None:
        self.quantity = quantity
        self.unit = unit
        self.exponent = exponent
        self.factor = factor
        self.unsigned = False
        self.is_date = False
        self.qualifiers: "list[str]" = []
        self.profile: "str | None" = None
        self.error: "str | None" = None


def meaning(vif: bytes) -> Meaning:
    """Return what ``vif`` (VIF and VIFEs, extension bits included) means."""
    if not vif:
        return Meaning("manufacturer_specific")
    if vif[:2] == _EXTENSION_FD_FD and len(vif) > 2:
        told, extensions = Meaning("vif_fdfd%02x" % (vif[2] & 0x7F)), vif[3:]
    elif vif[0] == _EXTENSION_FD and len(vif) > 1:
        told, extensions = _extension_fd(vif[1] & 0x7F), vif[2:]
    elif vif[0] == _EXTENSION_FB and len(vif) > 1:
        told, extensions = _extension_fb(vif[1] & 0x7F), vif[2:]
    elif vif[0] & 0x7F in (0x7B, 0x7D, 0x6F):
        told, extensions = Meaning("vif_" + vif[:2].hex()), vif[2:]
    else:
        told, extensions = _primary(vif[0] & 0x7F), vif[1:]
    _apply(told, extensions, told.quantity == "manufacturer_specific")
    return told


def _primary(code: int) -> Meaning:
    if code in _DATES:
        told = Meaning(_DATES[code])
        told.is_date = True
        return told
    if code in _NAMES:
        told = Meaning(_NAMES[code])
        told.unsigned = code in (0x78, 0x7A)
        return told
    duration = _DURATIONS.get(code & ~3)
    if duration is not None:
        return _duration(duration, code & 3)
    return _ranged(PRIMARY_RANGES, code) or Meaning("vif_%02x" % code)


def _extension_fd(code: int) -> Meaning:
    if code in FD_PLAIN:
        told = Meaning(FD_PLAIN[code])
        told.unsigned = told.quantity != "count"
        told.is_date = code in (0x30, 0x70)
        return told
    if code in FD_SCALED:
        quantity, unit, factor = FD_SCALED[code]
        told = Meaning(quantity, unit, 0, factor)
        told.unsigned = quantity != "signal_level"
        return told
    duration = _FD_DURATIONS.get(code & ~3)
    if duration is not None:
        return _duration(duration, code & 3)
    if 0x31 <= code <= 0x33:
        return _duration("tariff_duration", code & 3)
    return _ranged(FD_RANGES, code) or Meaning("vif_fd%02x" % code)


def _extension_fb(code: int) -> Meaning:
    return _ranged(FB_RANGES, code) or Meaning("vif_fb%02x" % code)


def _duration(quantity: str, unit: int) -> Meaning:
    told = Meaning(quantity, "s", 0, _SECONDS[unit])
    told.unsigned = True
    return told


def _ranged(
    ranges: "tuple[tuple[int, int, str, str, int, int], ...]", code: int
) -> "Meaning | None":
    for first, last, quantity, unit, exponent, factor in ranges:
        if first <= code <= last:
            return Meaning(quantity, unit, exponent + code - first, factor)
    return None


def _apply(told: Meaning, extensions: bytes, own: bool) -> None:
    further = False
    for extension in extensions:
        code = extension & 0x7F
        if own:
            told.qualifiers.append("manufacturer_%02x" % code)
        elif further:
            _apply_further(told, code)
            further = False
        elif code == _MANUFACTURER_VIFE:
            own = True
            if not extension & 0x80:
                told.qualifiers.append("manufacturer")
        elif code == _FURTHER_VIFE:
            further = True
        elif code in _PROFILES:
            told.profile = _PROFILES[code]
        elif 0x70 <= code <= 0x77:
            told.exponent += code - 0x76
        elif code == 0x7D:
            told.exponent += 3
        elif code == 0x39:
            told.is_date = True
            told.qualifiers.append("start_of")
        elif code in QUALIFIERS:
            told.qualifiers.append(QUALIFIERS[code])
            if code == 0x3D:
                told.unit = ""  # one of another system of units
        elif code <= 0x1F and code not in (0x12, 0x14, 0x1D):
            told.error = None if code == 0 else ERRORS.get(code, "error_%02x" % code)
        else:
            _apply_limit(told, code)


def _apply_further(told: Meaning, code: int) -> None:
    told.qualifiers.append(FURTHER_QUALIFIERS.get(code, "vife_fc%02x" % code))
    if code == 0x0D:
        told.unit = ""
    elif code == 0x11:
        told.unsigned = True
    elif code == 0x13:
        told.is_date = True


def _apply_limit(told: Meaning, code: int) -> None:
    limit = "upper" if code & 8 else "lower"
    if code & 0x77 == 0x40:
        told.qualifiers.append(limit + "_limit")
    elif code & 0x77 == 0x41:
        _turn(told, "exceeds_of_" + limit + "_limit")
    elif 0x40 <= code <= 0x4F and code & 2:
        told.is_date = True
        told.qualifiers.append(
            "%s_of_%s_exceed_of_%s_limit"
            % ("end" if code & 1 else "begin", "last" if code & 4 else "first", limit)
        )
    elif 0x50 <= code <= 0x5F:
        which = "last" if code & 4 else "first"
        _turn(told, "duration_of_%s_exceed_of_%s_limit" % (which, limit), code & 3)
    elif 0x60 <= code <= 0x67:
        _turn(told, "duration_of_" + ("last" if code & 4 else "first"), code & 3)
    elif code & 0x7A == 0x6A:
        told.is_date = True
        told.qualifiers.append(
            "%s_of_%s" % ("end" if code & 1 else "begin", "last" if code & 4 else "first")
        )
    else:
        told.qualifiers.append("vife_%02x" % code)


def _turn(told: Meaning, qualifier: str, duration: "int | None" = None) -> None:
    # The number is no longer of the VIF's unit: it counts, or lasts.
    told.qualifiers.append(qualifier)
    told.unit = "" if duration is None else "s"
    told.exponent = 0
    told.factor = 1 if duration is None else _SECONDS[duration]
    told.unsigned = True
