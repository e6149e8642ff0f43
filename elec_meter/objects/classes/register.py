"""COSEM class 3: a number with a scaler and a unit (IEC 62056-6-2, 4.3.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, NamedTuple

from elec_meter.objects.classes.base import CosemObject, Now, Scalar
from elec_meter.objects.classes.units import Unit, exponent_between
from shared.units import scaled


class ScalerUnit(NamedTuple):
    """Attribute 3: the raw number times ten to the `scaler` is in `unit`."""

    scaler: int
    unit: Unit


class Digits(NamedTuple):
    """How a register is written: digits before the point until it rolls over, and behind it.

    `whole` is None for one that never rolls over because it does not accumulate.
    """

    whole: int | None
    decimals: int


class Register(CosemObject):
    """A number with a unit. No method resets it: there is none to call.

    Args:
        obis: the logical name.
        name: for people.
        now: the host's UTC for reads without an instant.
        source: the raw number at an instant, None when unknown.
        scaler_unit: how the raw number is to be understood.
        modulus: the raw number at which the register rolls over to 0 where it is shown; None
            for one that does not accumulate.
    """

    class_id: ClassVar[int] = 3

    def __init__(
        self,
        obis: str,
        name: str,
        now: Now,
        source: Callable[[datetime], int | None],
        scaler_unit: ScalerUnit,
        *,
        modulus: int | None = None,
    ) -> None:
        super().__init__(obis, name, now)
        self._source = source
        self.scaler_unit = scaler_unit
        self.modulus = modulus

    @property
    def unit(self) -> str:
        """The symbol of `value`'s unit, empty for a bare count."""
        return self.scaler_unit.unit.symbol

    def digits(self, unit: str) -> Digits:
        """The digits that show every value of this register, exactly, in a multiple of its unit.

        Raises:
            UnitMismatchError: `unit` is no multiple of the register's.
        """
        scaler = self.scaler_unit.scaler - exponent_between(self.unit, unit)
        whole = None
        if self.modulus is not None:
            largest = self.modulus - 1
            whole = len(str(largest // 10**-scaler if scaler < 0 else largest * 10**scaler))
        return Digits(whole, max(0, -scaler))

    def raw_at(self, now: datetime) -> int | None:
        """Attribute 2: the unscaled number."""
        raw = self._source(now)
        if raw is None or self.modulus is None:
            return raw
        return raw % self.modulus

    def present(self, attribute: int, now: datetime) -> Scalar:
        """An attribute for people; the value is scaled, exactly."""
        if attribute != 2:
            return super().present(attribute, now)
        return self.scaled(self.raw_at(now))

    def scaled(self, raw: int | None) -> int | Decimal | None:
        """A raw number of this register in its unit, exactly."""
        return None if raw is None else scaled(raw, self.scaler_unit.scaler)

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        return {2: self.raw_at, 3: lambda _: self.scaler_unit}
