"""A clock that is set back: what was counted until then, as rows that what comes is added to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from shared.timegrid import HALF_HOUR_S

from .bracket import PulseStatus
from .entries import EndEntry, Stamp
from .halfhours import Fold, FoldStep
from .rows import PulseHalfHour, PulseRun
from .storage.overtaken import OvertakenRow


def closing_step(
    state: Fold, told_ms: int, horizon_s: int, epoch: int
) -> tuple[FoldStep, FoldStep]:
    """Place all that a fold was told of in half-hours until then, and make those final."""
    end = EndEntry(Stamp(epoch, told_ms + 1), told_ms, state.advances.total)
    ended = state.apply(end)
    return ended, state.seal(told_ms + (horizon_s + HALF_HOUR_S) * 1000)


def overtaken_rows(runs: Iterable[PulseRun], first_s: int, pulses: int) -> list[OvertakenRow]:
    """What is worth keeping of rows that the clock will pass again.

    Args:
        runs: the rows.
        first_s: where the clock is set back to; rows there are marked.
        pulses: what they must hold in all.
    """
    doubt = PulseStatus.DOUBTFUL_CLOCK
    kept = [
        OvertakenRow(run.start_s, run.pulses or 0, run.status)
        for run in runs
        if run.pulses or run.status & ~PulseStatus.INTERPOLATED
    ]
    missing = pulses - sum(row.pulses for row in kept)
    return [*kept, OvertakenRow(first_s, missing, doubt)]


def overtaken_pulses(rows: Mapping[int, OvertakenRow], to_s: int | None = None) -> int:
    """Pulses of overtaken rows, or of those that end by an instant."""
    return sum(
        row.pulses for row in rows.values() if to_s is None or row.start_s + HALF_HOUR_S <= to_s
    )


def with_overtaken(
    folded: Iterable[PulseHalfHour], overtaken: Mapping[int, OvertakenRow]
) -> Iterator[PulseHalfHour]:
    """Half-hours with what they held before the clock was set back."""
    for row in folded:
        held = overtaken.get(row.start_s)
        if held is None:
            yield row
            continue
        status = (row.status & ~PulseStatus.PENDING) | held.status | PulseStatus.DOUBTFUL_CLOCK
        yield replace(row, pulses=(row.pulses or 0) + held.pulses, status=status)
