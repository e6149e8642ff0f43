"""One profile with the rows of every channel: what a head end reads once a day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from elec_meter.ledger import pulse_key
from elec_meter.objects.classes.base import CosemObject
from elec_meter.objects.classes.profile_generic import ProfileGeneric
from elec_meter.objects.electricity import load_profile_energies
from elec_meter.objects.profiles import Column, period_profile
from elec_meter.objects.sources import Sources
from shared.obis import Obis

if TYPE_CHECKING:
    from elec_meter.ledger import ProfileRow

EVERY_CHANNEL: Final = "0-0:128.36.0"


def every_channel_profile(
    sources: Sources, status: Column, known: Mapping[Obis, CosemObject]
) -> ProfileGeneric:
    """Rows of a period: status, energies; of pulse channels status and pulses; of others the value.

    Args:
        sources: where the ledger is.
        status: the column with the status of a row.
        known: the objects whose values are captured.
    """
    columns = [status, *_columns(sources, known)]
    return period_profile(EVERY_CHANNEL, "Rows of every channel", sources, columns)


def _columns(sources: Sources, known: Mapping[Obis, CosemObject]) -> Iterator[Column]:
    for energy in load_profile_energies(sources):
        yield Column(known[Obis.parse(f"1-0:{energy.c}.29.0")], energy.in_row)
    for unit in sources.config.gas_units:
        key = pulse_key(unit.channel)
        yield Column(known[Obis.parse(f"0-{unit.number}:96.10.1")], _status(key))
        yield Column(known[Obis.parse(f"0-{unit.number}:128.1.0")], _delta(key))
    for data in sources.config.data_channels:
        yield Column(known[Obis.parse(f"0-{data.number}:128.1.0")], _delta(data.name))


def _delta(key: str) -> Callable[[ProfileRow], int | None]:
    return lambda row: row.deltas.get(key)


def _status(key: str) -> Callable[[ProfileRow], int | None]:
    return lambda row: row.channel_status.get(key)
