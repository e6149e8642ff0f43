"""Dates with wildcards, as calendars name special days and the beginnings of seasons.

`2026-12-25` is one day; `*` stands for any year, month or day; `L` is the last day of a month and
`L-1` the one before. A weekday behind it (`Mon` to `Sun`) narrows it: with a day, the first such
weekday on or after it, which may lie in the next month; with `L`, the last one of the month; with
`L-1`, the last one that is not the month's last day; with `*`, each of them. So `*-05-01 Mon` is
the early May holiday and `*-03-L Sun` the day on which British Summer Time begins (the date
wildcards of IEC 62056-6-2, 4.1.6.1).
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Self

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FORM: Final = re.compile(
    r"(?P<year>[0-9]{4}|\*)-(?P<month>[0-9]{2}|\*)-"
    r"(?P<day>0[1-9]|[12][0-9]|3[01]|\*|L-1|L)"
    r"(?: (?P<weekday>[A-Z][a-z]{2}))?"
)
_LONGEST_MONTHS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DatePattern:
    """A date in which parts may be left open; None is any.

    Attributes:
        year: 1 to 9999.
        month: 1 to 12.
        day: 1 to 31; 0 for the last day of the month and -1 for the one before.
        weekday: 0 for Monday to 6 for Sunday.
    """

    year: int | None
    month: int | None
    day: int | None
    weekday: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """The pattern that a text names.

        Raises:
            ValueError: it names none, or one that no day can ever match.
        """
        match = _FORM.fullmatch(text)
        weekday = None if match is None else match["weekday"]
        if match is None or (weekday is not None and weekday not in WEEKDAYS):
            raise ValueError(
                f"{text[:40]!r} is no date such as '2026-12-25', '*-12-25', '*-05-01 Mon' or"
                " '*-03-L Sun'"
            )
        last = {"L": 0, "L-1": -1}
        day = last.get(match["day"], _number(match["day"]))
        pattern = cls(
            _number(match["year"]),
            _number(match["month"]),
            day,
            None if weekday is None else WEEKDAYS.index(weekday),
        )
        if not pattern._exists():
            raise ValueError(f"no day of any year is {text}")
        return pattern

    def __str__(self) -> str:
        year = "*" if self.year is None else f"{self.year:04d}"
        month = "*" if self.month is None else f"{self.month:02d}"
        day = {None: "*", 0: "L", -1: "L-1"}.get(self.day) or f"{self.day:02d}"
        weekday = "" if self.weekday is None else f" {WEEKDAYS[self.weekday]}"
        return f"{year}-{month}-{day}{weekday}"

    def matches(self, day: date) -> bool:
        """Whether it names this day."""
        if self.weekday is not None and day.weekday() != self.weekday:
            return False
        if self.weekday is None or self.day is None:
            return self._names(day)
        # The named day is at most six days earlier, or later where the last ones are named.
        step = _DAY if self.day <= 0 else -_DAY
        return any(self._names(each) for each in _week(day, step))

    def day_in(self, year: int) -> date | None:
        """The day that it names in a year, if it gives month and day and has one in that year.

        The first weekday on or after one of the last days of December lies in the year after it.
        """
        if self.month is None or self.day is None or self.year not in (None, year):
            return None
        try:
            last = monthrange(year, self.month)[1]
            named = date(year, self.month, self.day if self.day > 0 else last + self.day)
            if self.weekday is None:
                return named
            if self.day > 0:
                return named + (self.weekday - named.weekday()) % 7 * _DAY
            return named - (named.weekday() - self.weekday) % 7 * _DAY
        except (ValueError, OverflowError):
            return None  # the 29th of February of a common year, or beyond the calendar

    def _names(self, day: date) -> bool:
        """Whether it names this day when its weekday is left out."""
        if self.year not in (None, day.year) or self.month not in (None, day.month):
            return False
        if self.day is None:
            return True
        wanted = self.day if self.day > 0 else monthrange(day.year, day.month)[1] + self.day
        return day.day == wanted

    def _exists(self) -> bool:
        year, month = self.year, self.month
        if (year is not None and year < 1) or (month is not None and not 1 <= month <= 12):
            return False
        if self.day is None or self.day <= 0:
            return True
        longest = 31 if month is None else _LONGEST_MONTHS[month - 1]
        if year is not None and month is not None:
            longest = monthrange(year, month)[1]
        return 1 <= self.day <= longest


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _week(day: date, step: timedelta) -> list[date]:
    days = [day]
    for _ in range(6):
        try:
            days.append(days[-1] + step)
        except OverflowError:
            break
    return days
