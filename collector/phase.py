"""When a unit is told where it is in the UTC half-hour, so that its grid lines up with ours."""

from __future__ import annotations

from typing import Final

from shared.timegrid import DAY_MS, HALF_HOUR_S

from .storage.registry import PhaseState
from .timeline import DMS_PER_S

AGAIN_AFTER_MS: Final = 3_600_000
EVERY_MS: Final = DAY_MS
OFF_DMS: Final = DMS_PER_S
_HALF_HOUR_DMS: Final = HALF_HOUR_S * DMS_PER_S


def is_phase_due(
    phase: PhaseState, boot: int, now_ms: int, grid_tick_dms: tuple[int, int] | None
) -> bool:
    """Whether a unit that listens now should be told.

    It is told when it was never told in this boot, again after an hour (the drift is not known
    before), then daily, and whenever its grid surely is more than a second off.

    Args:
        phase: what it was told before.
        boot: its boot now.
        now_ms: UNIX milliseconds.
        grid_tick_dms: between which instants a tick of its grid was, if that is known.
    """
    if phase.phased_ms is None or phase.phased_boot != boot:
        return True
    elapsed_ms = now_ms - phase.phased_ms
    if elapsed_ms >= (AGAIN_AFTER_MS if phase.phasings < 2 else EVERY_MS):
        return True
    return grid_tick_dms is not None and _is_off(*grid_tick_dms)


def _is_off(earliest_dms: int, latest_dms: int) -> bool:
    # The first boundary that lies in the interval widened by what may be off, if any does.
    boundary_dms = -(-(earliest_dms - OFF_DMS) // _HALF_HOUR_DMS) * _HALF_HOUR_DMS
    return boundary_dms > latest_dms + OFF_DMS
