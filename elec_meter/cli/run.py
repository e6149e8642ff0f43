"""`elec-meter run`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from shared.exact_json import exact_json
from shared.options import example
from shared.telling import Teller
from shared.timegrid import iso_utc

from .options import json_option


@click.command(
    epilog=example(
        "elec-meter run --config /etc/halfhourly/meter.toml",
        "elec-meter run --config meter.toml --data home",
    )
)
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="The meter's document, and under [host] what is plugged in.",
)
@click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The meter's data directory  [default: host.data of FILE]",
)
@json_option
def command(file: Path, data_dir: Path | None, as_json: bool) -> None:
    """Run a meter on this computer, until SIGTERM or Ctrl-C.

    It measures what a front end samples, collects its pulse units, and serves the ports that FILE
    names. It begins with FILE's document, and has its own from then on.
    """
    from elec_meter.host.run import run_meter

    def line(sentence: str) -> str:
        at = iso_utc(datetime.now(UTC))
        return exact_json({"at": at, "text": sentence}) if as_json else f"{at} {sentence}"

    with Teller("the meter", line) as teller:
        run_meter(file, data_dir, lambda sentence: teller.tell(line(sentence)))
