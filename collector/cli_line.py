"""How a command reaches a station: in its own process, or by the socket of the one that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import click

from .errors import BearerLostError, DirectoryError, DirectoryInUseError, OrderError

if TYPE_CHECKING:
    from .bearers.base import Bearer

_DEVICE_POLL_S: Final = 0.05
_DEVICE_POLLS: Final = 100  # a stick is asked who it is, and an adapter who is near


class Line(Protocol):
    """Where orders go; `sleep` lets time pass for whoever waits for a reply to change."""

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to a request; raises `CollectorError` or `SharedError` where it is refused."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""


class _Local:
    """A station in this process."""

    def __init__(self, ask: Callable[[dict[str, Any]], dict[str, Any]], clock: Any) -> None:
        self._ask = ask
        self._clock = clock

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """See `Line`."""
        return self._ask(request)

    def sleep(self, seconds: float) -> None:
        """See `Line`."""
        self._clock.sleep(seconds)


class _Remote:
    """A station that runs in another process."""

    def __init__(self, ask: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self._ask = ask

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """See `Line`."""
        return self._ask(request)

    def sleep(self, seconds: float) -> None:
        """See `Line`."""
        from .cli_options import LiveClock

        LiveClock().sleep(seconds)


@contextmanager
def station_line(data_dir: Path, **bearers: Any) -> Iterator[Line]:
    """A line to the station of a directory, for as long as the context lasts.

    A meter's directory has none: whatever changes its units changes its configuration with them.

    Args:
        data_dir: the directory.
        bearers: as the options of `bearer_options`, for a station that does not run yet; one that
            runs has its own.

    Raises:
        CollectorError: there is no way to it.
        click.UsageError: it would wait for a signal, and no bearer is named.
    """
    from .cli_options import has_bearers
    from .storage.directory import DataDirectory, is_of_meter

    if is_of_meter(data_dir):
        raise DirectoryError(
            f"{data_dir} is an electricity meter's, which pairs, exchanges and unpairs its units"
            " itself while it runs: on the pairing page of its panel, or by"
            " `elec-meter control pair`, `exchange` and `unpair`"
        )
    is_deaf = bool(bearers) and not has_bearers(bearers)
    if is_deaf and not data_dir.exists():
        raise _nothing_to_listen_with()
    try:
        directory = DataDirectory.open(data_dir)
    except DirectoryInUseError:
        directory = None
    if directory is None:
        from .ports.line import ControlLine

        if bearers and has_bearers(bearers):
            raise OrderError(
                "a collector runs there and has its own bearers: leave --stick, --wire, --ble"
                " and --replay out"
            )
        with ControlLine(data_dir) as remote:
            yield _Remote(remote.ask)
        return
    with directory:
        if is_deaf:
            raise _nothing_to_listen_with()
        yield from _local(directory, bearers)


def _nothing_to_listen_with() -> click.UsageError:
    return click.UsageError("Nothing to listen with: give --stick, --wire, --ble or --replay.")


def _local(directory: Any, options: dict[str, Any]) -> Iterator[Line]:
    from .bearers.opening import open_bearers
    from .cli_options import clock_for
    from .runtime import Runtime
    from .station import Station

    bearers = open_bearers(lambda: None, **options)  # a step looks at all of them
    clock = clock_for(bearers)
    told = _Told()
    runtime = Runtime(Station(directory, clock.now()), bearers, told.tell, now=clock.now)
    desk = runtime.open_desk()

    def ask(request: dict[str, Any]) -> dict[str, Any]:
        runtime.step()
        return desk.perform(request, runtime.now())

    try:
        _require_device(runtime, bearers, told, clock)
        yield _Local(ask, clock)
    finally:
        for bearer in bearers:
            bearer.close()


class _Told:
    """What is told of bearers: complaints are printed.

    Attributes:
        ailing: the bearers that one was about.
        is_working: whether a device has said that it works.
    """

    def __init__(self) -> None:
        self.ailing: set[str] = set()
        self.is_working = False

    def tell(self, row: dict[str, Any]) -> None:
        """Take something that happened."""
        if row["event"] == "BearerWorks":
            self.is_working = True
        elif row["event"] in _COMPLAINTS:
            if "bearer" in row:
                self.ailing.add(row["bearer"])
            click.echo(f"{row['text']}.", err=True)


def _require_device(runtime: Any, bearers: Sequence[Bearer], told: _Told, clock: Any) -> None:
    """Ask nobody anything where nothing can be heard; a device that takes long is given its time.

    Raises:
        BearerLostError: no device works.
    """
    from .bearers.replay import ReplayFile

    if not bearers or any(isinstance(bearer, ReplayFile) for bearer in bearers):
        return
    for _ in range(_DEVICE_POLLS):
        runtime.step()
        if told.is_working:
            return
        if told.ailing.issuperset(bearer.name for bearer in bearers):
            raise BearerLostError("no receiver works, so nothing can be heard")
        clock.sleep(_DEVICE_POLL_S)


_COMPLAINTS: Final = (
    "BearerFailed",
    "BearerLost",
    "CommandAnswered",
    "UnitUnreached",
    "storage_failed",
)
