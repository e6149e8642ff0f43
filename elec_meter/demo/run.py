"""The demo command's loop: simulated time at any speed, the ports, the screen, the summary."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.live import Live

from collector import Keystore
from elec_meter.access import PUBLISHED_PASSWORDS, SALT_BYTES, Gate
from elec_meter.config import AddonConfig, demo_config
from elec_meter.ledger.audit import imbalances
from elec_meter.meter import Meter
from elec_meter.metrology import warm_cache
from elec_meter.ports import SerialDevice, parse_address
from elec_meter.runtime import PanelPlace, Runtime
from elec_meter.sampling.household import HouseholdLoad
from elec_meter.sampling.synthetic import Load
from elec_meter.storage import Storage
from shared.timegrid import from_unix_ms

from .controls import DemoControls, Pace
from .credentials import dlms_clients
from .gas import BoilerFlow, GasFlow, GasMeter
from .live import live_view
from .prices import with_prices
from .world import UNIT_SERIAL, DemoWorld, demo_unit, saved_world

_LISTEN: Final = "listen"
FRAME_S: Final = 0.25
_SLOW_S: Final = 3.0
SLICE: Final = timedelta(minutes=10)


def _tell(sentence: str) -> None:
    """Beside the output, which may be read by a program."""
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201 - a command's own words


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What the user asked for.

    Attributes:
        data_dir: where the meter lives; None for a directory that goes with the demo.
        start: when the simulation begins; None for now.
        length: how much meter time to run; None until stopped.
        speed: seconds of meter time a second; 0 is as fast as it can.
        seed: which home.
        loss: share of telegrams lost.
        load: what the house draws; None for the simulated household.
        flow: the gas it burns; None for the simulated boiler.
        flag: the FLAG listener.
        optical: the serial device of the FLAG port at the meter.
        dlms: the DLMS listener.
        panel: the web panel.
        addons: modules in the slot beside those of the configuration.
        live: whether to draw the screen.
        tell: takes sentences for whoever started it; where the screen is drawn, those before it.
    """

    data_dir: Path | None = None
    start: datetime | None = None
    length: timedelta | None = None
    speed: float = 1.0
    seed: int = 1
    loss: float = 0.0
    load: Load | None = None
    flow: GasFlow | None = None
    flag: tuple[str, int] | None = None
    optical: SerialDevice | None = None
    dlms: tuple[str, int] | None = None
    panel: PanelPlace | None = None
    addons: tuple[AddonConfig, ...] = ()
    live: bool = True
    tell: Callable[[str], None] = _tell


def run_demo(options: DemoOptions) -> dict[str, Any]:
    """Run the whole system until it is told to stop or its time is up.

    Returns:
        The summary: what was turned, metered and received.

    Raises:
        MeterError: the data directory or a port cannot be used.
    """
    with ExitStack() as stack:
        data_dir = options.data_dir or Path(
            stack.enter_context(TemporaryDirectory(prefix="halfhourly-"))
        )
        storage = stack.enter_context(Storage.open(data_dir))
        keystore = Keystore.open(data_dir)
        world = _resumed_or_new(storage, data_dir, options, keystore)
        _compile(options.tell)
        return asyncio.run(_run(world, options, keystore))


def _compile(tell: Callable[[str], None]) -> None:
    """Have what measures ready before anything listens: to compile it holds everybody up."""
    patience = Timer(
        _SLOW_S, tell, ("compiling what measures for this computer, which is done once",)
    )
    patience.daemon = True
    patience.start()
    try:
        warm_cache()
    finally:
        patience.cancel()


def _resumed_or_new(
    storage: Storage, data_dir: Path, options: DemoOptions, keystore: Keystore
) -> DemoWorld:
    """In a directory that knows a later time than was asked for, the demo goes on from there."""
    saved = saved_world(storage)
    start = options.start or datetime.now(UTC).replace(microsecond=0)
    if saved is not None:
        durable = from_unix_ms(saved.now_ms)
        if options.start is not None and start < durable:
            options.tell(
                f"{data_dir} holds data up to {durable:%Y-%m-%dT%H:%M:%SZ}: going on from there"
            )
        if options.start is None or start < durable:
            start = durable
    config = storage.load_config() or with_prices(demo_config())
    meter = Meter(config, storage, start, keystore=keystore)
    seed = options.seed if saved is None else saved.seed
    turns = GasMeter(options.flow or BoilerFlow(seed), demo_unit(meter.config).weight)
    load = options.load or HouseholdLoad(seed)
    return DemoWorld(meter, turns, load, seed=seed, loss=options.loss)


async def _run(world: DemoWorld, options: DemoOptions, keystore: Keystore) -> dict[str, Any]:
    begun = world.now
    pace = Pace(options.speed, begun, asyncio.get_running_loop().time)
    controls = DemoControls(world, pace)
    while True:
        options = await _live(world, options, controls, pace, begun)
        if controls.dark_until is None:
            return summary(world, begun)
        for _ in world.lose_power(controls.dark_until):
            await asyncio.sleep(0)
        world.regain_power(keystore)
        controls.has_come_back()


