"""The command `pulse-unit telegram`: what a unit says, as each bearer carries it."""

from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, Final

import click

from pulse_unit.cli.values import Digits, Key, MacAddress, Whole
from shared.wire.mbus import ADDRESS_MAX

if TYPE_CHECKING:
    from shared.wire.telegram import PulseTelegram

_EXAMPLES = """\b
Examples:
  echo '{"count": 120, "uptime_s": 3600, "battery_left_d": 7300}' | pulse-unit telegram \\
    --serial 00000001 --key 0F0E0D0C0B0A09080706050403020100 --counter 1
  pulse-unit telegram --serial 00000001 --key 0F0E0D0C0B0A09080706050403020100 \\
    --counter 7 --format none --json telegram.json
  pulse-unit telegram --serial 00000001 --counter 7 --bearer wired --address 5 telegram.json
  pulse-unit telegram --serial 00000001 --key 0F0E0D0C0B0A09080706050403020100 \\
    --counter 7 --bearer ble --mac C0:FF:EE:12:34:56 --battery 93 telegram.json
"""
_INCREMENT_MAX: Final = 0xFFFE
_REQUIRED: Final = ("count", "uptime_s")


# What can be said of one bearer only.
_OPTIONS: Final = (
    click.option(
        "--format",
        type=click.Choice(["A", "B", "none"]),
        default="A",
        show_default=True,
        help="Radio frame format; none leaves the CRCs out.",
    ),
    click.option(
        "--mode",
        type=click.Choice(["7", "5"]),
        default="7",
        show_default=True,
        help="Radio security mode; 5 has neither MAC nor counter, as other makers' meters.",
    ),
    click.option("--installation", is_flag=True, help="As a radio's installation telegram."),
    click.option(
        "--address",
        type=Whole(0, ADDRESS_MAX),
        default=0,
        show_default=True,
        metavar="N",
        help="Primary address on the wire.",
    ),
    click.option("--mac", type=MacAddress(), metavar="AA:BB:..", help="The adverts' sender."),
    click.option(
        "--battery",
        type=Whole(0, 100),
        default=100,
        show_default=True,
        metavar="PERCENT",
        help="What an advert says is left of the battery.",
    ),
)
_OWNERS: Final = {
    "format": "radio",
    "mode": "radio",
    "installation": "radio",
    "address": "wired",
    "mac": "ble",
    "battery": "ble",
}


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(epilog=_EXAMPLES)
@click.argument("source", metavar="[FILE]", type=click.File("rb"), default="-")
@click.option("--serial", type=Digits(8), metavar="DIGITS8", required=True, help="Who says it.")
@click.option("--key", type=Key(), metavar="HEX32", help="The unit's AES key; none on a wire.")
@click.option(
    "--counter",
    type=Whole(0, 0xFFFFFFFF),
    metavar="N",
    required=True,
    help="Message counter, never used twice under one key.",
)
@click.option(
    "--bearer",
    type=click.Choice(["radio", "wired", "ble"]),
    default="radio",
    show_default=True,
    help="What carries it: a radio frame, a wired response in plain, or two adverts.",
)
@_with_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def telegram(
    source: IO[bytes],
    serial: str,
    key: bytes | None,
    counter: int,
    bearer: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Encode what a unit says for a bearer and print it in hexadecimal.

    FILE, or standard input, is a JSON object: count and uptime_s; battery_left_d, error_flags and
    reset_counter, which every telegram tells, as 0 if they are left out; and as known volume_l,
    last_pulse_age_s, grid_count, grid_age_s and increments, the pulses of the half-hours before
    the grid tick, newest first.

    On the radio it is sealed (OMS security mode 7, or 5). On a wire the counter is the access
    number. In adverts, of which the second takes the next counter, only count, age of the last
    pulse, low battery, tampering and volume are told.
    """
    from shared.wire.errors import WireError
    from shared.wire.telegram import PulseTelegram

    _check_options(bearer)
    if key is None and bearer != "wired":
        raise click.UsageError("--key is wanted: what is sent on the air is sealed.")
    said = PulseTelegram(**_read_fields(source.read(), PulseTelegram.__slots__))
    try:
        if key is None or bearer == "wired":
            told = _wired(said, serial, counter, options)
        elif bearer == "ble":
            told = _ble(said, key, counter, options)
        else:
            told = _radio(said, serial, key, counter, options)
    except WireError as error:
        raise click.ClickException(f"{error}.") from error
    _echo({"bearer": bearer, **told}, as_json)


def _echo(told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        from shared.exact_json import exact_json

        click.echo(exact_json(told, indent=2))
    elif "adverts" in told:
        click.echo("\n".join(advert["data"] for advert in told["adverts"]))
    else:
        click.echo(told["frame"])


def _check_options(bearer: str) -> None:
    """Refuse, as misuse, what is said of another bearer, and adverts without their sender."""
    ctx = click.get_current_context()
    for name, owner in _OWNERS.items():
        given = ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if given and owner != bearer:
            raise click.UsageError(f"--{name} is for --bearer {owner}.")
    if bearer == "ble" and ctx.params["mac"] is None:
        raise click.UsageError("--bearer ble wants --mac.")


def _radio(
    said: "PulseTelegram", serial: str, key: bytes, counter: int, options: dict[str, Any]
) -> dict[str, Any]:
    from shared.crypto.host import host_aes
    from shared.wire.seal import SEND_INSTALLATION, SEND_NO_REPLY, seal_telegram
    from shared.wire.seal_mode_5 import seal_telegram_mode_5
    from shared.wire.telegram import HISTORY_BYTES_MAX, encode_records, status_byte
    from shared.wire.wmbus import frame_a, frame_b

    aes = host_aes()
    records = encode_records(said, HISTORY_BYTES_MAX)
    control = SEND_INSTALLATION if options["installation"] else SEND_NO_REPLY
    form, mode = options["format"], int(options["mode"])
    access_number, status = counter & 0xFF, status_byte(said.error_flags)
    if mode == 5:
        link = seal_telegram_mode_5(
            aes, key, serial, records, access_number, status, control=control
        )
    else:
        link = seal_telegram(
            aes, key, serial, records, counter, access_number, status, control=control
        )
    frame = link if form == "none" else frame_b(link) if form == "B" else frame_a(link)
    return {
        "frame": frame.hex().upper(),
        "format": form,
        "mode": mode,
        "bytes": len(frame),
        "message_counter": counter,
        "records": records.hex().upper(),
    }


def _wired(
    said: "PulseTelegram", serial: str, counter: int, options: dict[str, Any]
) -> dict[str, Any]:
    from shared.wire.address import MANUFACTURER, MEDIUM_GAS, VERSION, secondary_address
    from shared.wire.mbus import encode_frame, response
    from shared.wire.telegram import HISTORY_BYTES_MAX, encode_records, status_byte

    records = encode_records(said, HISTORY_BYTES_MAX)
    address = options["address"]
    secondary = secondary_address(serial, MANUFACTURER, VERSION, MEDIUM_GAS)
    status = status_byte(said.error_flags)
    frame = encode_frame(response(address, secondary, counter & 0xFF, status, records))
    return {
        "frame": frame.hex().upper(),
        "address": address,
        "bytes": len(frame),
        "message_counter": counter,
        "records": records.hex().upper(),
    }


def _ble(
    said: "PulseTelegram", key: bytes, counter: int, options: dict[str, Any]
) -> dict[str, Any]:
    from shared.crypto.host import host_aes
    from shared.wire.advert import (
        advert_key,
        advertising_data,
        count_objects,
        seal_advert,
        state_objects,
    )
    from shared.wire.telegram import HISTORY_BYTES_MAX, encode_records

    encode_records(said, HISTORY_BYTES_MAX)  # so that no bearer takes what another refuses
    aes = host_aes()
    mac = options["mac"]
    own_key = advert_key(aes, key, mac)
    adverts = []
    for number, (name, objects) in enumerate(
        (
            ("count", count_objects(counter, said.count, said.last_pulse_age_s)),
            (
                "state",
                state_objects(counter + 1, options["battery"], said.error_flags, said.volume_l),
            ),
        )
    ):
        service_data = seal_advert(aes, own_key, mac, objects, counter + number)
        data = advertising_data(service_data)
        adverts.append(
            {
                "says": name,
                "data": data.hex().upper(),
                "service_data": service_data.hex().upper(),
                "bytes": len(data),
                "message_counter": counter + number,
            }
        )
    return {
        "adverts": adverts,
        "mac": mac.hex(":").upper(),
        "advert_key": own_key.hex().upper(),
        "message_counter": counter,
    }


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
    for name in _REQUIRED:
        if fields.get(name) is None:
            raise click.ClickException(f"The telegram has no {name}.")
    # A field that is null is one that is left out.
    return {name: value for name, value in fields.items() if value is not None}


def _is_increment(value: object) -> bool:
    return type(value) is int and 0 <= value <= _INCREMENT_MAX
