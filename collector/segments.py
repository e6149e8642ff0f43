"""Which pulses of which unit belong to which channel and meter, and what volume they are.

A channel's register is the sum over its segments of pulses times weight: units and meters come and
go, and it never jumps. A unit that is unpaired and paired again counts on in one journal; its
segments are ranges of that count, and what lies between them is nobody's consumption.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple

from shared.units import PulseWeight

from .dial import DialReading
from .rows import PulseHalfHour


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A unit on a meter, from its pairing to its end.

    Attributes:
        serial: the unit.
        channel: what it feeds.
        mprn: the meter point.
        meter_serial: the meter.
        weight: what a pulse stands for.
        dial: what the dial showed at its beginning.
        from_utc: when it began.
        from_pulses: pulses of the unit, since it was first paired here, before it.
        to_utc: when it ended; None while it lasts.
        to_pulses: pulses of the unit up to its end; None while it lasts.
    """

    serial: str
    channel: str
    mprn: str
    meter_serial: str
    weight: PulseWeight
    dial: DialReading
    from_utc: datetime
    from_pulses: int
    to_utc: datetime | None = None
    to_pulses: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it lasts."""
        return self.to_utc is None

    def pulses(self, register: int) -> int:
        """Its pulses, where the unit's register stands at so many."""
        last = register if self.to_pulses is None else self.to_pulses
        return max(0, last - self.from_pulses)

    def pulses_between(self, first: int, last: int) -> int:
        """How many of the unit's pulses from one register to another are its own."""
        end = last if self.to_pulses is None else min(last, self.to_pulses)
        return max(0, end - max(first, self.from_pulses))

    def dial_at(self, register: int) -> DialReading:
        """What its dial shows by the unit's register; up to one pulse more is right too."""
        return self.dial.plus(self.weight.litres(self.pulses(register)))


class VolumeRow(NamedTuple):
    """A half-hour of a channel.

    Attributes:
        row: the unit's half-hour, with those of its pulses that are the channel's.
        volume_l: their volume in litres; None while pending.
    """

    row: PulseHalfHour
    volume_l: Fraction | None


def channel_segments(segments: Iterable[Segment], channel: str) -> list[Segment]:
    """The segments of a channel, in their order."""
    return [segment for segment in segments if segment.channel == channel]


def register_l(segments: Iterable[Segment], register: Callable[[str], int]) -> Fraction:
    """A channel's register in litres, exactly.

    Args:
        segments: the channel's.
        register: a unit's pulses since it was first paired here.
    """
    return sum(
        (each.weight.litres(each.pulses(register(each.serial))) for each in segments), Fraction(0)
    )


def volume_rows(
    segments: Sequence[Segment], rows: Iterable[PulseHalfHour], counted: int
) -> list[VolumeRow]:
    """The half-hours of one unit as those of a channel.

    Args:
        segments: the channel's segments of this unit.
        rows: its half-hours, one after the other.
        counted: its pulses before the first of them.
    """
    found = []
    for row in rows:
        if row.pulses is None:
            found.append(VolumeRow(row, None))
            continue
        first, counted = counted, counted + row.pulses
        parts = [(segment, segment.pulses_between(first, counted)) for segment in segments]
        volume_l = sum((each.weight.litres(pulses) for each, pulses in parts), Fraction(0))
        own = sum(pulses for _, pulses in parts)
        found.append(VolumeRow(PulseHalfHour(row.start_s, own, row.status, row.final), volume_l))
    return found
