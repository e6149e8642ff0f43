"""The command `pulse-unit label`: what is printed on a unit, in the terminal and for a printer."""

import sys
from typing import Final
from xml.sax.saxutils import escape

import click

from pulse_unit.cli.values import Digits, Key, write_new
from shared.label import UnitLabel

_EXAMPLES = """\b
Examples:
  pulse-unit label
  pulse-unit label --serial 00000001 --json
  pulse-unit label -o label.svg --no-qr
"""
# Of the printed label, in mm.
_WIDTH_MM: Final = 62
_HEIGHT_MM: Final = 29
_QR_MM: Final = 25
_MARGIN_MM: Final = 2
_TEXT_SIZE_MM: Final = 2.3
_LINE_MM: Final = 3.8
_QUIET: Final = 4  # light modules around a QR code (ISO/IEC 18004, quiet zone)
_ERROR_LEVEL: Final = "M"  # reads with 15 % of it soiled


@click.command(epilog=_EXAMPLES)
@click.option("--serial", type=Digits(8), metavar="DIGITS8", help="Serial; random if left out.")
@click.option("--key", type=Key(), metavar="HEX32", help="AES key; random if left out.")
@click.option("--passkey", type=Digits(6), metavar="DIGITS6", help="Random if left out.")
@click.option(
    "-o",
    "--output",
    "path",
    type=click.Path(dir_okay=False),
    metavar="FILE.svg",
    help="Write a label to print, readable by you alone.",
)
@click.option("--force", is_flag=True, help="Replace the file if there is one.")
@click.option(
    "--qr/--no-qr",
    default=None,
    help="Print the QR code here; on a terminal if left out.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def label(
    serial: str | None,
    key: bytes | None,
    passkey: str | None,
    path: str | None,
    force: bool,
    qr: bool | None,
    as_json: bool,
) -> None:
    """Print a unit's label: serial, key and passkey with check characters, and the QR code.

    What is not given is drawn from the system's source of secrets. The output is secret.
    """
    import secrets

    if path is not None and not path.endswith(".svg"):
        raise click.UsageError("A label to print is an SVG: give a name that ends in .svg.")
    made = UnitLabel(
        serial or f"{secrets.randbelow(100_000_000):08d}",
        key or secrets.token_bytes(16),
        passkey or f"{secrets.randbelow(1_000_000):06d}",
    )
    if path is not None:
        write_new(path, label_svg(made), force=force)
    if as_json:
        from shared.exact_json import exact_json

        click.echo(exact_json(_told(made, path), indent=2))
        return
    click.echo(f"{made.printed_text}\nQR      {made.qr_text}")
    if sys.stdout.isatty() if qr is None else qr:
        click.echo(f"\n{qr_blocks(made)}")


def qr_blocks(label: UnitLabel) -> str:
    """The QR code as text: half a block a module, light on whatever the terminal's ground is."""
    rows = _modules(label)
    if len(rows) % 2:
        rows = [*rows, [False] * len(rows[0])]
    lines = []
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        # What is light is drawn, so that it reads on a dark terminal; ANSI makes it so on others.
        pairs = zip(upper, lower, strict=True)
        blocks = "".join(" ▄▀█"[2 * (not top) + (not low)] for top, low in pairs)
        lines.append(f"\x1b[97;40m{blocks}\x1b[0m")
    return "\n".join(lines)


def label_svg(label: UnitLabel) -> str:
    """A label to print, 62 mm by 29 mm: the QR code, and the same for people."""
    rows = _modules(label)
    module_mm = _QR_MM / len(rows)
    top_mm = (_HEIGHT_MM - _QR_MM) / 2
    path = "".join(
        f"M{column} {row}h1v1h-1z"
        for row, modules in enumerate(rows)
        for column, dark in enumerate(modules)
        if dark
    )
    left_mm = _MARGIN_MM + _QR_MM + 1
    lines = [
        f'<text x="{left_mm}" y="{6 + number * _LINE_MM:.2f}">{escape(line)}</text>'
        for number, line in enumerate(_lines(label))
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH_MM}mm" height="{_HEIGHT_MM}mm"'
        f' viewBox="0 0 {_WIDTH_MM} {_HEIGHT_MM}" font-family="monospace"'
        f' font-size="{_TEXT_SIZE_MM}">\n'
        f'<rect width="{_WIDTH_MM}" height="{_HEIGHT_MM}" fill="#ffffff"/>\n'
        f'<path transform="translate({_MARGIN_MM} {top_mm:g}) scale({module_mm:.6f})"'
        f' shape-rendering="crispEdges" d="{path}" fill="#000000"/>\n'
        + "\n".join(lines)
        + "\n</svg>\n"
    )


def _lines(label: UnitLabel) -> list[str]:
    """What stands beside the QR code, the key and its check character in two lines."""
    serial, key, passkey = label.printed_text.splitlines()
    groups = key.split()[1:]
    return [
        "PULSE UNIT",
        serial,
        "KEY",
        f"  {' '.join(groups[:4])}",
        f"  {' '.join(groups[4:])}",
        passkey,
    ]


def _modules(label: UnitLabel) -> list[list[bool]]:
    """The QR code's modules by row, True where it is dark, its quiet zone included."""
    import segno

    code = segno.make_qr(label.qr_text, error=_ERROR_LEVEL, boost_error=False)
    return [[bool(module) for module in row] for row in code.matrix_iter(border=_QUIET)]


def _told(label: UnitLabel, path: str | None) -> dict[str, object]:
    return {
        "serial": label.serial,
        "key": label.key.hex().upper(),
        "passkey": label.passkey,
        "printed": label.printed_text.splitlines(),
        "qr": label.qr_text,
        "qr_error_level": _ERROR_LEVEL,
        "qr_modules": len(_modules(label)) - 2 * _QUIET,
        "width_mm": _WIDTH_MM,
        "height_mm": _HEIGHT_MM,
        "file": path,
    }
