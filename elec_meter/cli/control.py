"""`elec-meter control`: orders to a running meter."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from elec_meter.errors import TariffError
from shared.exact_json import exact_json
from shared.options import Instant, example
from shared.timegrid import HALF_HOUR_S, iso_utc, unix_s

from .dlms_credentials import KEYS, drawn_keys, give
from .options import data_option, json_option
from .ordering import holds_meter, new_key, order
from .pairing import exchange, pair, unpair
from .passwords import give_password

_TERMINAL: Final = click.IntRange(1, 9)


@click.group()
def command() -> None:
    """Give orders to the meter that runs on a data directory."""


@command.command("arm", epilog=example("elec-meter control arm --data home"))
@data_option
@json_option
def arm(data_dir: Path, as_json: bool) -> None:
    """Let a person at the meter close the contactor, and end the limiter's lock-out."""
    from elec_meter.control import ArmContactor

    _print(order(data_dir, ArmContactor(key=new_key())), as_json, _contactor)


@command.command("boost", epilog=example("elec-meter control boost 1 --minutes 30 --data home"))
@click.argument("terminal", type=_TERMINAL)
@click.option(
    "--minutes",
    type=click.IntRange(0),
    help="How long; 0 ends a boost. [default: as configured]",
)
@data_option
@json_option
def boost(terminal: int, minutes: int | None, data_dir: Path, as_json: bool) -> None:
    """Have the relay of TERMINAL on for a while; 9 is the switched load."""
    from elec_meter.control import BoostRelay

    def told(reply: dict[str, Any]) -> str:
        left = reply["boost_min"]
        how = f"boosted for {left} min" if left else "boosted no longer"
        return f"{_relay(terminal, reply)[:-1]}, and {how}."

    request = BoostRelay(terminal=terminal, minutes=minutes, key=new_key())
    _print(order(data_dir, request), as_json, told)


@command.command("clear-alarms", epilog=example("elec-meter control clear-alarms --data home"))
@data_option
@json_option
def clear_alarms(data_dir: Path, as_json: bool) -> None:
    """Say that somebody has looked at the alarms; they are printed."""
    from elec_meter.control import ClearAlarms

    def told(reply: dict[str, Any]) -> str:
        names = [name.replace("_", " ") for name in reply["cleared"]]
        return "\n".join(["The alarms were cleared.", *names]) if names else "There was no alarm."

    _print(order(data_dir, ClearAlarms(key=new_key())), as_json, told)


@command.command(
    "clock-set", epilog=example("elec-meter control clock-set 2026-04-01T12:00Z --data home")
)
@click.argument("instant", type=Instant())
@data_option
@json_option
def clock_set(instant: datetime, data_dir: Path, as_json: bool) -> None:
    """Set the clock, at once."""
    from elec_meter.control import SetClock

    _print(order(data_dir, SetClock(utc=instant, key=new_key())), as_json, _clock)


@command.command(
    "clock-adjust",
    context_settings={"ignore_unknown_options": True},  # -3 is a number
    epilog=example("elec-meter control clock-adjust -3 --data home"),
)
@click.argument("seconds", type=int)
@data_option
@json_option
def clock_adjust(seconds: int, data_dir: Path, as_json: bool) -> None:
    """Have the clock gain SECONDS, or lose them, at most 5 s in a half-hour."""
    from elec_meter.control import AdjustClock

    _print(order(data_dir, AdjustClock(by_s=seconds, key=new_key())), as_json, _clock)


@command.command(
    "clock-sync", epilog=example("elec-meter control clock-sync 2026-04-01T12:00Z --data home")
)
@click.argument("instant", type=Instant())
@data_option
@json_option
def clock_sync(instant: datetime, data_dir: Path, as_json: bool) -> None:
    """Take a head end's time: a small difference is adjusted, a large one set."""
    from elec_meter.control import SynchroniseClock

    _print(order(data_dir, SynchroniseClock(utc=instant, key=new_key())), as_json, _clock)


@command.command(
    "dlms-keys", epilog=example("elec-meter control dlms-keys management --generate --data home")
)
@click.argument("client", type=click.Choice(["reader", "management"]))
@click.option("--generate", is_flag=True, help="Draw the keys, and print them this once.")
@click.option(
    "--title", default="", metavar="HEX16", help="The one system title that may use them."
)
@data_option
def dlms_keys(client: str, generate: bool, title: str, data_dir: Path) -> None:
    """Give CLIENT of the DLMS port its keys: EK, AK, and KEK to change them with.

    They are asked for in hexadecimal, unless they are drawn; the meter may be running, or not have
    run yet.
    """
    is_new = not holds_meter(data_dir)
    if generate:
        keys = drawn_keys()
    else:
        keys = {name: _secret(f"{short} of {client}") for name, short in KEYS.items()}
    give(data_dir, client, keys | {"title": title})
    for name, short in KEYS.items():
        if generate:
            click.echo(f"{short:<3} {keys[name]}")
    click.echo(f"The DLMS client {client} has new keys.")
    _tell_new(data_dir, is_new=is_new)


