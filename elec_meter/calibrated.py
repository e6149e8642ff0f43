"""Metrology as a meter's configuration calibrates it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import asdict

if TYPE_CHECKING:
    from .config import MeterConfig
    from .metrology import Metrology, SupplyThresholds
    from .sampling import Converter


def new_metrology(
    config: MeterConfig, rate_hz: int, *, converter: Converter | None = None
) -> Metrology:
    """A pipeline for the meter's front end.

    Args:
        config: whose calibration it has; without one, that of the converter.
        rate_hz: samples per second.
        converter: whose counts come; the meter's own if it is not named. One of another width than
            the calibration's is another front end, and taken by its own word.

    Raises:
        RateError: the rate is too low for the mains.
    """
    # Loaded with the first measurement: numba is heavy, and who only reads needs none.
    from .metrology import Calibration, Metrology
    from .sampling import Converter

    stored = config.calibration
    if stored is not None and converter in (None, Converter(bits=stored.bits)):
        calibration = Calibration.from_integers(**asdict(stored))
    else:
        calibration = Calibration.for_converter(converter or Converter())
    return Metrology(calibration, rate_hz=rate_hz, supply=supply_thresholds(config))


def supply_thresholds(config: MeterConfig) -> SupplyThresholds:
    """Where the configuration has events of the supply begin and end."""
    from .metrology import SupplyThresholds

    return SupplyThresholds(**asdict(config.supply))
