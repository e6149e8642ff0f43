"""`elec-meter estate`: many meters at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from elec_meter.estate import ENGINES
from shared.exact_json import exact_json
from shared.options import Instant, WholeRange, example

from .options import json_option
from .progress import counted

_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_Command = TypeVar("_Command", bound=Callable[..., Any])

_engine_option = click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="local",
    show_default=True,
    help="What works on the blocks; the result is the same.",
)
_directory_option = click.option(
    "-o",
    "--output",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    required=True,
    help="The estate's directory.",
)


@click.group()
def command() -> None:
    """Simulate many meters by half-hours, and add them up."""


@command.command(epilog=example("elec-meter estate simulate --meters 1000 --days 28 -o estate"))
@click.option("--meters", type=WholeRange(1, 10_000_000), metavar="N", required=True)
@click.option("--days", type=WholeRange(1, 3_660), metavar="N", required=True)
@click.option(
    "--start", type=Instant(), default=None, help="A midnight in UTC  [default: 2026-01-01]"
)
@click.option("--seed", type=WholeRange(0, 2**63 - 1), default=1, show_default=True, metavar="N")
@_engine_option
@_directory_option
@json_option
def simulate(
    meters: int,
    days: int,
    start: datetime | None,
    seed: int,
    engine: str,
    directory: Path,
    as_json: bool,
) -> None:
    """Simulate homes, a quarter of them with a solar roof, and write their half-hours.

    Each block of meters is a file of arrays; the same seed gives the same files.
    """
    from elec_meter.estate import EstateStore, Plan, block_count
    from elec_meter.estate import simulate as simulated

    plan = Plan.of(meters, days, start or _START, seed)
    steps = simulated(plan, EstateStore(directory), engine)
    blocks = len(list(counted(steps, block_count(plan), "meters")))
    told = {"meters": meters, "days": days, "half_hours": plan.half_hours, "blocks": blocks}
    click.echo(
        exact_json(told)
        if as_json
        else f"{meters} meters, {plan.half_hours} half-hours each, in {blocks} files"
    )


@command.command(epilog=example("elec-meter estate aggregate -o estate --json"))
@click.option(
    "--meters",
    type=WholeRange(1, 10_000_000),
    metavar="N",
    help="The first so many  [default: all]",
)
@click.option(
    "--days", type=WholeRange(1, 3_660), metavar="N", help="The first so many  [default: all]"
)
@_engine_option
@_directory_option
@json_option
def aggregate(
    meters: int | None, days: int | None, engine: str, directory: Path, as_json: bool
) -> None:
    """Add an estate up by half-hour: sums, peak, diversity.

    The sums are whole Wh and exactly what the registers show. They go into aggregate.csv.
    """
    from dataclasses import asdict

    from elec_meter.estate import EstateStore, block_count
    from elec_meter.estate import aggregate as aggregated
    from elec_meter.estate.summing import TABLE_NAME

    store = EstateStore(directory)
    plan = store.read_plan()
    count = -(-(meters or plan.meters) // plan.block_meters)
    steps = aggregated(store, meters, days, engine)
    *_, sums = counted(steps, min(count, block_count(plan)), "blocks")
    summary = sums.summary()
    store.replace(TABLE_NAME, sums.table().encode())
    if as_json:
        click.echo(exact_json({**asdict(summary), "table": str(directory / TABLE_NAME)}))
        return
    click.echo(f"{summary.meters} meters, {summary.half_hours} half-hours")
    click.echo(f"import {summary.import_wh} Wh, export {summary.export_wh} Wh")
    click.echo(
        f"peak {summary.peak_w} W from {summary.peak_start:%Y-%m-%d %H:%M} UTC,"
        f" load factor {summary.load_factor}"
    )
    click.echo(f"the meters' own peaks come to {summary.own_peaks_w} W: {summary.diversity} times")
