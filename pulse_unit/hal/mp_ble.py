"""A unit's adverts and its GATT service over MicroPython's `bluetooth`, NimBLE beneath it.

The stack's events are queued as they come and served when the unit is not at work: a handler may
be called between any two steps of the core.
"""

import bluetooth  # type: ignore[import-not-found]  # a board's

from pulse_unit.board import Board
from pulse_unit.errors import AttributeRefused
from pulse_unit.gatt import GattService
from pulse_unit.hal.mp_bonds import BondFile
from pulse_unit.schedule import NEVER_MS
from pulse_unit.unit import PulseUnit
from shared.wire.command import COMMAND_MAX
from shared.wire.gatt import (
    ATT_INSUFFICIENT_AUTHENTICATION,
    NOTIFICATION_MAX,
    NOTIFICATION_MIN,
    NOTIFYING,
    READABLE,
    SERVICE_UUID,
    TELEGRAM,
    UUIDS,
    WRITABLE,
    value_max,
)

# The module's own numbers: it does not name them.
_IRQ_CENTRAL_CONNECT = 1
_IRQ_CENTRAL_DISCONNECT = 2
_IRQ_GATTS_WRITE = 3
_IRQ_GATTS_READ_REQUEST = 4
_IRQ_MTU_EXCHANGED = 21
_IRQ_ENCRYPTION_UPDATE = 28
_IRQ_GET_SECRET = 29
_IRQ_SET_SECRET = 30
_IRQ_PASSKEY_ACTION = 31
_PASSKEY_DISPLAY = 3
_DISPLAY_ONLY = 0
_FLAG_READ = 0x0002 | 0x0200 | 0x0400  # encrypted, authenticated
_FLAG_WRITE = 0x0008 | 0x1000 | 0x2000
_FLAG_NOTIFY = 0x0010
_KEY_SIZE = 16

WINDOW_INTERVAL_US = 250_000
STRANGER_MS = 60_000  # how long a peer may stay that has not paired
IDLE_MS = 120_000  # and one that has, without a write

_REQUESTS = 8
_NOTIFICATIONS_MAX = 8  # in one go, so that the unit goes on meanwhile

# Kinds of requests.
_CONNECTED = 1
_DISCONNECTED = 2
_SECURED = 3
_PASSKEY = 4
_WRITTEN = 5


class _Requests:
    """A ring between the stack's events, which put, and the unit, which takes."""

    def __init__(self) -> None:
        self._kinds = bytearray(_REQUESTS)
        self._numbers = bytearray(_REQUESTS)
        self._lengths = bytearray(_REQUESTS)
        self._data = bytearray(_REQUESTS * COMMAND_MAX)
        self._head = 0
        self._tail = 0
        self.is_lost = False  # one found it full

    @property
    def is_waiting(self) -> bool:
        """Whether there is any."""
        return self._head != self._tail or self.is_lost

    def put(self, kind: int, number: int, data: bytes) -> None:
        """Queue a request with the first bytes of its data."""
        following = (self._head + 1) % _REQUESTS
        if following == self._tail:
            self.is_lost = True
            return
        length = min(len(data), COMMAND_MAX)
        start = self._head * COMMAND_MAX
        self._kinds[self._head] = kind
        self._numbers[self._head] = number
        self._lengths[self._head] = length
        self._data[start : start + length] = data[:length]
        self._head = following

    def take(self) -> "tuple[int, int, bytes] | None":
        """Return the oldest request: kind, number, data."""
        slot = self._tail
        if slot == self._head:
            return None
        start = slot * COMMAND_MAX
        data = bytes(self._data[start : start + self._lengths[slot]])
        request = (self._kinds[slot], self._numbers[slot], data)
        self._tail = (slot + 1) % _REQUESTS
        return request


