"""What helps to use less: now against yesterday and last week, and what is always on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any, Final

from elec_meter.config import MeterConfig
from elec_meter.objects import Directory
from shared.timegrid import LONDON, iso_utc, settlement_day_start, settlement_period

from .profile import UNMEASURED, Period, Row, closed_until, periods, total

IMPORT: Final = "import_wh"
_EXPORT: Final = "export_wh"
BASE_DAYS: Final = 7
_DAY: Final = timedelta(days=1)
_HOURS_A_YEAR: Final = 8_766
_NIGHTS_MIN: Final = 2


def use_rows(directory: Directory, config: MeterConfig) -> Row:
    """Today so far, the same hours of yesterday and of this day last week, and the base load.

    `through` is how far today is known. Another day has None where a half-hour of those hours is
    not known, or was not measured whole; today has what was measured, and `today_is_whole` says
    whether that is all of it. `base_load_w` is the median of what the quietest half-hour of each
    of the last days drew; one in which, or next to which, energy was exported tells nothing.
    """
    end = closed_until(directory)
    if end is None:
        return _nothing()
    today = settlement_period(end - timedelta(seconds=1)).settlement_date
    local = end.astimezone(LONDON)
    rows = periods(directory, config, settlement_day_start(today - BASE_DAYS * _DAY), end)
    so_far, *others = (_span(today - back * _DAY, local, today) for back in (0, 1, 7))
    yesterday_wh, last_week_wh = (_between(rows, *span) for span in others)
    base_w, nights = _base_load(rows, today)
    price: Any = directory["0-0:128.22.0"].value
    return {
        "date": today.isoformat(),
        "through": iso_utc(end),
        "today_wh": total(_measured(rows, *so_far), IMPORT),
        "today_is_whole": _between(rows, *so_far) is not None,
        "yesterday_wh": yesterday_wh,
        "last_week_wh": last_week_wh,
        "yesterday_whole_wh": _of_day(rows, today - _DAY),
        "base_load_w": base_w,
        "base_load_days": nights,
        "base_load_kwh_a_year": None if base_w is None else base_w * _HOURS_A_YEAR // 1000,
        "price_p_kwh": price,
    }


def _nothing() -> Row:
    names = (
        "date through today_wh today_is_whole yesterday_wh last_week_wh yesterday_whole_wh"
        " base_load_w base_load_days base_load_kwh_a_year price_p_kwh"
    )
    return dict.fromkeys(names.split())


def _span(day: date, through: datetime, today: date) -> tuple[datetime, datetime]:
    """A day in UTC until the time of day at which today ends so far."""
    start = settlement_day_start(day)
    if through.date() > today:
        return start, settlement_day_start(day + _DAY)
    until = datetime.combine(day, through.timetz().replace(tzinfo=None), LONDON)
    return start, until.replace(fold=through.fold).astimezone(UTC)


def _of_day(rows: list[Period], day: date) -> int | None:
    return _between(rows, settlement_day_start(day), settlement_day_start(day + _DAY))


def _between(rows: list[Period], start: datetime, end: datetime) -> int | None:
    """What was drawn in `[start, end)`; None where that is not known from beginning to end."""
    measured = _measured(rows, start, end)
    covered = sum((row.end - row.start for row in measured), timedelta())
    return total(measured, IMPORT) if covered == end - start else None


def _measured(rows: list[Period], start: datetime, end: datetime) -> list[Period]:
    within = (row for row in rows if start <= row.start and row.end <= end)
    return [row for row in within if row.is_measured(IMPORT)]


def _base_load(rows: list[Period], today: date) -> tuple[int | None, int]:
    """The median of the days' least powers, in W, and of how many days it is; whole days only."""
    least = []
    for back in range(1, BASE_DAYS + 1):
        day = today - back * _DAY
        start, end = settlement_day_start(day), settlement_day_start(day + _DAY)
        of_day = [row for row in rows if start <= row.start < end and IMPORT in row.deltas]
        covered = sum((row.end - row.start for row in of_day), timedelta())
        if covered == end - start and not any(row.status & UNMEASURED for row in of_day):
            powers = [_power_w(row) for row in _unaided(of_day)]
            least += [min(powers)] if powers else []
    if len(least) < _NIGHTS_MIN:
        return None, len(least)
    return round(median(least)), len(least)


def _unaided(rows: list[Period]) -> Iterator[Period]:
    """Rows that the household's own generation has no part in."""
    exported = [bool(row.deltas.get(_EXPORT)) for row in rows]
    for place, row in enumerate(rows):
        if not any(exported[max(0, place - 1) : place + 2]):
            yield row


def _power_w(row: Period) -> int:
    seconds = (row.end - row.start) // timedelta(seconds=1)
    return (row.deltas[IMPORT] or 0) * 3_600 // seconds
