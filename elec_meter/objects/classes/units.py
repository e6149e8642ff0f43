"""Units of COSEM registers (IEC 62056-6-2, 4.3.2) and the multiples in which people read them."""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum
from typing import Final

from elec_meter.objects.classes.errors import UnitMismatchError
from shared.units import shifted


class Unit(IntEnum):
    """A COSEM unit; the number is what goes over DLMS."""

    DAY = 4
    SECOND = 7
    CURRENCY = 10
    """Of the tariff: pence."""
    CUBIC_METRE = 13
    WATT = 27
    VOLT_AMPERE = 28
    VAR = 29
    WATT_HOUR = 30
    VAR_HOUR = 32
    AMPERE = 33
    VOLT = 35
    PER_WATT_HOUR = 40
    """A meter constant."""
    HERTZ = 44
    DECIBEL_MILLIWATT = 70
    PERCENT = 56
    COUNT = 255

    @property
    def symbol(self) -> str:
        """As written beside a number; empty for a bare count."""
        return _SYMBOLS[self]


_SYMBOLS: Final[dict[Unit, str]] = {
    Unit.DAY: "d",
    Unit.SECOND: "s",
    Unit.CURRENCY: "p",
    Unit.CUBIC_METRE: "m3",
    Unit.WATT: "W",
    Unit.VOLT_AMPERE: "VA",
    Unit.VAR: "var",
    Unit.WATT_HOUR: "Wh",
    Unit.VAR_HOUR: "varh",
    Unit.AMPERE: "A",
    Unit.VOLT: "V",
    Unit.PER_WATT_HOUR: "1/Wh",
    Unit.HERTZ: "Hz",
    Unit.DECIBEL_MILLIWATT: "dBm",
    Unit.PERCENT: "%",
    Unit.COUNT: "",
}

_PREFIXES: Final = {"": 0, "k": 3, "M": 6}


def in_unit(value: int | Decimal, unit: str, wanted: str) -> Decimal:
    """The same quantity, exactly, in another multiple of its unit: 1234 `Wh` is 1.234 `kWh`.

    Raises:
        UnitMismatchError: `wanted` is no multiple of `unit`.
    """
    return shifted(value, -exponent_between(unit, wanted))


def exponent_between(unit: str, wanted: str) -> int:
    """The power of ten by which `wanted` exceeds `unit`: 3 from `Wh` to `kWh`.

    Raises:
        UnitMismatchError: `wanted` is no multiple of `unit`.
    """
    if wanted == unit:
        return 0
    for prefix, exponent in _PREFIXES.items():
        if unit and wanted == prefix + unit:
            return exponent
    raise UnitMismatchError(f"a value in {unit or 'counts'} cannot be shown in {wanted!r}")
