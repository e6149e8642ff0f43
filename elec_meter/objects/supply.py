"""Objects of the supply: distortion, sags and swells, outages; and of the LED."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from elec_meter.clock import unix_us
from elec_meter.events import EventCode
from elec_meter.objects.classes.base import CosemObject, Scalar
from elec_meter.objects.classes.data import Data
from elec_meter.objects.classes.profile_generic import ProfileGeneric, ProfileSource
from elec_meter.objects.classes.register import Register, ScalerUnit
from elec_meter.objects.classes.units import Unit
from elec_meter.objects.profiles import CLOCK_COLUMN, Bounds, captured
from elec_meter.objects.sources import Sources
from elec_meter.outages import OUTAGES_MAX, Outages
from shared.timegrid import from_unix_s

if TYPE_CHECKING:
    from elec_meter.metrology import Harmonics

_PERCENT: Final = ScalerUnit(-2, Unit.PERCENT)
_RAW_PER_ONE: Final = 10_000
_IMP_PER_KWH: Final = ScalerUnit(-3, Unit.PER_WATT_HOUR)


class _OutageRows(ProfileSource):
    """Long outages, each stamped with its end."""

    def __init__(self, outages: Outages) -> None:
        self._outages = outages

    def rows(self, from_utc: datetime | None, to_utc: datetime | None) -> list[tuple[Scalar, ...]]:
        bounds = Bounds.of(from_utc, to_utc)
        kept = self._outages.newest
        return [(from_unix_s(each.end_s), each.duration_s) for each in kept if each.end_s in bounds]

    def count(self) -> int:
        return len(self._outages.newest)


def supply_objects(sources: Sources) -> Iterator[CosemObject]:
    """Distortion, which is measured for who reads it; what befell the supply; the LED."""
    now = sources.now
    for c, name, share in (
        (31, "Current: total harmonic distortion", _thd_current),
        (32, "Voltage: total harmonic distortion", _thd_voltage),
    ):
        yield Register(f"1-0:{c}.7.124", name, now, _distortion(sources, share), _PERCENT)
    for d, name, code in (
        (32, "Voltage sags", EventCode.SUPPLY_SAG),
        (36, "Voltage swells", EventCode.SUPPLY_SWELL),
    ):
        yield Data(f"1-0:32.{d}.0", name, now, _happened(sources, code))
    yield from _outages(sources)
    yield from _led(sources)


def _outages(sources: Sources) -> Iterator[CosemObject]:
    """Counts, the last long one, and the log of long ones (IEC 62056-6-1, 6.2.45 and 6.3.4)."""
    now, outages = sources.now, sources.outages
    yield Data("0-0:96.7.9", "Long power failures", now, lambda _: outages.long_count)
    duration = Register(
        "0-0:96.7.19",
        "Duration of the last long power failure",
        now,
        lambda _: outages.newest[-1].duration_s if outages.newest else None,
        ScalerUnit(0, Unit.SECOND),
    )
    yield duration
    yield Data("0-0:96.7.21", "Power failures", now, lambda _: outages.count)
    yield ProfileGeneric(
        "1-0:99.97.0",
        "Long power failures: log",
        now,
        (CLOCK_COLUMN, captured(duration)),
        _OutageRows(outages),
        period_s=lambda: 0,
        depth=OUTAGES_MAX,
    )


def _led(sources: Sources) -> Iterator[CosemObject]:
    now, led = sources.now, sources.led
    constant = led.config.imp_per_kwh
    yield Register("1-0:0.3.0", "LED: meter constant", now, lambda _: constant, _IMP_PER_KWH)
    yield Register(
        "0-0:128.63.0",
        "LED: pulses",
        now,
        lambda _: led.pulses(sources.ledger.active_mj),
        ScalerUnit(0, Unit.COUNT),
    )
    yield Data("0-0:128.63.1", "LED: lit", now, lambda at: int(led.is_lit(unix_us(at))))


def _happened(sources: Sources, code: EventCode) -> Callable[[datetime], int]:
    return lambda _: sources.events.happened(code)


def _distortion(
    sources: Sources, share: Callable[[Harmonics], float]
) -> Callable[[datetime], int | None]:
    def read(now: datetime) -> int | None:
        harmonics = sources.harmonics(now)
        part = math.nan if harmonics is None else share(harmonics)
        return round(part * _RAW_PER_ONE) if math.isfinite(part) else None

    return read


def _thd_current(harmonics: Harmonics) -> float:
    return harmonics.thd_current


def _thd_voltage(harmonics: Harmonics) -> float:
    return harmonics.thd_voltage
