"""What a measurement says beside energy: quantities, faults, the supply's events, harmonics."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from shared.timegrid import from_unix_s

from .calibrated import FrontEnd, MeteringPipeline
from .commands import CommandedMeter
from .supply import SUPPLY_KEY, SupplyLog

if TYPE_CHECKING:
    from collector import Collector

    from .clock import Clock
    from .config import MeterConfig
    from .ledger import Ledger
    from .metrology import Harmonics, Measurement, Quantities
    from .quality import Quality
    from .storage import Storage

LIVE_LIMIT: Final = timedelta(seconds=15)
"""How long the quantities of a second are called those of the moment: longer than any block."""

HARMONICS_LIMIT: Final = timedelta(seconds=30)
"""How long measured harmonics are called those of the moment."""

HARMONICS_FRESH: Final = timedelta(seconds=5)
"""Who reads older ones has others measured for the next time."""


class MeasuredMeter(CommandedMeter):
    """The part of the meter that looks at what was measured.

    Args:
        config: as of the meter.
        storage: as of the meter.
        now: the host's UTC.
        clock: the meter's time.
        collector: its pulse units.
        ledger: its books.
        front_end: whose counts come; None for the meter's own.

    Attributes:
        pipeline: measures sample blocks as the configuration in force says, here or in a thread.
    """

    def __init__(
        self,
        config: MeterConfig,
        storage: Storage,
        now: datetime,
        clock: Clock,
        collector: Collector,
        ledger: Ledger,
        front_end: FrontEnd | None,
    ) -> None:
        super().__init__(config, storage, now, clock, collector, ledger)
        self.pipeline = MeteringPipeline(config, front_end=front_end)
        self._quantities: Quantities | None = None
        self._harmonics: Harmonics | None = None
        self._are_harmonics_awaited = False
        self._quality: Quality | None = None
        self._supply = SupplyLog(clock.read, storage.get_state(SUPPLY_KEY))
        self.save_beside(SUPPLY_KEY, self._supply.packed)

    def _work_with(self, config: MeterConfig, at_s: int | None) -> None:
        super()._work_with(config, at_s)
        self.pipeline.configure(config)

    def _judge(self, measurement: Measurement, end: datetime) -> None:
        """Keep what `measurement` says of the time up to `end`; mark rows, record events."""
        self._quantities = measurement.quantities
        if measurement.harmonics is not None:
            self._harmonics, self._are_harmonics_awaited = measurement.harmonics, False
        if self._quality is None:
            # Loaded with the first measurement: numba is heavy, and who only reads needs none.
            from .quality import Quality

            self._quality = Quality(self.ledger, self.clock)
        for entry in self._quality.judge(measurement, end):
            self.storage.record_event(*entry, end)
        for code, text, at in self._supply.take(measurement):
            self.storage.record_event(code, text, min(at, end))

    def _record_interrupted(self) -> None:
        """Power came: what the supply did when it went is over."""
        for entry in self._supply.power_came():
            self.storage.record_event(*entry)

    def _live(self, now: datetime) -> Quantities | None:
        """The last second's quantities, as long as it is the last second."""
        quantities = self._quantities
        if quantities is None or now > from_unix_s(quantities.second_s) + LIVE_LIMIT:
            return None
        return quantities

    def harmonics(self, now: datetime) -> Harmonics | None:
        """The harmonics of ten cycles not long ago, None when there are none.

        They are measured for who asks: the first call begins that, and a later one has them.
        """
        known = self._harmonics
        age = None if known is None else now - known.start_utc
        is_fresh = age is not None and age <= HARMONICS_FRESH
        if not is_fresh and not self._are_harmonics_awaited:
            self._are_harmonics_awaited = True
            self.pipeline.request_harmonics()
        return None if age is None or age > HARMONICS_LIMIT else known
