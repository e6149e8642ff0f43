"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from elec_meter.storage import LoadOption


class Address(click.ParamType[tuple[str, int]]):
    """HOST:PORT of a listener; port 0 takes any that is free."""

    name = "host:port"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Return (host, port)."""
        if isinstance(value, tuple):
            return value
        from elec_meter.ports import parse_address

        try:
            return parse_address(value)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


class LoadSpec(click.ParamType["LoadOption"]):
    """CSV:COLUMN=VALUE: a file, and which of its lines."""

    name = "csv:column=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> LoadOption:
        """Return what the three words ask for; the file is not looked at."""
        from elec_meter.errors import LoadSeriesError
        from elec_meter.storage import LoadOption

        if isinstance(value, LoadOption):
            return value
        try:
            return LoadOption.parse(value)
        except LoadSeriesError as error:
            self.fail(f"{error}.", param, ctx)


data_option = click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path, file_okay=True),
    required=True,
    metavar="DIR",
    help="The meter's data directory.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def recording_options(command: Callable[..., None]) -> Callable[..., None]:
    """What a recording of samples may not say itself: `rate_hz` and `bits`."""
    bits = click.option(
        "--bits",
        type=click.IntRange(16, 24),
        metavar="N",
        help="Width of the recording's converters: as of its counts, 24 for a csv, if left out.",
    )
    rate = click.option(
        "--rate", "rate_hz", type=int, metavar="HZ", help="Sample rate of a csv recording."
    )
    return rate(bits(command))
