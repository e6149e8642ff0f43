"""`elec-meter demo`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from elec_meter.errors import LedgerError, LoadSeriesError, PortInUseError
from shared.exact_json import exact_json
from shared.options import Duration, FiniteRange, Instant, example
from shared.telling import Teller
from shared.timegrid import from_unix_s, iso_utc
from shared.units import kwh_text

from .options import Address, LoadSpec, json_option

if TYPE_CHECKING:
    from elec_meter.config import AddonConfig
    from elec_meter.demo.gas import GasFlow
    from elec_meter.demo.run import DemoOptions
    from elec_meter.ports import SerialDevice
    from elec_meter.runtime import PanelPlace
    from elec_meter.sampling.synthetic import Load
    from elec_meter.storage import LoadOption

_OTHER_PORTS = "--panel, --flag, --dlms and --p1 name others, and 127.0.0.1:0 any that is free"
DEFAULT_FLAG = ("127.0.0.1", 8063)
DEFAULT_DLMS = ("127.0.0.1", 4059)
DEFAULT_PANEL = ("127.0.0.1", 8062)
DEFAULT_P1 = ("127.0.0.1", 8064)


_PARAMETERS: list[click.Parameter] = [
    click.Option(
        ["--data", "data_dir"],
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Keep the meter's data here, and go on from it; otherwise it goes with the demo.",
    ),
    click.Option(
        ["--panel"],
        type=Address(),
        help="Web panel  [default: 127.0.0.1:8062, and none at --speed 0]",
    ),
    click.Option(
        ["--panel-tls", "certificate"],
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="PEM file with the key and certificate that encrypt the panel.",
    ),
    click.Option(
        ["--insecure", "is_insecure"],
        is_flag=True,
        help="Let the panel be open to a network in clear.",
    ),
    click.Option(
        ["--flag"],
        type=Address(),
        help="FLAG port  [default: 127.0.0.1:8063, and none at --speed 0]",
    ),
    click.Option(
        ["--optical"],
        metavar="DEVICE[,8N1][,A]",
        help="FLAG port on a serial device; 8N1 where it has no parity of its own, A for mode A.",
    ),
    click.Option(
        ["--dlms"],
        type=Address(),
        help="DLMS port  [default: 127.0.0.1:4059, and none at --speed 0]",
    ),
    click.Option(
        ["--p1"],
        type=Address(),
        help="P1 port, as Dutch meters have it  [default: 127.0.0.1:8064, and none at --speed 0]",
    ),
    click.Option(
        ["--mqtt", "mqtt_url"],
        metavar="URL",
        help="Publish to a broker, as Home Assistant finds it: mqtt://HOST or mqtts://USER@HOST.",
    ),
    click.Option(
        ["--mqtt-password-file"],
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="With the password of the user at the broker in its first line.",
    ),
    click.Option(
        ["--speed"],
        type=FiniteRange(0, 1e6),
        default=1.0,
        show_default=True,
        help="Seconds of meter time a second; 0 is as fast as it can.",
    ),
    click.Option(["--start"], type=Instant(), help="When the meter begins  [default: now]"),
    click.Option(["--for", "length"], type=Duration(), help="Stop after so much meter time."),
    click.Option(["--seed"], type=click.IntRange(0, 10**9), default=1, show_default=True),
    click.Option(
        ["--loss"],
        type=FiniteRange(0, 1),
        default=0.0,
        show_default=True,
        help="Share of the unit's telegrams that the radio loses.",
    ),
    click.Option(
        ["--load", "load_spec"],
        type=LoadSpec(),
        metavar="CSV:COLUMN=VALUE",
        help="Draw a recorded half-hourly series (kWh) instead of the simulated home.",
    ),
    click.Option(
        ["--gas", "gas_paths"],
        type=click.Path(path_type=Path),
        multiple=True,
        metavar="FILE",
        help="Burn recorded half-hourly gas (a supplier's JSON of a day, kWh); may be repeated.",
    ),
]


@click.command(
    params=_PARAMETERS,
    epilog=example(
        "elec-meter demo --speed 600 --loss 0.5",
        "elec-meter demo --speed 0 --start 2025-10-25T23:00:00Z --for 26h --data home --json",
    ),
)
@json_option
def command(
    data_dir: Path | None,
    panel: tuple[str, int] | None,
    certificate: Path | None,
    is_insecure: bool,
    flag: tuple[str, int] | None,
    optical: str | None,
    dlms: tuple[str, int] | None,
    p1: tuple[str, int] | None,
    mqtt_url: str | None,
    mqtt_password_file: Path | None,
    speed: float,
    start: datetime | None,
    length: timedelta | None,
    seed: int,
    loss: float,
    load_spec: LoadOption | None,
    gas_paths: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Run the whole system on a simulated house.

    Mains are sampled at 4 kHz, a gas meter's reed closes in front of the real unit firmware, its
    telegrams go through a lossy radio to the collector, and the meter books everything.
    """
    from elec_meter.demo.run import DemoOptions

    if speed:
        flag, dlms, p1 = flag or DEFAULT_FLAG, dlms or DEFAULT_DLMS, p1 or DEFAULT_P1
    load, flow, start = _recorded(load_spec, gas_paths, start)
    options = DemoOptions(
        data_dir=data_dir,
        start=start,
        length=length,
        speed=speed,
        seed=seed,
        loss=loss,
        load=load,
        flow=flow,
        flag=flag,
        panel=_panel_place(panel, certificate, is_insecure, is_wanted=bool(speed)),
        optical=None if optical is None else _device(optical),
        dlms=dlms,
        addons=_addons(p1, mqtt_url, mqtt_password_file),
        live=not as_json,
    )
    _tell(_summary(options), as_json=as_json)


