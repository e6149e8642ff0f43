"""A unit on a Linux board and a central beside it, over Bumble's virtual radio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from bumble import hci
from bumble.controller import Controller
from bumble.core import UUID, ProtocolError
from bumble.device import Connection, Device, DeviceConfiguration, Peer
from bumble.gatt_client import CharacteristicProxy
from bumble.host import Host
from bumble.link import LocalLink
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport.common import AsyncPipeSink, Transport, TransportSink

from pulse_unit.board import INPUT_BUTTON
from pulse_unit.hal.linux import Part, static_address
from pulse_unit.hal.linux_ble import Bluetooth
from pulse_unit.hal.memory import MemoryNvm
from pulse_unit.history import CountHistory
from pulse_unit.store import BOOT, Store
from pulse_unit.unit import PAGES, STATE_PAGES, PulseUnit
from shared.wire.gatt import UUIDS
from tests.pulse_unit.bench import LIMIT_S, Bench
from tests.pulse_unit.listening import KEY

PASSKEY = 123_456


class Home(Bench):
    """A unit with Bluetooth and a virtual radio; `central` adds a phone."""

    def __init__(self, folder: Path, passkey: str = f"{PASSKEY:06d}") -> None:
        super().__init__(folder, passkey=passkey)
        self.link = LocalLink()
        self._centrals = 0
        self.seen: list[bytes] = []

    def parts(self) -> tuple[Part, ...]:
        """A controller of its own for each boot."""
        return (Bluetooth("hci0", self._open, self.folder / "bonds"),)

    def run(self, scenario: Callable[[], Awaitable[None]], **config: int) -> PulseUnit:
        """See `Bench`; it advertises each second."""
        return super().run(scenario, **{"advert_period_s": 1, "window_period_s": 60, **config})

    async def press(self) -> None:
        """Press the button, and let the unit see it."""
        for on in (True, False):
            self.board.set_input(INPUT_BUTTON, on)
            await asyncio.sleep(0.02)

    def break_controller(self) -> None:
        """Pull the unit's Bluetooth adapter out."""
        self.link.remove_controller(self._controller)
        self._terminated.set_result(None)

    def forget_centrals(self) -> None:
        """Begin anew with other radios: the next central is the first once more."""
        self.link = LocalLink()
        self._centrals = 0

    def fill_log(self, entries: int) -> None:
        """Let the unit have logged so many entries in boots before."""
        nvm = MemoryNvm(PAGES)
        Store(nvm, 0, STATE_PAGES).put(BOOT, 1)  # a store without a boot has lost its counters
        history = CountHistory(nvm, STATE_PAGES, PAGES - STATE_PAGES)
        history.begin(0, 1, 0)
        for index in range(1, entries):
            history.append(1 + index * 1800, index // 48 * 200 + min(index % 48, 20) * 10)
        history.flush()
        (self.folder / "memory").write_bytes(nvm.image)

    async def central(self, passkey: int | None = PASSKEY, **capabilities: bool) -> Central:
        """A phone whose owner types this passkey; None: it has no keyboard."""
        self._centrals += 1
        address = hci.Address(f"C0:00:00:00:00:{self._centrals:02X}")
        controller = Controller("central", link=self.link, public_address=None)
        device = Device(
            config=DeviceConfiguration(name="central", address=address, irk=bytes(range(16))),
            host=Host(controller, AsyncPipeSink(controller)),
        )
        delegate = _Person(passkey)
        device.pairing_config_factory = lambda _: PairingConfig(
            **{"sc": True, "mitm": True, "bonding": True, **capabilities}, delegate=delegate
        )
        await device.power_on()
        device.on("advertisement", lambda seen: self.seen.append(bytes(seen.data_bytes)))
        await device.start_scanning(filter_duplicates=False)
        return Central(device)

    async def _open(self) -> Transport:
        self._controller = Controller("unit", link=self.link, public_address=None)
        source = _Source(self._controller)
        self._terminated = source.terminated
        return Transport(source, AsyncPipeSink(self._controller))


class _Source:
    """What a controller says, until it is gone."""

    def __init__(self, controller: Controller) -> None:
        self.terminated: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._controller = controller

    def set_packet_sink(self, sink: TransportSink) -> None:
        """Say where to."""
        self._controller.set_packet_sink(sink)


class _Person(PairingDelegate):
    def __init__(self, passkey: int | None) -> None:
        capability = PairingDelegate.IoCapability
        super().__init__(
            capability.NO_OUTPUT_NO_INPUT if passkey is None else capability.KEYBOARD_INPUT_ONLY
        )
        self._passkey = passkey

    async def get_number(self) -> int | None:
        return self._passkey


class Central:
    """A phone or a collector."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.connection: Connection | None = None
        self.notified: dict[int, list[bytes]] = {}
        self.characteristics: list[CharacteristicProxy[bytes]] = []

    async def connect(self, mtu: int = 247) -> None:
        """Connect, agree on an MTU and find the service."""
        address = hci.Address(":".join(f"{byte:02X}" for byte in static_address(KEY)))
        self.connection = await asyncio.wait_for(self.device.connect(address), LIMIT_S)
        peer = Peer(self.connection)
        await peer.request_mtu(mtu)
        await peer.discover_services()
        await peer.discover_characteristics()
        self.characteristics = [peer.get_characteristics_by_uuid(UUID(each))[0] for each in UUIDS]

    async def disconnect(self) -> None:
        """Part."""
        assert self.connection is not None
        await self.connection.disconnect()

    async def pair(self) -> None:
        """Pair, or raise."""
        assert self.connection is not None
        await asyncio.wait_for(self.connection.pair(), LIMIT_S)

    async def read(self, attribute: int) -> bytes:
        """Read a value, long or short."""
        return bytes(await asyncio.wait_for(self.characteristics[attribute].read_value(), LIMIT_S))

    async def write(self, attribute: int, data: bytes) -> None:
        """Write a value and wait for the answer."""
        await asyncio.wait_for(
            self.characteristics[attribute].write_value(data, with_response=True), LIMIT_S
        )

    async def subscribe(self, attribute: int) -> asyncio.Queue[bytes]:
        """Have what is notified put into a queue."""
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        await self.characteristics[attribute].subscribe(queue.put_nowait)
        return queue


async def paired(home: Home, mtu: int = 247) -> Central:
    """A central that has paired."""
    await home.press()
    central = await home.central()
    await central.connect(mtu)
    await central.pair()
    return central


async def error_of(awaitable: Awaitable[object]) -> int | None:
    """The protocol error with which something ends, or None."""
    try:
        await awaitable
    except ProtocolError as error:
        return int(error.error_code)
    return None
