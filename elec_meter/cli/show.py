"""`elec-meter show`."""

from __future__ import annotations

import csv
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shared.exact_json import exact_json
from shared.timegrid import LONDON

from .options import data_option, example, json_option

if TYPE_CHECKING:
    from rich.console import JustifyMethod

_WIDTH_MAX = 1_000

# The names of `views.VIEWS`, which is too heavy to load for `--help`.
DATED = ("profile", "events")
VIEW_NAMES = ("registers", "profile", "display", "events", "tariff", "units", "clock")


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
    type=click.DateTime(["%Y-%m-%d"]),
    help="A settlement day, of the profile or the events.",
)
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
def command(what: str, data_dir: Path, day: datetime | None, as_json: bool, as_csv: bool) -> None:
    """Show what a meter holds, as of its last durable instant; it may be running."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    if day is not None and what not in DATED:
        raise click.UsageError(f"--date goes with {' and '.join(DATED)}, not with {what}.")
    from .observed import observed
    from .views import VIEWS

    with observed(data_dir, None if day is None else day.date()) as seen:
        rows = VIEWS[what](seen)
    if as_json:
        click.echo(exact_json(rows))
    elif as_csv:
        _print_csv(rows)
    else:
        _print_table([_half_hour_for_people(row) for row in rows] if what == "profile" else rows)


def _half_hour_for_people(row: dict[str, Any]) -> dict[str, Any]:
    """A half-hour by its local time: the rest is in the other forms."""
    local = datetime.fromisoformat(row["start"]).astimezone(LONDON)
    status = {
        f"{key.removesuffix('_pulses')}_status": bits for key, bits in row["channel_status"].items()
    }
    return {
        "date": row["settlement_date"],
        "period": row["settlement_period"],
        "from": f"{local:%H:%M %Z}",
        **row["channels"],
        "status": row["status"],
        **status,
    }


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """The row with one column for each entry of its mappings, and lists as text."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if key == "channels":
            flat |= value
        elif isinstance(value, dict):
            flat |= {
                f"{inner}_{key.removeprefix('channel_')}": each for inner, each in value.items()
            }
        else:
            flat[key] = ", ".join(map(str, value)) if isinstance(value, list) else value
    return flat


def _columns(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))


def _print_csv(rows: list[dict[str, Any]]) -> None:
    flat = [_flat(row) for row in rows]
    writer = csv.DictWriter(sys.stdout, _columns(flat), lineterminator="\n")
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
    columns = _columns(flat)
    table = Table(box=None)
    for column in columns:
        is_number = isinstance(flat[0].get(column), (int, Decimal))
        justify: JustifyMethod = "right" if is_number else "left"
        table.add_column(column.replace("_", " "), justify=justify, no_wrap=True)
    for row in flat:
        cells = (row.get(column) for column in columns)
        table.add_row(*("-" if cell is None else str(cell) for cell in cells))
    # A cell is shown whole, however narrow the terminal: lines may wrap, but nothing is left out.
    console = Console()
    wide = console.options.update(max_width=_WIDTH_MAX)
    natural = Measurement.get(console, wide, table).maximum
    if natural > console.width:
        console = Console(width=natural)
    console.print(table)
