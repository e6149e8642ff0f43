"""COSEM class 5: power averaged over a period (IEC 62056-6-2, 4.3.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar, Final, NamedTuple

from elec_meter.objects.classes.base import Now, Scalar
from elec_meter.objects.classes.register import Register, ScalerUnit

_LAST: Final = 3


class DemandSource(NamedTuple):
    """Where the attributes of a demand register come from.

    Attributes:
        current: the average so far of the period under way; None when it is not known.
        last: the average of the period that ended last; None before the first.
        status: a status word.
        capture_time: when the last period ended, in UTC; None before the first.
        start_time: when the period under way began, in UTC; None when it is not known.
        period_s: seconds between two ends of periods.
        periods: how many of these one average spans: 1, or more where the period slides.
    """

    current: Callable[[datetime], int | None]
    last: Callable[[datetime], int | None]
    status: Callable[[datetime], int | None]
    capture_time: Callable[[datetime], datetime | None]
    start_time: Callable[[datetime], datetime | None]
    period_s: Callable[[datetime], int]
    periods: Callable[[datetime], int]


class DemandRegister(Register):
    """A running average and the last one; its value is the running one.

    Args:
        obis: the logical name.
        name: for people.
        now: the host's UTC for reads without an instant.
        demand: where the attributes come from; averages are raw numbers.
        scaler_unit: how the raw numbers are to be understood.
    """

    class_id: ClassVar[int] = 5

    def __init__(
        self, obis: str, name: str, now: Now, demand: DemandSource, scaler_unit: ScalerUnit
    ) -> None:
        super().__init__(obis, name, now, demand.current, scaler_unit)
        self._demand = demand

    def present(self, attribute: int, now: datetime) -> Scalar:
        """An attribute for people; both averages are scaled, exactly."""
        if attribute == _LAST:
            return self.scaled(self._demand.last(now))
        return super().present(attribute, now)

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        demand = self._demand
        return {
            2: self.raw_at,
            _LAST: demand.last,
            4: lambda _: self.scaler_unit,
            5: demand.status,
            6: demand.capture_time,
            7: demand.start_time,
            8: demand.period_s,
            9: demand.periods,
        }
