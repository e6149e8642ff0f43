"""The final half-hours of a pulse channel."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable
from typing import Final

import msgspec

from shared.timegrid import HALF_HOUR_S

from .row_days import RowDays
from .state import PaddingRun, PulseRow

_DECODER: Final = msgspec.msgpack.Decoder(list[PulseRow])


class PulseRows:
    """Rows by the meter's time, and runs of quiet ones; years without a pulse are one run.

    Args:
        rows: as they were saved.
        runs: as they were saved.
        interpolated: the status bit of rows that do not count for the depth.
    """

    def __init__(
        self, rows: Iterable[PulseRow], runs: Iterable[PaddingRun], interpolated: int
    ) -> None:
        self._interpolated = interpolated
        known = list(rows)
        self._rows = RowDays(_DECODER, known)
        self._runs = sorted(runs)
        self.measured = sum(map(self._counts, known))
        self._saved = frozenset(self._runs)

    def at(self, start_s: int) -> PulseRow | None:
        """The row of a half-hour, None if there is none."""
        row = self._rows.get(start_s)
        if row is not None:
            return row
        place = bisect_right(self._runs, start_s, key=lambda run: run.end_s)
        if place < len(self._runs) and self._runs[place].start_s <= start_s:
            return PulseRow(start_s, 0, self._runs[place].status, 0)
        return None

    def all(self) -> list[PulseRow]:
        """All of them, in order of time, one by one."""
        quiet = (
            PulseRow(start_s, 0, run.status, 0)
            for run in self._runs
            for start_s in range(run.start_s, run.end_s, HALF_HOUR_S)
        )
        return sorted([*self._rows, *quiet])

    def add(self, row: PulseRow) -> None:
        """Add to the row of a half-hour: a clock that was set back goes through it again."""
        before = self._rows.get(row.start_s) or self._cut_out(row.start_s)
        if before is not None:
            self.measured -= self._counts(before)
            pulses, status = before.pulses + row.pulses, before.status | row.status
            row = PulseRow(row.start_s, pulses, status, row.rate or before.rate)
        self.measured += self._counts(row)
        self._rows.put(row)

    def overlaps(self, run: PaddingRun) -> bool:
        """Whether any half-hour of a run has a row or is in a run already."""
        return any(True for _ in self._rows.between(run.start_s, run.end_s)) or any(
            each.start_s < run.end_s and run.start_s < each.end_s for each in self._runs
        )

    def add_run(self, run: PaddingRun) -> None:
        """Add half-hours that are not there yet, without pulses."""
        insort(self._runs, run)

    def evict(self) -> int:
        """Let go of the oldest row; what it held."""
        start_s = self._rows.first_s
        row = self._rows.pop(start_s)
        self.measured -= self._counts(row)
        while self._runs and self._runs[0].end_s <= start_s:
            self._runs.pop(0)
        return row.pulses

    def clear(self) -> None:
        """Have none."""
        self._rows.clear()
        self._runs.clear()
        self.measured = 0

    def stored(self) -> tuple[list[PulseRow], list[PaddingRun]]:
        """Rows and runs, as they are kept."""
        return list(self._rows), list(self._runs)

    @property
    def has_changed(self) -> bool:
        """Whether anything differs from what was saved."""
        return self._rows.has_changed or self._saved != frozenset(self._runs)

    def changes(self) -> tuple[list[PulseRow], list[int], list[PaddingRun], list[int]]:
        """Rows that changed, starts of rows that are gone, and both of runs."""
        here, gone = self._rows.changes()
        gone_runs = {run.start_s for run in self._saved} - {run.start_s for run in self._runs}
        return (
            here,
            gone,
            [run for run in self._runs if run not in self._saved],
            sorted(gone_runs),
        )

    def mark_saved(self) -> None:
        """All changes are durable."""
        self._rows.mark_saved()
        self._saved = frozenset(self._runs)

    def _counts(self, row: PulseRow) -> bool:
        return not row.status & self._interpolated

    def _cut_out(self, start_s: int) -> PulseRow | None:
        """Make a row of its own of a half-hour of a run; None if none covers it."""
        place = bisect_right(self._runs, start_s, key=lambda run: run.end_s)
        if place == len(self._runs) or self._runs[place].start_s > start_s:
            return None
        run = self._runs[place]
        before = PaddingRun(run.start_s, start_s, run.status)
        after = PaddingRun(start_s + HALF_HOUR_S, run.end_s, run.status)
        self._runs[place : place + 1] = [r for r in (before, after) if r.start_s < r.end_s]
        row = PulseRow(start_s, 0, run.status, 0)
        self.measured += self._counts(row)
        return row
