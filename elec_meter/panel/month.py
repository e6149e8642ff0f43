"""A month as a map: what each half-hour of its days holds, and where that is not known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from elec_meter.config import MeterConfig
from elec_meter.objects import Directory
from shared.timegrid import HALF_HOUR_S, HalfHour, half_hours_of_settlement_day

from .profile import Period, Row, closed_until, has_begun, periods

_DAY: Final = timedelta(days=1)
_HALF_HOUR: Final = timedelta(seconds=HALF_HOUR_S)


def month_rows(directory: Directory, config: MeterConfig, first: date) -> list[Row]:
    """Every settlement day of a month with what each of its half-hours holds, by channel.

    Half-hours that are shorter or longer rows are added up, or told at their beginning. `gaps` has,
    for every channel of the month, the settlement periods that are over and of which it is not
    known, or was not measured whole: what such a cell holds is no small use. `before` is how many
    half-hours of the day had passed when the first row of all began: nobody waits for those.
    """
    after = (first + 31 * _DAY).replace(day=1)
    days = [first + n * _DAY for n in range((after - first).days)]
    grid = {day: half_hours_of_settlement_day(day) for day in days}
    rows = periods(directory, config, grid[first][0].start, grid[days[-1]][-1].end)
    begun = _begun(directory, grid[first][0].start, rows)
    until = closed_until(directory)
    keys = list(dict.fromkeys(key for row in rows for key in row.deltas))
    told = []
    for day, half_hours in grid.items():
        begin, end = half_hours[0].start, half_hours[-1].end
        of_day = [row for row in rows if begin <= row.start < end]
        before = [each for each in half_hours if each.end <= begun]
        ours = half_hours[len(before) :]
        over = [each for each in ours if until is not None and each.end <= until]
        told.append(
            {
                "date": day.isoformat(),
                "periods": len(half_hours),
                "before": len(before),
                "channels": _cells(half_hours, of_day),
                "gaps": {key: [len(before) + n for n in _gaps(over, of_day, key)] for key in keys},
            }
        )
    return told


def _begun(directory: Directory, start: datetime, rows: Sequence[Period]) -> datetime:
    """When the first row began, or now if there is none; where that was before `start`, `start`."""
    if has_begun(directory, start):
        return start
    return min((row.start for row in rows), default=directory.now())


def _cells(half_hours: Sequence[HalfHour], rows: list[Period]) -> dict[str, list[int | None]]:
    """By channel, a value for each half-hour; None where no row that is known begins."""
    cells: dict[str, list[int | None]] = {}
    for row in rows:
        at = (row.start - half_hours[0].start) // _HALF_HOUR
        for key, value in row.deltas.items():
            line = cells.setdefault(key, [None] * len(half_hours))
            if value is not None:
                line[at] = value + (line[at] or 0)
    return cells


def _gaps(over: Sequence[HalfHour], rows: list[Period], key: str) -> Iterator[int]:
    """Which of some half-hours, from 1 on, is not known or was not measured whole."""
    known = [row for row in rows if row.is_measured(key)]
    for number, each in enumerate(over, start=1):
        covered = timedelta()
        while known and known[0].end <= each.start:
            known.pop(0)
        for row in known:
            if row.start >= each.end:
                break
            covered += min(row.end, each.end) - max(row.start, each.start)
        if covered < each.end - each.start:
            yield number
