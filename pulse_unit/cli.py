"""The command `pulse-unit`. Exit codes: 0 done, 1 refused with one plain sentence, 2 misuse."""

import click

from pulse_unit.cli_battery import battery
from pulse_unit.cli_sim import sim
from pulse_unit.cli_telegram import telegram
from pulse_unit.cli_values import Digits, Key

_LABEL_EXAMPLES = """\b
Examples:
  pulse-unit label
  pulse-unit label --serial 00000001 --json
"""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="halfhourly")
def main() -> None:
    """Make what a pulse unit carries and says, on a PC."""


main.add_command(battery)
main.add_command(telegram)


@main.command(epilog=_LABEL_EXAMPLES)
@click.option("--serial", type=Digits(8), metavar="DIGITS8", help="Serial; random if left out.")
@click.option("--key", type=Key(), metavar="HEX32", help="AES key; random if left out.")
@click.option("--passkey", type=Digits(6), metavar="DIGITS6", help="Random if left out.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def label(serial: str | None, key: bytes | None, passkey: str | None, as_json: bool) -> None:
    """Print a unit's label: serial, key and passkey with check characters, and the QR code's text.

    What is not given is drawn from the system's source of secrets. The output is secret.
    """
    import secrets

    from shared.label import UnitLabel

    made = UnitLabel(
        serial or f"{secrets.randbelow(100_000_000):08d}",
        key or secrets.token_bytes(16),
        passkey or f"{secrets.randbelow(1_000_000):06d}",
    )
    if as_json:
        _echo_json(
            {
                "serial": made.serial,
                "key": made.key.hex().upper(),
                "passkey": made.passkey,
                "printed": made.printed_text.splitlines(),
                "qr": made.qr_text,
            }
        )
    else:
        click.echo(f"{made.printed_text}\nQR      {made.qr_text}")


def _echo_json(told: dict[str, object]) -> None:
    from shared.exact_json import exact_json

    click.echo(exact_json(told, indent=2))


main.add_command(sim)

if __name__ == "__main__":
    main()
