"""Units with Bluetooth: their adverts, and in their connectable windows all that GATT offers."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector.ble_contact import ContactPlan
from collector.errors import BearerLostError, BearerSettingError
from shared.extras import installing
from shared.timegrid import from_unix_ms
from shared.wire.gatt import LogRequest, encode_log_request

from .base import ReceivedFrame
from .ble_visit import UnpairedError, Visit, VisitError, address_bytes
from .device import COMMAND_LATE, COMMAND_MAX_S, BackOff, DeviceBearer, host_utc_ms
from .reports import CommandAnswered, LogAnswered, LogUnanswered, UnitPaired, UnitUnreached

if TYPE_CHECKING:
    from bleak import BleakScanner
    from bleak.backends.client import BaseBleakClient
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData, BaseBleakScanner

BTHOME_UUID = "0000fcd2-0000-1000-8000-00805f9b34fb"

_CONNECT_S = 15.0
_VISIT_S = 300.0
_REPLY_S = 2.0  # a command that answers a telegram comes within this time
_LOG_ATTEMPTS = 3
_UNPAIRED_S = 120.0
_RESCAN_S = 300.0  # without any advert: a scan that has ended unnoticed is begun anew
_SENDERS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class BleUnit:
    """A unit that is connected to in its windows.

    Attributes:
        serial: eight digits.
        address: its Bluetooth address, six bytes, first byte first.

    Raises:
        BearerSettingError: it is no address.
    """

    serial: str
    address: bytes

    def __post_init__(self) -> None:
        """Check the address."""
        if len(self.address) != 6:
            raise BearerSettingError("a Bluetooth address has six bytes")


@dataclass(frozen=True, slots=True)
class BleBackend:
    """bleak's two ends, in the place of the system's own."""

    scanner: type[BaseBleakScanner]
    client: type[BaseBleakClient]


@dataclass(slots=True)
class _Log:
    request: bytes
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class _Command:
    data: bytes
    asked_s: float


class _Contact:
    """What there is to do with one unit."""

    def __init__(self, unit: BleUnit, plan: ContactPlan) -> None:
        self.unit = unit
        self.plan = plan
        self.wants_pairing = False
        self.logs: deque[_Log] = deque()
        self.commands: asyncio.Queue[_Command] | None = None  # while it is connected


class BleBearer(DeviceBearer):
    """Hands over adverts and telegrams, gives commands, and reads logs.

    A frame from an advert has `address` and is one-way: its `data` are BTHome service data. A frame
    from GATT is a link frame, and its unit listens for a reply for two seconds.

    Args:
        units: those that are connected to; the adverts of all are handed over.
        adapter: on Linux which controller, such as hci0; None is the system's choice.
        contact_period_s: how often each unit is connected to without being asked for anything.
        advert_delay_max_s: the most that can lie between an advert's count and its reception:
            units' advert period.
        name: as it appears in events.
        backend: in the place of the system's Bluetooth.
        wake: as for `DeviceBearer`, and so are the others.
        clock_ms: likewise.
        back_off: likewise.
    """

    is_two_way = True

    def __init__(
        self,
        units: Iterable[BleUnit] = (),
        *,
        adapter: str | None = None,
        contact_period_s: int = 14_400,
        advert_delay_max_s: int = 60,
        name: str = "ble",
        backend: BleBackend | None = None,
        wake: Callable[[], None] | None = None,
        clock_ms: Callable[[], int] = host_utc_ms,
        back_off: BackOff | None = None,
    ) -> None:
        super().__init__(name, wake=wake, clock_ms=clock_ms, back_off=back_off)
        self._adapter = adapter
        self._contact_period_s = contact_period_s
        self._advert_delay_max_s = advert_delay_max_s
        self._backend = backend
        now_s = self._loop.time()
        self._contacts = {
            unit.address: _Contact(unit, ContactPlan(contact_period_s, now_s)) for unit in units
        }
        self._adverts: dict[bytes, bytes] = {}  # the last of each sender
        self._ready: deque[tuple[_Contact, BLEDevice]] = deque()
        self._changed = asyncio.Event()
        self._start()

    def reply(self, serial: str, data: bytes) -> None:
        """See `Bearer.reply`; `CommandAnswered` tells what has become of it."""

        def give() -> None:
            contact = self._contact(serial)
            if contact is None or contact.commands is None:
                self._answered(serial, "it is not connected: its window is over")
            else:
                contact.commands.put_nowait(_Command(data, self._loop.time()))

        self._call(give)

    def add_unit(self, serial: str, address: bytes) -> None:
        """See `Bearer.add_unit`: in its windows."""
        unit = BleUnit(serial, address)
        contact = _Contact(unit, ContactPlan(self._contact_period_s, self._loop.time()))
        # The bearer's thread goes through what it has, which is therefore never changed.
        self._contacts = self._others(serial) | {address: contact}

    def drop_unit(self, serial: str) -> None:
        """See `Bearer.drop_unit`."""
        self._contacts = self._others(serial)

    def reads_log(self, serial: str) -> bool:
        """See `Bearer.reads_log`."""
        return self._contact(serial) is not None

    def ask_log(
        self, serial: str, *, boot: int = 0, tick_s: int = 0, limit: int = 0, newest: bool = False
    ) -> None:
        """See `Bearer.ask_log`: in the unit's next window, or in the one that is open."""
        contact = self._require(serial)
        nonce = secrets.randbits(32)
        log = _Log(encode_log_request(LogRequest(nonce, boot, tick_s, limit, newest)))

        def ask() -> None:
            contact.logs.append(log)
            contact.plan.want(self._loop.time())

        self._call(ask)

    def ask_pairing(self, serial: str) -> None:
        """Pair with a unit in its next window, as the system's agent does; `UnitPaired` tells.

        Raises:
            BearerSettingError: the unit is none of the bearer's.
        """
        contact = self._require(serial)

        def ask() -> None:
            contact.wants_pairing = True
            contact.plan.failed(float("-inf"))
            contact.plan.want(self._loop.time())

        self._call(ask)

    async def _work(self, opened: Callable[[], None]) -> None:
        scanner = self._scanner()
        await self._scan(scanner)
        opened()
        try:
            while True:
                await self._turn(scanner)
        finally:
            with contextlib.suppress(Exception):  # it may be what has broken
                await scanner.stop()

    def _scanner(self) -> BleakScanner:
        try:
            from bleak import BleakScanner
        except ImportError as error:
            raise BearerLostError(f"{self.name} needs bleak: " + installing("ble")) from error
        from bleak.args.bluez import BlueZScannerArgs

        # Repeated adverts are how a window is told.
        arguments: BlueZScannerArgs = {"filters": {"DuplicateData": True}}
        if self._adapter is not None:
            arguments["adapter"] = self._adapter
        backend = None if self._backend is None else self._backend.scanner
        return BleakScanner(self._detected, bluez=arguments, backend=backend)

    async def _scan(self, scanner: BleakScanner) -> None:
        try:
            await scanner.start()
        except Exception as error:  # bleak raises what the system's libraries do
            text = str(error) or type(error).__name__
            raise BearerLostError(
                f"{self.name} cannot scan ({text}): is a Bluetooth adapter plugged in and on"
            ) from error

    async def _turn(self, scanner: BleakScanner) -> None:
        """Visit a unit whose window is open, or wait for adverts."""
        if self._ready:
            contact, device = self._ready.popleft()
            await self._visit(contact, device)
            self._ready.clear()  # what was seen meanwhile may be long over
            return
        self._changed.clear()
        try:
            async with asyncio.timeout(_RESCAN_S):
                await self._changed.wait()
        except TimeoutError:
            with contextlib.suppress(Exception):
                await scanner.stop()
            await self._scan(scanner)

    def _detected(self, device: BLEDevice, advert: AdvertisementData) -> None:
        data = advert.service_data.get(BTHOME_UUID)
        address = address_bytes(device.address)
        if data is None or address is None:
            return
        self._changed.set()
        if self._adverts.get(address) != data:
            if len(self._adverts) >= _SENDERS_MAX:
                self._adverts.clear()
            self._adverts[address] = data
            self._deliver(
                ReceivedFrame(
                    data,
                    from_unix_ms(self._clock_ms()),
                    self.name,
                    self._advert_delay_max_s,
                    advert.rssi,
                    two_way=False,
                    address=address,
                )
            )
        contact = self._contacts.get(address)
        if contact is not None and contact.plan.heard(data, self._loop.time()):
            self._ready.append((contact, device))

    async def _visit(self, contact: _Contact, device: BLEDevice) -> None:
        from bleak import BleakClient

        serial = contact.unit.serial
        backend = None if self._backend is None else self._backend.client
        client = BleakClient(device, timeout=_CONNECT_S, backend=backend)
        contact.plan.failed(self._loop.time())  # until it has answered
        try:
            async with asyncio.timeout(_VISIT_S):
                await client.connect()
                await self._talk(contact, Visit(client, serial))
        except VisitError as error:
            if isinstance(error, UnpairedError):  # somebody may be about to pair with it
                contact.plan.failed(self._loop.time(), _UNPAIRED_S)
            self._unreached(serial, str(error))
        except Exception as error:  # noqa: BLE001  bleak raises what the system's libraries do
            text = str(error) or type(error).__name__
            self._unreached(serial, f"the connection to the unit {serial} has failed: {text}")
        finally:
            self._refuse_commands(contact)
            with contextlib.suppress(Exception):
                await client.disconnect()

    async def _talk(self, contact: _Contact, visit: Visit) -> None:
        serial = contact.unit.serial
        if contact.wants_pairing:
            contact.wants_pairing = False  # each attempt is asked for: a unit allows three
            await visit.pair()
            at_utc = from_unix_ms(self._clock_ms())
            self._report(UnitPaired(at_utc=at_utc, bearer=self.name, serial=serial))
        began_s = self._loop.time()
        data = await visit.read_telegram()
        delay_max_s = 1 + int(self._loop.time() - began_s)
        contact.plan.contacted(self._loop.time())
        contact.commands = asyncio.Queue()
        received_utc = from_unix_ms(self._clock_ms())
        self._deliver(ReceivedFrame(data, received_utc, self.name, delay_max_s))
        await self._give_commands(contact, visit)
        while contact.logs:
            await self._read_log(contact, visit)
            await self._give_commands(contact, visit)

    async def _give_commands(self, contact: _Contact, visit: Visit) -> None:
        """Give what answers the telegram; the last has been given when none comes for a while."""
        assert contact.commands is not None
        while True:
            try:
                async with asyncio.timeout(_REPLY_S):
                    command = await contact.commands.get()
            except TimeoutError:
                return
            sentence = COMMAND_LATE
            if self._loop.time() - command.asked_s <= COMMAND_MAX_S:
                sentence = await visit.command(command.data)
            self._answered(contact.unit.serial, sentence)

    async def _read_log(self, contact: _Contact, visit: Visit) -> None:
        log = contact.logs[0]
        log.attempts += 1
        pieces = None
        try:
            pieces = await visit.read_log(log.request)
        finally:
            if pieces is not None or log.attempts >= _LOG_ATTEMPTS:
                contact.logs.popleft()
            if pieces is None and log.attempts >= _LOG_ATTEMPTS:
                self._log_unanswered(contact.unit.serial)
        self._report(
            LogAnswered(
                at_utc=from_unix_ms(self._clock_ms()),
                bearer=self.name,
                serial=contact.unit.serial,
                request=log.request,
                pieces=pieces,
            )
        )

    def _refuse_commands(self, contact: _Contact) -> None:
        commands, contact.commands = contact.commands, None
        while commands is not None and not commands.empty():
            commands.get_nowait()
            self._answered(contact.unit.serial, "the connection has ended before it was given")
        if contact.logs:
            contact.plan.want(self._loop.time())

    def _log_unanswered(self, serial: str) -> None:
        self._report(
            LogUnanswered(
                at_utc=from_unix_ms(self._clock_ms()),
                bearer=self.name,
                serial=serial,
                sentence=f"the log of the unit {serial} has broken off {_LOG_ATTEMPTS} times",
            )
        )

    def _answered(self, serial: str, sentence: str) -> None:
        self._report(
            CommandAnswered(
                at_utc=from_unix_ms(self._clock_ms()),
                bearer=self.name,
                serial=serial,
                is_obeyed=not sentence,
                sentence=sentence,
            )
        )

    def _unreached(self, serial: str, sentence: str) -> None:
        at_utc = from_unix_ms(self._clock_ms())
        self._report(UnitUnreached(at_utc=at_utc, bearer=self.name, unit=serial, sentence=sentence))

    def _require(self, serial: str) -> _Contact:
        contact = self._contact(serial)
        if contact is None:
            raise BearerSettingError(f"{self.name} connects to no unit {serial[:40]!r}")
        return contact

    def _others(self, serial: str) -> dict[bytes, _Contact]:
        contacts = self._contacts.items()
        return {address: each for address, each in contacts if each.unit.serial != serial}

    def _contact(self, serial: str) -> _Contact | None:
        return next((each for each in self._contacts.values() if each.unit.serial == serial), None)
