"""Objects of a pulse channel n = 1 to 6: volume, pulses, half-hours, and its unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from fractions import Fraction
from typing import Final, NamedTuple

from elec_meter.config import GasUnitConfig
from elec_meter.ledger import pulse_key
from elec_meter.objects.classes.base import CosemObject
from elec_meter.objects.classes.data import Data
from elec_meter.objects.classes.extended_register import ExtendedRegister
from elec_meter.objects.classes.register import Register, ScalerUnit
from elec_meter.objects.classes.units import Unit
from elec_meter.objects.electricity import (
    active_rate,
    block_e,
    block_source,
    divided,
    of_channel,
    rate_source,
)
from elec_meter.objects.profiles import Column, half_hour_profile, newest
from elec_meter.objects.sources import Sources
from elec_meter.unit_report import UnitReport

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


class Volume(NamedTuple):
    """How pulses of a unit are a volume: raw numbers a pulse, in what, and where they roll over."""

    raw_per_pulse: int
    scaler_unit: ScalerUnit
    modulus: int

    @classmethod
    def of(cls, unit: GasUnitConfig) -> Volume:
        """The volume of a unit's pulses."""
        scaler = volume_scaler(unit)
        per_litre = 10 ** (_LITRE_SCALER - scaler)
        return cls(
            int(unit.weight.litres_per_pulse * per_litre),
            ScalerUnit(scaler, Unit.CUBIC_METRE),
            unit.modulus_l * per_litre,
        )


def _volumes(sources: Sources, unit: GasUnitConfig) -> Iterator[CosemObject]:
    """The index (instance 1), its rates (instance 1 + rate) and their blocks, in cubic metres."""
    n, channel, ledger, volume = unit.number, unit.channel, sources.ledger, Volume.of(unit)

    def register(instance: int, name: str, pulses: Callable[[datetime], int]) -> Register:
        return Register(
            f"0-{n}:24.2.{instance}",
            f"Channel {n}: {name}",
            sources.now,
            _counted(sources, unit, lambda now: pulses(now) * volume.raw_per_pulse),
            volume.scaler_unit,
            modulus=volume.modulus,
        )

    yield ExtendedRegister(
        f"0-{n}:24.2.1",
        f"Channel {n}: index",
        sources.now,
        _counted(sources, unit, lambda _: ledger.total(channel) * volume.raw_per_pulse),
        volume.scaler_unit,
        status=_reported(sources, unit, lambda report: int(report.faults)),
        capture_time=lambda _: _last_received(sources, unit),
        modulus=volume.modulus,
    )
    for rate, blocks in enumerate(ledger.blocks(channel), start=1):
        yield register(1 + rate, f"rate {rate}", rate_source(sources, channel, rate))
        for block in divided(blocks):
            pulses = block_source(sources, channel, rate, block)
            yield register(block_e(rate, block), f"rate {rate} block {block}", pulses)
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
        f"0-{n}:128.5.0",
        f"Channel {n}: unit's signal",
        now,
        _reported(sources, unit, lambda report: report.signal_dbm),
        ScalerUnit(0, Unit.DECIBEL_MILLIWATT),
    )
    ledger, channel = sources.ledger, unit.channel
    for d, name, pulses in (
        (0, "pulses since pairing", ledger.total),
        (2, "pulses not final yet", ledger.unrated),
        (3, "pulses of half-hours that have left", ledger.aged),
    ):
        yield Register(
            f"0-{n}:128.{d}.0",
            f"Channel {n}: {name}",
            now,
            _counted(sources, unit, of_channel(pulses, channel)),
            _PULSES,
        )


def _half_hours(sources: Sources, unit: GasUnitConfig) -> Iterator[CosemObject]:
    n, now, key = unit.number, sources.now, pulse_key(unit.channel)
    status = Data(
        f"0-{n}:96.10.1",
        f"Channel {n}: status of the last half-hour",
        now,
        newest(sources, lambda row: row.channel_status.get(key), key),
    )
    pulses = Register(
        f"0-{n}:128.1.0",
        f"Channel {n}: pulses of the last half-hour",
        now,
        newest(sources, lambda row: row.deltas.get(key), key),
        _PULSES,
    )
    yield status
    yield pulses
    columns = (
        Column(status, lambda row: row.channel_status.get(key)),
        Column(pulses, lambda row: row.deltas.get(key)),
    )
    yield half_hour_profile(f"0-{n}:24.3.0", f"Channel {n}: half-hours", sources, columns, key)


def _counted(
    sources: Sources, unit: GasUnitConfig, of: Callable[[datetime], int]
) -> Callable[[datetime], int | None]:
    """A count, or None as long as no unit was ever there to count: that is no gas meter at 0."""

    def read(now: datetime) -> int | None:
        if not sources.ledger.total(unit.channel) and sources.unit(unit.serial) is None:
            return None
        return of(now)

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
