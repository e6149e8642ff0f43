"""`elec-meter plot`: pictures."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from elec_meter.errors import PlotError
from shared.exact_json import exact_json
from shared.options import Day, example

from .options import data_option, json_option
from .pictures import picture_option
from .progress import counted

if TYPE_CHECKING:
    from .days import Days
    from .observed import Observed, Row

_DAYS_MAX = 366
_BOARDS = ("stm32wb", "esp32")


@click.group()
def command() -> None:
    """Draw pictures: PNG or SVG."""


@command.command(epilog=example("elec-meter plot accuracy -o curve.svg"))
@picture_option(required=True)
@json_option
def accuracy(picture: Path, as_json: bool) -> None:
    """Draw the error curve of the type test."""
    from elec_meter.typetest import CURVES, result_count, type_test

    from .error_curve import draw_error_curve

    results = list(counted(type_test(rows=CURVES), result_count(CURVES), "error curve"))
    draw_error_curve(results, picture)
    _say(as_json, picture)


@command.command(
    epilog=example("elec-meter plot profile --data home --from 2025-10-20 -o week.png")
)
@data_option
@click.option("--from", "first", type=Day(), help="The first settlement day  [default: a week]")
@click.option("--to", "last", type=Day(), help="The last one, included  [default: the newest]")
@picture_option(required=True)
@json_option
def profile(
    data_dir: Path, first: datetime | None, last: datetime | None, picture: Path, as_json: bool
) -> None:
    """Draw half-hours of several days: power, pulses of gas units, what statuses say."""
    if first is not None and last is not None and last < first:
        raise click.UsageError("--to comes before --from.")
    from .days import rows_of
    from .observed import observed
    from .rows_plot import draw_rows

    with observed(data_dir) as seen:
        had = _had(seen, data_dir)
        newest = had.last if last is None else last.date()
        days = had.within(newest - timedelta(days=6) if first is None else first.date(), newest)
        if days is None:
            raise PlotError(f"{data_dir} has half-hours of {had}, and none is asked for")
        if (days.last - days.first).days >= _DAYS_MAX:
            raise PlotError(f"a picture shows at most {_DAYS_MAX} days, not {days}")
        rows = list(rows_of(seen, days))
    draw_rows(rows, f"{days.first} to {days.last}", picture)
    _say(as_json, picture, rows)


@command.command(epilog=example("elec-meter plot day --data home --date 2025-10-26 -o day.svg"))
@data_option
@click.option("--date", "day", type=Day(), help="The settlement day  [default: the newest]")
@picture_option(required=True)
@json_option
def day(data_dir: Path, day: datetime | None, picture: Path, as_json: bool) -> None:
    """Draw the half-hours of a settlement day; there are 46 or 50 when the clocks change."""
    from .days import rows_of
    from .observed import observed
    from .rows_plot import day_title, draw_rows

    with observed(data_dir) as seen:
        had = _had(seen, data_dir)
        asked = had.last if day is None else day.date()
        rows = list(rows_of(seen, had.within(asked, asked)))
    if not rows:
        raise PlotError(f"{data_dir} has half-hours of {had}, and none of {asked}")
    draw_rows(rows, day_title(asked), picture)
    _say(as_json, picture, rows)


@command.command(epilog=example("elec-meter plot month --data home --month 2025-10 -o month.png"))
@data_option
@click.option(
    "--month",
    type=click.DateTime(["%Y-%m"]),
    metavar="YYYY-MM",
    help="The month  [default: the newest]",
)
@click.option(
    "--channel", default="import_wh", show_default=True, help="As in the JSON of `show profile`."
)
@picture_option(required=True)
@json_option
def month(
    data_dir: Path, month: datetime | None, channel: str, picture: Path, as_json: bool
) -> None:
    """Draw a heat map of a month: a line a day, a column a half-hour."""
    from .days import rows_of
    from .observed import observed
    from .rows_plot import draw_month

    with observed(data_dir) as seen:
        had = _had(seen, data_dir)
        first = (had.last if month is None else month.date()).replace(day=1)
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        rows = list(rows_of(seen, had.within(first, last)))
    if not rows:
        raise PlotError(f"{data_dir} has half-hours of {had}, and none of {first:%Y-%m}")
    draw_month(rows, channel, f"{first:%B %Y}", picture)
    _say(as_json, picture, rows)


@command.command(epilog=example("elec-meter plot battery --telegram-period 900 -o battery.svg"))
@click.option("--board", type=click.Choice(_BOARDS), default="stm32wb", show_default=True)
@click.option(
    "--telegram-period",
    "telegram_period_s",
    type=click.IntRange(10, 86_400),
    metavar="S",
    help="Seconds between telegrams  [default: adverts instead]",
)
@picture_option(required=True)
@json_option
def battery(board: str, telegram_period_s: int | None, picture: Path, as_json: bool) -> None:
    """Draw what takes charge from a gas unit's battery.

    `pulse-unit battery` has more to choose from, and says where its figures come from.
    """
    from elec_meter.demo.battery import battery_terms

    from .battery_plot import draw_battery

    budget = battery_terms(board, telegram_period_s or 0)
    draw_battery(budget, picture)
    _say(as_json, picture, None, years=budget.years, average_ua=budget.average_ua)


def _had(seen: Observed, data_dir: Path) -> Days:
    from .days import days_of

    days = days_of(seen)
    if days is None:
        raise PlotError(f"{data_dir} has no closed half-hour yet")
    return days


def _say(as_json: bool, picture: Path, rows: list[Row] | None = None, **more: Any) -> None:
    """What was drawn, for programs; people look at it."""
    if not as_json:
        return
    told: dict[str, Any] = {"picture": str(picture)}
    if rows is not None:
        told |= {"start": rows[0]["start"], "end": rows[-1]["end"], "rows": len(rows)}
    click.echo(exact_json({**told, **more}))
