"""`collector units`, `events`, `certificate`, `profile` and `export`: what a directory holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shared.options import Day, Instant, example

from .cli_options import channel_option, csv_option, data_option, json_option

if TYPE_CHECKING:
    from .storage.directory import DataDirectory
    from .views import Views


@contextmanager
def opened_views(data_dir: Path) -> Iterator[tuple[Views, datetime]]:
    """What a directory holds, and the time up to which it is shown.

    That is the host's, or that of the newest telegram of a recording that is of the future.
    """
    from shared.timegrid import from_unix_ms

    from .errors import CollectorError
    from .journal import Journal
    from .views import Views

    with _read(data_dir) as directory:
        views = Views(directory.connection)
        told = from_unix_ms(Journal(directory.connection).told_ms)
        try:
            yield views, max(told, datetime.now(UTC)) if _is_live(told) else told
        except CollectorError:
            if not views.channels:
                _refuse_meters(data_dir)
            raise


@click.command(epilog=example("collector units --data gas"))
@data_option
@json_option
@csv_option
def units(data_dir: Path, as_json: bool, as_csv: bool) -> None:
    """List the units, each on its meter; those that were unpaired too."""
    with opened_views(data_dir) as (views, _):
        rows = views.units()
    if not rows:
        _refuse_meters(data_dir)
    print_rows(rows, as_json=as_json, as_csv=as_csv)


@click.command(epilog=example("collector events --data gas --limit 20"))
@data_option
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    metavar="N",
    help="The newest so many lines.",
)
@json_option
@csv_option
def events(data_dir: Path, limit: int, as_json: bool, as_csv: bool) -> None:
    """Show the event log: what a person should look at, each thing once, and how often it was."""
    from .storage.eventlog import EventLog

    with _read(data_dir) as directory:
        rows = list(EventLog(directory.connection).newest(limit))
    if not rows:
        _refuse_meters(data_dir)
    print_rows(rows, as_json=as_json, as_csv=as_csv)


@click.command(epilog=example("collector certificate 1 --data gas -o certificate.html"))
@click.argument("number", type=click.IntRange(1, 1 << 62), required=False)
@data_option
@click.option(
    "--output",
    "-o",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write it: a page to print, or JSON where FILE ends in .json.",
)
@json_option
def certificate(number: int | None, data_dir: Path, file: Path | None, as_json: bool) -> None:
    """Show a certificate again; without a number, list them."""
    from .certificate import certificate_lines
    from .errors import CollectorError
    from .export import write_certificate
    from .storage.pairings import Pairings

    with _read(data_dir) as directory:
        pairings = Pairings(directory.connection)
        documents = pairings.certificates() if number is None else [pairings.certificate(number)]
    if number is None:
        rows = [
            {name: each[name] for name in ("certificate", "kind", "made", "channel", "installer")}
            for each in documents
            if each is not None
        ]
        print_rows(rows, as_json=as_json, as_csv=False)
        return
    document = documents[0]
    if document is None:
        raise CollectorError(f"there is no certificate {number}")
    if file is not None:
        try:
            write_certificate(document, file)
        except OSError as error:
            raise click.ClickException(f"{file} cannot be written: {error.strerror}.") from None
    elif as_json:
        print_json(document)
    else:
        for name, value in certificate_lines(document):
            click.echo(f"{name:>20}  {value}")


@click.command(epilog=example("collector profile --data gas --date 2026-03-29 --json"))
@data_option
@channel_option
@click.option("--date", "day", type=Day(), help="A settlement day (the newest).")
@json_option
@csv_option
def profile(
    data_dir: Path, channel: str, day: datetime | None, as_json: bool, as_csv: bool
) -> None:
    """Show the half-hours of a settlement day: pulses, exact litres, Wh and status."""
    from .views import profile_row

    with opened_views(data_dir) as (views, now):
        wanted = views.newest_day(channel, now) if day is None else day.date()
        rows = [profile_row(channel, each) for each in views.day(channel, wanted, now)]
    if not as_json and not as_csv:
        rows = [_for_people(row) for row in rows]
    print_rows(rows, as_json=as_json, as_csv=as_csv)


@click.command(
    epilog=example("collector export --data gas --format csv -o gas.csv --from 2026-03-01")
)
@data_option
@click.option("--channel", metavar="NAME", help="Which channel (all).")
@click.option(
    "--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True
)
@click.option("--from", "begin", type=Instant(), metavar="INSTANT", help="From then on.")
@click.option("--to", "end", type=Instant(), metavar="INSTANT", help="Up to then.")
@click.option(
    "--output",
    "-o",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write there, not to standard output.",
)
def export(
    data_dir: Path,
    channel: str | None,
    form: str,
    begin: datetime | None,
    end: datetime | None,
    file: Path | None,
) -> None:
    """Write the half-hours of all channels, as CSV or JSON."""
    from shared.exact_json import exact_json

    from .export import csv_text

    with opened_views(data_dir) as (views, now):
        channels = views.channels if channel is None else [channel]
        rows = [row for name in channels for row in _exported(views, name, begin, end, now)]
    if not channels:
        _refuse_meters(data_dir)
    text = csv_text(rows) if form == "csv" else exact_json(rows, indent=1) + "\n"
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}.") from None


def print_rows(rows: list[dict[str, Any]], *, as_json: bool, as_csv: bool) -> None:
    """Print rows as JSON, CSV or a table that leaves nothing out."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    if as_json:
        print_json(rows)
    elif as_csv:
        from .export import csv_text

        click.echo(csv_text(rows), nl=False)
    else:
        _print_table(rows)


