"""`elec-meter repair`."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import click

from shared.exact_json import exact_json
from shared.options import example

from .options import data_option, json_option


@click.command(
    epilog=example(
        "elec-meter repair --data home",
    )
)
@data_option
@json_option
def command(data_dir: Path, as_json: bool) -> None:
    """Save what can be read of a damaged data directory.

    The damaged database stays beside the new one as `meter.sqlite.damaged-N`. No register falls:
    what no half-hour accounts for any more is aged, and the event log says how much. A sound
    directory is left alone; one whose registers cannot be read is refused and left alone too.
    """
    from collector import Collector, MemoryKeystore
    from elec_meter.storage.repair import repair

    def collector(connection: sqlite3.Connection, now: datetime) -> Collector:
        return Collector(connection, MemoryKeystore(), now)

    report = repair(data_dir, datetime.now(UTC), collector)
    if as_json:
        tables = [table._asdict() for table in report.tables]
        click.echo(
            exact_json({"kept_as": report.kept_as, "tables": tables, "changes": report.changes})
        )
        return
    if report.kept_as is None:
        click.echo("The database is sound and its books balance: nothing was done.")
        return
    for table in report.tables:
        lost = f", {table.unreadable} places could not be read" if table.unreadable else ""
        click.echo(f"{table.name}: {table.rows} rows saved{lost}")
    for sentence in report.changes:
        click.echo(f"{sentence[:1].upper()}{sentence[1:]}.")
    click.echo(f"The damaged database is {data_dir / report.kept_as}.")
