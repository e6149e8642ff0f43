"""`elec-meter plot`: pictures."""

from __future__ import annotations

from pathlib import Path

import click

from shared.options import example

from .pictures import picture_option
from .progress import counted


@click.group()
def command() -> None:
    """Draw pictures: PNG or SVG."""


@command.command(epilog=example("elec-meter plot accuracy -o curve.svg"))
@picture_option(required=True)
def accuracy(picture: Path) -> None:
    """Draw the error curve of the type test."""
    from elec_meter.typetest import CURVES, result_count, type_test

    from .error_curve import draw_error_curve

    results = list(counted(type_test(rows=CURVES), result_count(CURVES), "error curve"))
    draw_error_curve(results, picture)
