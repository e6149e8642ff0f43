"""How much a module may say and be told: more makes it wait, and much more for long cuts it off."""

from __future__ import annotations

from elec_meter.addons.limits import Limits


class Throttle:
    """A bucket that fills at a rate; what crosses the line empties it.

    Args:
        limits: its size and its rate.
        at_s: now, by a clock that never falls.
    """

    def __init__(self, limits: Limits, at_s: float) -> None:
        self._limits = limits
        self._balance = float(limits.burst_bytes)
        self._at_s = at_s
        self._waiting_since_s: float | None = None

    def spend(self, octets: int, at_s: float) -> None:
        """So many bytes have crossed."""
        self._fill(at_s)
        self._balance -= octets
        if self._balance < 0 and self._waiting_since_s is None:
            self._waiting_since_s = at_s

    def wait_s(self, at_s: float) -> float:
        """How long nothing may be taken from the module; 0 for not at all."""
        self._fill(at_s)
        return max(0.0, -self._balance / self._limits.rate_bytes_per_s)

    def is_flooded(self, at_s: float) -> bool:
        """Whether it has gone on for too long."""
        self._fill(at_s)
        since_s = self._waiting_since_s
        return since_s is not None and at_s - since_s >= self._limits.flood_s

    def _fill(self, at_s: float) -> None:
        most = float(self._limits.burst_bytes)
        self._balance += (at_s - self._at_s) * self._limits.rate_bytes_per_s
        self._balance = min(self._balance, most)
        self._at_s = at_s
        if self._balance >= most / 2:
            self._waiting_since_s = None
