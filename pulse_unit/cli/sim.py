"""`pulse-unit sim`: a gas meter, its reed and the unit on it, live or as fast as it can."""

from __future__ import annotations

import contextlib
import re
import sys
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import click

from pulse_unit.cli.values import METER, PERIODS, Digits, Key, Whole
from shared.exact_json import exact_json
from shared.options import Duration, FiniteRange, Instant, example

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from pulse_unit.cli.simulation import Draw, Sent, Simulation

_ADDRESS: Final = bytes.fromhex("C0FFEE000001")
_FRAME_S: Final = 0.25  # between two pictures
_STEP_MS: Final = 3_600_000  # between two looks at the clock, as fast as it can
_SHOWN: Final = 6
_FLOW_FILE_MAX: Final = 1_000_000
_NUMBER: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{0,9})?", re.ASCII)
_HOUR_MS: Final = 3_600_000


_PARAMETERS: list[click.Parameter] = [
    click.Option(
        ["--flow"],
        default="winter",
        show_default=True,
        help="winter, summer, a steady flow in m3/h, or a file of lines `minutes,m3/h`.",
    ),
    *METER,
    click.Option(
        ["--speed"],
        type=FiniteRange(0, 100_000),
        default=60.0,
        show_default=True,
        metavar="N",
        help="Seconds a second; 0 is as fast as it can.",
    ),
    click.Option(
        ["--for", "length"],
        type=Duration(),
        help="Stop after that; a day at --speed 0 if left out.",
    ),
    click.Option(
        ["--start", "start_utc"],
        type=Instant(),
        default="2026-01-12T06:00:00Z",
        show_default=True,
        help="When the unit boots.",
    ),
    click.Option(
        ["--seed"],
        type=Whole(0),
        default=1,
        show_default=True,
        metavar="N",
        help="The same seed is the same life.",
    ),
    click.Option(
        ["--noise", "spikes_per_day"],
        type=Whole(0, 10_000),
        default=50,
        show_default=True,
        metavar="N",
        help="Disturbances of the reed a day.",
    ),
    click.Option(
        ["--power-cuts", "power_cuts_per_day"],
        type=Whole(0, 1_000),
        default=0,
        show_default=True,
        metavar="N",
        help="Losses of power a day, on average.",
    ),
    click.Option(
        ["--drift", "drift_ppm"],
        type=Whole(-200, 200),
        default=12,
        show_default=True,
        metavar="PPM",
        help="Of the unit's clock.",
    ),
    *PERIODS,
    click.Option(
        ["--serial"],
        type=Digits(8),
        default="00000001",
        show_default=True,
        metavar="DIGITS8",
        help="The unit's.",
    ),
    click.Option(
        ["--key"],
        type=Key(),
        default="0F0E0D0C0B0A09080706050403020100",
        metavar="HEX32",
        help="The unit's; the demo's if left out.",
    ),
    click.Option(
        ["--telegrams", "air_path"],
        type=click.Path(dir_okay=False, allow_dash=True),
        metavar="FILE",
        help="Write the time and the frame of every telegram, for `elec-meter replay`.",
    ),
    click.Option(
        ["--json", "as_json"], is_flag=True, help="Print the summary as JSON, and no picture."
    ),
]


