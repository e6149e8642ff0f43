"""A Linux board's Bluetooth, through Bumble: adverts, connectable windows and the GATT service.

Pairing is LE Secure Connections with the label's passkey, which only a person who has read the
label can enter, and only while the unit is open for it. All else is refused before it begins.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from bumble import att, gatt, hci
from bumble.core import UUID, BaseBumbleError
from bumble.device import AdvertisingType, Connection, Device, DeviceConfiguration
from bumble.transport.common import Transport

from pulse_unit.errors import AttributeRefused, PartLost
from pulse_unit.gatt import GattService
from pulse_unit.hal.linux import LinuxBoard, Part, stop
from pulse_unit.hal.linux_bonds import BondFile, guard_pairing
from shared.wire.gatt import NOTIFYING, READABLE, SERVICE_UUID, UUIDS, WRITABLE

if TYPE_CHECKING:
    from pathlib import Path

ADVERT_MAX = 31  # bytes in a legacy advert (Core Specification, Vol 6, Part B, 2.3.1)
_INTERVAL_MS = 100  # the least that every controller takes for adverts nobody can connect to
_ADVERT_S = 0.05  # one event: the first leaves at once, the second after the interval
_STRANGER_S = 40.0  # to pair in; the security protocol itself gives up after 30
_IDLE_S = 60.0
_NOTIFICATION_HEADER = 3  # of an ATT notification


def open_transport(name: str) -> Callable[[], Awaitable[Transport]]:
    """Return what opens a Bluetooth controller by its Bumble name, such as `hci-socket:0`."""

    async def opened() -> Transport:
        from bumble.transport import open_transport as bumble_open_transport

        return await bumble_open_transport(name)

    return opened


class Bluetooth(Part):
    """One controller.

    Args:
        name: what it is called in a report.
        open_controller: opens the way to it.
        bonds: the file of the keys of paired peers, mode 0600.
    """

    has_bluetooth = True

    def __init__(
        self, name: str, open_controller: Callable[[], Awaitable[Transport]], bonds: Path
    ) -> None:
        self.name = name
        self._open_controller = open_controller
        self._bonds = bonds
        self._window: bytes | None = None
        self._once: bytes | None = None
        self._changed = asyncio.Event()

    def attach(self, board: LinuxBoard) -> None:
        """See `Part`."""
        super().attach(board)
        self._service = GattService(board.unit, board)

    def advertise(self, data: bytes) -> None:
        """See `Part`."""
        self._once = data
        self._changed.set()

    def set_window(self, data: bytes | None) -> None:
        """See `Part`."""
        self._window = data
        self._changed.set()

    async def run(self, opened: Callable[[], None]) -> None:
        """See `Part`."""
        try:
            transport = await self._open_controller()
        except Exception as error:  # Bumble's transports raise what their libraries do
            raise PartLost(f"{self.name} cannot be opened: {str(error) or error!r}") from error
        tasks: list[asyncio.Future[None]] = []
        peripheral = Peripheral(self.board, self._service, self._device(transport))
        try:
            await peripheral.power_on()
            opened()
            self._changed.set()
            tasks = [
                asyncio.create_task(self._advertise(peripheral)),
                asyncio.create_task(peripheral.watch()),
            ]
            terminated = getattr(transport.source, "terminated", None)
            if terminated is not None:
                tasks.append(asyncio.ensure_future(asyncio.shield(terminated)))
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except (BaseBumbleError, OSError, TimeoutError) as error:
            raise PartLost(f"{self.name} is gone: {error}") from error
        finally:
            await stop([*tasks, *peripheral.tasks])
            self._service.disconnected()
            await transport.close()
        raise PartLost(f"{self.name} is gone")

    def _device(self, transport: Transport) -> Device:
        address = hci.Address(":".join(f"{byte:02X}" for byte in self.board.address or b""))
        configuration = DeviceConfiguration(
            name=f"HHY {self.board.serial}",
            address=address,
            irk=secrets.token_bytes(16),
            classic_enabled=False,
            classic_smp_enabled=False,
        )
        device = Device.from_config_with_hci(configuration, transport.source, transport.sink)
        device.keystore = BondFile(self._bonds)
        guard_pairing(
            device, self.board.passkey, lambda: self._service.may_pair(self.board.uptime_ms())
        )
        return device

    async def _advertise(self, peripheral: Peripheral) -> None:
        peripheral.on_change = self._changed.set
        device = peripheral.device
        while True:
            await self._changed.wait()
            self._changed.clear()
            once, self._once = self._once, None
            if self._window is not None and not device.connections:
                await _start(device, AdvertisingType.UNDIRECTED_CONNECTABLE_SCANNABLE, self._window)
                continue
            if once is not None:
                await _start(device, AdvertisingType.UNDIRECTED, once)
                await asyncio.sleep(_ADVERT_S)
            await device.stop_advertising()


async def _start(device: Device, kind: AdvertisingType, data: bytes) -> None:
    if len(data) > ADVERT_MAX:
        raise ValueError(f"an advert has {ADVERT_MAX} bytes at most, not {len(data)}")
    await device.start_advertising(
        kind,
        advertising_data=data,
        scan_response_data=b"",
        advertising_interval_min=_INTERVAL_MS,
        advertising_interval_max=_INTERVAL_MS,
    )


class Peripheral:
    """The GATT server of a device, for one peer at a time.

    Attributes:
        tasks: what it has begun and not ended: whoever drops it stops them.
    """

    def __init__(self, board: LinuxBoard, service: GattService, device: Device) -> None:
        self.device = device
        self.on_change: Callable[[], None] = board.wake
        self._board = board
        self._service = service
        self._peer: Connection | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self._heard = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._characteristics = [self._characteristic(attribute) for attribute in range(len(UUIDS))]
        device.add_service(gatt.Service(UUID(SERVICE_UUID), self._characteristics))
        device.on(device.EVENT_CONNECTION, self._connected)

    async def power_on(self) -> None:
        """Start the controller."""
        await self.device.power_on()

    async def watch(self) -> None:
        """Part with a peer that does not pair, or says nothing for long."""
        while True:
            self._heard.clear()
            try:
                async with asyncio.timeout(_IDLE_S if self._service.is_secure else _STRANGER_S):
                    await self._heard.wait()
            except TimeoutError:
                if self._peer is not None:
                    await self._peer.disconnect()

    def _characteristic(self, attribute: int) -> gatt.Characteristic[bytes]:
        # The service itself refuses: Bumble calls every encrypted link authenticated.
        properties = gatt.Characteristic.Properties(0)
        permissions = gatt.Characteristic.Permissions(0)
        if attribute in READABLE:
            properties |= gatt.Characteristic.Properties.READ
            permissions |= gatt.Characteristic.Permissions.READABLE
        if attribute in WRITABLE:
            properties |= gatt.Characteristic.Properties.WRITE
            permissions |= gatt.Characteristic.Permissions.WRITEABLE
        if attribute in NOTIFYING:
            properties |= gatt.Characteristic.Properties.NOTIFY
        value = gatt.CharacteristicValue(
            read=functools.partial(self._read, attribute),
            write=functools.partial(self._write, attribute),
        )
        return gatt.Characteristic(UUID(UUIDS[attribute]), properties, permissions, value)

    def _read(self, attribute: int, connection: Connection) -> bytes:
        self._listen()
        if connection is not self._peer:
            raise att.ATT_Error(att.ErrorCode.INSUFFICIENT_AUTHENTICATION)
        try:
            return self._service.read(attribute, self._board.uptime_ms())
        except AttributeRefused as refused:
            raise att.ATT_Error(att.ErrorCode(refused.code)) from refused

    def _write(self, attribute: int, connection: Connection, data: bytes) -> None:
        self._listen()
        if connection is not self._peer:
            raise att.ATT_Error(att.ErrorCode.INSUFFICIENT_AUTHENTICATION)
        code = self._service.write(attribute, bytes(data), self._board.uptime_ms())
        self._board.wake()
        if code:
            raise att.ATT_Error(att.ErrorCode(code))
        if self._service.is_busy and (self._pump is None or self._pump.done()):
            self._pump = self._begin(self._notify(connection))

    def _listen(self) -> None:
        if self._service.is_secure:  # a stranger's requests gain him no time
            self._heard.set()

    async def _notify(self, peer: Connection) -> None:
        """Send what is to be notified, no faster than the controller takes it."""
        while peer is self._peer and self._service.is_busy:
            found = self._service.next_notification(peer.att_mtu - _NOTIFICATION_HEADER)
            self._heard.set()
            if found is None:
                await asyncio.sleep(0)
                continue
            attribute, value = found
            await self.device.notify_subscriber(peer, self._characteristics[attribute], value)
            await peer.drain()

    def _connected(self, connection: Connection) -> None:
        if self._peer is not None:
            self._part(connection)
            return
        self._peer = connection
        self._service.connected()
        self._heard.set()
        connection.on(connection.EVENT_DISCONNECTION, functools.partial(self._gone, connection))
        connection.on(
            connection.EVENT_CONNECTION_ENCRYPTION_CHANGE,
            functools.partial(self._encryption_changed, connection),
        )
        # Each attempt costs a connection, and no half-finished state outlives it.
        connection.on(connection.EVENT_PAIRING_FAILURE, lambda _reason: self._part(connection))

    def _encryption_changed(self, connection: Connection) -> None:
        # Only keys of passkey pairings are ever offered: see `linux_bonds`.
        if connection is self._peer and connection.is_encrypted:
            self._service.secured()
            self._heard.set()

    def _gone(self, connection: Connection, _reason: Any) -> None:
        if connection is self._peer:
            self._peer = None
            self._service.disconnected()
            self._heard.set()
            self.on_change()

    def _part(self, connection: Connection) -> None:
        async def disconnect() -> None:
            with contextlib.suppress(BaseBumbleError):
                await connection.disconnect()

        self._begin(disconnect())

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task
