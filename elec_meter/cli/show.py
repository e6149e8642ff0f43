"""`elec-meter show`."""

from __future__ import annotations

import csv
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from shared.exact_json import exact_json
from shared.options import Day, example
from shared.timegrid import LONDON

from .columns import columns_of
from .options import data_option, json_option

if TYPE_CHECKING:
    from rich.console import JustifyMethod

_WITHIN = " / "
_HALF_HOUR = timedelta(minutes=30)
_MINUTE = timedelta(minutes=1)

# The names of `views.VIEWS`, which is too heavy to load for `--help`.
DATED = ("profile", "billing", "events")
VIEW_NAMES = (
    "registers",
    "profile",
    "demand",
    "billing",
    "display",
    "events",
    "tariff",
    "units",
    "clock",
    "objects",
    "terminals",
)


@click.command(
    epilog=example(
        "elec-meter show registers --data home",
        "elec-meter show profile --data home --date 2025-10-26 --json",
    )
)
@click.argument("what", type=click.Choice(VIEW_NAMES))
@data_option
@click.option(
    "--date",
    "day",
    type=Day(),
    help="A settlement day, of the profile, the snapshots of billing or the events.",
)
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
def command(what: str, data_dir: Path, day: datetime | None, as_json: bool, as_csv: bool) -> None:
    """Show what a meter holds, as of its last durable instant; it may be running."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    if day is not None and what not in DATED:
        dated = f"{', '.join(DATED[:-1])} and {DATED[-1]}"
        raise click.UsageError(f"--date goes with {dated}, not with {what}.")
    from .observed import observed
    from .views import VIEWS

    with observed(data_dir, None if day is None else day.date()) as seen:
        rows = VIEWS[what](seen)
    if as_json:
        click.echo(exact_json(rows))
    elif as_csv:
        _print_csv(rows)
    else:
        _print_table(_FOR_PEOPLE.get(what, list)(rows))


def _half_hours_for_people(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows by their local time: the rest is in the other forms."""
    return [_half_hour_for_people(row) for row in rows]


def _half_hour_for_people(row: dict[str, Any]) -> dict[str, Any]:
    start, end = (datetime.fromisoformat(row[name]) for name in ("start", "end"))
    local = start.astimezone(LONDON)
    length = {} if end - start == _HALF_HOUR else {"minutes": (end - start) // _MINUTE}
    status = {
        f"{key.removesuffix('_pulses')}_status": bits for key, bits in row["channel_status"].items()
    }
    return {
        "date": row["settlement_date"],
        "period": row["settlement_period"],
        "from": f"{local:%H:%M %Z}",
        **length,
        **row["channels"],
        "status": row["status"],
        **status,
    }


def _filled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the columns in which no row has anything."""
    flat = [_flat(row, "\n") for row in rows]
    columns = [column for column in columns_of(flat) if any(_says(row, column) for row in flat)]
    return [{column: row.get(column) for column in columns} for row in flat]


def _says(row: dict[str, Any], column: str) -> bool:
    return row.get(column) not in (None, "")


def _values_last(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A value may be a whole document: nothing stands behind it."""
    return [
        {**{k: v for k, v in row.items() if k != "value"}, "value": row["value"]} for row in rows
    ]


# What a table leaves out or puts in other words, by view.
_FOR_PEOPLE: Final = {
    "objects": _values_last,
    "profile": _half_hours_for_people,
    "billing": _filled,
    "tariff": _filled,
}


def _flat(row: dict[str, Any], between: str = ", ") -> dict[str, Any]:
    """The row with one column for each entry of its mappings, and lists as text."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if key == "channels":
            flat |= value
        elif isinstance(value, dict):
            flat |= {
                f"{inner}_{key.removeprefix('channel_')}": _cell(each, between)
                for inner, each in value.items()
            }
        else:
            flat[key] = _cell(value, between)
    return flat


def _cell(value: Any, between: str) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, list):
        return value
    return between.join(str(_cell(each, _WITHIN)) for each in value)


def _print_csv(rows: list[dict[str, Any]]) -> None:
    if not rows:
        return  # which columns there are is told by rows
    flat = [_flat(row) for row in rows]
    writer = csv.DictWriter(sys.stdout, columns_of(flat), lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table

    flat = [_flat(row) for row in rows]
    if not flat:
        click.echo("There is nothing to show.")
        return
    columns = columns_of(flat)
    table = Table(box=None)
    for column in columns:
        known = [cell for row in flat if (cell := row.get(column)) is not None]
        is_number = known != [] and all(isinstance(cell, (int, Decimal)) for cell in known)
        justify: JustifyMethod = "right" if is_number else "left"
        table.add_column(column.replace("_", " "), justify=justify, no_wrap=True)
    for row in flat:
        cells = (row.get(column) for column in columns)
        table.add_row(*("-" if cell is None else str(cell) for cell in cells))
    # A cell is shown whole, however narrow the terminal: lines may wrap, but nothing is left out.
    console = Console()
    natural = Measurement.get(console, console.options.update(max_width=sys.maxsize), table).maximum
    if natural > console.width:
        console = Console(width=natural)
    with console.capture() as printed:
        console.print(table)
    for line in printed.get().splitlines():
        click.echo(line.rstrip())