@command.command("dlms-password", epilog=example("elec-meter control dlms-password --data home"))
@data_option
def dlms_password(data_dir: Path) -> None:
    """Give the reader of the DLMS port a password, for low level security.

    It is asked for, twice. Strangers' networks never see it: there the reader needs keys.
    """
    is_new = not holds_meter(data_dir)
    secret = _new_password("New DLMS password of reader")
    give(data_dir, "reader", {"password": secret.encode().hex()})
    click.echo("The DLMS client reader has a new password.")
    _tell_new(data_dir, is_new=is_new)


@command.command("end-billing", epilog=example("elec-meter control end-billing --data home"))
@data_option
@json_option
def end_billing(data_dir: Path, as_json: bool) -> None:
    """End the billing period now."""
    from elec_meter.control import EndBilling

    def told(reply: dict[str, Any]) -> str:
        if reply["ended"]:
            return "The billing period has ended."
        return "The billing period had ended at this very second already."

    _print(order(data_dir, EndBilling(key=new_key())), as_json, told)


@command.command("relay", epilog=example("elec-meter control relay 1 on --data home"))
@click.argument("terminal", type=_TERMINAL)
@click.argument("wanted", type=click.Choice(["on", "off"]))
@data_option
@json_option
def relay(terminal: int, wanted: str, data_dir: Path, as_json: bool) -> None:
    """Switch the relay of TERMINAL, which follows orders; 9 is the switched load."""
    from elec_meter.control import SwitchRelay

    request = SwitchRelay(terminal=terminal, on=wanted == "on", key=new_key())
    _print(order(data_dir, request), as_json, lambda reply: _relay(terminal, reply))


@command.command("reset-demand", epilog=example("elec-meter control reset-demand --data home"))
@data_option
@json_option
def reset_demand(data_dir: Path, as_json: bool) -> None:
    """Reset maximum demand; the maxima that this ends are printed."""
    from elec_meter.control import ResetDemand

    def told(reply: dict[str, Any]) -> str:
        maxima = [
            f"{channel}: {'no maximum' if power_w is None else f'{power_w} W'}"
            for channel, power_w in reply["ended_w"].items()
        ]
        return "\n".join(["Maximum demand was reset.", *maxima])

    _print(order(data_dir, ResetDemand(key=new_key())), as_json, told)


@command.command("open", epilog=example("elec-meter control open --data home"))
@data_option
@json_option
def open_contactor(data_dir: Path, as_json: bool) -> None:
    """Open the contactor: the house has no power until it is armed and a person closes it."""
    from elec_meter.control import OpenContactor

    _print(order(data_dir, OpenContactor(key=new_key())), as_json, _contactor)


@command.command("password", epilog=example("elec-meter control password 3 --data home"))
@click.argument("level", type=click.IntRange(1, 3))
@data_option
def password(level: int, data_dir: Path) -> None:
    """Give a level another password: 1 reader, 2 installer, 3 supplier.

    It is asked for, twice, and never stored; without a terminal it is the first line of standard
    input. The meter may be running, or not have run yet.
    """
    is_new = not holds_meter(data_dir)
    secret = _new_password(f"New password of level {level}")
    give_password(data_dir, level, secret)
    click.echo(f"Level {level} has a new password.")
    _tell_new(data_dir, is_new=is_new)


@command.command("prices", epilog=example("elec-meter control prices agile.csv --data home"))
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@data_option
@click.option("--channel", default="import", show_default=True, help="Whose energy they are for.")
@json_option
def prices(file: Path, data_dir: Path, channel: str, as_json: bool) -> None:
    """Send half-hourly prices: lines of FILE with the half-hour's start in UTC, and pence a kWh.

    Half-hours follow each other without a gap. `-` reads from standard input.
    """
    from elec_meter.control import ReceivePrices

    found = _prices(file)
    request = ReceivePrices(
        start=found.start, prices_p_kwh=found.prices_p_kwh, channel=channel, key=new_key()
    )

    def told(reply: dict[str, Any]) -> str:
        return f"{reply['prices']} prices from {iso_utc(found.start)} on."

    _print(order(data_dir, request), as_json, told)


