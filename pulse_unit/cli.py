"""The command `pulse-unit`. Exit codes: 0 done, 1 refused with one plain sentence, 2 misuse."""

from typing import IO, Any

import click

from pulse_unit.cli_firmware import firmware

_LABEL_EXAMPLES = """\b
Examples:
  pulse-unit label
  pulse-unit label --serial 00000001 --json
"""
_TELEGRAM_EXAMPLES = """\b
Examples:
  echo '{"count": 120, "uptime_s": 3600}' | pulse-unit telegram \\
    --serial 00000001 --key 0F0E0D0C0B0A09080706050403020100 --counter 1
  pulse-unit telegram --serial 00000001 --key 0F0E0D0C0B0A09080706050403020100 \\
    --counter 7 --format none --json telegram.json
"""
_INCREMENT_MAX = 0xFFFE


class _Key(click.ParamType[bytes]):
    """An AES key as 32 hexadecimal digits."""

    name = "key"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """Return the 16 bytes of ``value``, or fail as a usage error that does not quote it."""
        if isinstance(value, bytes):
            return value
        try:
            key = bytes.fromhex(str(value))
        except ValueError:
            key = b""
        if len(key) != 16:
            self.fail("a key is 32 hexadecimal digits.", param, ctx)
        return key


class _Digits(click.ParamType[str]):
    """So many decimal digits."""

    name = "digits"

    def __init__(self, count: int) -> None:
        self._count = count

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return ``value``, or fail as a usage error."""
        digits = str(value)
        if len(digits) != self._count or not (digits.isascii() and digits.isdigit()):
            self.fail(f"{self._count} digits are wanted.", param, ctx)
        return digits


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="halfhourly")
def main() -> None:
    """Make what a pulse unit carries and says, on a PC."""


main.add_command(firmware)


@main.command(epilog=_LABEL_EXAMPLES)
@click.option("--serial", type=_Digits(8), metavar="DIGITS8", help="Serial; random if left out.")
@click.option("--key", type=_Key(), metavar="HEX32", help="AES key; random if left out.")
@click.option("--passkey", type=_Digits(6), metavar="DIGITS6", help="Random if left out.")
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


@main.command(epilog=_TELEGRAM_EXAMPLES)
@click.argument("source", metavar="[FILE]", type=click.File("rb"), default="-")
@click.option("--serial", type=_Digits(8), metavar="DIGITS8", required=True, help="Who says it.")
@click.option("--key", type=_Key(), metavar="HEX32", required=True, help="The unit's AES key.")
@click.option(
    "--counter",
    type=click.IntRange(0, 0xFFFFFFFF),
    metavar="N",
    required=True,
    help="Message counter, never used twice under one key.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["A", "B", "none"]),
    default="A",
    show_default=True,
    help="Radio frame format; none leaves the CRCs out.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def telegram(
    source: IO[bytes], serial: str, key: bytes, counter: int, form: str, as_json: bool
) -> None:
    """Seal a telegram (OMS security mode 7) and print its radio frame in hexadecimal.

    FILE, or standard input, is a JSON object: count and uptime_s, and as known volume_l,
    last_pulse_age_s, battery_left_d, error_flags, reset_counter, grid_count, grid_age_s and
    increments, the pulses of the half-hours before the grid tick, newest first.
    """
    from pulse_unit.hal.virtual import host_aes
    from shared.wire.errors import WireError
    from shared.wire.seal import seal_telegram
    from shared.wire.telegram import HISTORY_BYTES_MAX, PulseTelegram, encode_records, status_byte
    from shared.wire.wmbus import frame_a, frame_b

    said = PulseTelegram(**_read_fields(source.read(), PulseTelegram.__slots__))
    try:
        records = encode_records(said, HISTORY_BYTES_MAX)
        link = seal_telegram(
            host_aes(), key, serial, records, counter, counter & 0xFF, status_byte(said.error_flags)
        )
        frame = link if form == "none" else frame_b(link) if form == "B" else frame_a(link)
    except WireError as error:
        raise click.ClickException(f"{error}.") from error
    if as_json:
        _echo_json(
            {
                "frame": frame.hex().upper(),
                "format": form,
                "bytes": len(frame),
                "message_counter": counter,
                "records": records.hex().upper(),
            }
        )
    else:
        click.echo(frame.hex().upper())


def _read_fields(text: bytes, names: tuple[str, ...]) -> dict[str, Any]:
    """Return a telegram's fields, or refuse with what is wrong with them."""
    import json

    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise click.ClickException("The telegram is no JSON.") from error
    if not isinstance(fields, dict):
        raise click.ClickException("The telegram is no JSON object.")
    for name, value in fields.items():
        if name not in names:
            raise click.ClickException(f"A telegram has no field {name[:40]!r}.")
        if name == "increments":
            if not isinstance(value, list) or not all(_is_increment(item) for item in value):
                raise click.ClickException("The increments are no list of numbers below 65,535.")
        elif type(value) is not int and value is not None:
            raise click.ClickException(f"The {name} is no whole number.")
    for name in ("count", "uptime_s"):
        if fields.get(name) is None:
            raise click.ClickException(f"The telegram has no {name}.")
    # A field that is null is one that is left out.
    return {name: value for name, value in fields.items() if value is not None}


def _is_increment(value: object) -> bool:
    return type(value) is int and 0 <= value <= _INCREMENT_MAX


def _echo_json(told: dict[str, object]) -> None:
    from shared.exact_json import exact_json

    click.echo(exact_json(told, indent=2))


if __name__ == "__main__":
    main()
