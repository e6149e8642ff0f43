"""COSEM class 4: a register that knows when it was captured (IEC 62056-6-2, 4.3.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar

from elec_meter.objects.classes.base import Now
from elec_meter.objects.classes.register import Register, ScalerUnit


class ExtendedRegister(Register):
    """A register with a status and the time at which its value came to be.

    Args:
        obis: the logical name.
        name: for people.
        now: the host's UTC for reads without an instant.
        source: the raw number at an instant, None when unknown.
        scaler_unit: how the raw number is to be understood.
        status: attribute 4, a status word; None when unknown.
        capture_time: attribute 5, in UTC; None when nothing was captured yet.
        modulus: as for `Register`.
    """

    class_id: ClassVar[int] = 4

    def __init__(
        self,
        obis: str,
        name: str,
        now: Now,
        source: Callable[[datetime], int | None],
        scaler_unit: ScalerUnit,
        *,
        status: Callable[[datetime], int | None],
        capture_time: Callable[[datetime], datetime | None],
        modulus: int | None = None,
    ) -> None:
        super().__init__(obis, name, now, source, scaler_unit, modulus=modulus)
        self._status = status
        self._capture_time = capture_time

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        return {**super()._readers(), 4: self._status, 5: self._capture_time}
