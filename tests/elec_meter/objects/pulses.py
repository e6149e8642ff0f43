"""A collector that has received what a test says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from shared.timegrid import HALF_HOUR_S


class HalfHourOfPulses(NamedTuple):
    """A half-hour as the fold gives it."""

    start_s: int
    pulses: int | None
    status: int
    final: bool


class Pairing(NamedTuple):
    """A pairing, long ago."""

    paired_utc: datetime = datetime(2012, 10, 28, tzinfo=UTC)


@dataclass
class FixedPulses:
    """One unit, `00000001`; `final` holds the pulses of its final half-hours in order."""

    received: int = 0
    final: list[int] = field(default_factory=list)
    serials: tuple[str, ...] = ("00000001",)

    def unit(self, serial: str) -> Pairing:
        """The pairing."""
        return Pairing()

    def register(self, serial: str) -> int:
        """Pulses since the pairing."""
        return self.received

    def final_through_s(self, serial: str) -> int:
        """End of the last final half-hour."""
        return self._first_s + len(self.final) * HALF_HOUR_S

    def half_hours(self, serial: str, from_s: int, to_s: int) -> list[HalfHourOfPulses]:
        """Half-hours that start in the range."""
        return [each for each in self.refold(serial) if from_s <= each.start_s < to_s]

    def refold(self, serial: str) -> list[HalfHourOfPulses]:
        """All final half-hours."""
        return [
            HalfHourOfPulses(self._first_s + n * HALF_HOUR_S, pulses, 0, True)
            for n, pulses in enumerate(self.final)
        ]

    @property
    def _first_s(self) -> int:
        return int(Pairing().paired_utc.timestamp())
