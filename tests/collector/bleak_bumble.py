"""bleak's two ends over Bumble, on the virtual radio of a unit that runs in another thread.

bleak's backend interface is not public: this is the least of it that the bearer uses. Of a real
system it keeps one trait above all: pairing is not the bearer's to do, but its owner's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bleak.assigned_numbers import CharacteristicPropertyName
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError, BleakGATTProtocolError
from bumble import hci
from bumble.controller import Controller
from bumble.core import AdvertisingData, BaseBumbleError, ProtocolError
from bumble.device import Advertisement, Connection, Device, DeviceConfiguration, Peer
from bumble.gatt import Characteristic
from bumble.host import Host
from bumble.keys import MemoryKeyStore
from bumble.link import LocalLink
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport.common import TransportSink

from collector.bearers.ble import BTHOME_UUID, BleBackend

LIMIT_S = 120  # a virtual link never gives up by itself


class Adapter:
    """The computer's Bluetooth adapter, and who sits before it.

    Made in the loop of the virtual radio; everything else happens in the bearer's.

    Args:
        link: the radio.
        passkey: what its owner types.
    """

    def __init__(self, link: LocalLink, passkey: int) -> None:
        self._radio_loop = asyncio.get_running_loop()
        self._controller = Controller("collector", link=link, public_address=None)
        self._device: Device | None = None
        self.passkey = passkey
        self.is_plugged = True
        self.keystore = MemoryKeyStore()
        self.pairings = 0

    def backend(self) -> BleBackend:
        """What is handed to the bearer."""
        scanner = type("Scanner", (BumbleScanner,), {"adapter": self})
        client = type("Client", (BumbleClient,), {"adapter": self})
        return BleBackend(scanner, client)

    async def device(self) -> Device:
        """The device, switched on; always the same, so that it knows whom it has paired with."""
        if not self.is_plugged:
            raise BleakError("No Bluetooth adapters found.")
        if self._device is None:
            to_host = _Crossing(asyncio.get_running_loop(), self._controller)
            host = Host(to_host, _Sink(self._radio_loop, self._controller))
            address = hci.Address("C0:00:00:00:00:99")
            device = Device(
                config=DeviceConfiguration(name="collector", address=address, irk=bytes(range(16))),
                host=host,
            )
            device.keystore = self.keystore
            device.pairing_config_factory = lambda _: PairingConfig(
                sc=True, mitm=True, bonding=True, delegate=_Owner(self)
            )
            await device.power_on()
            self._device = device
        return self._device


class _Sink:
    """Hands packets to another thread's loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sink: TransportSink) -> None:
        self._loop = loop
        self._sink = sink

    def on_packet(self, packet: bytes) -> None:
        """Hand one over."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._sink.on_packet, packet)


class _Crossing:
    """What a controller says, in the host's loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, controller: Controller) -> None:
        self._loop = loop
        self._controller = controller

    def set_packet_sink(self, sink: TransportSink) -> None:
        """Say where to."""
        self._controller.set_packet_sink(_Sink(self._loop, sink))


class _Owner(PairingDelegate):
    def __init__(self, adapter: Adapter) -> None:
        super().__init__(PairingDelegate.IoCapability.KEYBOARD_INPUT_ONLY)
        self._adapter = adapter

    async def get_number(self) -> int:
        self._adapter.pairings += 1
        return self._adapter.passkey


class BumbleScanner(BaseBleakScanner):
    """Scans for as long as it is asked to."""

    adapter: Adapter

    def __init__(self, callback: Any, uuids: Any, mode: str, **arguments: Any) -> None:
        super().__init__(callback, uuids)

    async def start(self) -> None:
        """See bleak."""
        self.seen_devices = {}
        device = await self.adapter.device()
        device.on("advertisement", self._seen)
        await device.start_scanning(filter_duplicates=False)

    async def stop(self) -> None:
        """See bleak."""
        device = await self.adapter.device()
        device.remove_listener("advertisement", self._seen)
        await device.stop_scanning()

    def _seen(self, seen: Advertisement) -> None:
        if not self.adapter.is_plugged:
            return
        service_data = {}
        for kind, data in seen.data.ad_structures:
            if kind == AdvertisingData.Type.SERVICE_DATA_16_BIT_UUID and data[:2] == b"\xd2\xfc":
                service_data[BTHOME_UUID] = bytes(data[2:])
        advert = AdvertisementData(None, {}, service_data, [], None, -70, ())
        address = str(seen.address).partition("/")[0]
        found = self.create_or_update_device(address, address, None, seen.address, advert)
        self.call_detection_callbacks(found, advert)