@click.command(
    params=_PARAMETERS,
    epilog=example(
        "pulse-unit sim                          # a household, a minute a second",
        "pulse-unit sim --flow 2.4 --speed 1     # 2.4 m3/h, in real time",
        "pulse-unit sim --speed 0 --for 30d --json",
        "pulse-unit sim --speed 0 --for 2d --telegrams air.txt --power-cuts 3",
    ),
)
def sim(
    length: timedelta | None, speed: float, air_path: str | None, as_json: bool, **options: Any
) -> None:
    """Let gas flow through a simulated meter, and watch a pulse unit count it.

    The reed bounces, disturbances hit it, and where the gas stops it may rest closed for hours. The
    pulses counted must equal the turns of the meter, but for one at most with each loss of power:
    where they do not, the command ends with exit code 1.
    """
    from pulse_unit.errors import UnitError

    try:
        world = _world(**options)
    except UnitError as error:
        raise click.ClickException(f"{error}.") from error
    if length is None and speed == 0:
        length = timedelta(days=1)
    end_ms = None if length is None else world.now_utc_ms + length // timedelta(milliseconds=1)
    with _opened(air_path) as air:
        if speed == 0 and end_ms is not None:
            _run_fast(world, end_ms, air)
        else:
            _run_live(world, end_ms, speed, air, quiet=as_json)
    world.come_to_rest()
    told = _summary(world)
    click.echo(exact_json(told, indent=2) if as_json else _sentence(told))
    if not told["exact"]:
        raise click.exceptions.Exit(1)


@contextlib.contextmanager
def _opened(path: str | None) -> Iterator[IO[str] | None]:
    """The file that takes the telegrams, if there is one."""
    if path is None or path == "-":
        yield None if path is None else sys.stdout
        return
    try:
        with open(path, "w", encoding="ascii") as air:
            yield air
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from error


def _world(
    *,
    flow: str,
    weight_nl: int,
    flow_max_m3_h: float,
    start_utc: datetime,
    seed: int,
    telegram_period: int,
    advert_period: int,
    serial: str,
    key: bytes,
    **rates: int,
) -> Simulation:
    from pulse_unit.cli.simulation import Simulation
    from pulse_unit.config import UnitConfig
    from shared.timegrid import unix_ms

    config = UnitConfig(
        pulse_weight_nl=weight_nl,
        flow_max_l_per_h=round(flow_max_m3_h * 1_000),
        initial_index_l=0,
        telegram_period_s=telegram_period,
        advert_period_s=advert_period,
    )
    return Simulation(
        serial,
        key,
        config,
        _draws(flow, config.flow_max_l_per_h, seed),
        start_utc_ms=unix_ms(start_utc),
        seed=seed,
        address=_ADDRESS,
        **rates,
    )


def _draws(flow: str, flow_max_l_per_h: int, seed: int) -> Iterator[Draw]:
    """What is drawn, as it was asked for: by name, as a number, or in a file."""
    from pulse_unit.cli.simulation import household, steady

    if flow in ("winter", "summer"):
        return household(seed, flow_max_l_per_h, heats=flow == "winter")
    try:
        return steady(_l_per_h(flow, flow_max_l_per_h))
    except ValueError:
        pass
    path = Path(flow)
    try:
        with path.open(encoding="ascii") as file:
            text = file.read(_FLOW_FILE_MAX + 1)
    except (OSError, UnicodeError) as error:
        raise click.UsageError(
            f"--flow {flow!r} is winter, summer, a flow in m3/h or a file that can be read."
        ) from error
    if len(text) > _FLOW_FILE_MAX:
        raise click.ClickException(f"{path} has more than {_FLOW_FILE_MAX:,} characters.")
    draws = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        minutes, _, m3_h = line.partition(",")
        try:
            draws.append((round(_number(minutes)), _l_per_h(m3_h, flow_max_l_per_h)))
        except ValueError as error:
            raise click.ClickException(
                f"Line {number} of {path} is not `minutes,m3/h` within the meter's greatest flow."
            ) from error
        if not 0 < draws[-1][0] <= 525_600:
            raise click.ClickException(f"Line {number} of {path} lasts for no time, or a year.")
    return iter(draws)


def _l_per_h(m3_h: str, flow_max_l_per_h: int) -> int:
    l_per_h = _number(m3_h) * 1_000
    if not 0 <= l_per_h <= flow_max_l_per_h:  # nor is it "nan"
        raise ValueError(m3_h)
    return round(l_per_h)


def _number(text: str) -> float:
    """A number in the digits 0 to 9, or ValueError."""
    if not _NUMBER.fullmatch(text.strip()):
        raise ValueError(text)
    return float(text)


