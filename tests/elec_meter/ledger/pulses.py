"""A collector that knows what a test tells it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from elec_meter.ledger.walk import Run, runs_of
from shared.timegrid import HALF_HOUR_S, from_unix_s
from tests.elec_meter.ledger.meters import MIDNIGHT_S


class HalfHourOfPulses(NamedTuple):
    """A half-hour as the fold gives it."""

    start_s: int
    pulses: int | None
    status: int
    final: bool


class Pairing(NamedTuple):
    """When a unit was paired, and to which channel."""

    paired_utc: datetime
    channel: str = "gas"


@dataclass
class ScriptedPulses:
    """One unit; `folded` is what the fold gives now, in order of time.

    `journalled` stands for what the whole journal gives, where a test wants it to differ.
    """

    received: int = 0
    folded: list[HalfHourOfPulses] = field(default_factory=list)
    journalled: list[HalfHourOfPulses] | None = None
    serials: tuple[str, ...] = ("00000001",)
    paired_s: int = MIDNIGHT_S + 700

    def add(self, pulses: int | None, status: int = 0, *, final: bool = True) -> None:
        """Another half-hour; pulses of a pending one are received in it nevertheless."""
        first_s = self.paired_s // HALF_HOUR_S * HALF_HOUR_S
        start_s = first_s + len(self.folded) * HALF_HOUR_S
        self.folded.append(HalfHourOfPulses(start_s, pulses, status, final))
        self.received += pulses or 0

    def settle(self, index: int, pulses: int, status: int = 0) -> None:
        """A half-hour becomes final."""
        start_s = self.folded[index].start_s
        self.folded[index] = HalfHourOfPulses(start_s, pulses, status, True)

    def unit(self, serial: str) -> Pairing:
        """The pairing."""
        return Pairing(from_unix_s(self.paired_s))

    def ended_utc(self, serial: str) -> datetime | None:
        """It is on its gas meter."""
        return None

    def heard_utc(self, serial: str) -> datetime:
        """When it was heard last: nobody asks as long as it is there."""
        return from_unix_s(self.paired_s)

    def register(self, serial: str) -> int:
        """Pulses since the pairing."""
        return self.received

    def final_through_s(self, serial: str) -> int:
        """End of the last half-hour before which all are final."""
        through_s = self.paired_s // HALF_HOUR_S * HALF_HOUR_S
        for half_hour in self.folded:
            if not half_hour.final:
                break
            through_s = half_hour.start_s + HALF_HOUR_S
        return through_s

    def half_hours(self, serial: str, from_s: int, to_s: int) -> list[HalfHourOfPulses]:
        """Half-hours that start in the range."""
        return [each for each in self.folded if from_s <= each.start_s < to_s]

    def runs(self, serial: str, from_s: int, to_s: int) -> Iterator[Run]:
        """The same as runs."""
        return runs_of(self.half_hours(serial, from_s, to_s))

    def refold(self, serial: str) -> list[HalfHourOfPulses]:
        """All half-hours, from the journal."""
        return list(self.folded if self.journalled is None else self.journalled)
