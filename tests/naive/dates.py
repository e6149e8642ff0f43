"""A slow, obvious reference of dates with wildcards: somebody with a pencil and printed calendars.

They go through the sheets of the months of some years and tick the days that a text names.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

_DAY = timedelta(days=1)


def ticked(text: str, years: Iterable[int]) -> set[date]:
    """The days that a text such as `*-05-L Mon` names on the calendars of these years.

    A first weekday after the end of a year is ticked in the calendar of the next, if there is one.
    """
    numbers, _, weekday = text.partition(" ")
    year, month, day = numbers.split("-", 2)
    sheets = [
        sheet
        for each_year in years
        if year in ("*", f"{each_year:04d}")
        for sheet in _year(each_year)
    ]
    ticks: set[date] = set()
    for sheet in sheets:
        if month in ("*", f"{sheet[0]:%m}"):
            ticks |= _on_sheet(sheet, day, weekday)
    return ticks


def _on_sheet(sheet: list[date], day: str, weekday: str) -> set[date]:
    if day == "*":
        return {each for each in sheet if weekday in ("", f"{each:%a}")}
    if day in ("L", "L-1"):
        upwards = sheet[::-1] if day == "L" else sheet[-2::-1]
        return set([each for each in upwards if weekday in ("", f"{each:%a}")][:1])
    named = [each for each in sheet if f"{each:%d}" == day]
    if weekday:
        named = [_next_named(each, weekday) for each in named]
    return set(named)


def _next_named(day: date, weekday: str) -> date:
    while f"{day:%a}" != weekday:
        day += _DAY
    return day


def _year(year: int) -> list[list[date]]:
    sheets: list[list[date]] = [[] for _ in range(12)]
    day = date(year, 1, 1)
    while day.year == year:
        sheets[day.month - 1].append(day)
        day += _DAY
    return sheets
