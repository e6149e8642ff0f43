"""What a boundary's count is, from what is known around it."""

from __future__ import annotations

from enum import IntFlag
from typing import Final, NamedTuple, Self

from .timeline import DMS_PER_S

TOLERANCE_DMS: Final = 10 * DMS_PER_S
"""A count is measured at a boundary when it is known this near to it."""

NEAR_DMS: Final = 60 * DMS_PER_S
"""A count that is known this near to a boundary is taken for it, if nothing better is known."""


class PulseStatus(IntFlag):
    """What is known of a half-hour's pulses, in one byte; 0 is measured and clean."""

    MEASURED = 0
    INTERPOLATED = 1
    """A boundary's count is known at instants before and after it, and not at it."""
    PENDING = 2
    """Nothing is known yet of what came after: there is no number of pulses."""
    DOUBTFUL_CLOCK = 4
    """No UTC agrees with all that was received around a boundary."""
    COUNT_ROLLED_BACK = 8
    """A telegram told of fewer pulses than one sent before it."""
    IMPLAUSIBLE_FLOW = 16
    """More pulses than the meter can turn."""
    TAMPER = 32
    """The unit told of tampering, or of a foreign magnet."""
    LOW_BATTERY = 64
    """The unit told of a low battery."""
    UNAUTHENTICATED = 128
    """Telegrams without a MAC are among the evidence."""


STATUSES: Final = tuple(map(PulseStatus, range(256)))
"""All of them, by number: to look one up is faster than to make it."""


class Bound(NamedTuple):
    """The count was at least, or at most, this at an instant; doubtful if clocks disagree there."""

    pulses: int
    at_dms: int
    is_doubtful: bool = False


class Near(NamedTuple):
    """The count was this at an instant surely no further away than that."""

    distance_dms: int
    pulses: int


class BoundaryCount(NamedTuple):
    """Pulses since the pairing up to a boundary; None while pending."""

    pulses: int | None
    status: PulseStatus
    is_measured: bool = False

    @classmethod
    def at_pairing(cls) -> Self:
        """The first boundary: no pulse has been counted, whatever will be received."""
        return cls(0, PulseStatus.MEASURED, is_measured=True)


def bracketed(
    instant_dms: int,
    least: Bound,
    most: Bound | None,
    near: Near | None,
    before: Bound,
    after: Bound | None,
) -> BoundaryCount:
    """The count at a boundary.

    Args:
        instant_dms: the boundary.
        least: the highest count surely reached by then, and the latest proof.
        most: the lowest count surely not exceeded by then, and the earliest proof.
        near: the count known nearest to it, within `NEAR_DMS`.
        before: the newest final boundary before it.
        after: the first final boundary after it.
    """
    if most is None and after is None:
        return BoundaryCount(None, PulseStatus.PENDING)
    is_doubtful = most is not None and (
        # The one clock contradicts itself, or that of another boot or epoch does.
        least.is_doubtful or most.is_doubtful or least.pulses > most.pulses
    )
    known = _known(least, most, near)
    if known is not None and before.pulses <= known and (after is None or known <= after.pulses):
        status = PulseStatus.DOUBTFUL_CLOCK if is_doubtful else PulseStatus.MEASURED
        return BoundaryCount(known, status, is_measured=not is_doubtful)
    status = PulseStatus.INTERPOLATED
    if is_doubtful:
        status |= PulseStatus.DOUBTFUL_CLOCK
    low = max((least.pulses, least.at_dms), (before.pulses, before.at_dms))
    high = min((bound.pulses, bound.at_dms) for bound in (most, after) if bound is not None)
    pulses = _between(instant_dms, low, high)
    if most is not None and near is not None:  # better than a line through what is far away
        pulses = min(max(near.pulses, low[0]), high[0])
    if after is not None:
        pulses = min(pulses, after.pulses)
    return BoundaryCount(max(pulses, before.pulses), status)


def unheard(least: Bound, before: Bound) -> BoundaryCount:
    """The count at a boundary after which nothing was heard in time: what was known before it."""
    status = PulseStatus.INTERPOLATED
    if least.is_doubtful:
        status |= PulseStatus.DOUBTFUL_CLOCK
    return BoundaryCount(max(least.pulses, before.pulses), status)


def _known(least: Bound, most: Bound | None, near: Near | None) -> int | None:
    if most is None:
        return None
    if least.pulses >= most.pulses:
        return least.pulses
    if near is None or near.distance_dms > TOLERANCE_DMS:
        return None
    return min(max(near.pulses, least.pulses), most.pulses)


def _between(instant_dms: int, low: tuple[int, int], high: tuple[int, int]) -> int:
    if low[0] >= high[0]:
        return low[0]
    span_dms = max(1, high[1] - low[1])
    return low[0] + (high[0] - low[0]) * (instant_dms - low[1]) // span_dms
