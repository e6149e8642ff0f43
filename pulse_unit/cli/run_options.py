"""What `pulse-unit run` is told: its options, and a file that has them by their names."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import click

from pulse_unit.cli.values import METER, PERIODS, Digits, Key, Whole
from shared import private_file
from shared.options import Port


class _Pin(click.ParamType[tuple[str, int]]):
    """A line of a GPIO chip, such as `gpiochip0:17`."""

    name = "pin"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Return the chip and the line's offset."""
        if isinstance(value, tuple):
            return value
        chip, _, line = str(value).rpartition(":")
        if not chip or not (line.isascii() and line.isdigit()):
            self.fail(f"{value!r} is no line of a chip, such as gpiochip0:17.", param, ctx)
        return chip, int(line)


class _Reed(_Pin):
    """A line of a GPIO chip, or `stdin`."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Return the chip and the line's offset; no chip for standard input."""
        return ("", 0) if value == "stdin" else super().convert(value, param, ctx)


class _Stick(click.ParamType[tuple[str, str]]):
    """A radio stick, such as `im871a:/dev/ttyUSB0`."""

    name = "stick"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Return the kind and the port."""
        from pulse_unit.hal.sticks import KINDS
        from shared.serial_port import is_port

        if isinstance(value, tuple):
            return value
        kind, _, port = str(value).partition(":")
        if kind not in KINDS or not port:
            self.fail(f"{value!r} is no stick; write KIND:PORT, {' or '.join(KINDS)}.", param, ctx)
        if not is_port(port):
            self.fail("write socket://HOST:PORT.", param, ctx)
        return kind, port


def _take_file(ctx: click.Context, _param: click.Parameter, path: Path | None) -> None:
    """Take options from a TOML file; those on the command line come first."""
    if path is None:
        return
    try:
        told = tomllib.loads(read_private(path))
    except tomllib.TOMLDecodeError as error:
        raise click.ClickException(f"{path} is no TOML: {error}.") from error
    options = {option.opts[0].removeprefix("--"): option for option in ctx.command.params}
    ctx.default_map = {}
    for name, value in told.items():
        option = options.get(name)
        if option is None or name == "config":
            raise click.ClickException(f"{path}: there is no option {name!r}.")
        if isinstance(option, click.Option) and option.is_flag:
            if not isinstance(value, bool):
                raise click.ClickException(f"{path}: {name} is true or false.")
        elif isinstance(value, bool) or not isinstance(value, str | int | float):
            raise click.ClickException(f"{path}: {name} is a text or a number.")
        else:
            value = str(value)  # as the command line would have it  # noqa: PLW2901
        ctx.default_map[str(option.name)] = value


def read_private(path: Path) -> str:
    """Return the text of a file that holds a key: readable by its owner alone."""
    try:
        return private_file.read(path).decode()
    except PermissionError as error:
        raise click.ClickException(f"{path} is not read: {error.strerror}.") from error
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeError as error:
        raise click.ClickException(f"{path} is no text: {error}.") from error


PARAMETERS: list[click.Parameter] = [
    click.Option(
        ["--config"],
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        is_eager=True,
        expose_value=False,
        callback=_take_file,
        help="TOML with these options by their names, mode 0600.",
    ),
    click.Option(
        ["--label", "label_path"],
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="The unit's label as `pulse-unit label` prints it, mode 0600.",
    ),
    click.Option(["--serial"], type=Digits(8), metavar="DIGITS8", help="Instead of a label."),
    click.Option(["--key"], type=Key(), metavar="HEX32", help="Other users may see it here."),
    click.Option(
        ["--passkey"], type=Digits(6), metavar="DIGITS6", help="For pairing by Bluetooth."
    ),
    click.Option(
        ["--memory"],
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        required=True,
        help="Counts, counters and the log; made if it is missing.",
    ),
    click.Option(
        ["--reed"], type=_Reed(), metavar="PIN", required=True, help="gpiochip0:17, or stdin."
    ),
    click.Option(["--tamper"], type=_Pin(), metavar="PIN", help="A loop that is closed."),
    click.Option(["--magnet"], type=_Pin(), metavar="PIN", help="A sensor that closes."),
    click.Option(["--button"], type=_Pin(), metavar="PIN", help="A button that closes."),
    click.Option(
        ["--ble"], metavar="TRANSPORT", help="A controller by its Bumble name: hci-socket:0."
    ),
    click.Option(
        ["--wire"], type=Port(), metavar="PORT", help="Wired M-Bus: a device or socket://HOST:PORT."
    ),
    click.Option(["--stick"], type=_Stick(), metavar="KIND:PORT", help="im871a, amb8465 or hex."),
    *METER,
    click.Option(
        ["--index", "index_l"],
        type=Whole(-0x7FFFFFFF, 0x7FFFFFFF),
        metavar="L",
        help="The dial in litres at count 0.",
    ),
    *PERIODS,
    click.Option(
        ["--window-period"],
        type=Whole(0, 604_800),
        default=14_400,
        show_default=True,
        metavar="S",
        help="Seconds between connectable windows; 0: after a button only.",
    ),
    click.Option(
        ["--adopt"], is_flag=True, help="Go on with the count and log of another unit's memory."
    ),
    click.Option(["--json", "as_json"], is_flag=True, help="Print JSON, a document a line."),
]
