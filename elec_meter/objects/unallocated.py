"""Objects of energy that is in no row: what was measured without a time, and what has left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from elec_meter.clock import SECOND_US, from_unix_us
from elec_meter.ledger import Spell
from elec_meter.objects.classes.base import CosemObject, Scalar
from elec_meter.objects.classes.data import Data
from elec_meter.objects.classes.profile_generic import ProfileGeneric, ProfileSource
from elec_meter.objects.classes.register import Register
from elec_meter.objects.electricity import ENERGY_CHANNELS, of_channel
from elec_meter.objects.profiles import CLOCK_COLUMN, Bounds, captured
from elec_meter.objects.sources import Sources
from shared.timegrid import from_unix_s

_SPELLS_MAX = 10_000


def unallocated_objects(sources: Sources) -> Iterator[CosemObject]:
    """Unallocated energy, the spells in which it was measured, and what rows took along."""
    now, ledger, modulus = sources.now, sources.ledger, sources.config.modulus_wh
    end = Data(
        "0-0:128.31.1",
        "End of the last spell of unknown time",
        now,
        lambda _: _end(ledger.spells[-1]) if ledger.spells else None,
    )
    last = []
    for order, channel in enumerate(ENERGY_CHANNELS):
        for d, what, read in (
            (30, "without a time", ledger.unallocated),
            (33, "of rows that have left", ledger.aged),
        ):
            yield Register(
                f"0-0:128.{d}.{order}",
                f"{channel.title} {what}",
                now,
                of_channel(read, channel.name),
                channel.scaler_unit,
                modulus=modulus,
            )
        last.append(
            Register(
                f"0-0:128.32.{order}",
                f"{channel.title} in the last spell of unknown time",
                now,
                _in_last(sources, channel.name),
                channel.scaler_unit,
            )
        )
    yield from (end, *last)
    yield ProfileGeneric(
        "0-0:128.31.0",
        "Spells of unknown time",
        now,
        (CLOCK_COLUMN, captured(end), *(captured(each) for each in last)),
        _Spells(sources),
        period_s=lambda: 0,
        depth=_SPELLS_MAX,
    )


class _Spells(ProfileSource):
    """Spells, each stamped with its beginning: by the host's time, as there was no other."""

    def __init__(self, sources: Sources) -> None:
        self._ledger = sources.ledger

    def rows(self, from_utc: datetime | None, to_utc: datetime | None) -> list[tuple[Scalar, ...]]:
        bounds = Bounds.of(from_utc, to_utc)
        return [
            (
                from_unix_s(spell.from_us // SECOND_US),
                _end(spell),
                *(spell.quantities.get(channel.name, 0) for channel in ENERGY_CHANNELS),
            )
            for spell in self._ledger.spells
            if spell.from_us // SECOND_US in bounds
        ]

    def count(self) -> int:
        return len(self._ledger.spells)


def _end(spell: Spell) -> datetime | None:
    return None if spell.to_us is None else from_unix_us(spell.to_us)


def _in_last(sources: Sources, channel: str) -> Callable[[datetime], int | None]:
    def read(_: datetime) -> int | None:
        spells = sources.ledger.spells
        return spells[-1].quantities.get(channel, 0) if spells else None

    return read
