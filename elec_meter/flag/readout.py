"""The data readout: a list of objects as lines of text (IEC 62056-21, 6.3.4 and Annex A)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from elec_meter.access import Level, may_read
from elec_meter.errors import ConfigError
from elec_meter.flag.command import IDENTIFIER_LIMIT
from elec_meter.flag.framing import data_message
from elec_meter.flag.texts import text_of
from elec_meter.objects import (
    CosemObject,
    Directory,
    ExtendedRegister,
    ObjectsError,
    ProfileGeneric,
    Register,
    Scalar,
    in_unit,
)

VALUE_LIMIT: Final = 32
"""Characters of a value in the readout; in programming mode there may be more."""
LINE_LIMIT: Final = 78
"""Characters of a line with its CR LF; the other limits keep every line below it."""

_VALUE: Final = 2
_CAPTURE_TIME: Final = 5
_KILO: Final = frozenset({"Wh", "varh"})


class Readout:
    """What the meter says to everybody who asks on a line.

    Args:
        directory: where the values are.
        codes: OBIS codes of the lines, in order.
        durable: called before the values are read; what it has not made durable is not sent.
        level: who may ask: everybody, unless the line leads to somebody who is trusted with more.

    Raises:
        ConfigError: a line names an object that the meter does not have, that is not for them, or
            that has no single value.
    """

    def __init__(
        self,
        directory: Directory,
        codes: Sequence[str],
        durable: Callable[[], None],
        level: Level = Level.PUBLIC,
    ) -> None:
        self._directory = directory
        self._objects = [_readable(directory, code, level) for code in codes]
        self._durable = durable

    def block(self) -> bytes:
        """The message, `STX` to `BCC`: every value read once, at one instant."""
        self._durable()
        now = self._directory.now()
        return data_message([readout_line(each, now) for each in self._objects])


def readout_line(each: CosemObject, now: datetime, limit: int = VALUE_LIMIT) -> str:
    """One line without its end: `1.8.0(000123.456*kWh)`; an unknown value is empty.

    A value that was captured at a time of its own has that time, in UTC, behind it. A text is cut
    off at the limit.
    """
    value = each.value_at(now)
    if not isinstance(each, Register):
        return f"{each.obis.reduced}({text_of(value, limit)})"
    line = f"{each.obis.reduced}({_number(each, value)})"
    if isinstance(each, ExtendedRegister):
        line += f"({text_of(each.present(_CAPTURE_TIME, now), limit)})"
    return line


def _readable(directory: Directory, code: str, level: Level) -> CosemObject:
    try:
        each = directory[code]
    except ObjectsError as error:
        raise ConfigError(f"the FLAG readout cannot show {code}: {error}") from None
    if isinstance(each, ProfileGeneric):
        raise ConfigError(f"the FLAG readout cannot show {code}: it is no single value")
    if not may_read(level, each.obis, each.class_id, _VALUE):
        raise ConfigError(f"the FLAG readout cannot show {code}: it is not for everybody")
    if len(each.obis.reduced) > IDENTIFIER_LIMIT:
        raise ConfigError(f"the FLAG readout cannot show {code}: its identifier is too long")
    if isinstance(each, Register) and _width(each) > VALUE_LIMIT:
        raise ConfigError(f"the FLAG readout cannot show {code}: it has too many digits")
    return each


def _readout_unit(register: Register) -> str:
    return f"k{register.unit}" if register.unit in _KILO else register.unit


def _width(register: Register) -> int:
    """Characters of a value before the register rolls over; 0 where it never does."""
    whole, decimals = register.digits(_readout_unit(register))
    return 0 if whole is None else whole + (decimals + 1 if decimals else 0)


def _number(register: Register, value: Scalar) -> str:
    if not isinstance(value, (int, Decimal)):
        return ""
    unit = _readout_unit(register)
    number = f"{in_unit(value, register.unit, unit):f}".zfill(_width(register))
    return f"{number}*{unit}" if unit else number
