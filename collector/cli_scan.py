"""`collector scan`: who is heard, without a key, and without a data directory if need be."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import click

from shared.options import Duration, example

from .cli_options import LiveClock, bearer_options, has_bearers, json_option

if TYPE_CHECKING:
    from .bearers.base import Bearer, ReceivedFrame
    from .bearers.reports import SlaveFound

_STEP_S: Final = 0.25
_NOBODY: Final = dict.fromkeys(("manufacturer", "serial", "medium", "address"))
_Heard: TypeAlias = dict[tuple[str | None, str | None], dict[str, Any]]


@click.command(epilog=example("collector scan --stick im871a:/dev/ttyUSB0 --for 2m"))
@click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Say to which channel of DIR each unit is paired.",
)
@bearer_options
@click.option(
    "--for",
    "length",
    type=Duration(),
    default="30s",
    show_default=True,
    metavar="LENGTH",
    help="How long to listen (not to recordings or wires); Ctrl-C shows what was heard so far.",
)
@json_option
def command(
    data_dir: Path | None,
    length: timedelta,
    as_json: bool,
    **bearers_named: Any,
) -> None:
    """Listen, and list every unit and meter that is heard: who, how often and how strong.

    No advert over Bluetooth names its unit: each sender has a line with its address. A wired bus is
    searched to its end, however long that takes: up to a minute for each meter.
    """
    from .bearers.opening import open_bearers
    from .bearers.replay import WHOLE_MS, ReplayFile
    from .cli_show import print_rows

    if not has_bearers(bearers_named):
        raise click.UsageError("Nothing to listen with: give --stick, --wire, --ble or --replay.")
    paired = {} if data_dir is None else _paired(data_dir)
    bearers = open_bearers(lambda: None, serials=None, **bearers_named)
    heard: _Heard = {}
    try:
        for recording in bearers:
            if isinstance(recording, ReplayFile):
                for frame in recording.receive_until(WHOLE_MS):
                    _note(heard, frame)
        _listen([each for each in bearers if not isinstance(each, ReplayFile)], length, heard)
    except KeyboardInterrupt:
        pass  # what was heard so far is shown
    finally:
        for bearer in bearers:
            bearer.close()
    rows = [{**row, "channel": paired.get(row["serial"])} for row in heard.values()]
    print_rows(rows, as_json=as_json, as_csv=False)


def _paired(data_dir: Path) -> dict[str | None, str]:
    """The channels of the units that are paired there, by serial; none before the first."""
    from .cli_show import opened_views
    from .storage.directory import DATABASE_NAME

    if not (data_dir / DATABASE_NAME).exists():
        return {}
    with opened_views(data_dir) as (views, _):
        return {row["serial"]: row["channel"] for row in views.units() if row["ended"] is None}


def _listen(bearers: list[Bearer], length: timedelta, heard: _Heard) -> None:
    """For so long, and until every wired bus is searched that can be."""
    from shared.timegrid import unix_ms

    from .bearers.mbus_master import MbusMaster
    from .bearers.reports import BearerLost, ScanEnded, SlaveFound

    clock = LiveClock()
    end = clock.now() + length
    wired = [each for each in bearers if isinstance(each, MbusMaster)]
    for bus in wired:
        bus.scan()
    searched = {bus.name for bus in wired}
    is_listening = len(wired) < len(bearers)
    while searched or (is_listening and clock.now() < end):
        clock.sleep(_STEP_S)
        for bearer in bearers:
            for frame in bearer.receive_until(unix_ms(clock.now())):
                _note(heard, frame)
            for report in bearer.take_reports():
                if isinstance(report, SlaveFound):
                    _note_slave(heard, report)
                if isinstance(report, (BearerLost, ScanEnded)):
                    searched.discard(bearer.name)
                if sentence := getattr(report, "sentence", ""):
                    click.echo(f"{sentence}.", err=True)


def _note(heard: _Heard, frame: ReceivedFrame) -> None:
    from shared.wire.bthome import advert_security
    from shared.wire.errors import WireError

    from .heading import is_wired
    from .signal import is_asked_for

    try:
        if frame.address is None:
            who = _sender(frame.data)
        else:
            who = _NOBODY | {
                "address": frame.address.hex(":").upper(),
                "security": advert_security(frame.data),
            }
    except WireError:
        return
    row = _row(heard, who, frame.bearer, frame.received_utc)
    row["rssi_dbm"] = frame.rssi_dbm
    if frame.address is None and not is_wired(frame.data):  # asked over a wire, all answer
        row["installing"] = row["installing"] or is_asked_for(frame)


def _note_slave(heard: _Heard, report: SlaveFound) -> None:
    from shared.wire.errors import WireError

    if not report.is_alone:
        click.echo(f"several meters answer as {report.address}, or the line is bad.", err=True)
        return
    try:
        who = _sender(report.data)
    except WireError:
        who = _NOBODY | {"security": None}
    _row(heard, who | {"address": str(report.address)}, report.bearer, report.at_utc)


def _sender(data: bytes) -> dict[str, Any]:
    """What a frame by radio or wire says of its sender.

    Raises:
        WireError: it is damaged or of a kind not spoken here.
    """
    from .heading import header_of
    from .media import medium_name

    header = header_of(data)
    return _NOBODY | {
        "manufacturer": header.manufacturer,
        "serial": header.serial,
        "medium": medium_name(header.medium),
        "security": header.mode,
    }


def _row(heard: _Heard, who: dict[str, Any], bearer: str, at_utc: datetime) -> dict[str, Any]:
    """The line of a sender, who was heard once more."""
    from shared.timegrid import iso_utc

    counts = {"telegrams": 0, "rssi_dbm": None, "installing": False, "bearer": bearer, "last": ""}
    row = heard.setdefault((who["manufacturer"], who["serial"] or who["address"]), who | counts)
    row["telegrams"] += 1
    row["last"] = iso_utc(at_utc)
    return row
