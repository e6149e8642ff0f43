"""Objects of a data channel: what it records, its last value, its sum and its profile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final

from elec_meter.config import DataChannelConfig
from elec_meter.objects.classes.base import CosemObject
from elec_meter.objects.classes.data import Data
from elec_meter.objects.classes.register import Register, ScalerUnit
from elec_meter.objects.classes.units import Unit
from elec_meter.objects.profiles import Column, newest, period_profile
from elec_meter.objects.sources import Sources
from shared.obis import Obis

_VALUE: Final = 2
_BARE: Final = ScalerUnit(0, Unit.COUNT)


def data_channel_objects(
    sources: Sources, channel: DataChannelConfig, status: Column, known: Mapping[Obis, CosemObject]
) -> Iterator[CosemObject]:
    """Everything of one data channel; it has the unit of the object that it records.

    Args:
        sources: where values come from.
        channel: the channel.
        status: the column with the status of a row.
        known: objects that may be recorded.
    """
    n, name = channel.number, channel.name
    recorded = known.get(Obis.parse(channel.object))
    scaler_unit, modulus = _BARE, None
    if isinstance(recorded, Register) and channel.attribute == _VALUE:
        scaler_unit, modulus = recorded.scaler_unit, recorded.modulus
    text = f"{channel.object};{channel.attribute}"
    yield Data(f"0-{n}:128.4.0", f"Channel {n}: what it records", sources.now, lambda _: text)
    last = Register(
        f"0-{n}:128.1.0",
        f"Channel {n}: last recorded value",
        sources.now,
        newest(sources, lambda row: row.deltas.get(name)),
        scaler_unit,
    )
    yield last
    if modulus is not None:
        yield Register(
            f"0-{n}:128.0.0",
            f"Channel {n}: sum of what it recorded",
            sources.now,
            _sum(sources, name),
            scaler_unit,
            modulus=modulus,
        )
    columns = (status, Column(last, lambda row: row.deltas.get(name)))
    yield period_profile(f"0-{n}:24.3.0", f"Channel {n}: recorded values", sources, columns)


def _sum(sources: Sources, name: str) -> Callable[[datetime], int | None]:
    """What the object advanced by since it was first recorded; None before that."""

    def read(_: datetime) -> int | None:
        totals = sources.ledger.data_channels.totals.get(name)
        return None if totals is None else totals.total

    return read