def _run_fast(world: Simulation, end_ms: int, air: IO[str] | None) -> None:
    while world.now_utc_ms < end_ms:
        _record(world.advance(min(end_ms, world.now_utc_ms + _STEP_MS)), air)


def _run_live(
    world: Simulation, end_ms: int | None, speed: float, air: IO[str] | None, *, quiet: bool
) -> None:
    """Follow the clock until the end, or until somebody presses Ctrl-C."""
    from rich.console import Console
    from rich.live import Live

    newest: deque[Sent] = deque(maxlen=_SHOWN)
    start_ms, begun_s = world.now_utc_ms, time.monotonic()
    console = Console(stderr=True, quiet=quiet)
    end = "Ctrl-C ends it" if end_ms is None else f"it ends at {_iso(end_ms)}"
    if not console.is_terminal:
        console.print(f"A line an hour of the meter; {end}.", soft_wrap=True)
    told_ms = start_ms
    with Live(console=console, auto_refresh=False) as live:
        try:
            while end_ms is None or world.now_utc_ms < end_ms:
                due_ms = start_ms + round((time.monotonic() - begun_s) * speed * 1_000)
                sent = world.advance(due_ms if end_ms is None else min(due_ms, end_ms))
                _record(sent, air)
                newest.extend(each for each in sent if each.kind == "telegram")
                live.update(_picture(world, newest), refresh=True)
                if not console.is_terminal and world.now_utc_ms - told_ms >= _HOUR_MS:
                    told_ms = world.now_utc_ms
                    console.print(_progress(world), soft_wrap=True)
                time.sleep(_FRAME_S)
        except KeyboardInterrupt:
            pass


def _progress(world: Simulation) -> str:
    told = world.summary()
    return (
        f"{_iso(world.now_utc_ms)}: {told['pulses_counted']} pulses counted,"
        f" {told['telegrams']} telegrams sent"
    )


def _record(sent: list[Sent], air: IO[str] | None) -> None:
    if air is None:
        return
    for each in sent:
        if each.kind == "telegram":
            air.write(f"{_iso(each.at_utc_ms)} {each.data.hex().upper()}\n")


def _picture(world: Simulation, newest: deque[Sent]) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    told = world.summary()
    reed = Text("● closed", "green") if world.meter.is_closed else Text("○ open", "dim")
    grid = Table.grid(padding=(0, 2))
    grid.add_row("time", _iso(world.now_utc_ms))
    grid.add_row("flow", f"{world.flow_l_per_h / 1_000:.3f} m3/h")
    grid.add_row("reed", reed)
    grid.add_row("dial", f"{world.meter.passed_nl / 1e12:.3f} m3")
    grid.add_row("turned", f"{told['pulses_turned']} times")
    grid.add_row("counted", Text(f"{told['pulses_counted']} pulses", "bold"))
    grid.add_row("sent", f"{told['telegrams']} telegrams, {told['adverts']} adverts")
    grid.add_row("boots", f"{told['boots']}")
    grid.add_row("battery", f"{told['battery_left_d'] / 365.25:.1f} years left")
    frames = [
        Text(f"{_iso(each.at_utc_ms)}  {each.data.hex().upper()}", "dim", no_wrap=True)
        for each in newest
    ]
    return Group(grid, *frames, Text("Ctrl-C ends it.", "dim"))


def _summary(world: Simulation) -> dict[str, object]:
    told = world.summary()
    missed = told["pulses_turned"] - told["pulses_counted"]
    return {
        "end": _iso(world.now_utc_ms),
        **told,
        "exact": 0 <= missed <= told["power_cuts"],
    }


def _sentence(told: dict[str, object]) -> str:
    return (
        f"The meter turned {told['pulses_turned']} times, the unit counted"
        f" {told['pulses_counted']} pulses and sent {told['telegrams']} telegrams and"
        f" {told['adverts']} adverts in {told['boots']} boot(s)."
    )


def _iso(utc_ms: int) -> str:
    moment = datetime.fromtimestamp(utc_ms // 1_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{utc_ms % 1_000:03d}Z"
