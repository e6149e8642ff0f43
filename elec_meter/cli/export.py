"""`elec-meter export`: half-hours of many days, for other programs."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from shared.exact_json import exact_json
from shared.options import example

from .options import data_option

if TYPE_CHECKING:
    from .observed import Observed

_DAY = timedelta(days=1)


@click.command(
    epilog=example(
        "elec-meter export --data home --format csv -o home.csv",
        "elec-meter export --data home --format json --from 2025-10-01 --to 2025-10-31",
    )
)
@data_option
@click.option(
    "--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True
)
@click.option(
    "--from",
    "first",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The first settlement day  [default: that of the first row]",
)
@click.option(
    "--to",
    "last",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The last settlement day, included  [default: that of the last row]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write there instead of printing.",
)
def command(
    data_dir: Path,
    form: str,
    first: datetime | None,
    last: datetime | None,
    output: Path | None,
) -> None:
    """Write closed half-hours of all channels, as of the last durable instant."""
    if first is not None and last is not None and last < first:
        raise click.UsageError("--to comes before --from.")
    from .observed import observed

    with observed(data_dir) as seen, _file(output) as file:
        rows = partial(_rows, seen, first and first.date(), last and last.date())
        if form == "json":
            _write_json(rows(), file)
        else:
            _write_csv(rows, file)


@contextmanager
def _file(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        yield file


def _rows(seen: Observed, first: date | None, last: date | None) -> Iterator[dict[str, Any]]:
    """The rows of one day after another."""
    from dataclasses import replace

    from shared.timegrid import from_unix_s, settlement_period

    from .views import profile

    ledger = seen.meter.ledger
    if ledger.closed_s is None:
        return
    begun = next(iter(ledger.rows(0, ledger.closed_s)), None)
    if begun is None:
        return
    day = settlement_period(from_unix_s(begun.start_s)).settlement_date
    end = settlement_period(from_unix_s(ledger.closed_s - 1)).settlement_date
    day, end = max(day, first or day), min(end, last or end)
    while day <= end:
        yield from profile(replace(seen, day=day))
        day += _DAY


def _write_json(rows: Iterator[dict[str, Any]], file: TextIO) -> None:
    """One list, a row a line."""
    between = "[\n"
    for row in rows:
        file.write(between + exact_json(row))
        between = ",\n"
    file.write("[]\n" if between == "[\n" else "\n]\n")


def _write_csv(rows: Callable[[], Iterator[dict[str, Any]]], file: TextIO) -> None:
    """Columns of every channel that any row has; what is not known is empty."""
    columns = dict.fromkeys(key for row in rows() for key in _flat(row))
    writer = csv.DictWriter(file, list(columns), lineterminator="\n")
    if columns:
        writer.writeheader()
    writer.writerows(map(_flat, rows()))


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **{key: row[key] for key in ("start", "end", "settlement_date", "settlement_period")},
        **row["channels"],
        "status": row["status"],
        **{f"{key}_status": bits for key, bits in row["channel_status"].items()},
        "revision": row["revision"],
    }
