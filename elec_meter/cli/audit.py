"""`elec-meter audit`."""

from __future__ import annotations

from pathlib import Path

import click

from shared.exact_json import exact_json
from shared.options import example

from .options import data_option, json_option


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
    the database file itself. Exits with 1 and the first difference if anything is wrong. It proves
    sums: events, settings and what the journal was told are taken as they stand.
    """
    from elec_meter.ledger.audit import imbalances

    from .observed import observed

    with observed(data_dir) as seen:
        ledger = seen.meter.ledger
        found = seen.storage.faults() + imbalances(ledger, at_rest=True)
    if as_json:
        verdict = {"balanced": not found, "half_hours": ledger.row_count, "differences": found}
        click.echo(exact_json(verdict))
    elif not found:
        click.echo(
            f"{ledger.row_count} half-hours of {len(ledger.channels)} channels: the books balance."
        )
    if found:
        raise click.ClickException(f"{found[0]}.")
