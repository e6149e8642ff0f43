"""The rows of import and export: every half-hour since the first power-up, once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final

from shared.timegrid import HALF_HOUR_S, half_hour_ceiling_s, half_hour_floor_s

from .state import EnergyRow, PaddingRun

IMPORT: Final = 0
EXPORT: Final = 1


class Row:
    """A measured half-hour: Wh per column, and its status bits."""

    __slots__ = ("deltas", "status")

    def __init__(self, import_wh: int = 0, export_wh: int = 0, status: int = 0) -> None:
        self.deltas = [import_wh, export_wh]
        self.status = status


class Profile:
    """Rows and padding runs; together they cover `first_s` to the newest row without a hole.

    Only measured rows count for the depth. What was measured in a half-hour lands in its row,
    however late; a run is split when something was measured in it after all.
    """

    def __init__(
        self,
        depth_rows: int,
        rows: Iterable[EnergyRow] = (),
        runs: Iterable[PaddingRun] = (),
    ) -> None:
        self.depth_rows = depth_rows
        self._rows = {row.start_s: Row(row.import_wh, row.export_wh, row.status) for row in rows}
        self._runs = sorted(runs)
        starts_s = [*self._rows, *(run.start_s for run in self._runs)]
        ends_s = [*(start_s + HALF_HOUR_S for start_s in self._rows), *self._run_ends_s()]
        self._first_s = min(starts_s, default=0)
        self._next_s = max(ends_s, default=0)
        self._touched: set[int] = set()
        self._runs_saved = frozenset(self._runs)
        self._runs_changed = False

    @property
    def first_s(self) -> int:
        """Start of the oldest half-hour that is kept."""
        return self._first_s

    @property
    def next_s(self) -> int:
        """End of the newest half-hour that exists."""
        return self._next_s

    @property
    def runs(self) -> tuple[PaddingRun, ...]:
        """The padding, in order of time."""
        return tuple(self._runs)

    def begin(self, at_s: int) -> None:
        """Open the first row there is."""
        self._first_s = self._next_s = half_hour_floor_s(at_s)
        self.open_through(at_s)

    def open_through(self, at_s: int) -> None:
        """Have a row for every half-hour up to the one to which `at_s` belongs."""
        while self._next_s <= at_s:
            self._rows[self._next_s] = Row()
            self._touched.add(self._next_s)
            self._next_s += HALF_HOUR_S

    def add(self, column: int, quantity: int, at_s: int, status: int = 0) -> bool:
        """Add to the row of an instant and set status bits; False if it has left by depth."""
        row = self._row_at(at_s)
        if row is None:
            return False
        row.deltas[column] += quantity
        row.status |= status
        return True

    def pad(self, from_s: int, to_s: int, status: int) -> None:
        """Nothing was measured from `from_s` to `to_s`: mark the rows it cuts, pad between them.

        The half-hours of both ends are rows of their own, because something may be measured in
        the rest of them. One that only begins at `to_s` is not marked.
        """
        if to_s <= from_s:
            return
        self.open_through(from_s - 1)
        last_s = half_hour_floor_s(to_s)
        for start_s in range(half_hour_floor_s(from_s), min(last_s, self._next_s), HALF_HOUR_S):
            self._mark(start_s, status)
        if last_s > self._next_s:
            self._runs.append(PaddingRun(self._next_s, last_s, status))
            self._runs_changed = True
            self._next_s = last_s
        self.open_through(to_s)
        if to_s > last_s:
            self._mark(last_s, status)

    def evict(self) -> tuple[int, int]:
        """Let go of the oldest measured rows beyond the depth; what they held, in Wh."""
        aged = [0, 0]
        while len(self._rows) > self.depth_rows:
            oldest_s = self._first_s if self._first_s in self._rows else min(self._rows)
            row = self._rows.pop(oldest_s)
            self._touched.add(oldest_s)
            aged[IMPORT] += row.deltas[IMPORT]
            aged[EXPORT] += row.deltas[EXPORT]
            self._first_s = oldest_s + HALF_HOUR_S
            while self._runs and self._runs[0].start_s <= self._first_s:
                self._first_s = max(self._first_s, self._runs.pop(0).end_s)
                self._runs_changed = True
        return aged[IMPORT], aged[EXPORT]

    def between(self, from_s: int, to_s: int) -> Iterator[EnergyRow]:
        """Every half-hour that starts in `[from_s, to_s)` and exists, in order of time."""
        first_s = max(self._first_s, half_hour_ceiling_s(from_s))
        run_index = bisect_right(self._run_ends_s(), first_s)
        for start_s in range(first_s, min(to_s, self._next_s), HALF_HOUR_S):
            row = self._rows.get(start_s)
            if row is not None:
                yield EnergyRow(start_s, row.deltas[IMPORT], row.deltas[EXPORT], row.status)
                continue
            while run_index < len(self._runs) and self._runs[run_index].end_s <= start_s:
                run_index += 1
            if run_index < len(self._runs) and self._runs[run_index].start_s <= start_s:
                yield EnergyRow(start_s, 0, 0, self._runs[run_index].status)

    def measured(self) -> list[EnergyRow]:
        """The measured rows in order of time."""
        return [self._stored(start_s) for start_s in sorted(self._rows)]

    def sum_wh(self, column: int) -> int:
        """What all rows together hold of import or export."""
        return sum(row.deltas[column] for row in self._rows.values())

    def changed_rows(self) -> tuple[list[EnergyRow], list[int]]:
        """Rows that differ from what was saved, and starts of those that no longer exist."""
        here = [self._stored(start_s) for start_s in sorted(self._touched & self._rows.keys())]
        return here, sorted(self._touched - self._rows.keys())

    def changed_runs(self) -> tuple[list[PaddingRun], list[int]]:
        """Runs that differ from what was saved, and starts of those that no longer exist."""
        if not self._runs_changed:
            return [], []
        gone_s = {run.start_s for run in self._runs_saved} - {run.start_s for run in self._runs}
        return [run for run in self._runs if run not in self._runs_saved], sorted(gone_s)

    def mark_saved(self) -> None:
        """All changes are durable."""
        self._touched.clear()
        if self._runs_changed:
            self._runs_saved = frozenset(self._runs)
            self._runs_changed = False

    def _run_ends_s(self) -> list[int]:
        return [run.end_s for run in self._runs]

    def _stored(self, start_s: int) -> EnergyRow:
        row = self._rows[start_s]
        return EnergyRow(start_s, row.deltas[IMPORT], row.deltas[EXPORT], row.status)

    def _mark(self, start_s: int, status: int) -> None:
        if start_s in self._rows:
            self._rows[start_s].status |= status
            self._touched.add(start_s)

    def _row_at(self, at_s: int) -> Row | None:
        """The row to write to, opened or cut out of a run if need be; None before `first_s`."""
        if at_s >= self._next_s:
            self.open_through(at_s)
        start_s = half_hour_floor_s(at_s)
        if start_s not in self._rows and not self._cut_out(start_s):
            return None
        self._touched.add(start_s)
        return self._rows[start_s]

    def _cut_out(self, start_s: int) -> bool:
        index = bisect_right(self._run_ends_s(), start_s)
        if index == len(self._runs) or self._runs[index].start_s > start_s:
            return False
        run = self._runs[index]
        before = PaddingRun(run.start_s, start_s, run.status)
        after = PaddingRun(start_s + HALF_HOUR_S, run.end_s, run.status)
        self._runs[index : index + 1] = [r for r in (before, after) if r.start_s < r.end_s]
        self._runs_changed = True
        self._rows[start_s] = Row(status=run.status)
        return True
