"""A slow, obvious reference of the ledger: it remembers every second and adds up when asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction

MJ_PER_WH = 3_600_000


class Bookkeeping:
    """One channel: every Wh is dated with the second that completed it.

    `rate_at` tells the rate of a UNIX second.
    """

    def __init__(self, rate_at: Callable[[int], int]) -> None:
        self._rate_at = rate_at
        self._seen_mj = Fraction()
        self.wh_at_s: Counter[int] = Counter()

    def draw(self, energy_mj: Fraction | int, at_s: int) -> None:
        """Energy of one second."""
        before = self._seen_mj // MJ_PER_WH
        self._seen_mj += energy_mj
        completed = self._seen_mj // MJ_PER_WH - before
        if completed:
            self.wh_at_s[at_s] += completed

    def draw_evenly(self, energy_mj: int, start_s: int, end_s: int) -> None:
        """The same energy in every second, without any rounding."""
        for at_s in range(start_s, end_s):
            self.draw(Fraction(energy_mj, end_s - start_s), at_s)

    def book(self, wh: int, at_s: int) -> None:
        """Whole Wh of one second."""
        self.wh_at_s[at_s] += wh

    @property
    def total_wh(self) -> int:
        """All that was drawn."""
        return sum(self.wh_at_s.values())

    @property
    def residual_mj(self) -> int:
        """What is not a whole Wh yet."""
        return int(self._seen_mj % MJ_PER_WH)

    def rate_wh(self, rate: int) -> int:
        """What was drawn in a rate."""
        return sum(wh for at_s, wh in self.wh_at_s.items() if self._rate_at(at_s) == rate)

    def half_hour_wh(self, start_s: int) -> int:
        """What was drawn in a half-hour."""
        return sum(wh for at_s, wh in self.wh_at_s.items() if start_s <= at_s < start_s + 1800)
