"""What a gas meter's dial shows, in the dial's own unit and exactly in litres."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from shared.quoting import quoted
from shared.units import LITRES_PER_CUBIC_FOOT, exact_decimal, shifted

from .errors import DialError

UNITS_L: Final = {
    "m3": Fraction(1000),
    "ft3": LITRES_PER_CUBIC_FOOT,
    "100ft3": LITRES_PER_CUBIC_FOOT * 100,
}
"""Litres in one unit of a dial; imperial meters of houses count hundreds of cubic feet."""

_READING: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class DialReading:
    """A reading of a dial.

    Attributes:
        litres: the volume, exactly.
        unit: the dial's, a key of `UNITS_L`.
    """

    litres: Fraction
    unit: str = "m3"

    @classmethod
    def parse(cls, text: str, unit: str = "m3") -> DialReading:
        """The digits as they stand on the dial, with a point before the red ones.

        Raises:
            DialError: it is no such reading, or the unit is none of a dial.
        """
        if unit not in UNITS_L:
            raise DialError(f"a dial counts {', '.join(UNITS_L)}, not {quoted(unit)}")
        digits = "".join(text.split())
        if not _READING.fullmatch(digits):
            raise DialError(f"{quoted(text)} is no reading of a dial such as 01234.567")
        return cls(exact_decimal(digits) * UNITS_L[unit], unit)

    def plus(self, litres: Fraction) -> DialReading:
        """The reading when so much more has passed."""
        return DialReading(self.litres + litres, self.unit)

    def __str__(self) -> str:
        thousandths = self.litres / UNITS_L[self.unit] * 1000
        return f"{whole_decimal(thousandths, -3)} {self.unit}"


def whole_decimal(number: Fraction, exponent: int) -> Decimal:
    """A number, rounded down to a whole one, times ten to the `exponent`."""
    return shifted(number.numerator // number.denominator, exponent)


def decimal_text(number: Fraction) -> str:
    """A number whose decimals end, with all of them; others as a fraction: `1/3`."""
    twos = fives = 0
    rest = number.denominator
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return str(number)
    places = max(twos, fives)
    scaled = number.numerator * 10**places // number.denominator
    return format(shifted(scaled, -places), "f")
