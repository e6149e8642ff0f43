"""`elec-meter audit`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .options import data_option, example, json_option


@click.command(
    epilog=example(
        "elec-meter audit --data home",
    )
)
@data_option
@json_option
def command(data_dir: Path, as_json: bool) -> None:
    """Prove that the books balance, to the watt-hour and the pulse.

    Registers against rates and half-hours, half-hours of gas against the journal folded again, and
    the database file itself. Exits with 1 and the first difference if anything is wrong.
    """
    from elec_meter.ledger.audit import imbalances

    from .observed import observed_meter

    meter, storage = observed_meter(data_dir)
    with storage:
        found = storage.faults() + imbalances(meter.ledger, at_rest=True)
        rows = meter.ledger.row_count
    if as_json:
        click.echo(json.dumps({"balanced": not found, "half_hours": rows, "differences": found}))
    elif not found:
        click.echo(
            f"{rows} half-hours of {len(meter.ledger.channels)} channels: the books balance."
        )
    if found:
        raise click.ClickException(found[0])
