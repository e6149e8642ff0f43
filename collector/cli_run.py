"""`collector run`: collects until it is stopped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shared.options import example

from .cli_options import bearer_options, data_option, has_bearers, has_only_recordings, json_option
from .errors import CollectorError, DirectoryError

if TYPE_CHECKING:
    from shared.telling import Teller

    from .bearers.base import Bearer
    from .gathering import Tell
    from .runtime import Runtime
    from .station import Station


@click.command(
    epilog=example(
        "collector run --data gas --stick im871a:/dev/ttyUSB0",
        "collector run --data gas --replay telegrams.txt",
    )
)
@data_option
@bearer_options
@json_option
def command(
    data_dir: Path,
    as_json: bool,
    **bearers_named: Any,
) -> None:
    """Collect the half-hours of all paired units, until SIGTERM or Ctrl-C.

    Recordings are gone through in their own time; with nothing else, it ends with them. Before any
    unit is paired, a directory that is there can be collected into: `collector pair` goes through.
    """
    from shared.exact_json import exact_json
    from shared.telling import Teller
    from shared.timegrid import iso_utc

    from .gathering import host_utc

    def line(row: dict[str, Any]) -> str:
        return exact_json(row) if as_json else f"{row['at']} {row['text']}"

    def notice(sentence: str) -> str:
        return line({"at": iso_utc(host_utc()), "event": "notice", "text": sentence})

    if not has_bearers(bearers_named):
        raise click.UsageError("Nothing to collect with: give --stick, --wire, --ble or --replay.")
    if not data_dir.exists():
        raise _nothing_paired(data_dir)
    with Teller("the collector", notice, is_patient=has_only_recordings(bearers_named)) as teller:
        _collect(data_dir, bearers_named, teller, lambda row: teller.tell(line(row)))


def _collect(data_dir: Path, bearers_named: dict[str, Any], teller: Teller, tell: Tell) -> None:
    import asyncio

    from .bearers.opening import open_bearers
    from .gathering import host_clock
    from .readings import Readings
    from .runtime import Runtime
    from .station import Station
    from .storage.directory import DataDirectory

    running: list[Runtime] = []
    clock = host_clock()

    def wake() -> None:
        for each in running:
            each.wake()

    with DataDirectory.open(data_dir) as directory:
        serials = Readings(directory.connection).serials
        bearers = open_bearers(wake, **bearers_named, serials=serials, clock_ms=clock.now_ms)
        station = Station(directory, _begin(bearers, clock.now()))
        _look_at_units(
            station,
            lambda each: teller.warn(f"{each}."),
            is_recorded=has_only_recordings(bearers_named),
        )
        runtime = Runtime(station, bearers, tell, clock=clock)
        running.append(runtime)
        asyncio.run(runtime.run())


def _begin(bearers: list[Bearer], now: datetime) -> datetime:
    """Now, or where a recording begins that is gone through first."""
    from shared.timegrid import from_unix_ms

    from .bearers.replay import ReplayFile

    first_ms = [each.next_frame_utc_ms() for each in bearers if isinstance(each, ReplayFile)]
    return min([now, *(from_unix_ms(at_ms) for at_ms in first_ms if at_ms is not None)])


def _nothing_paired(data_dir: Path) -> CollectorError:
    return DirectoryError(f"no unit is paired in {data_dir}: collector pair")


def _look_at_units(station: Station, warn: Callable[[str], None], *, is_recorded: bool) -> None:
    """Say what is wrong with units and keys before anything is collected.

    Raises:
        DirectoryError: none is paired, and of a recording none can be meanwhile.
    """
    directory = station.directory
    paired = station.open_segments()
    keyed = {record.serial for record in station.reachable()}
    for serial in directory.keystore.serials:
        if serial not in station.serials:
            warn(f"keys.json has a key for the unit {serial}, and the database does not know it")
    for serial in paired:
        unit = station.collector.unit(serial)
        if serial not in keyed and not unit.allow_unauthenticated:
            warn(f"the key of the unit {serial} is missing from keys.json")
    if not paired and not keyed:
        nothing = _nothing_paired(directory.path)
        if is_recorded:
            raise nothing
        warn(str(nothing))
