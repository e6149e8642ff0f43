"""Options that several commands share, and what they open."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from shared.options import Port, WholeRange

if TYPE_CHECKING:
    from .bearers.base import Bearer

_Function = TypeVar("_Function", bound=Callable[..., Any])

data_option = click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="The data directory.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
csv_option = click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
channel_option = click.option(
    "--channel", default="gas", show_default=True, metavar="NAME", help="Which channel."
)


class Stick(click.ParamType[tuple[str, str]]):
    """KIND:PORT of a radio stick."""

    name = "kind:port"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Return (kind, port)."""
        if isinstance(value, tuple):
            return value
        from .bearers.opening import parse_stick
        from .errors import BearerSettingError

        try:
            return parse_stick(str(value))
        except BearerSettingError as error:
            self.fail(f"{error}.", param, ctx)


_BEARERS: Final = (
    click.option(
        "--stick",
        "sticks",
        type=Stick(),
        multiple=True,
        metavar="KIND:PORT",
        help="A radio stick, PORT a device or socket://HOST:PORT; may be repeated.",
    ),
    click.option(
        "--wire",
        "wires",
        type=Port(),
        multiple=True,
        metavar="PORT",
        help="A wired M-Bus: a device or socket://HOST:PORT; may be repeated.",
    ),
    click.option("--ble", metavar="ADAPTER", help="A Bluetooth adapter, such as hci0."),
    click.option(
        "--replay",
        "replays",
        type=click.Path(path_type=Path),
        multiple=True,
        metavar="FILE",
        help="Recorded telegrams: a UTC time and a hexadecimal frame a line; may be repeated.",
    ),
    click.option(
        "--replay-delay",
        "replay_delay_s",
        type=WholeRange(0, 86_400),
        metavar="S",
        help="The most seconds from sending to the recorded time; not known if left out.",
    ),
)


def bearer_options(function: _Function) -> _Function:
    """Give a command the options of `open_bearers`."""
    for option in reversed(_BEARERS):
        function = option(function)
    return function


def has_bearers(options: Mapping[str, Any]) -> bool:
    """Whether any bearer is named."""
    return bool(options["replays"]) or not has_only_recordings(options)


def has_only_recordings(options: Mapping[str, Any]) -> bool:
    """Whether nothing is listened to: there are recordings at most."""
    return not any(options[name] for name in ("sticks", "wires", "ble"))


class LiveClock:
    """The host's time."""

    def now(self) -> datetime:
        """UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)


class RecordedClock:
    """The time of recordings, which passes quickly and only while somebody waits.

    Args:
        begin: where it begins.
    """

    def __init__(self, begin: datetime) -> None:
        self._now = begin

    def now(self) -> datetime:
        """UTC."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Let time pass, a hundredfold."""
        self._now += timedelta(seconds=seconds)
        time.sleep(seconds / 100)


def clock_for(bearers: Sequence[Bearer]) -> LiveClock | RecordedClock:
    """The recordings' own clock where there is nothing else, the host's otherwise."""
    from shared.timegrid import from_unix_ms

    from .bearers.replay import ReplayFile

    first_ms = [bearer.next_frame_utc_ms() for bearer in bearers if isinstance(bearer, ReplayFile)]
    known_ms = [at_ms for at_ms in first_ms if at_ms is not None]
    if known_ms and len(first_ms) == len(bearers):
        return RecordedClock(from_unix_ms(min(known_ms)) - timedelta(seconds=1))
    return LiveClock()