def print_json(value: Any) -> None:
    """Print a value as JSON with exact numbers."""
    from shared.exact_json import exact_json

    click.echo(exact_json(value))


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    if not rows:
        click.echo("There is nothing to show.")
        return
    table = Table(box=None)
    for name, value in rows[0].items():
        is_number = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
        justify: Any = "right" if is_number else "left"
        table.add_column(name.replace("_", " "), justify=justify, no_wrap=True)
    for row in rows:
        table.add_row(*("-" if cell is None else str(cell) for cell in row.values()))
    console = Console(highlight=False)
    console.width = max(console.width, 250)  # a cell is shown whole, however narrow the terminal
    console.print(table)


def _for_people(row: dict[str, Any]) -> dict[str, Any]:
    from shared.timegrid import LONDON

    local = datetime.fromisoformat(row["start"]).astimezone(LONDON)
    (status,) = row["channel_status"].values()
    return {
        "date": row["settlement_date"],
        "period": row["settlement_period"],
        "from": f"{local:%H:%M %Z}",
        **row["channels"],
        "status": status,
    }


def _exported(
    views: Views, channel: str, begin: datetime | None, end: datetime | None, now: datetime
) -> Iterator[dict[str, Any]]:
    from shared.timegrid import unix_s

    from .views import profile_row

    first_s, last_s = views.span_s(channel, now)
    from_s = first_s if begin is None else max(first_s, unix_s(begin))
    to_s = last_s if end is None else min(last_s, unix_s(end))
    for each in views.period(channel, from_s, to_s, now):
        row = profile_row("gas", each)
        yield {"channel": channel, **row}


def _read(data_dir: Path) -> DataDirectory:
    from .storage.directory import DataDirectory

    return DataDirectory.read(data_dir)


def _refuse_meters(data_dir: Path) -> None:
    from .errors import DirectoryError
    from .storage.directory import is_of_meter

    if is_of_meter(data_dir):
        raise DirectoryError(
            f"{data_dir} is an electricity meter's, whose units are in its configuration:"
            f" `elec-meter show units --data {data_dir}` lists them"
        )


def _is_live(told: datetime) -> bool:
    """Whether the newest telegram is of now: a recording of last year ends last year."""
    return (datetime.now(UTC) - told).days < 1
