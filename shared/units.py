"""Exact quantities: energy, volume, the weight of a pulse, and gas volume as energy.

Whatever may reach a register is an `int` or a `Fraction`; a float is refused, because it would
already have been rounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from shared.errors import UnitsError
from shared.quoting import quoted

MJ_PER_WH: Final = 3_600_000
"""Millijoules in a watt-hour."""

LITRES_PER_CUBIC_FOOT: Final = Fraction(3048**3, 10**9)
"""28.316846592 l: the international foot is 0.3048 m."""

GAS_CORRECTION: Final = Fraction(102264, 100000)
"""Metered to standard volume for domestic supplies: 1.02264, Gas (Calculation of Thermal Energy)
Regulations 1996."""

_MJ_PER_KWH: Final = Fraction(36, 10)

_PLACES_MAX: Final = 30

# The exponent is bounded: a 10-byte text could otherwise ask for a number of a gigabyte.
_DECIMAL: Final = re.compile(
    r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(?:[eE][+-]?[0-9]{1,2})?"
)
_WEIGHT: Final = re.compile(r"([0-9.]{1,18})\s*(l|m3|m³|ft3|ft³)(?:\s*/\s*(?:imp|pulse))?")
_LITRES_PER_UNIT: Final = {
    "l": Fraction(1),
    "m3": Fraction(1000),
    "m³": Fraction(1000),
    "ft3": LITRES_PER_CUBIC_FOOT,
    "ft³": LITRES_PER_CUBIC_FOOT,
}


def _exact(quantity: Fraction | int) -> Fraction:
    if not isinstance(quantity, (Fraction, int)):
        raise UnitsError(f"{quantity!r} is not exact: give an int or a Fraction")
    return Fraction(quantity)


def exact_decimal(text: str) -> Fraction:
    """A decimal number as files give it, exactly: `0.1` is a tenth.

    Raises:
        UnitsError: the text is no decimal number, or an absurdly long one.
    """
    match = _DECIMAL.fullmatch(text.strip())
    if match is None:
        raise UnitsError(f"{quoted(text)} is not a decimal number")
    return Fraction(match[0])


@dataclass(frozen=True, order=True, slots=True)
class PulseWeight:
    """What one pulse of a gas meter stands for, exactly, in litres.

    Raises:
        UnitsError: the weight is not exact, or not above zero.
    """

    litres_per_pulse: Fraction

    def __post_init__(self) -> None:
        weight = _exact(self.litres_per_pulse)
        if weight <= 0:
            raise UnitsError(f"a pulse weight is above zero, not {weight} litres")
        object.__setattr__(self, "litres_per_pulse", weight)

    @classmethod
    def parse(cls, text: str) -> PulseWeight:
        """The weight as a meter's badge gives it: `0.01 m3`, `10 l/imp`, `1 ft3`."""
        match = _WEIGHT.fullmatch(text.strip().lower())
        if match is None:
            raise UnitsError(
                f"{quoted(text)} is no pulse weight such as '0.01 m3', '10 l' or '1 ft3'"
            )
        return cls(exact_decimal(match[1]) * _LITRES_PER_UNIT[match[2]])

    def __str__(self) -> str:
        """As on a badge and as `parse` takes it: `0.01 m3`, or `1 ft3` where that is shorter."""
        texts = (
            f"{_decimal_text(self.litres_per_pulse / _LITRES_PER_UNIT[unit])} {unit}"
            for unit in ("m3", "ft3")
        )
        return min(texts, key=len)

    def litres(self, pulses: int) -> Fraction:
        """The volume of a number of pulses, in litres."""
        return self.litres_per_pulse * pulses


PULSE_1_L: Final = PulseWeight(Fraction(1))
PULSE_10_L: Final = PulseWeight(Fraction(10))
PULSE_100_L: Final = PulseWeight(Fraction(100))
PULSE_1_FT3: Final = PulseWeight(LITRES_PER_CUBIC_FOOT)


def _decimal_text(number: Fraction) -> str:
    """A number without an exponent; every weight that a badge has ends somewhere."""
    places = 0
    while places < _PLACES_MAX and (number * 10**places).denominator != 1:
        places += 1
    return f"{shifted(round(number * 10**places), -places):f}"


def shifted(number: int | Decimal, exponent: int) -> Decimal:
    """A finite number times ten to the `exponent`: the same digits, whatever the context."""
    # No division and no arithmetic of decimals: a context would round to its own precision.
    sign, digits, places = Decimal(number).as_tuple()
    if not isinstance(places, int):
        raise UnitsError(f"{number} has no digits to shift")
    return Decimal((sign, digits, places + exponent))


def scaled(number: int, exponent: int) -> int | Decimal:
    """An integer times ten to the `exponent`, exactly: an int unless it has decimals."""
    return int(number * 10**exponent) if exponent >= 0 else shifted(number, exponent)


def kwh_text(wh: int) -> str:
    """Whole Wh as kWh with three decimals, exactly: 1234 is `1.234`."""
    whole_kwh, rest_wh = divmod(abs(wh), 1000)
    return f"{'-' if wh < 0 else ''}{whole_kwh}.{rest_wh:03d}"


def gas_energy_wh(
    volume_l: Fraction | int,
    calorific_value_mj_m3: Fraction | int,
    correction: Fraction | int = GAS_CORRECTION,
) -> Fraction:
    """The energy of a volume of gas, exactly: volume x correction x calorific value / 3.6.

    Args:
        volume_l: metered volume in litres.
        calorific_value_mj_m3: gross calorific value in MJ/m3, as the network publishes it.
        correction: metered to standard volume.

    Returns:
        Energy in Wh (litres and Wh are both a thousandth, of a cubic metre and of a kWh).

    Raises:
        UnitsError: a quantity is a float.
    """
    return _exact(volume_l) * _exact(correction) * _exact(calorific_value_mj_m3) / _MJ_PER_KWH
