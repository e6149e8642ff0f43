"""Objects of a pulse channel n = 1 to 6: volume, pulses, half-hours, and its unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from fractions import Fraction
from typing import Final

from elec_meter.config import GasUnitConfig
from elec_meter.objects.base import CosemObject
from elec_meter.objects.data import Data
from elec_meter.objects.electricity import active_rate
from elec_meter.objects.extended_register import ExtendedRegister
from elec_meter.objects.profiles import Column, half_hour_profile, newest
from elec_meter.objects.register import Register, ScalerUnit
from elec_meter.objects.sources import Sources, UnitReport
from elec_meter.objects.units import Unit

_PULSES: Final = ScalerUnit(0, Unit.COUNT)
_LITRE_SCALER: Final = -3
# A weight has at most 18 digits, and a cubic foot 12 decimals of a cubic metre.
_FINEST_SCALER: Final = -32


def gas_objects(sources: Sources, unit: GasUnitConfig) -> Iterator[CosemObject]:
    """Everything of one channel."""
    yield from _volumes(sources, unit)
    yield from _unit_objects(sources, unit)
    yield from _half_hours(sources, unit)


def volume_scaler(unit: GasUnitConfig) -> int:
    """The coarsest power of ten of a cubic metre, a litre at most, that divides a pulse."""
    cubic_metres = unit.weight.litres_per_pulse / 1000
    return next(
        scaler
        for scaler in range(_LITRE_SCALER, _FINEST_SCALER - 1, -1)
        if (cubic_metres / Fraction(10) ** scaler).denominator == 1
    )


def _volumes(sources: Sources, unit: GasUnitConfig) -> Iterator[CosemObject]:
    """The index (instance 1) and its rates (instance 1 + rate), in cubic metres."""
    n, channel, ledger = unit.number, unit.channel, sources.ledger
    scaler = volume_scaler(unit)
    scaler_unit = ScalerUnit(scaler, Unit.CUBIC_METRE)
    modulus = int(unit.modulus_l * 10 ** (_LITRE_SCALER - scaler))
    raw_per_pulse = int(unit.weight.litres_per_pulse * 10 ** (_LITRE_SCALER - scaler))
    yield ExtendedRegister(
        f"0-{n}:24.2.1",
        f"Channel {n}: index",
        sources.now,
        _counted(sources, unit, lambda: ledger.total(channel) * raw_per_pulse),
        scaler_unit,
        status=_reported(sources, unit, lambda report: int(report.faults)),
        capture_time=lambda _: _last_received(sources, unit),
        modulus=modulus,
    )
    for rate in range(1, len(ledger.rates(channel)) + 1):
        yield Register(
            f"0-{n}:24.2.{1 + rate}",
            f"Channel {n}: rate {rate}",
            sources.now,
            _counted(sources, unit, _rate_volume(sources, channel, rate, raw_per_pulse)),
            scaler_unit,
            modulus=modulus,
        )
    yield Data(
        f"0-{n}:96.14.0", f"Channel {n}: rate now", sources.now, active_rate(sources, channel)
    )


def _unit_objects(sources: Sources, unit: GasUnitConfig) -> Iterator[CosemObject]:
    n, now = unit.number, sources.now
    yield Data(f"0-{n}:96.1.0", f"Channel {n}: unit's serial number", now, lambda _: unit.serial)
    yield Register(
        f"0-{n}:96.6.6",
        f"Channel {n}: unit's battery left",
        now,
        _reported(sources, unit, lambda report: report.battery_left_d),
        ScalerUnit(0, Unit.DAY),
    )
    yield Data(
        f"0-{n}:97.97.0",
        f"Channel {n}: errors",
        now,
        _reported(sources, unit, lambda report: int(report.faults)),
    )
    yield Register(
        f"0-{n}:128.0.0",
        f"Channel {n}: pulses since pairing",
        now,
        _counted(sources, unit, lambda: sources.ledger.total(unit.channel)),
        _PULSES,
    )


def _half_hours(sources: Sources, unit: GasUnitConfig) -> Iterator[CosemObject]:
    n, now, key = unit.number, sources.now, f"{unit.channel}_pulses"
    status = Data(
        f"0-{n}:96.10.1",
        f"Channel {n}: status of the last half-hour",
        now,
        newest(sources, lambda row: row.channel_status.get(key)),
    )
    pulses = Register(
        f"0-{n}:128.1.0",
        f"Channel {n}: pulses of the last half-hour",
        now,
        newest(sources, lambda row: row.deltas.get(key)),
        _PULSES,
    )
    yield status
    yield pulses
    columns = (
        Column(status, lambda row: row.channel_status.get(key)),
        Column(pulses, lambda row: row.deltas.get(key)),
    )
    yield half_hour_profile(f"0-{n}:24.3.0", f"Channel {n}: half-hours", sources, columns)


def _rate_volume(
    sources: Sources, channel: str, rate: int, raw_per_pulse: int
) -> Callable[[], int]:
    return lambda: sources.ledger.rates(channel)[rate - 1] * raw_per_pulse


def _counted(
    sources: Sources, unit: GasUnitConfig, of: Callable[[], int]
) -> Callable[[datetime], int | None]:
    """A count, or None as long as no unit was ever there to count: that is no gas meter at 0."""

    def read(_: datetime) -> int | None:
        if not sources.ledger.total(unit.channel) and sources.unit(unit.serial) is None:
            return None
        return of()

    return read


def _reported(
    sources: Sources, unit: GasUnitConfig, of: Callable[[UnitReport], int | None]
) -> Callable[[datetime], int | None]:
    def read(_: datetime) -> int | None:
        report = sources.unit(unit.serial)
        return None if report is None else of(report)

    return read


def _last_received(sources: Sources, unit: GasUnitConfig) -> datetime | None:
    report = sources.unit(unit.serial)
    return None if report is None else report.last_received_utc