async def _live(
    world: DemoWorld, options: DemoOptions, controls: DemoControls, pace: Pace, begun: datetime
) -> DemoOptions:
    """From one power-up of the meter to the next, or to the end; with the ports that were free."""
    end = None if options.length is None else begun + options.length
    panel = options.panel and replace(options.panel, demo=controls)
    screen = Console(file=sys.stderr)
    is_drawn = options.live and screen.is_terminal and not screen.is_dumb_terminal
    tell = _tell if is_drawn else options.tell  # nothing is written late, into the picture
    async with Runtime(
        world.meter,
        lambda: world.now,
        flag=options.flag,
        optical=options.optical,
        dlms=options.dlms,
        dlms_clients=dlms_clients(),
        panel=panel,
        addons=options.addons,
        has_receiver=True,
        say=_keep_quiet if is_drawn else lambda name, sentence: tell(f"{name} {sentence}"),
    ) as runtime:
        world.hear = runtime.hear
        if runtime.ports:
            publish_passwords(runtime.gate, world.now)
        for notice in runtime.notices:
            tell(notice)
        if is_drawn:
            with Live(console=screen, auto_refresh=False, screen=True) as live:
                await Driving(world, runtime, controls, pace).drive(end, live)
        else:
            for name, address in runtime.ports.items():
                tell(f"{name} listens on {address}")
            await Driving(world, runtime, controls, pace).drive(end, None)
        if runtime.stopping.is_set():
            controls.dark_until = None
        return with_ports(options, runtime.ports)


def with_ports(options: DemoOptions, ports: dict[str, str]) -> DemoOptions:
    """The options with the ports that listen: whoever comes back finds them where they were.

    Args:
        options: some of whose ports may be 0, for any that is free.
        ports: as `Runtime.ports` has them.
    """
    flag, dlms, panel = options.flag, options.dlms, options.panel
    if flag is not None:
        flag = parse_address(ports["FLAG"])
    if dlms is not None:
        dlms = parse_address(ports["DLMS"])
    if panel is not None:
        panel = replace(panel, port=parse_address(ports["panel"].partition("//")[2])[1])
    addons = tuple(_at_place(addon, ports.get(addon.name)) for addon in options.addons)
    return replace(options, flag=flag, dlms=dlms, panel=panel, addons=addons)


def _at_place(addon: AddonConfig, place: str | None) -> AddonConfig:
    """A module that listens where it did, once it has said where that is."""
    if place is None:
        return addon
    settings = tuple(
        msgspec.structs.replace(each, value=place) if each.name == _LISTEN else each
        for each in addon.settings
    )
    return msgspec.structs.replace(addon, settings=settings)


def publish_passwords(gate: Gate, now: datetime) -> None:
    """Give every level that has none the demo's password, which everybody knows."""
    for level, password in PUBLISHED_PASSWORDS.items():
        if level not in gate.levels:
            gate.set_password(level, password, secrets.token_bytes(SALT_BYTES), now)


def _keep_quiet(_name: str, _sentence: str) -> None:
    """Where the screen is drawn, places stand in its footer."""


class Driving:
    """Lets simulated time pass at the pace that was asked for."""

    def __init__(
        self, world: DemoWorld, runtime: Runtime, controls: DemoControls, pace: Pace
    ) -> None:
        self._world = world
        self._runtime = runtime
        self._controls = controls
        self._pace = pace

    async def drive(self, end: datetime | None, live: Live | None) -> None:
        """Until it is time to stop, or the supply is cut."""
        world, loop = self._world, asyncio.get_running_loop()
        drawn, drawn_s = None, -FRAME_S
        while not self._is_over() and (end is None or world.now < end):
            due, until = self._pace.due(), world.now + SLICE
            if end is not None:
                until = min(until, end)
            is_early = due is not None and due <= until
            if due is not None and is_early:
                until = due
            changes = self._pace.changes
            for _ in world.advance(until):
                await asyncio.sleep(0)
                if self._is_over():
                    return
                if changes != self._pace.changes:
                    break  # what was due at the former pace would be far ahead of a slower one
            second = world.now.replace(microsecond=0)  # what is shown changes with it at most
            if live is not None and second != drawn and loop.time() - drawn_s >= FRAME_S:
                drawn, drawn_s = second, loop.time()
                if self._runtime.is_durable():
                    live.update(live_view(world, self._footer()), refresh=True)
            if is_early:
                await self._runtime.wait(FRAME_S)

    def _is_over(self) -> bool:
        return self._runtime.stopping.is_set() or self._controls.dark_until is not None

    def _footer(self) -> str:
        speed = f"speed {self._pace.speed:g}" if self._pace.speed else "as fast as it can"
        ports = "  ".join(f"{name} {address}" for name, address in self._runtime.ports.items())
        return (
            f"{speed} · loss {self._world.loss:.0%} · {ports or 'no ports'}\n"
            f"data in {self._world.meter.storage.directory} · Ctrl-C ends"
        )


def summary(world: DemoWorld, begun: datetime) -> dict[str, Any]:
    """What a demo did, for people and programs."""
    ledger = world.meter.ledger
    differences = imbalances(ledger)
    return {
        "start": begun,
        "end": world.now,
        "import_wh": ledger.total("import"),
        "import_rates_wh": ledger.rates("import"),
        "export_wh": ledger.total("export"),
        "gas": {
            "turned": world.turned,
            "counted": world.unit.count,
            "register": ledger.total("gas"),
            "not_final": ledger.unrated("gas"),
        },
        "telegrams": {
            "sent": world.telegrams_sent,
            "received": world.telegrams_received,
            "refused": sum(world.meter.collector.state(UNIT_SERIAL).refusals.values()),
        },
        "balanced": not differences,
        "differences": differences,
    }
