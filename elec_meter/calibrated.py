"""Metrology as a meter's configuration has it, and as it changes while samples come."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import asdict

if TYPE_CHECKING:
    from .config import CalibrationConfig, MeterConfig, SupplyConfig
    from .metrology import Calibration, Measurement, Metrology, SupplyThresholds
    from .sampling import Converter, SampleBlock


class FrontEnd(NamedTuple):
    """Whose counts come.

    Attributes:
        converter: What a count means as drawn; None for the meter's own front end. One of another
            width than the calibration's is another front end, and taken by its own word.
        is_ideal: Whether its counts were made of volts and amperes: no calibration is theirs.
    """

    converter: Converter | None = None
    is_ideal: bool = False


class _Orders(NamedTuple):
    """What the meter wants; `requests` is how often it has asked for harmonics."""

    calibration: CalibrationConfig | None
    supply: SupplyConfig
    requests: int


class MeteringPipeline:
    """Measures sample blocks as a meter wants them measured.

    `configure` and `request_harmonics` belong to whoever owns the meter, `front_end` and `process`
    to whoever measures, which may be another thread. Orders take effect between two blocks.

    Args:
        config: of the meter: its calibration and its thresholds of the supply.
        front_end: whose counts come.

    Attributes:
        front_end: may become another between two blocks, which begins a new stream.
    """

    def __init__(self, config: MeterConfig, *, front_end: FrontEnd | None = None) -> None:
        self.front_end = front_end or FrontEnd()
        # One side replaces it whole, the other reads it once a block: no lock, nothing piles up.
        self._orders = _Orders(config.calibration, config.supply, requests=0)
        self._metrology: Metrology | None = None
        self._measures = self.front_end
        self._followed = self._orders
        self._answered = 0

    def configure(self, config: MeterConfig) -> None:
        """From the next block on, measure as `config` says; no mains cycle is lost."""
        self._orders = self._orders._replace(calibration=config.calibration, supply=config.supply)

    def request_harmonics(self) -> None:
        """Have those of ten cycles measured from the next block on; a measurement will have them.

        A request before the last one is answered adds nothing to it.
        """
        self._orders = self._orders._replace(requests=self._orders.requests + 1)

    def process(self, block: SampleBlock) -> Measurement:
        """Measure a block; another rate or front end begins a new stream.

        Raises:
            MetrologyError: it cannot be measured.
        """
        orders = self._orders
        metrology = self._metrology_for(orders, block.rate_hz)
        if orders.requests != self._answered and not metrology.are_harmonics_awaited:
            metrology.request_harmonics()
        measurement = metrology.process(block)
        if measurement.harmonics is not None:
            self._answered = orders.requests
        return measurement

    def _metrology_for(self, orders: _Orders, rate_hz: int) -> Metrology:
        known = self._metrology
        if known is None or known.rate_hz != rate_hz or self.front_end != self._measures:
            known = self._begun(orders, rate_hz)
        elif orders is not self._followed:
            if orders.calibration != self._followed.calibration:
                known.recalibrate(calibration_of(orders.calibration, self.front_end))
            if orders.supply != self._followed.supply:
                known.supply.thresholds = supply_thresholds(orders.supply)
        self._followed = orders
        return known

    def _begun(self, orders: _Orders, rate_hz: int) -> Metrology:
        # Loaded with the first measurement: numba is heavy, and who only reads needs none.
        from .metrology import Metrology

        calibration = calibration_of(orders.calibration, self.front_end)
        begun, before = Metrology(calibration, rate_hz=rate_hz), self._metrology
        if before is not None:
            begun.supply = before.supply  # what lasts is over where its samples end
        begun.supply.thresholds = supply_thresholds(orders.supply)
        self._metrology, self._measures = begun, self.front_end
        return begun


def calibration_of(stored: CalibrationConfig | None, front_end: FrontEnd) -> Calibration:
    """What the counts of a front end mean.

    Args:
        stored: the meter's calibration; None for none.
        front_end: whose counts come.
    """
    from .metrology import Calibration
    from .sampling import Converter

    converter, is_ideal = front_end
    if stored is not None and not is_ideal and converter in (None, Converter(bits=stored.bits)):
        return Calibration.from_integers(**asdict(stored))
    return Calibration.for_converter(converter or Converter())


def supply_thresholds(config: SupplyConfig) -> SupplyThresholds:
    """Where a configuration has events of the supply begin and end."""
    from .metrology import SupplyThresholds

    return SupplyThresholds(**asdict(config))
