"""A meter that runs on this computer: what `elec-meter run` does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from collector import Keystore
from elec_meter.access import Gate
from elec_meter.at_rest import check, gate_of
from elec_meter.config import HostConfig, MeterConfig
from elec_meter.configured import changed_parts
from elec_meter.errors import CheckpointFailedError, ConfigError, StorageError, StorageLostError
from elec_meter.meter import Meter
from elec_meter.runtime import Runtime
from elec_meter.storage import DATABASE_NAME, Storage, read_config_file

from .addons import tell_of_addons
from .base import Edge, Host, Tell
from .edges import edges_of
from .gas import tell_of_units
from .ports import CredentialsMissingError

_STEP_S: Final = 0.25
_NO_PASSWORDS: Final = Gate(lambda: "", lambda _code, _text, _at: None)


def host_utc() -> datetime:
    """The host's clock."""
    return datetime.now(UTC)


def run_meter(
    file: Path,
    data_dir: Path | None,
    tell: Tell,
    *,
    now: Callable[[], datetime] = host_utc,
) -> None:
    """Run the meter of a configuration file until SIGINT or SIGTERM.

    Args:
        file: TOML, with a table `[host]`. The rest is the document with which the meter begins;
            a directory in which it has run has its own.
        data_dir: where it lives; None for what the file says.
        tell: takes sentences for whoever started it.
        now: the host's UTC.

    Raises:
        MeterError: it cannot run, in one sentence; nothing was measured.
        CollectorError: likewise, of what brings telegrams.
    """
    config, host_config = read_config_file(file)
    if host_config is None:
        raise ConfigError(f"{file} has no table [host], which says what is plugged in here")
    check(config, now())
    folder = file.resolve().parent
    directory = _data_dir(file, host_config, data_dir, folder)
    with ExitStack() as stack:
        storage = None
        if (directory / DATABASE_NAME).exists():
            storage = stack.enter_context(Storage.open(directory))
        host = Host(
            config=host_config,
            folder=folder,
            data_dir=directory,
            keystore=Keystore.open(directory),
            now=now,
            tell=tell,
        )
        edges = _let_in(edges_of(host), host, storage)
        arguments: dict[str, Any] = {"has_receiver": host_config.collector is not None}
        for edge in edges:
            stack.callback(edge.close)
            arguments |= edge.arguments()
        if storage is None:  # nothing is written before all of that is as it should be
            storage = stack.enter_context(Storage.open(directory))
        asyncio.run(_run(host, storage, config, edges, arguments))


def _let_in(edges: list[Edge], host: Host, storage: Storage | None) -> list[Edge]:
    """The edges whose passwords are there: a meter that has measured before measures without ports.

    Raises:
        CredentialsMissingError: it has never run; whoever sets it up is there to give them.
    """
    has_run = storage is not None and storage.load_config() is not None
    gate = _NO_PASSWORDS if storage is None else gate_of(storage)
    open_edges = []
    for edge in edges:
        try:
            edge.require(gate)
        except CredentialsMissingError as error:
            if not has_run:
                raise
            edge.close()
            host.tell(f"{error}; from the next start on it is open")
        else:
            open_edges.append(edge)
    return open_edges


def _data_dir(file: Path, host: HostConfig, data_dir: Path | None, folder: Path) -> Path:
    if data_dir is not None:
        return data_dir
    if host.data is None:
        raise ConfigError(f"{file} does not say where the meter lives: give --data or host.data")
    return folder / host.data


async def _run(
    host: Host,
    storage: Storage,
    config: MeterConfig,
    edges: list[Edge],
    arguments: dict[str, Any],
) -> None:
    known = storage.load_config()
    if known is not None and (changed := changed_parts(known, config)):
        host.tell(
            f"the meter has a configuration of its own, and the file's differs in"
            f" {', '.join(changed)}: `elec-meter config apply` would put that in force"
        )
    tell_of_addons(host, known or config)
    begin = host.now().replace(microsecond=0)
    meter = Meter(known or config, storage, begin, keystore=host.keystore)
    tell_of_units(host, meter)
    async with Runtime(meter, host.now, **arguments) as runtime, AsyncExitStack() as opened:
        for edge in edges:
            opened.push_async_callback(edge.stop)
            await edge.open(runtime)
        _begin_durably(host, runtime, has_run=known is not None)
        for name, address in runtime.ports.items():
            host.tell(f"{name} listens on {address}")
        host.tell(f"meter {meter.config.serial} runs in {host.data_dir}")
        await _live(host, runtime, edges)
    host.tell(f"meter {meter.config.serial} has stopped, and all is durable")


def _begin_durably(host: Host, runtime: Runtime, *, has_run: bool) -> None:
    """Make the start durable; a meter that has measured before measures on where that fails.

    Raises:
        CheckpointFailedError: it has never run; whoever sets it up is there to make room.
        StorageLostError: nothing will be durable any more.
    """
    try:
        runtime.durable()
    except StorageLostError:
        raise
    except CheckpointFailedError as error:
        if not has_run:
            raise
        host.tell(f"{error}; until one succeeds the meter measures on, and serves nothing")


async def _live(host: Host, runtime: Runtime, edges: list[Edge]) -> None:
    """Let real time pass."""
    told, ailing = 0, set[tuple[Edge, type]]()
    while not runtime.stopping.is_set():
        now = runtime.now()
        for edge in edges:
            _step(host, edge, now, ailing)
        runtime.step()
        for sentence in runtime.notices[told:]:
            host.tell(sentence)
        told = len(runtime.notices)
        await runtime.wait(_STEP_S)


def _step(host: Host, edge: Edge, now: datetime, ailing: set[tuple[Edge, type]]) -> None:
    """Step an edge; whatever ails it is told once of each kind, and the meter measures on.

    Raises:
        StorageError: what is durable is in doubt, which is no matter of the edge.
    """
    try:
        edge.step(now)
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever ails one edge, the meter measures on
        kind = (edge, type(error))
        if kind not in ailing:
            ailing.add(kind)
            host.tell(f"{type(edge).__name__} failed, and the meter measures on: {error!r}")
