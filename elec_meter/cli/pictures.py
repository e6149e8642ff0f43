"""Pictures that commands draw: PNG or SVG, with matplotlib where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from elec_meter.errors import PlotError
from shared.extras import installing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FORMATS = (".png", ".svg")
_Command = TypeVar("_Command", bound=Callable[..., Any])


def _drawable(
    _context: click.Context, _parameter: click.Parameter, value: Path | None
) -> Path | None:
    """Refuse before any work what could not be drawn after it."""
    if value is None:
        return None
    if value.suffix.lower() not in _FORMATS:
        raise PlotError(f"{value} ends neither in .png nor in .svg")
    if not value.parent.is_dir():
        raise PlotError(f"{value.parent} is no directory to put {value.name} in")
    new_figure(1, 1)
    return value


def picture_option(*, required: bool) -> Callable[[_Command], _Command]:
    """The option -o FILE, as the parameter `picture`."""
    return click.option(
        "-o",
        "--output",
        "picture",
        type=click.Path(path_type=Path),
        metavar="FILE",
        required=required,
        callback=_drawable,
        help="Draw the picture there: .png or .svg.",
    )


def new_figure(width_in: float, height_in: float) -> Figure:
    """An empty figure, of so many inches.

    Raises:
        PlotError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise PlotError("pictures need matplotlib: " + installing("plot")) from None
    return Figure(figsize=(width_in, height_in), layout="constrained")


def save(figure: Figure, path: Path) -> None:
    """Write a figure; the same figure gives the same file."""
    from matplotlib import rc_context

    vector = path.suffix.lower() == ".svg"
    with rc_context({"svg.hashsalt": "halfhourly"}):
        figure.savefig(path, dpi=150, metadata={"Date": None} if vector else None)