class BumbleClient(BaseBleakClient):
    """One connection."""

    adapter: Adapter

    def __init__(self, device: BLEDevice | str, **arguments: Any) -> None:
        assert isinstance(device, BLEDevice)
        super().__init__(
            device,
            disconnected_callback=arguments["disconnected_callback"],
            timeout=arguments["timeout"],
        )
        self._peer_address = device.details
        self._connection: Connection | None = None
        self._peer: Peer | None = None
        self._subscribers: dict[int, Callable[[bytes], None]] = {}

    @property
    def name(self) -> str:
        """See bleak."""
        return self.address

    @property
    def mtu_size(self) -> int:
        """See bleak."""
        return self._link().att_mtu

    @property
    def is_connected(self) -> bool:
        """See bleak."""
        return self._connection is not None

    async def connect(self, pair: bool, **arguments: Any) -> None:
        """See bleak: encrypted at once under the key of an earlier pairing."""
        device = await self.adapter.device()
        try:
            connecting = device.connect(self._peer_address)
            connection = await asyncio.wait_for(connecting, self._timeout)
        except (BaseBumbleError, TimeoutError) as error:
            raise BleakError(f"cannot connect: {error}") from error
        self._connection = connection
        connection.on(connection.EVENT_DISCONNECTION, self._gone)
        if await self.adapter.keystore.get(str(connection.peer_address)):
            await asyncio.wait_for(connection.encrypt(), LIMIT_S)
        self._peer = Peer(connection)
        await self._peer.request_mtu(247)
        await self._discover(self._peer)

    async def disconnect(self) -> None:
        """See bleak."""
        if self._connection is not None:
            await self._connection.disconnect()

    async def pair(self, *arguments: Any, **named: Any) -> None:
        """See bleak: the owner types the passkey."""
        try:
            await asyncio.wait_for(self._link().pair(), LIMIT_S)
        except (BaseBumbleError, TimeoutError) as error:
            raise BleakError(f"Failed to pair: {error}") from error

    async def unpair(self) -> None:
        """See bleak."""
        raise NotImplementedError

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **named: Any
    ) -> bytearray:
        """See bleak."""
        return bytearray(await _answer(characteristic.obj.read_value()))

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: Any, response: bool
    ) -> None:
        """See bleak."""
        await _answer(characteristic.obj.write_value(bytes(data), with_response=response))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **named: Any
    ) -> None:
        """See bleak."""

        def notified(data: bytes) -> None:
            callback(bytearray(data))

        self._subscribers[characteristic.handle] = notified
        await _answer(characteristic.obj.subscribe(notified))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """See bleak."""
        subscriber = self._subscribers.pop(characteristic.handle)
        await _answer(characteristic.obj.unsubscribe(subscriber))

    async def read_gatt_descriptor(self, descriptor: Any, **named: Any) -> bytearray:
        """See bleak."""
        raise NotImplementedError

    async def write_gatt_descriptor(self, descriptor: Any, data: Any) -> None:
        """See bleak."""
        raise NotImplementedError

    async def _discover(self, peer: Peer) -> None:
        properties: dict[Any, CharacteristicPropertyName] = {
            Characteristic.Properties.READ: "read",
            Characteristic.Properties.WRITE: "write",
            Characteristic.Properties.NOTIFY: "notify",
        }
        found = BleakGATTServiceCollection()
        for service in await peer.discover_services():
            ours = BleakGATTService(service, service.handle, str(service.uuid.to_hex_str("-")))
            found.add_service(ours)
            for each in await service.discover_characteristics():
                names = [name for flag, name in properties.items() if each.properties & flag]
                uuid = each.uuid.to_hex_str("-").lower()
                found.add_characteristic(
                    BleakGATTCharacteristic(each, each.handle, uuid, names, lambda: 244, ours)
                )
        self.services = found

    def _link(self) -> Connection:
        if self._connection is None:
            raise BleakError("Not connected")
        return self._connection

    def _gone(self, _reason: object) -> None:
        self._connection = None
        if self._disconnected_callback is not None:
            self._disconnected_callback()


async def _answer(awaitable: Any) -> Any:
    try:
        return await asyncio.wait_for(awaitable, LIMIT_S)
    except ProtocolError as error:
        raise BleakGATTProtocolError(int(error.error_code)) from error
    except (BaseBumbleError, TimeoutError) as error:
        raise BleakError(str(error)) from error