def _summary(options: DemoOptions) -> dict[str, Any]:
    """What the demo did; it waits for nobody to read what it says meanwhile."""
    from elec_meter.demo.run import run_demo

    try:
        with Teller("the demo") as teller:
            return run_demo(replace(options, tell=teller.warn))
    except PortInUseError as error:
        raise PortInUseError(f"{error}; {_OTHER_PORTS}") from None


def _tell(summary: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(exact_json(summary))
    else:
        _print_summary(summary)
    if not summary["balanced"]:
        raise LedgerError(f"the books do not balance: {summary['differences'][0]}")


def _panel_place(
    asked: tuple[str, int] | None, certificate: Path | None, is_insecure: bool, *, is_wanted: bool
) -> PanelPlace | None:
    """Where the panel opens; without being asked for it does where it is installed."""
    if asked is None and not is_wanted:
        return None
    from elec_meter.panel import PanelMissingError, require_installed
    from elec_meter.ports import server_tls
    from elec_meter.runtime import PanelPlace

    try:
        require_installed()
    except PanelMissingError as error:
        if asked is not None:
            raise
        click.echo(f"There is no web panel: {error}.", err=True)
        return None
    host, port = asked or DEFAULT_PANEL
    tls = None if certificate is None else server_tls(certificate, certificate)
    return PanelPlace(host=host, port=port, tls=tls, is_insecure=is_insecure)


def _addons(
    p1: tuple[str, int] | None, mqtt_url: str | None, password_file: Path | None
) -> tuple[AddonConfig, ...]:
    """The modules that the options ask for."""
    from elec_meter.addons import AddonError, check_settings, require_module
    from elec_meter.config import AddonConfig, AddonSetting
    from elec_meter.ports import format_address

    wanted = {}
    if p1 is not None:
        wanted["p1"] = {"listen": format_address(*p1)}
    if mqtt_url is not None:
        wanted["mqtt"] = {"url": mqtt_url}
        if password_file is not None:
            wanted["mqtt"]["password_file"] = str(password_file.resolve())
    elif password_file is not None:
        raise click.UsageError("--mqtt-password-file is for --mqtt.")
    addons = tuple(
        AddonConfig(
            name=name,
            module=name,
            settings=tuple(AddonSetting(name=each, value=value) for each, value in given.items()),
        )
        for name, given in wanted.items()
    )
    for addon in addons:
        require_module(addon.module)
        try:
            check_settings(addon)
        except AddonError as error:
            raise click.BadParameter(f"{error}.", param_hint=f"--{addon.name}") from None
    return addons


def _device(text: str) -> SerialDevice:
    from elec_meter.ports import SerialDevice

    return SerialDevice.parse(text)


def _recorded(
    load_spec: LoadOption | None, gas_paths: tuple[Path, ...], start: datetime | None
) -> tuple[Load | None, GasFlow | None, datetime | None]:
    """Recorded load and gas, where there are any, and when to begin."""
    load, flow = None, None
    if load_spec is not None:
        load, start = _recorded_load(load_spec, start)
    if gas_paths:
        flow, start = _recorded_gas(gas_paths, start)
    return load, flow, start


def _recorded_load(option: LoadOption, start: datetime | None) -> tuple[Load, datetime]:
    """The load, and an instant within it to begin at."""
    from elec_meter.sampling.household import SeriesLoad
    from elec_meter.storage import read_load_series

    series = read_load_series(*option)
    first, end = from_unix_s(series.start_s), from_unix_s(series.end_s)
    if start is not None and not first <= start < end:
        raise LoadSeriesError(
            f"{option.path} covers {first:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC,"
            f" and the demo would start at {start:%Y-%m-%d %H:%M}"
        )
    return SeriesLoad(dict(series)), start or first


def _recorded_gas(paths: tuple[Path, ...], start: datetime | None) -> tuple[GasFlow, datetime]:
    """The gas burnt, and an instant to begin at; a half-hour that the supplier lacks burns none."""
    from elec_meter.demo.gas import SeriesFlow, gas_litres
    from elec_meter.storage import read_gas_series

    series = read_gas_series(paths)
    if series.missing:
        click.echo(
            f"{len(series.missing)} half-hours are missing from the gas readings, the first at"
            f" {series.missing[0].start:%Y-%m-%d %H:%M} UTC; no gas burns in them.",
            err=True,
        )
    litres = {
        half_hour.start_s: gas_litres(energy) for half_hour, energy in series.energies_wh.items()
    }
    return SeriesFlow(litres), start or next(iter(series.energies_wh)).start


def _print_summary(summary: dict[str, Any]) -> None:
    gas, telegrams = summary["gas"], summary["telegrams"]
    click.echo(f"{iso_utc(summary['start'])} to {iso_utc(summary['end'])}")
    for channel in ("import", "export"):
        click.echo(f"{channel}: {kwh_text(summary[f'{channel}_wh'])} kWh in the register")
    click.echo(
        f"gas: {gas['turned']} pulses turned, {gas['register']} in the register,"
        f" {gas['not_final']} of them not final yet"
    )
    click.echo(
        f"telegrams: {telegrams['sent']} sent, {telegrams['received']} received,"
        f" {telegrams['refused']} refused"
    )
    if summary["balanced"]:
        click.echo("the books balance")
