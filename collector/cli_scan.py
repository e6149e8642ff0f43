"""`collector scan`: who is heard, without a key and without a data directory."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from shared.options import Duration, example

from .cli_options import LiveClock, bearer_options, has_bearers, json_option

_STEP_S = 0.25


@click.command(epilog=example("collector scan --stick im871a:/dev/ttyUSB0 --for 2m"))
@bearer_options
@click.option(
    "--for",
    "length",
    type=Duration(),
    default="30s",
    show_default=True,
    metavar="LENGTH",
    help="How long to listen (not to recordings); Ctrl-C shows what was heard so far.",
)
@json_option
def command(
    length: timedelta,
    as_json: bool,
    **bearers_named: Any,
) -> None:
    """Listen, and list every unit and meter that is heard: who, how often and how strong.

    No advert over Bluetooth names its unit: each sender has a line with its address.
    """
    from shared.timegrid import unix_ms

    from .bearers.opening import open_bearers
    from .bearers.replay import WHOLE_MS, ReplayFile
    from .cli_show import print_rows

    if not has_bearers(bearers_named):
        raise click.UsageError("Nothing to listen with: give --stick, --wire, --ble or --replay.")
    bearers = open_bearers(lambda: None, **bearers_named)
    live = [bearer for bearer in bearers if not isinstance(bearer, ReplayFile)]
    clock = LiveClock()
    heard: dict[tuple[str | None, str], dict[str, Any]] = {}
    end = clock.now() + length
    try:
        for recording in bearers:
            if isinstance(recording, ReplayFile):
                for frame in recording.receive_until(WHOLE_MS):
                    _note(heard, frame)
        while live and clock.now() < end:
            clock.sleep(_STEP_S)
            for bearer in live:
                for frame in bearer.receive_until(unix_ms(clock.now())):
                    _note(heard, frame)
                for report in bearer.take_reports():
                    if sentence := getattr(report, "sentence", ""):
                        click.echo(f"{sentence}.", err=True)
    except KeyboardInterrupt:
        pass  # what was heard so far is shown
    finally:
        for bearer in bearers:
            bearer.close()
    print_rows(list(heard.values()), as_json=as_json, as_csv=False)


def _note(heard: dict[tuple[str | None, str], dict[str, Any]], frame: Any) -> None:
    from shared.timegrid import iso_utc
    from shared.wire.bthome import advert_security
    from shared.wire.errors import WireError
    from shared.wire.header import parse_header
    from shared.wire.wmbus import unframe

    from .media import medium_name
    from .signal import is_asked_for

    who: dict[str, Any] = {"manufacturer": None, "serial": None, "medium": None, "address": None}
    try:
        if frame.address is not None:
            who["address"] = frame.address.hex(":").upper()
            who["security"] = advert_security(frame.data)
        else:
            header = parse_header(unframe(frame.data))
            who["manufacturer"], who["serial"] = header.manufacturer, header.serial
            who["medium"], who["security"] = medium_name(header.medium), header.mode
    except WireError:
        return
    row = heard.setdefault(
        (who["manufacturer"], who["serial"] or who["address"]),
        {
            **who,
            "telegrams": 0,
            "rssi_dbm": None,
            "installing": False,
            "bearer": frame.bearer,
            "last": "",
        },
    )
    row["telegrams"] += 1
    row["rssi_dbm"] = frame.rssi_dbm
    row["installing"] = row["installing"] or (frame.address is None and is_asked_for(frame))
    row["last"] = iso_utc(frame.received_utc)
