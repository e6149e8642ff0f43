"""Half-hours of pulses: what lies between two boundaries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from shared.timegrid import HALF_HOUR_S

from .bracket import STATUSES, BoundaryCount, PulseStatus

_PENDING: Final = PulseStatus.PENDING.value
_IMPLAUSIBLE_FLOW: Final = PulseStatus.IMPLAUSIBLE_FLOW.value


@dataclass(frozen=True, slots=True)
class PulseHalfHour:
    """The pulses of one half-hour of UTC.

    Attributes:
        start_s: its start, UNIX seconds.
        pulses: how many; None while pending.
        status: what is known of them.
        final: whether the row will never change.
    """

    start_s: int
    pulses: int | None
    status: PulseStatus
    final: bool


@dataclass(frozen=True, slots=True)
class PulseRun:
    """Successive half-hours of UTC that are alike; more than one only of a silence.

    Attributes:
        start_s: the start of the first, UNIX seconds.
        end_s: where the last one ends.
        pulses: of each of them; None while pending.
        status: what is known of each of them.
        final: whether they will never change.
    """

    start_s: int
    end_s: int
    pulses: int | None
    status: PulseStatus
    final: bool


def single(half_hours: Iterable[PulseHalfHour]) -> Iterator[PulseRun]:
    """Each half-hour as a run of one."""
    for each in half_hours:
        end_s = each.start_s + HALF_HOUR_S
        yield PulseRun(each.start_s, end_s, each.pulses, each.status, each.final)


def rows(
    boundaries: Iterable[tuple[int, BoundaryCount, bool]],
    flags: Mapping[int, PulseStatus],
    pulses_max: int,
) -> Iterator[PulseHalfHour]:
    """The half-hours between successive boundaries.

    Args:
        boundaries: (UNIX seconds, count, whether it is final), each 1800 s after the one before.
        flags: what else is known of half-hours, by their start.
        pulses_max: as in `Pairing`.
    """
    counted = 0
    previous: tuple[int, BoundaryCount, bool] | None = None
    for boundary in boundaries:
        _, count, is_final = boundary
        if previous is not None:
            start_s, start, is_start_final = previous
            # Plain integers: the enumeration's operators cost more than all the rest.
            status = int(flags.get(start_s, 0))
            pulses = None
            if count.pulses is None or start.pulses is None:
                status |= _PENDING
            else:
                status |= int(start.status) | int(count.status)
                pulses = max(0, count.pulses - counted)  # boundary counts never fall
                if pulses > pulses_max:
                    status |= _IMPLAUSIBLE_FLOW
            is_row_final = is_start_final and is_final
            yield PulseHalfHour(start_s, pulses, STATUSES[status], is_row_final)
        if count.pulses is not None:
            counted = max(counted, count.pulses)
        previous = boundary
