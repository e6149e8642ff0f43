"""What an opened advert of a unit says, for those who collect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shared.wire.bthome import Measurement
from shared.wire.telegram import FLAG_LOW_BATTERY, FLAG_TAMPER

_BATTERY: Final = 0x01
_BATTERY_LOW: Final = 0x15
_TAMPER: Final = 0x2B
_COUNT: Final = 0x3E
_GAS_L: Final = 0x4C
_FLAGS: Final = ((_BATTERY_LOW, FLAG_LOW_BATTERY), (_TAMPER, FLAG_TAMPER))
_UNKNOWN: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class AdvertSaid:
    """The parts of an advert; None for each that it does not have.

    Attributes:
        count: modulo 2^32.
        battery_percent: what is left.
        error_flags: `FLAG_LOW_BATTERY` and `FLAG_TAMPER` of `shared.wire.telegram`.
        volume_l: the dial, in litres.
    """

    count: int | None
    battery_percent: int | None
    error_flags: int | None
    volume_l: int | None


def advert_said(measurements: Iterable[Measurement]) -> AdvertSaid:
    """What the objects of a unit's advert say (BTHome v2; others are left out)."""
    told = {each.number: each.value for each in measurements if isinstance(each.value, int)}
    raised = [flag if told[number] else 0 for number, flag in _FLAGS if number in told]
    volume_l = told.get(_GAS_L)
    return AdvertSaid(
        count=told.get(_COUNT),
        battery_percent=told.get(_BATTERY),
        error_flags=sum(raised) if raised else None,
        volume_l=None if volume_l == _UNKNOWN else volume_l,
    )