class BleLink:
    """A board's Bluetooth: adverts, and one peer at a time.

    Args:
        board: whose key the service's MACs take.
        passkey: the label's.
        bonds: where the stack's keys persist.
        stays_active: whether the controller may stay on between adverts.
        interval_us: of an advert that is sent once, up to 10,240,000.
        hold_ms: how long it stays on, below the interval: the first leaves at once.

    Attributes:
        address: what goes over the air, first byte first.
    """

    def __init__(
        self,
        board: Board,
        passkey: int,
        bonds: BondFile,
        *,
        stays_active: bool,
        interval_us: int,
        hold_ms: int,
    ) -> None:
        self._board = board
        self._passkey = passkey
        self._bonds = bonds
        self._stays_active = stays_active
        self._interval_us = interval_us
        self._hold_ms = hold_ms
        self._ble = bluetooth.BLE()
        self._handles: "tuple[int, ...]" = ()
        self._requests = _Requests()
        self._service: "GattService | None" = None
        self._peer = -1
        self._room = NOTIFICATION_MIN
        self._is_secure = False
        self._waiting: "tuple[int, bytes] | None" = None  # a notification that was not taken
        self._window = b""  # what is advertised while centrals can connect
        self._advert_end_ms = NEVER_MS
        self._drop_ms = NEVER_MS
        self.is_active = False
        self._event = self._on_event
        self._activate()
        self.address = bytes(self._ble.config("mac")[1])
        self._rest()

    @property
    def is_connected(self) -> bool:
        """Whether there is a peer."""
        return self._peer >= 0

    def is_awaited(self, now_ms: int) -> bool:
        """Tell whether `serve` has something to do now."""
        if now_ms >= self._drop_ms or self._requests.is_waiting or self._bonds.is_changed:
            return True
        return self.is_connected and self._is_notifying and self._waiting is None

    def advertise(self, data: bytes, now_ms: int) -> None:
        """Send an advert once."""
        self._activate()
        self._ble.gap_advertise(self._interval_us, data, connectable=False)
        self._advert_end_ms = now_ms + self._hold_ms

    def open_window(self, data: bytes) -> None:
        """Let centrals connect."""
        self._window = data
        self._advert_end_ms = NEVER_MS
        if not self.is_connected:
            self._activate()
            self._ble.gap_advertise(WINDOW_INTERVAL_US, data, connectable=True)

    def close_window(self) -> None:
        """Let no more centrals connect."""
        self._window = b""
        if self.is_active:
            self._ble.gap_advertise(None)
        self._rest()

    def handle_timer(self, now_ms: int) -> int:
        """End an advert that has been sent; return when there is something to do again."""
        if now_ms >= self._advert_end_ms:
            self._advert_end_ms = NEVER_MS
            if not self._window:
                self._ble.gap_advertise(None)
                self._rest()
        return min(self._advert_end_ms, self._drop_ms)

    def serve(self, unit: PulseUnit, now_ms: int) -> None:
        """Do what peers ask, as far as they may."""
        if self._service is None:
            self._service = GattService(unit, self._board)
        if self._requests.is_lost:
            self._requests.is_lost = False
            self._drop()  # nobody knows what it asked
        while True:
            request = self._requests.take()
            if request is None:
                break
            self._answer(self._service, request, now_ms)
        self._notify(self._service, now_ms)
        if now_ms >= self._drop_ms:
            self._drop_ms = NEVER_MS
            self._drop()
        if self._bonds.is_changed:
            self._bonds.save()

    def _answer(self, service: GattService, request: "tuple[int, int, bytes]", now_ms: int) -> None:
        kind, number, data = request
        if kind == _CONNECTED:
            service.connected()
            self._empty()
            self._drop_ms = now_ms + STRANGER_MS
        elif kind == _DISCONNECTED:
            service.disconnected()
            self._waiting = None
            self._drop_ms = NEVER_MS
            self._empty()
            if self._window:
                self.open_window(self._window)
            self._rest()
        elif kind == _PASSKEY:
            if number == _PASSKEY_DISPLAY and service.may_pair(now_ms):
                self._ble.gap_passkey(self._peer, number, self._passkey)
            else:
                self._drop()
        elif kind == _SECURED:
            service.secured()
            self._fill(service, now_ms)
            self._drop_ms = now_ms + IDLE_MS
        else:
            service.write(number, data, now_ms)
            self._fill(service, now_ms)
            if self._is_secure:
                self._drop_ms = now_ms + IDLE_MS

    @property
    def _is_notifying(self) -> bool:
        return self._service is not None and self._service.is_busy

    def _notify(self, service: GattService, now_ms: int) -> None:
        for _ in range(_NOTIFICATIONS_MAX):
            if not self.is_connected or not (self._waiting or service.is_busy):
                return
            self._waiting = self._waiting or service.next_notification(self._room)
            if self._waiting is None:
                continue
            attribute, data = self._waiting
            try:
                self._ble.gatts_notify(self._peer, self._handles[attribute], data)
            except OSError:
                return  # the stack is full: tried again when it has sent some
            self._waiting = None
            self._drop_ms = now_ms + IDLE_MS

    def _fill(self, service: GattService, now_ms: int) -> None:
        """Put into the stack's buffers what may be read now."""
        for attribute in READABLE:
            try:
                value = service.read(attribute, now_ms)
            except AttributeRefused:
                value = b""
            self._ble.gatts_write(self._handles[attribute], value)

    def _empty(self) -> None:
        if self.is_active:
            for attribute in READABLE:
                self._ble.gatts_write(self._handles[attribute], b"")

    def _drop(self) -> None:
        if self.is_connected:
            self._ble.gap_disconnect(self._peer)

    def _activate(self) -> None:
        if self.is_active:
            return
        self.is_active = True
        self._ble.active(True)
        self._ble.irq(self._event)
        self._ble.config(bond=True, mitm=True, le_secure=True, io=_DISPLAY_ONLY)
        self._ble.config(mtu=NOTIFICATION_MAX + 3)
        attributes = []
        for attribute, uuid in enumerate(UUIDS):
            flags = 0
            if attribute in READABLE:
                flags |= _FLAG_READ
            if attribute in WRITABLE:
                flags |= _FLAG_WRITE
            if attribute in NOTIFYING:
                flags |= _FLAG_NOTIFY
            attributes.append((bluetooth.UUID(uuid), flags))
        service = (bluetooth.UUID(SERVICE_UUID), tuple(attributes))
        self._handles = self._ble.gatts_register_services((service,))[0]
        for attribute, handle in enumerate(self._handles):
            self._ble.gatts_set_buffer(handle, value_max(attribute))

    def _rest(self) -> None:
        """Switch the controller off if nothing needs it and it may not idle."""
        idle = not self._window and not self.is_connected and self._advert_end_ms == NEVER_MS
        if idle and self.is_active and not self._stays_active:
            self._ble.active(False)
            self.is_active = False

    def _on_event(self, event: int, data: tuple) -> object:  # type: ignore[type-arg]  # of many shapes
        """Queue what the stack tells; answer what it wants to know at once."""
        if event == _IRQ_GET_SECRET:
            return self._bonds.get(data[0], data[1], data[2])
        if event == _IRQ_SET_SECRET:
            return self._bonds.put(data[0], data[1], data[2])
        if event == _IRQ_GATTS_READ_REQUEST:
            return 0 if self._is_secure else ATT_INSUFFICIENT_AUTHENTICATION
        if event == _IRQ_CENTRAL_CONNECT:
            self._peer = data[0]
            self._room = NOTIFICATION_MIN
            self._is_secure = False
            self._requests.put(_CONNECTED, 0, b"")
        elif event == _IRQ_CENTRAL_DISCONNECT:
            self._peer = -1
            self._is_secure = False
            self._requests.put(_DISCONNECTED, 0, b"")
        elif event == _IRQ_MTU_EXCHANGED:
            self._room = data[1] - 3
        elif event == _IRQ_ENCRYPTION_UPDATE:
            if data[1] and data[2] and data[4] == _KEY_SIZE:
                self._is_secure = True
                self._requests.put(_SECURED, 0, b"")
        elif event == _IRQ_PASSKEY_ACTION:
            self._requests.put(_PASSKEY, data[1], b"")
        elif event == _IRQ_GATTS_WRITE and data[1] in self._handles:
            attribute = self._handles.index(data[1])
            written = b"" if attribute == TELEGRAM else self._ble.gatts_read(data[1])
            self._requests.put(_WRITTEN, attribute, written)
        return None
