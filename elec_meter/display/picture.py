"""How the eight digits show a value: pictures such as `#####0.0`, and `time`, `date`, `text`."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from typing import Final

from elec_meter.config.places import DISPLAY_DIGITS, Places
from elec_meter.objects import Scalar

UNKNOWN: Final = "-" * DISPLAY_DIGITS
OVERFLOW: Final = "OL"

# Wide enough for any value of a directory, so that only `quantize` ever rounds.
_EXACT: Final = Context(prec=60)


class Picture(Places):
    """Writes numbers into their places."""

    __slots__ = ()

    def write(self, value: Decimal, *, cumulative: bool) -> str:
        """The digits of a value.

        What accumulates is cut off, because an index never shows more than was counted; anything
        else is rounded. A value with too many digits loses decimals, and then reads `OL`.
        """
        for decimals in range(self.decimals, -1, -1):
            digits = self._digits(value, decimals, ROUND_DOWN if cumulative else ROUND_HALF_UP)
            if len(digits) - digits.count(".") <= self.whole + self.decimals:
                return digits
        return OVERFLOW

    def _digits(self, value: Decimal, decimals: int, rounding: str) -> str:
        rounded = value.quantize(Decimal((0, (1,), -decimals)), rounding, _EXACT)
        width = self.zeros + (decimals + 1 if decimals else 0)
        # `+ 0` makes a negative value that rounded to zero a plain zero.
        return f"{_EXACT.add(rounded, 0):0{width}f}"


def write_text(value: Scalar, form: str) -> str:
    """A value as `time` (HH:MM:SS) or `date` (DD.MM.YY) of a clock, as `hex` bits, or as text."""
    if form == "time" and isinstance(value, (datetime, time)):
        return f"{value:%H:%M:%S}"
    if form == "date" and isinstance(value, date):
        return f"{value:%d.%m.%y}"
    if form == "hex" and isinstance(value, int):
        return f"{value:0{DISPLAY_DIGITS}X}"[-DISPLAY_DIGITS:]
    return str(value)[:DISPLAY_DIGITS]


def right_aligned(text: str) -> str:
    """The text at the right of eight places; points and colons stand between places."""
    places = len(text) - text.count(".") - text.count(":")
    return " " * (DISPLAY_DIGITS - places) + text
