"""A meter on mains of which a test says the load, second by second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from elec_meter import Meter, Storage
from elec_meter.config import MeterConfig
from elec_meter.sampling import ConstantLoad, SyntheticMains

RATE_HZ = 4_000

BEGUN = datetime(2026, 4, 1, 11, 59, 50, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class House:
    """A house whose load flows while the contactor is closed.

    Attributes:
        meter: its meter; another object after an outage.
        now: the host's time.
    """

    def __init__(self, config: MeterConfig, storage: Storage | None = None) -> None:
        self.storage = Storage.in_memory() if storage is None else storage
        self.now = BEGUN
        self.meter = Meter(config, self.storage, self.now)

    def draw(self, watts: float, seconds: int, *, through_open: bool = False) -> None:
        """Let a load draw for some seconds, as far as it gets any power."""
        for _ in range(seconds):
            flows = through_open or self.meter.switchgear.contactor.is_closed
            load = ConstantLoad(watts if flows else 0.0)
            # A mains of its own each second: one computes its samples ahead.
            mains = SyntheticMains(seed=1, rate_hz=RATE_HZ, anchor_utc=BEGUN, load=load)
            first = (self.now - BEGUN) // SECOND * RATE_HZ
            self.now += SECOND
            self.meter.receive_block(mains.block(first, RATE_HZ), self.now)
            self.meter.handle_timer(self.now)

    def wait(self, seconds: int) -> None:
        """Nothing is measured, and every timer is met."""
        until = self.now + seconds * SECOND
        while self.now < until:
            self.now = min(until, max(self.now, self.meter.next_timer()))
            self.meter.handle_timer(self.now)

    def press(self, held_ms: int = 0) -> None:
        """The button."""
        self.meter.press_button(self.now, held_ms=held_ms)

    def cut(self, length: timedelta) -> None:
        """The power fails without a warning, and comes back."""
        self.now += length
        self.meter = Meter(self.meter.config, self.storage, self.now)

    def said(self, first: int, last: int) -> list[str]:
        """The log's sentences with codes in between."""
        return [each.text for each in self.storage.events() if first <= each.code <= last]
