"""COSEM class 6: which registers count now (IEC 62056-6-2, 4.3.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, NamedTuple

from elec_meter.objects.classes.base import CosemObject, Now
from shared.obis import Obis


class Assigned(NamedTuple):
    """A register that may be active."""

    class_id: int
    obis: Obis


class Mask(NamedTuple):
    """The registers that are active under a name, by their place among the assigned, from 1."""

    name: str
    places: tuple[int, ...]


class RegisterActivation(CosemObject):
    """Rate registers, one of which counts; its value is the mask in force.

    Args:
        obis: the logical name.
        name: for people.
        now: the host's UTC for reads without an instant.
        registers: rate 1 first.
        active_rate: gives the rate in force, None while the time is not known.
    """

    class_id: ClassVar[int] = 6
    value_attribute: ClassVar[int] = 4

    def __init__(
        self,
        obis: str,
        name: str,
        now: Now,
        registers: Sequence[Assigned],
        active_rate: Callable[[datetime], int | None],
    ) -> None:
        super().__init__(obis, name, now)
        self._registers = tuple(registers)
        self._active_rate = active_rate

    def _mask(self, now: datetime) -> str | None:
        rate = self._active_rate(now)
        return None if rate is None else f"rate {rate}"

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        return {
            2: lambda _: self._registers,
            3: lambda _: tuple(
                Mask(f"rate {place}", (place,)) for place in range(1, len(self._registers) + 1)
            ),
            4: self._mask,
        }
