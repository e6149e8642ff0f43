"""`elec-meter replay`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from elec_meter.errors import LoadSeriesError, RecordingError
from shared.errors import TimegridError
from shared.exact_json import exact_json
from shared.options import Duration, Instant, example
from shared.timegrid import (
    HALF_HOUR_S,
    from_unix_s,
    require_utc,
    unix_ms,
    unix_s,
)

from .options import LoadSpec, data_option, json_option, recording_options

if TYPE_CHECKING:
    from collector import ReceivedFrame
    from elec_meter.metrology import Measurement
    from elec_meter.sampling.recorded import RecordedSource
    from elec_meter.storage import LoadOption, LoadSeries

_FLAGS = {
    "dc": "a channel had a large mean, which was taken out",
    "gap": "samples were missing, and the cycle under way was dropped",
    "no_signal": "without mains voltage nothing was registered; --bits is for another width",
    "saturated": "a converter stood at its limit, and true values are higher",
    "stuck": "a converter showed one count only",
    "unlocked": "where the voltage had no regular cycles, little or nothing was registered",
}
_file = click.Path(path_type=Path)


@click.command(
    epilog=example(
        "elec-meter replay --data home --load homes.csv:LCLid=MAC000010",
        "elec-meter replay --data home --pulses pulses.txt --start 2026-01-01T00:00:00Z",
    )
)
@data_option
@click.option("--waveform", type=_file, metavar="FILE", help="Samples: npz, wav or csv.")
@recording_options
@click.option(
    "--load",
    "load_spec",
    type=LoadSpec(),
    metavar="CSV:COLUMN=VALUE",
    help="Half-hourly kWh, booked exactly, spread over the seconds of each half-hour.",
)
@click.option("--pulses", type=_file, metavar="FILE", help="A UTC time a line: the reed closed.")
@click.option("--telegrams", type=_file, metavar="FILE", help="A UTC time and a hex frame a line.")
@click.option("--start", type=Instant(), help="Leave out what was before.")
@click.option("--for", "length", type=Duration(), help="Leave out the load after so much time.")
@json_option
def command(
    data_dir: Path,
    waveform: Path | None,
    rate_hz: int | None,
    bits: int | None,
    load_spec: LoadOption | None,
    pulses: Path | None,
    telegrams: Path | None,
    start: datetime | None,
    length: timedelta | None,
    as_json: bool,
) -> None:
    """Feed recorded input into a data directory, in the order of time.

    A fresh directory becomes the demo's meter, with its gas unit 00000001. Everything is read and
    checked before the directory is touched.
    """
    if not (waveform or load_spec or pulses or telegrams):
        raise click.UsageError("Name something: --load, --waveform, --pulses or --telegrams.")
    from elec_meter.demo.replay import Recording, replay

    recording = Recording(
        load=None if load_spec is None else _load(load_spec, start, length),
        pulses_ms=() if pulses is None else _pulses(pulses),
        frames=() if telegrams is None else _frames(telegrams),
        waveform=None if waveform is None else _waveform(waveform, rate_hz, bits, data_dir, start),
    )
    flags: set[str] = set()
    ledger = replay(data_dir, recording, start, lambda told: flags.update(_names(told))).ledger
    if as_json:
        told = {f"{channel}_wh": ledger.total(channel) for channel in ("import", "export")}
        gas = {"gas_pulses": ledger.total("gas"), "gas_not_final": ledger.unrated("gas")}
        click.echo(exact_json({**told, **gas, "flags": sorted(flags)}))
        return
    for channel in ("import", "export"):
        click.echo(f"{channel}: {ledger.total(channel)} Wh in the register")
    click.echo(f"gas: {ledger.total('gas')} pulses, {ledger.unrated('gas')} of them not final yet")
    for name in sorted(flags):
        click.echo(f"flag: {name.replace('_', ' ')}: {_FLAGS[name]}")


def _names(measurement: Measurement) -> Iterator[str]:
    """What was wrong with a block."""
    return ((flag.name or "").lower() for flag in measurement.flags)


def _load(option: LoadOption, start: datetime | None, length: timedelta | None) -> LoadSeries:
    """What is asked for of a file's series."""
    from elec_meter.storage import LoadSeries, read_load_series

    series = read_load_series(*option)
    first, end = from_unix_s(series.start_s), from_unix_s(series.end_s)
    begin = first if start is None else max(start, first)
    if unix_s(begin) % HALF_HOUR_S:
        raise LoadSeriesError(
            f"a load is replayed in whole half-hours, and {begin:%Y-%m-%dT%H:%M:%SZ} is inside one"
        )
    skipped = (unix_s(begin) - series.start_s) // HALF_HOUR_S
    kept = None if length is None else skipped + length // timedelta(seconds=HALF_HOUR_S)
    energies_wh = series.energies_wh[skipped:kept]
    if not energies_wh:
        raise LoadSeriesError(
            f"{option.path} covers {first:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC,"
            " and none of its half-hours is asked for"
        )
    return LoadSeries(series.start_s + skipped * HALF_HOUR_S, energies_wh)


def _frames(path: Path) -> tuple[ReceivedFrame, ...]:
    from collector import ReplayFile

    return tuple(ReplayFile(path).receive_until(unix_ms(datetime.max.replace(tzinfo=UTC))))


def _pulses(path: Path) -> tuple[int, ...]:
    """Closings, UTC ms, rising."""
    try:
        with path.open(encoding="ascii") as lines:
            times = [_pulse_ms(path, number, line) for number, line in enumerate(lines, 1)]
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RecordingError(f"{path} is not a text file of UTC times") from None
    pulses = sorted(at_ms for at_ms in times if at_ms is not None)
    if not pulses:
        raise RecordingError(f"{path} has no pulse")
    return tuple(pulses)


def _pulse_ms(path: Path, number: int, line: str) -> int | None:
    text = line.partition("#")[0].strip()
    if not text:
        return None
    try:
        return unix_ms(require_utc(datetime.fromisoformat(text)))
    except (ValueError, TimegridError):
        raise RecordingError(
            f"{path}, line {number}: {text[:40]!r} is no UTC time such as 2026-01-01T00:15:02Z"
        ) from None


def _waveform(
    path: Path, rate_hz: int | None, bits: int | None, data_dir: Path, start: datetime | None
) -> RecordedSource:
    """The recording, begun at `start`, or where the directory's meter stopped, or now."""
    # Compiled, if need be, before the directory is touched: whatever goes wrong does so now.
    import elec_meter.metrology.pipeline  # noqa: F401 - for that alone
    from elec_meter.sampling.converter import Converter
    from elec_meter.sampling.recorded import RecordedSource
    from elec_meter.storage import DATABASE_NAME
    from elec_meter.storage.observe import observe

    converter = None if bits is None else Converter(bits=bits)
    source = RecordedSource(path, rate_hz=rate_hz, converter=converter)
    if start is None and (data_dir / DATABASE_NAME).exists():
        with observe(data_dir) as copy:
            durable_s = copy.load().durable_s
        start = None if durable_s is None else from_unix_s(durable_s)
    source.anchor_utc = start or datetime.now(UTC).replace(microsecond=0)
    return source
