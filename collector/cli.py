"""The command `collector`. Exit codes: 0 done, 1 refused with one plain sentence, 2 misuse."""

from decimal import Decimal
from typing import Any

import click

from collector.cli_group import Commands

_EXAMPLES = """\b
Examples:
  collector decode 6820206808FD7278563412931533032A0000000C1427048502046D32371F1502FD1700008916
  collector decode --json --key 0102030405060708090A0B0C0D0E0F11 \\
    2E44931578563412330333637A2A0020255923C95AAA26D1B2E7493BC2AD013EC4A6F6D3529B520EDFF0EA6DEFC955B29D6D69EBF3EC8A
  collector decode --ble --mac 54:48:E6:8F:80:A5 --key 231d39c1d7cc1ab1aee224cd096db932 \\
    41a47266c95f730011223378237214
"""


class HexBytes(click.ParamType[bytes]):
    """Bytes as hexadecimal digits; blanks, colons, dashes and a leading 0x are left out."""

    name = "hex"

    def __init__(self, length: int | None = None) -> None:
        self._length = length

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """Return the bytes of ``value``, or fail as a usage error."""
        if isinstance(value, bytes):
            return value
        digits = str(value)
        for separator in " \t\r\n:-":
            digits = digits.replace(separator, "")
        digits = digits.removeprefix("0x")
        try:
            data = bytes.fromhex(digits)
        except ValueError:
            self.fail("not an even number of hexadecimal digits.", param, ctx)
        if self._length is not None and len(data) != self._length:
            self.fail(f"{self._length} bytes are wanted, not {len(data)}.", param, ctx)
        return data


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="halfhourly")
def main() -> None:
    """Read meters and pulse units over radio, wire and Bluetooth."""


@main.command(epilog=_EXAMPLES)
@click.argument("telegram", metavar="HEX", nargs=-1, required=True)
@click.option(
    "--key",
    type=HexBytes(16),
    metavar="HEX32",
    help="The sender's AES key, 32 digits; with --ble the unit's, or the advert's (its bind key).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON with exact numbers.")
@click.option("--ble", is_flag=True, help="HEX is BTHome service data, not a telegram.")
@click.option("--mac", type=HexBytes(6), metavar="AA:BB:..", help="The advert's sender (--ble).")
def decode(
    telegram: tuple[str, ...],
    key: bytes | None,
    as_json: bool,
    ble: bool,
    mac: bytes | None,
) -> None:
    """Say what one telegram says.

    HEX is a whole frame as hexadecimal digits: wireless M-Bus (format A, B, or with its CRCs taken
    off) or a wired M-Bus long frame, with or without spaces; with --ble the service data of a
    BTHome v2 advert. A plain text telegram needs no key and says "none" under security.
    """
    from collector.decode import decode_advert, decode_telegram
    from shared.wire.errors import WireError

    data = HexBytes().convert("".join(telegram), _parameter("telegram"), None)
    if ble != (mac is not None):
        raise click.UsageError("--ble and --mac go together.")
    try:
        told = decode_telegram(data, key) if mac is None else decode_advert(data, mac, key)
    except WireError as error:
        raise click.ClickException(f"{type(error).__name__}: {error}.") from error
    if as_json:
        from shared.exact_json import exact_json

        click.echo(exact_json(told, indent=2))
    else:
        _print_table(told)


def _parameter(name: str) -> click.Parameter:
    return next(parameter for parameter in decode.params if parameter.name == name)


def _print_table(told: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    for name in ("manufacturer", "id", "version", "medium", "security", "status"):
        if told[name] is not None:
            console.print(f"{name:>12}  {told[name]}", markup=False)
    table = Table(box=None)
    for heading in ("quantity", "value", "unit", "storage", "tariff", "function", ""):
        table.add_column(heading, justify="right" if heading == "value" else "left", no_wrap=True)
    for record in told["records"]:
        table.add_row(
            record["quantity"],
            _shown(record["value"]),
            record["unit"] or "",
            str(record["storage"]),
            str(record["tariff"]),
            record["function"],
            _notes(record),
        )
    console.width = max(console.width, 132)  # a piped table is no narrower than its content
    console.print(table)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _notes(record: dict[str, Any]) -> str:
    notes = list(record.get("qualifiers", ()))
    if "subunit" in record:
        notes.append(f"subunit {record['subunit']}")
    if "error" in record:
        notes.append(record["error"])
    if "spacing" in record:
        notes.append(f"every {record['spacing']}")
    return ", ".join(notes)


if __name__ == "__main__":
    main()
