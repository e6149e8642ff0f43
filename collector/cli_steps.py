"""What commands that pair share, at a collector and at a meter: the label, and the steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from shared.options import WholeRange

_Function = TypeVar("_Function", bound=Callable[..., Any])
_LABEL_MAX: Final = 20_001  # characters: more are no label

label_option = click.option(
    "--label",
    "label_file",
    type=click.Path(allow_dash=True),
    metavar="FILE",
    help="What `pulse-unit label` prints, or its QR code's text; - is standard input.",
)

_STEPS: Final = (
    click.option("--mprn", metavar="DIGITS", help="The meter point reference number."),
    click.option("--meter-serial", metavar="TEXT", help="The serial on the meter's badge."),
    click.option("--weight", metavar="VOLUME", help="One pulse, such as '0.01 m3' or '1 ft3'."),
    click.option(
        "--dial",
        metavar="DIGITS",
        help="All digits of the dial, with a point before the red ones, as 01234.567.",
    ),
    click.option(
        "--dial-unit", type=click.Choice(["m3", "ft3", "100ft3"]), help="What the dial counts."
    ),
    click.option(
        "--max-flow",
        "max_flow_l_h",
        type=WholeRange(1, 1_000_000),
        metavar="L_H",
        help="The gas meter's maximum flow in litres an hour. [default: as before, or 6000]",
    ),
    click.option(
        "--test-pulses",
        type=WholeRange(0, 100),
        default=3,
        show_default=True,
        metavar="N",
        help="Pulses of the test burn; 0 leaves it out.",
    ),
    click.option(
        "--any-telegram",
        is_flag=True,
        help="Any telegram will do: do not wait for the button. Needed over Bluetooth.",
    ),
    click.option("--installer", metavar="NAME", help="Who does it."),
    click.option("--yes", "agrees", is_flag=True, help="Take the expected index as right."),
)


def step_options(function: _Function) -> _Function:
    """Give a command the options of the steps after the label: the fields of `InstallerAnswers`."""
    for option in reversed(_STEPS):
        function = option(function)
    return function


def label_of(file: str) -> str:
    """The text that the QR code of a label in a file has.

    Args:
        file: its name, as `label_option` has it.

    Raises:
        click.ClickException: it cannot be read, or holds no label; the sentence names it.
    """
    from shared.errors import LabelError
    from shared.label import read_label

    try:
        with click.open_file(file, encoding="ascii", errors="replace") as opened:
            text: str = opened.read(_LABEL_MAX)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}.") from None
    try:
        return read_label(text).qr_text
    except LabelError as error:
        place = "standard input" if file == "-" else file
        raise click.ClickException(f"{place}: {error}.") from None
