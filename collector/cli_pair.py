"""`collector pair`, `exchange` and `unpair`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from shared.options import WholeRange, example

from .cli_options import bearer_options, data_option, json_option
from .cli_steps import label_of, label_option, step_options

_Function = TypeVar("_Function", bound=Callable[..., Any])

_OTHER_IDENTITY = (
    click.option("--serial", metavar="DIGITS8", help="Instead of a label, with --key."),
    click.option("--key", metavar="HEX32", help="The unit's key; other users may see it here."),
    click.option(
        "--manufacturer", metavar="ABC", help="The maker of a meter that is no unit of ours."
    ),
    click.option(
        "--medium", metavar="NAME", help="What it counts, such as water; gas if left out."
    ),
    click.option(
        "--record",
        metavar="NAME",
        help="Its count: volume (if left out), count, or the digits of a DIF and VIF.",
    ),
    click.option(
        "--allow-unauthenticated",
        is_flag=True,
        help="Take telegrams that prove nothing (security modes 0 and 5); rows say so.",
    ),
    click.option(
        "--period",
        "period_s",
        type=WholeRange(1, 86_400),
        default=900,
        show_default=True,
        metavar="S",
        help="Seconds from one of its telegrams to the next.",
    ),
)

_BESIDE_STEPS = (
    # A meter compares the dial with no earlier reading, so there it would do nothing.
    click.option("--turned-over", is_flag=True, help="The dial has passed its end."),
    click.option(
        "--certificate",
        "certificate_file",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Write the certificate: a page to print, or JSON where FILE ends in .json.",
    ),
)


def _installation_options(function: _Function) -> _Function:
    for option in reversed((label_option, *_OTHER_IDENTITY, step_options, *_BESIDE_STEPS)):
        function = option(function)
    return function


@click.command(
    epilog=example(
        "collector pair --data gas --stick im871a:/dev/ttyUSB0",
        "collector pair --data gas --label unit.label --mprn 3938424403 --meter-serial G4A123 \\",
        "  --weight '0.01 m3' --dial 01234.567 --yes --json",
        "collector pair --data gas --wire /dev/ttyUSB0 --manufacturer ELS --serial 12345678 \\",
        "  --allow-unauthenticated",
    )
)
@data_option
@click.option(
    "--channel",
    metavar="NAME",
    help="What it feeds. [default: gas; at a terminal the lowest of gas, gas_2 ... that is free]",
)
@bearer_options
@_installation_options
@json_option
def command(data_dir: Path, channel: str | None, **options: Any) -> None:
    """Pair a gas unit: label, signal, meter, test burn, certificate.

    A meter of another maker is paired with --manufacturer. It has no label: --serial, and --key if
    it enciphers.

    With --json nothing is asked. Where a collector runs on DIR, the pairing goes through it and its
    bearers.
    """
    _install(data_dir, options, channel=channel)


@click.command(epilog=example("collector exchange 00000001 --data gas --stick im871a:/dev/ttyUSB0"))
@click.argument("old", metavar="SERIAL")
@data_option
@bearer_options
@_installation_options
@json_option
def exchange(old: str, data_dir: Path, **options: Any) -> None:
    """Give a channel another unit, or the same unit another meter.

    SERIAL is the unit that is paired now. The channel's register goes on where it stands.
    """
    _install(data_dir, options, exchanges=old)


@click.command(epilog=example("collector unpair 00000001 --data gas --dial 01240.120"))
@click.argument("serial", metavar="SERIAL")
@data_option
@click.option("--dial", metavar="DIGITS", help="What the dial shows now, for the certificate.")
@click.option(
    "--dial-unit", type=click.Choice(["m3", "ft3", "100ft3"]), help="What the dial counts."
)
@click.option("--installer", metavar="NAME", help="Who does it.")
@click.option("--yes", "agrees", is_flag=True, help="Do not ask.")
@click.option(
    "--certificate",
    "certificate_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the certificate: a page to print, or JSON where FILE ends in .json.",
)
@json_option
def unpair(
    serial: str,
    data_dir: Path,
    dial: str | None,
    dial_unit: str | None,
    installer: str | None,
    agrees: bool,
    certificate_file: Path | None,
    as_json: bool,
) -> None:
    """End a pairing: what was counted stays, and the unit's key is forgotten."""
    from .cli_line import station_line

    _require_data(data_dir)
    if not agrees and not as_json:
        click.confirm(f"Unpair the unit {serial}?", abort=True)
    request = {
        "request": "unpair",
        "serial": serial,
        "dial": dial,
        "dial_unit": dial_unit or "m3",
        "installer": installer or "",
    }
    with station_line(data_dir) as line:
        document = line.ask(request)["certificate"]
    _show(document, certificate_file, as_json=as_json)


def _install(data_dir: Path, options: dict[str, Any], **place: Any) -> None:
    from .cli_installer import InstallerAnswers, install_at_terminal, install_by_script
    from .cli_line import station_line

    names = ("sticks", "wires", "ble", "replays", "replay_delay_s")
    bearers = {name: options.pop(name) for name in names}
    as_json, certificate_file = options.pop("as_json"), options.pop("certificate_file")
    label_file = options.pop("label_file")
    label = None if label_file is None else label_of(label_file)
    if options["key"] is not None and options["serial"] is None:
        raise click.UsageError("--key goes with --serial.")
    if options["manufacturer"] is None and (options["serial"] is None) != (options["key"] is None):
        raise click.UsageError("--serial and --key go together.")
    if label is not None and options["serial"] is not None:
        raise click.UsageError("--label already says what --serial and --key do.")
    given = InstallerAnswers(label=label, **options, **place)
    missing = given.missing(takes_key=True)
    if as_json and missing:
        raise click.UsageError(f"--json asks nothing, so it needs {', '.join(missing)}.")
    with station_line(data_dir, **bearers) as line:
        install = install_by_script if as_json else install_at_terminal
        document = install(line, given)
    _show(document, certificate_file, as_json=as_json)


def _show(document: dict[str, Any], file: Path | None, *, as_json: bool) -> None:
    from shared.exact_json import exact_json

    from .certificate import certificate_lines
    from .export import write_certificate

    if as_json:
        click.echo(exact_json(document))
    else:
        width = max(len(name) for name, _ in certificate_lines(document))
        for name, value in certificate_lines(document):
            click.echo(f"{name:>{width}}  {value}")
    if file is not None:
        try:
            write_certificate(document, file)
        except OSError as error:
            raise click.ClickException(
                f"It is done, and {file} cannot be written: {error.strerror};"
                f" `collector certificate {document['certificate']}` shows it again."
            ) from None


def _require_data(data_dir: Path) -> None:
    from .storage.directory import DataDirectory

    DataDirectory.read(data_dir).close()
