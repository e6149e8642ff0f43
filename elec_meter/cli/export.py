"""`elec-meter export`: half-hours of many days, for other programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from shared.exact_json import exact_json
from shared.options import example

from .options import data_option, json_option

if TYPE_CHECKING:
    from .days import Days
    from .export_forms import ExportedMeter, Rows
    from .observed import Observed

FORMS = ("csv", "json", "parquet", "nem12", "home-assistant")


@click.command(
    epilog=example(
        "elec-meter export --data home --format csv -o home.csv",
        "elec-meter export --data home --format json --from 2025-10-01 --to 2025-10-31",
    )
)
@data_option
@click.option("--format", "form", type=click.Choice(FORMS), default="csv", show_default=True)
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
    help="Write there instead of printing; whole or not at all.",
)
@json_option
def command(
    data_dir: Path,
    form: str,
    first: datetime | None,
    last: datetime | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Write closed half-hours of all channels, as of the last durable instant."""
    if first is not None and last is not None and last < first:
        raise click.UsageError("--to comes before --from.")
    _require_file(form, output, as_json)
    from .days import days_of, rows_of
    from .observed import observed

    with observed(data_dir) as seen:
        had = days_of(seen)
        days = had and had.within(first and first.date(), last and last.date())
        rows = partial(rows_of, seen, days)
        if form == "parquet" and output is not None:
            from .parquet import write_parquet

            with _replaced(output) as new:
                write_parquet(rows, new)
        else:
            write = _writer(form, seen, days)
            with _file(output) as file:
                write(rows, file)
        if as_json:
            told = {"file": str(output), "format": form, "rows": sum(1 for _ in rows())}
            click.echo(exact_json(told))


def _require_file(form: str, output: Path | None, as_json: bool) -> None:
    """Refuse before any work what makes no sense without a file, or a library."""
    if as_json and output is None:
        raise click.UsageError("--json says what was written to a file: name it with -o.")
    if form == "parquet":
        if output is None:
            raise click.UsageError("Parquet is for a file: name it with -o.")
        from .parquet import require_pyarrow

        require_pyarrow()


def _writer(form: str, seen: Observed, days: Days | None) -> Callable[[Rows, TextIO], None]:
    from . import export_forms as forms

    match form:
        case "nem12":
            return partial(forms.write_nem12, meter=_meter(seen, days))
        case "home-assistant":
            return partial(forms.write_home_assistant, meter=_meter(seen, days))
        case "json":
            return forms.write_json
        case _:
            return forms.write_csv


def _meter(seen: Observed, days: Days | None) -> ExportedMeter:
    """Who it is, and what its registers had before the days that are written."""
    from shared.units import PulseWeight

    from .days import days_of, rows_of
    from .export_forms import ExportedMeter

    config, ledger = seen.meter.config, seen.meter.ledger
    before: dict[str, int] = {}
    gas_m3: dict[str, Decimal] = {}
    oldest = next(iter(ledger.rows(0, ledger.closed_s or 0, with_indexes=True)), None)
    if oldest is not None:
        before = {key: index - (oldest.deltas[key] or 0) for key, index in oldest.indexes.items()}
    for unit in config.gas_units:
        key = f"{unit.channel}_pulses"
        litres = PulseWeight.parse(unit.pulse_weight).litres(1)
        gas_m3[key] = Decimal(litres.numerator) / (litres.denominator * 1_000)
        before[key] = ledger.total(unit.channel) - ledger.unrated(unit.channel)
    for row in rows_of(seen, days_of(seen)):
        is_earlier = days is not None and row["settlement_date"] < days.first.isoformat()
        for key in before:
            value = row["channels"].get(key) or 0
            # An energy's index is that of the oldest row; a unit's is that of the newest.
            before[key] += is_earlier * value - (key in gas_m3) * value
    return ExportedMeter(config.serial, seen.meter.now, gas_m3, before)


@contextmanager
def _file(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    with _replaced(path) as new, new.open("w", encoding="utf-8", newline="") as file:
        yield file


@contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    """A file beside it that takes its place once it is whole; an error names that one."""
    new = path.with_name(f".{path.name}.part")
    try:
        new.touch()  # whatever writes it then: that it cannot be written is said in one way
        yield new
        new.replace(path)
    except OSError as error:
        if error.filename == str(new):
            error.filename = str(path)
        raise
    finally:
        new.unlink(missing_ok=True)
