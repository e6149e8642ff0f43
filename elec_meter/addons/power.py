"""What a module draws: measured, added up, and too much or not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import Final

from elec_meter.addons.limits import Limits

IDLE_MA: Final = 5
BUSY_MA: Final = 200
"""What a small module's processor draws at 5 V, waiting and at work; a process on a computer is
taken for one of these."""

_US_PER_S: Final = 1_000_000


class PowerSensor(ABC):
    """Measures what a module draws."""

    @abstractmethod
    def drawn_us(self) -> int:
        """Microseconds of work, on one processor, since it was switched on; never falls."""


class VirtualSensor(PowerSensor):
    """Draws what a test says.

    Args:
        work_us: microseconds of work so far.
    """

    def __init__(self, work_us: int = 0) -> None:
        self.work_us = work_us

    def drawn_us(self) -> int:
        """As a test says."""
        return self.work_us


class PowerAccount:
    """The account of one module, from the moment at which it is switched on.

    Args:
        budget_ma: what it may draw for longer than a moment.
        limits: how long a moment is.
        sensor: what it does draw.
        at_s: now, by a clock that never falls.

    Attributes:
        charge_mas: milliampere-seconds drawn since then.
    """

    def __init__(self, budget_ma: int, limits: Limits, sensor: PowerSensor, at_s: float) -> None:
        self.charge_mas = 0
        self._budget_ma = budget_ma
        self._window_s = limits.window_s
        self._sensor = sensor
        self._begun_s = at_s
        self._points: deque[tuple[float, int]] = deque([(at_s, 0)])

    def measure(self, at_s: float) -> None:
        """Add up what was drawn until now."""
        work_mas = self._sensor.drawn_us() * (BUSY_MA - IDLE_MA) // _US_PER_S
        self.charge_mas = max(self.charge_mas, int((at_s - self._begun_s) * IDLE_MA) + work_mas)
        self._points.append((at_s, self.charge_mas))
        while len(self._points) > 1 and self._points[1][0] <= at_s - self._window_s:
            self._points.popleft()

    @property
    def average_ma(self) -> int:
        """The average over the window, or over the time since it was switched on."""
        (from_s, from_mas), (to_s, to_mas) = self._points[0], self._points[-1]
        return round((to_mas - from_mas) / (to_s - from_s)) if to_s > from_s else 0

    @property
    def is_exceeded(self) -> bool:
        """Whether it has drawn more than its budget, on average over a whole window."""
        is_whole = self._points[-1][0] - self._points[0][0] >= self._window_s
        return is_whole and self.average_ma > self._budget_ma