@command.command("status", epilog=example("elec-meter control status --data home"))
@data_option
@json_option
def status(data_dir: Path, as_json: bool) -> None:
    """Say what runs, and how it is."""
    from elec_meter.control import GetStatus

    def told(reply: dict[str, Any]) -> str:
        ports = ", ".join(f"{name} {address}" for name, address in reply["ports"].items())
        return "\n".join(
            [
                f"meter {reply['serial']}, version {reply['version']}, process {reply['pid']}",
                f"time: {reply['meter_utc'] or 'unknown'}",
                f"configuration: {reply['config_number']}",
                f"ports: {ports or 'none'}",
                f"durable: {'yes' if reply['durable'] else 'no, checkpoints fail'}",
                *map(_addon, reply["addons"]),
            ]
        )

    _print(order(data_dir, GetStatus()), as_json, told)


command.add_command(pair)
command.add_command(exchange)
command.add_command(unpair)


class _Prices(NamedTuple):
    start: datetime
    prices_p_kwh: list[Decimal]


def _prices(file: Path) -> _Prices:
    """Consecutive half-hours.

    Raises:
        TariffError: the file cannot be read or is something else; the sentence names the line.
    """
    source = "standard input" if str(file) == "-" else str(file)
    try:
        if str(file) == "-":
            rows = list(csv.reader(sys.stdin))
        else:
            with file.open(encoding="utf-8", newline="") as lines:
                rows = list(csv.reader(lines))
    except OSError as error:
        raise TariffError(f"{source} cannot be read: {error.strerror or error}") from None
    except (UnicodeDecodeError, csv.Error):
        raise TariffError(f"{source} is no CSV text in UTF-8") from None
    found: list[tuple[datetime, Decimal]] = []
    for number, row in enumerate(rows, 1):
        if not row or row[0].lstrip().startswith("#"):
            continue
        try:
            found.append(_price(row))
        except (click.UsageError, ValueError, InvalidOperation):
            if number == 1:
                continue  # the names of the columns
            raise TariffError(
                f"{source}, line {number}: {','.join(row)[:40]!r} is no price such as"
                " 2026-04-01T00:30:00Z,23.45"
            ) from None
        if len(found) > 1 and unix_s(found[-1][0]) - unix_s(found[-2][0]) != HALF_HOUR_S:
            raise TariffError(f"{source}, line {number}: half-hours must follow each other")
    if not found:
        raise TariffError(f"{source} has no prices")
    return _Prices(found[0][0], [price for _, price in found])


def _price(row: list[str]) -> tuple[datetime, Decimal]:
    start, price = row
    instant = Instant().convert(start.strip(), None, None)
    return instant, Decimal(price.strip())


def _tell_new(data_dir: Path, *, is_new: bool) -> None:
    """Say where something was given before the first start: the name may be mistyped."""
    if is_new:
        click.echo(f"{data_dir} is new: it is for the meter that begins there.")


def _addon(row: dict[str, Any]) -> str:
    said = f": {row['said']}" if row["said"] else ""
    return f"add-on {row['name']}: {row['power']}, {row['average_ma']} mA{said}"


def _clock(reply: dict[str, Any]) -> str:
    left_s = reply["outstanding_s"]
    adjusted = f", {left_s:+d} s still to be made up for" if left_s else ""
    return f"The meter's time is {reply['meter_utc']}{adjusted}."


def _relay(terminal: int, reply: dict[str, Any]) -> str:
    return f"Relay {terminal} is {'on' if reply['on'] else 'off'}."


def _contactor(reply: dict[str, Any]) -> str:
    return _CONTACTOR[reply["contactor"]]


_CONTACTOR: Final = {
    "connected": "The contactor is closed.",
    "disconnected": "The contactor is open.",
    "ready_for_reconnection": "The contactor is armed: a person at the meter can close it.",
}


def _new_password(of: str) -> str:
    """Asked for twice; of a script, which has no terminal, the first line that it gives."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt(of, hide_input=True, confirmation_prompt=True, err=True))


def _secret(of: str) -> str:
    """Hexadecimal digits that are asked for; empty for none."""
    given = click.prompt(of, hide_input=True, default="", show_default=False, err=True)
    return "".join(str(given).split())


def _print(reply: dict[str, Any], as_json: bool, told: Callable[[dict[str, Any]], str]) -> None:
    click.echo(exact_json(reply) if as_json else told(reply))
