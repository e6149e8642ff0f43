"""The rows of the energy channels: every period since the first power-up, once."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator
from typing import Final

from shared.timegrid import DAY_S, HALF_HOUR_S

from .row_days import EVER_S, EnergyRowDays
from .state import EnergyRow, Era, PaddingRun, RowStatus

HOUR_S: Final = 3_600
_ADJUSTED: Final = int(RowStatus.CLOCK_ADJUSTED)
_FINAL_LATE: Final = int(RowStatus.FINAL_LATE)


class Profile:
    """Rows and padding runs; together they cover `first_s` to the open row without a hole.

    Only measured rows count for the depth. What was measured in a row's time lands in it, however
    late; a run is split when something was measured in it after all. Rows may lie ahead of the open
    one: samples came early, or the clock was set back; they are entered again when time has come.

    Args:
        columns: how many energy channels there are.
        depth_days: days of measured rows that are kept.
        eras: the lengths of rows, in order of time; from the beginning on half-hours without any.
        rows: as they were saved.
        runs: as they were saved.
        open_s: start of the open row; None before the first.
        reached_s: the latest end of a row that was ever closed; None before the first.
    """

    def __init__(
        self,
        columns: int,
        depth_days: int,
        eras: Iterable[Era] = (),
        rows: Iterable[EnergyRow] = (),
        runs: Iterable[PaddingRun] = (),
        open_s: int | None = None,
        reached_s: int | None = None,
    ) -> None:
        self.columns = columns
        self.depth_days = depth_days
        self.eras = list(eras) or [Era(-EVER_S, HALF_HOUR_S)]
        known = [_widened(row, columns) for row in rows]
        self._rows = EnergyRowDays(known)
        starts_s = [row.start_s for row in known]
        self._measured_s = sum(map(self.period_s, starts_s))
        self._runs = sorted(runs)
        self._open_s = open_s or 0
        self._next_s = 0 if open_s is None else open_s + self.period_s(open_s)
        self._reached_s = self._open_s if reached_s is None else reached_s
        self._last_s = max(starts_s, default=self._open_s)
        starts_s += [run.start_s for run in self._runs]
        self._first_s = min(starts_s, default=self._next_s)
        self._runs_saved = frozenset(self._runs)
        self._runs_changed = False

    @property
    def first_s(self) -> int:
        """Start of the oldest row that is kept."""
        return self._first_s

    @property
    def open_s(self) -> int:
        """Start of the open row: those that end here or earlier are closed."""
        return self._open_s

    @property
    def next_s(self) -> int:
        """End of the open row."""
        return self._next_s

    @property
    def end_s(self) -> int:
        """End of the last row that there is, if it lies ahead, else of the open one."""
        return max(self._next_s, self._last_s + self.period_s(self._last_s))

    @property
    def reached_s(self) -> int:
        """The latest end of a row that was ever closed; the clock may have been set back since."""
        return self._reached_s

    @property
    def runs(self) -> tuple[PaddingRun, ...]:
        """The padding, in order of time."""
        return tuple(self._runs)

    def period_s(self, at_s: int) -> int:
        """The length of the row to which an instant belongs."""
        eras = self.eras
        if len(eras) == 1 or at_s >= eras[-1].from_s:
            return eras[-1].period_s
        return eras[max(0, bisect_right(eras, at_s, key=lambda era: era.from_s) - 1)].period_s

    def floor_s(self, at_s: int) -> int:
        """The start of the row to which an instant belongs."""
        return at_s - at_s % self.period_s(at_s)

    def change_period(self, from_s: int, period_s: int) -> None:
        """From the first whole hour on that begins no earlier and is free, rows have this length.

        Hours ahead in which there are rows keep theirs: the clock was set back.
        """
        from_s = max(from_s, self._next_s)
        from_s += -from_s % HOUR_S
        ahead_s = [row.start_s for row in self._rows.between(from_s)]
        taken_s = sorted({each - each % HOUR_S for each in ahead_s})
        kept = [(hour_s, self.period_s(hour_s)) for hour_s in taken_s]
        while self.eras[1:] and self.eras[-1].from_s >= from_s:
            self.eras.pop()
        self._begin_era(from_s, period_s)
        for hour_s, kept_s in kept:
            self._begin_era(hour_s, kept_s)
            self._begin_era(hour_s + HOUR_S, period_s)

    def _begin_era(self, from_s: int, period_s: int) -> None:
        if self.eras[1:] and self.eras[-1].from_s == from_s:
            self.eras.pop()
        if self.eras[-1].period_s != period_s:
            self.eras.append(Era(from_s, period_s))

    def begin(self, at_s: int) -> None:
        """Open the first row there is."""
        self._first_s = self._next_s = self._reached_s = self.floor_s(at_s)
        self.open_through(at_s)

    def open_through(self, at_s: int) -> None:
        """Have a row for every period up to the one to which `at_s` belongs; it is the open one."""
        while self._next_s <= at_s:
            self._reached_s = max(self._reached_s, self._next_s)
            self._open_s = self._next_s
            self._next_s += self.period_s(self._open_s)
            there = self._rows.get(self._open_s)
            if there is not None and self._open_s < self._reached_s:
                self._enter_again(there)
            elif there is None:
                self._row(self._open_s)

    def add(self, column: int, quantity: int, at_s: int, *, late: bool = False) -> bool:
        """Add to the row of an instant; False if it has left by depth. A closed row is amended."""
        start_s = self.floor_s(at_s)
        row = self._rows.get(start_s)
        if row is None:
            if start_s < self._first_s or (start_s < self._next_s and not self._cut_out(start_s)):
                return False
            row = self._row(start_s)  # ahead of the clock
        _, known, status, revision = row
        deltas = list(known)
        deltas[column] += quantity
        if late:
            status |= _FINAL_LATE
            revision += 1
        # The way of every Wh: a named tuple's own constructor takes twice as long.
        self._rows.put(EnergyRow._make((start_s, tuple(deltas), status, revision)))
        return True

    def mark(self, at_s: int, status: int) -> None:
        """Set status bits of the row of an instant, if there is one."""
        start_s = self.floor_s(at_s)
        row = self._rows.get(start_s)
        if row is not None and row.status | status != row.status:
            self._rows.put(row._replace(status=row.status | int(status)))

    def pad(self, from_s: int, to_s: int, *, edges: int, between: int) -> None:
        """Nothing was measured from `from_s` to `to_s`: mark the rows it cuts, pad between them.

        The periods of both ends are rows of their own, because something may be measured in the
        rest of them. One that only begins at `to_s` is not marked. Rows that are there already are
        marked and stay.
        """
        if to_s <= from_s:
            return
        self.open_through(from_s - 1)
        last_s = self.floor_s(to_s)
        self.mark(from_s, edges)
        first_s = self.floor_s(from_s)
        there = [row.start_s for row in self._rows.between(first_s + 1, last_s)]
        for start_s in there:
            self.mark(start_s, between)
        holes_s = self._next_s
        for end_s in [*(each for each in there if each >= holes_s), last_s]:
            if end_s > holes_s:
                insort(self._runs, PaddingRun(holes_s, end_s, between))
                self._runs_changed = True
            holes_s = max(holes_s, end_s if end_s == last_s else end_s + self.period_s(end_s))
        if last_s > self._next_s:
            self._next_s = last_s
            self._reached_s = max(self._reached_s, last_s)
        self.open_through(to_s)
        if to_s > last_s:
            self.mark(last_s, edges)

    def turn_back(self, to_s: int) -> None:
        """The clock was set back: padding after the new time goes, what was measured stays."""
        start_s = self.floor_s(to_s)
        if start_s == self._open_s:
            return
        self._reached_s = max(self._reached_s, self._next_s)
        kept = [run for run in self._runs if run.start_s < start_s]
        if kept and kept[-1].end_s > start_s:
            kept[-1] = kept[-1]._replace(end_s=start_s)
        if kept != self._runs:
            self._runs, self._runs_changed = kept, True
        self._first_s = min(self._first_s, start_s)
        self._next_s = start_s
        self.open_through(to_s)

    def evict(self) -> list[int] | None:
        """Let go of measured rows beyond the depth, oldest first; what they held, by column.

        After the clock was set back, the furthest ahead goes if it is further away than the oldest.
        """
        depth_s = self.depth_days * DAY_S + self.period_s(self._open_s)  # the open one besides
        if self._measured_s <= depth_s:
            return None
        aged = [0] * self.columns
        while True:
            oldest_s = self._first_s if self._first_s in self._rows else self._rows.first_s
            if self._last_s - self._open_s > self._open_s - oldest_s:
                oldest_s = self._rows.last_s
            if self._measured_s - self.period_s(oldest_s) < depth_s:
                return aged
            row = self._rows.pop(oldest_s)
            self._measured_s -= self.period_s(oldest_s)
            if oldest_s == self._last_s:
                self._last_s = self._rows.last_s
            aged = [old + new for old, new in zip(aged, row.deltas, strict=True)]
            if oldest_s < self._open_s:
                self._forget_before(oldest_s + self.period_s(oldest_s))

    def between(self, from_s: int, to_s: int) -> Iterator[EnergyRow]:
        """Every row that starts in `[from_s, to_s)` and exists, in order of time."""
        ahead: list[EnergyRow] = []
        if self._last_s >= self._next_s:
            ahead = list(self._rows.between(max(from_s, self._next_s), to_s))
        start_s = max(self._first_s, from_s)
        if start_s != self.floor_s(start_s):
            start_s = self.floor_s(start_s) + self.period_s(start_s)
        run_index = bisect_right(self._runs, start_s, key=lambda run: run.end_s)
        end_s = min(to_s, self._next_s)
        while start_s < end_s:
            row = self._rows.get(start_s)
            if row is not None:
                yield row
            else:
                while run_index < len(self._runs) and self._runs[run_index].end_s <= start_s:
                    run_index += 1
                if run_index < len(self._runs) and self._runs[run_index].start_s <= start_s:
                    status = self._runs[run_index].status
                    yield EnergyRow(start_s, (0,) * self.columns, status)
            start_s += self.period_s(start_s)
        yield from ahead

    def measured(self) -> list[EnergyRow]:
        """The measured rows in order of time."""
        return list(self._rows)

    def sums(self, from_s: int = -EVER_S) -> list[int]:
        """What all rows that start at an instant or later hold together, by column."""
        return self._rows.sums(from_s) or [0] * self.columns

    def changed_rows(self) -> tuple[list[EnergyRow], list[int]]:
        """Rows that differ from what was saved, and starts of those that no longer exist."""
        return self._rows.changes()

    def changed_runs(self) -> tuple[list[PaddingRun], list[int]]:
        """Runs that differ from what was saved, and starts of those that no longer exist."""
        if not self._runs_changed:
            return [], []
        gone_s = {run.start_s for run in self._runs_saved} - {run.start_s for run in self._runs}
        return [run for run in self._runs if run not in self._runs_saved], sorted(gone_s)

    def mark_saved(self) -> None:
        """All changes are durable."""
        self._rows.mark_saved()
        if self._runs_changed:
            self._runs_saved = frozenset(self._runs)
            self._runs_changed = False

    def _row(self, start_s: int) -> EnergyRow:
        row = self._rows.get(start_s)
        if row is None:
            row = EnergyRow(start_s, (0,) * self.columns, 0)
            self._rows.put(row)
            self._measured_s += self.period_s(start_s)
            self._last_s = max(self._last_s, start_s)
        return row

    def _enter_again(self, row: EnergyRow) -> None:
        """A row that was closed is open once more: what is measured now is added to it."""
        self._rows.put(row._replace(status=row.status | _ADJUSTED, revision=row.revision + 1))

    def _forget_before(self, first_s: int) -> None:
        self._first_s = first_s
        while self._runs and self._runs[0].start_s <= self._first_s:
            self._first_s = max(self._first_s, self._runs.pop(0).end_s)
            self._runs_changed = True

    def _cut_out(self, start_s: int) -> bool:
        """Make a row of its own of a part of a run; False if none covers it."""
        index = bisect_right(self._runs, start_s, key=lambda run: run.end_s)
        if index == len(self._runs) or self._runs[index].start_s > start_s:
            return False
        run = self._runs[index]
        before = PaddingRun(run.start_s, start_s, run.status)
        after = PaddingRun(start_s + self.period_s(start_s), run.end_s, run.status)
        self._runs[index : index + 1] = [r for r in (before, after) if r.start_s < r.end_s]
        self._runs_changed = True
        self._rows.put(EnergyRow(start_s, (0,) * self.columns, run.status))
        self._measured_s += self.period_s(start_s)
        return True


def _widened(row: EnergyRow, columns: int) -> EnergyRow:
    """A row of a meter that had fewer channels: it measured nothing of the others."""
    missing = columns - len(row.deltas)
    return row._replace(deltas=(*row.deltas, *[0] * missing)) if missing else row
