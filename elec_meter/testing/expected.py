"""Rows compared with what a test expects, and the sentences that tell of a difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from elec_meter.ledger import ProfileRow
from shared.timegrid import LONDON, HalfHour

Expected = Mapping[int, int | None] | int | None
"""Values by period number, or one for every row that has closed."""

Column = tuple[str, Expected, Callable[[ProfileRow], int | None]]
"""A column's name, what is expected in it, and how to read it off a row."""

SHOWN_MAX: Final = 12
"""Differences that a message lists."""


def differences(
    half_hours: Sequence[HalfHour], rows: Mapping[int, ProfileRow], columns: Iterable[Column]
) -> Iterator[str]:
    """One line for each value that is not the expected one, column by column.

    Args:
        half_hours: of the settlement date, in order.
        rows: those that have closed, by period number.
        columns: what to compare.
    """
    for name, expected, read in columns:
        by_period = expected if isinstance(expected, Mapping) else dict.fromkeys(rows, expected)
        for period, value in sorted(by_period.items()):
            place = f"{named(half_hours[period - 1], period)}: {name} expected {value}"
            if period not in rows:
                yield f"{place}, and the half-hour has not closed"
            elif (actual := read(rows[period])) != value:
                yield f"{place}, actual {_shown(name, actual)}"


def message(title: str, lines: Sequence[str]) -> str:
    """A failure's text: how many values differ, and the first of them."""
    values = "1 value differs" if len(lines) == 1 else f"{len(lines)} values differ"
    shown = [f"  {line}" for line in lines[:SHOWN_MAX]]
    if len(lines) > SHOWN_MAX:
        shown.append(f"  and {len(lines) - SHOWN_MAX} more")
    return "\n".join([f"{title}: {values}", *shown])


def named(half_hour: HalfHour, period: int) -> str:
    """A half-hour by period number, local time and UTC: `period 3, 01:00 BST (00:00 UTC)`."""
    local = half_hour.start.astimezone(LONDON)
    return f"period {period}, {local:%H:%M %Z} ({half_hour.start:%H:%M} UTC)"


def _shown(name: str, actual: int | None) -> str:
    if actual is None:
        return "None (pending)" if name.endswith("_pulses") else "None"
    return str(actual)
