"""`elec-meter show`."""

from __future__ import annotations

import csv
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from shared.exact_json import exact_json

from .options import data_option, example, json_option

_PIPE_WIDTH = 240

# The names of `views.VIEWS`, which is too heavy to load for `--help`.
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
    from .observed import observed
    from .views import VIEWS

    with observed(data_dir, None if day is None else day.date()) as seen:
        rows = VIEWS[what](seen)
    if as_json:
        click.echo(exact_json(rows))
    elif as_csv:
        _print_csv(rows)
    else:
        _print_table(rows)


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
    from rich.table import Table

    flat = [_flat(row) for row in rows]
    if not flat:
        click.echo("There is nothing to show.")
        return
    columns = _columns(flat)
    table = Table(box=None)
    # A pipe has no width; what reads it wants whole cells.
    console = Console() if sys.stdout.isatty() else Console(width=_PIPE_WIDTH)
    for column in columns:
        is_number = isinstance(flat[0].get(column), (int, Decimal))
        table.add_column(column.replace("_", " "), justify="right" if is_number else "left")
    for row in flat:
        cells = (row.get(column) for column in columns)
        table.add_row(*("-" if cell is None else str(cell) for cell in cells))
    console.print(table)
