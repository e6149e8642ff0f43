"""One asyncio loop that owns a meter: its ports, and the promise that what is served is durable."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from .access import GATE_KEY, Gate, Level
from .addon_lines import AddonLines
from .config import AddonConfig, flag_in_force
from .control import ControlSession, OrderDesk, Orders
from .dlms import ClientRule
from .dlms_service import DlmsService
from .errors import CheckpointFailedError, ControlError, StorageLostError, TerminalError
from .flag import FlagLine, FlagPort, FlagSession, ProgrammingDesk, StreamFactory
from .hal import TerminalBlock, TerminalDriver
from .meter import Meter
from .pairing_desk import PairingDesk
from .panel_desk import PanelDesk, PanelPlace
from .ports import ControlServer, PushClient, SerialDevice, SerialServer, TcpServer, format_address

if TYPE_CHECKING:
    import ssl

    from collector import ReceivedFrame

    from .addons import Slots
    from .panel import PanelServer

__all__ = ["PanelPlace", "Runtime"]

_EXPOSED: Final = FlagLine(is_exposed=True)
_OPTICAL: Final = FlagLine(port="FLAG optical", opening_bps=300)
_STOPS: Final = (signal.SIGINT, signal.SIGTERM)
_SUPPLY_LOST: Final = getattr(signal, "SIGPWR", None)  # of an uninterruptible supply; Linux has it


class Runtime:
    """Serves a meter until it is left; an async context manager.

    Whoever drives the meter's time does so from the same loop. Nothing else touches the meter or
    its database, and leaving makes everything durable.

    Args:
        meter: the meter, powered up.
        host_now: the host's UTC, simulated or not; where it falls, the meter's stands still.
        flag: host and port of the FLAG listener; None for none. It lets nobody program unless the
            meter has a password.
        tls: encrypts the FLAG listener's connections.
        optical: the serial device of the FLAG port at the meter; None for none.
        enhanced: makes what takes a FLAG line over in mode E; if left out HDLC does, where DLMS has
            clients.
        block: the terminals; None for a meter without hardware.
        dlms: host and port of the DLMS listener; None for none.
        dlms_clients: who may associate there, and over HDLC.
        dlms_tls: encrypts the DLMS listener's connections.
        panel: the web panel; None for none.
        addons: modules in the slot beside those of the configuration.
        has_receiver: whether anything brings the telegrams of a unit that is being paired.
        say: takes a module's name and a sentence of its own, such as where it listens.

    Attributes:
        gate: who is let in, on every port.
        notices: sentences for whoever started it.
        stopping: set when it is time to leave.
    """

    _slots: Slots | None = None

    def __init__(
        self,
        meter: Meter,
        host_now: Callable[[], datetime],
        *,
        flag: tuple[str, int] | None = None,
        block: TerminalBlock | None = None,
        tls: ssl.SSLContext | None = None,
        optical: SerialDevice | None = None,
        enhanced: StreamFactory | None = None,
        dlms: tuple[str, int] | None = None,
        dlms_clients: tuple[ClientRule, ...] = (),
        dlms_tls: ssl.SSLContext | None = None,
        panel: PanelPlace | None = None,
        addons: Sequence[AddonConfig] = (),
        has_receiver: bool = False,
        say: Callable[[str, str], None] = lambda _name, _sentence: None,
    ) -> None:
        self.meter = meter
        self.notices: list[str] = []
        self.stopping = asyncio.Event()
        self._host_now = host_now
        self._latest = meter.now
        self._flag_address = flag
        self._tls = tls
        self._optical_device = optical
        self._optical: SerialServer | None = None
        self._panel_place = panel
        self._panel: PanelServer | None = None
        self._pairing = PairingDesk(meter, self.now, self.durable, has_receiver=has_receiver)
        self._flag: TcpServer | None = None
        self.gate = self._new_gate()
        self._dlms_address, self._dlms_tls = dlms, dlms_tls
        self._dlms: TcpServer | None = None
        self._control: ControlServer | None = None
        self._failure: StorageLostError | None = None
        self._driver = None if block is None else TerminalDriver(meter, block)
        self._orders = self._new_orders()
        self._dlms_service = DlmsService(
            meter,
            dlms_clients,
            durable=self.durable,
            random_bytes=secrets.token_bytes,
            gate=self.gate,
            now=self.now,
            actions=partial(OrderDesk, self._orders),
        )
        self._pusher = self._dlms_service.push()
        self._push = PushClient(self._pusher, now=self.now) if dlms_clients else None
        self._enhanced = enhanced or (self._dlms_service.link if dlms_clients else None)
        self._desk = ProgrammingDesk(
            gate=self.gate,
            now=self.now,
            directory=lambda: meter.objects,
            actions=partial(OrderDesk, self._orders),
            clear_levels=lambda: tuple(map(Level, meter.config.access.clear_levels)),
            draw=secrets.token_bytes,
        )
        self._flag_port = self._new_flag_port()
        self._addon_lines = AddonLines(meter, self._desk, self.now, self.durable, addons, say)

    @property
    def ports(self) -> dict[str, str]:
        """Name to HOST:PORT of everything that listens, or to its device."""
        servers = {"FLAG": self._flag, "DLMS": self._dlms}
        ports = {
            name: format_address(*server.address)
            for name, server in servers.items()
            if server is not None
        }
        if self._optical_device is not None:
            ports["FLAG optical"] = self._optical_device.path
        if self._panel is not None and self._panel_place is not None:
            scheme = "http" if self._panel_place.tls is None else "https"
            ports["panel"] = f"{scheme}://{format_address(*self._panel.address)}"
        if self._slots is not None:
            ports |= self._slots.places
        return ports

    def now(self) -> datetime:
        """The host's UTC as the meter is told it: it never falls, also where the host's is set."""
        self._latest = max(self._latest, self.meter.now, self._host_now())
        return self._latest

    def durable(self) -> None:
        """Bring the meter up to now and commit: after this its values may be shown to anybody.

        Raises:
            CheckpointFailedError: they may not; the next call tries again.
            StorageLostError: nor will they ever be. The runtime stops, and leaving it raises this
                too.
        """
        now = self.now()
        try:
            self._listen(now)
            self.meter.handle_timer(now)
            self.meter.checkpoint()
        except StorageLostError as error:
            self._drive(is_durable=False)
            self._lost(error)
            raise
        except CheckpointFailedError:
            self._drive(is_durable=False)
            raise
        self._drive(is_durable=True)

    def step(self) -> None:
        """Let time pass up to now; it is durable when the meter's checkpoint is due, as a rule.

        Contacts are heard, and what is to be switched is, after a commit. Where that is lost for
        ever the runtime stops, as in `durable`.
        """
        now, attempts = self.now(), self.meter.storage.attempts
        try:
            self._listen(now)
            self.meter.handle_timer(now)
            if self.meter.storage.attempts != attempts:
                self._drive(is_durable=self.meter.storage.backlog is None)
            elif self._driver is not None and self._driver.is_behind:
                self.is_durable()
        except StorageLostError as error:
            self._drive(is_durable=False)
            self._lost(error)

    def is_durable(self) -> bool:
        """As `durable`, for who can do without: False while checkpoints fail.

        Raises:
            StorageLostError: as for `durable`.
        """
        try:
            self.durable()
        except StorageLostError:
            raise
        except CheckpointFailedError:
            return False
        return True

    async def __aenter__(self) -> Self:
        if self._flag_address is not None:
            self._flag = await TcpServer.start(
                self._flag_session,
                *self._flag_address,
                exposed_factory=partial(self._flag_session, line=_EXPOSED),
                tls=self._tls,
            )
        if self._optical_device is not None:
            device = self._optical_device
            line = replace(
                _OPTICAL,
                software_parity=device.bits == "8N1",
                reads_at_once=device.mode == "A",
            )
            self._optical = await SerialServer.start(partial(self._flag_session, line=line), device)
        if self._dlms_address is not None:
            self._dlms = await TcpServer.start(
                self._dlms_service.session,
                *self._dlms_address,
                exposed_factory=partial(self._dlms_service.session, is_exposed=True),
                tls=self._dlms_tls,
            )
            self.meter.dlms_port = self._dlms.address[1]
        if self._panel_place is not None:
            self._panel = await self._open_panel(self._panel_place)
        if self._push is not None:
            self._start_push(self._push)
        directory = self.meter.storage.directory
        if directory is not None:
            try:
                self._control = await ControlServer.start(
                    partial(ControlSession, self._orders.perform), directory
                )
            except ControlError as error:
                self.notices.append(f"{error}; the meter runs without one")
        self._slots = self._addon_lines.open()
        loop = asyncio.get_running_loop()
        for number in _STOPS:
            loop.add_signal_handler(number, self.stopping.set)
        if _SUPPLY_LOST is not None:
            loop.add_signal_handler(_SUPPLY_LOST, self._supply_lost)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        loop = asyncio.get_running_loop()
        for number in (*_STOPS, *filter(None, [_SUPPLY_LOST])):
            loop.remove_signal_handler(number)
        for server in (
            self._slots,
            self._control,
            self._flag,
            self._optical,
            self._dlms,
            self._panel,
            self._push,
        ):
            if server is not None:
                await server.close()
        if kind is not None:
            return
        if self._failure is not None:
            raise self._failure
        self.durable()

    def hear(self, frame: ReceivedFrame, now: datetime) -> list[tuple[str, bytes]]:
        """Let a pairing hear a frame that a bearer brought; what to send into its reply window."""
        return self._pairing.hear(frame, now)

    async def wait(self, seconds: float) -> None:
        """Let everybody else have the loop for a while, or until it is time to stop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)

    def _listen(self, now: datetime) -> None:
        if self._driver is not None:
            try:
                self._driver.listen(now)
            except TerminalError as error:
                self._notice(str(error))

    def _drive(self, *, is_durable: bool) -> None:
        if self._driver is not None:
            try:
                self._driver.drive(is_durable=is_durable)
            except TerminalError as error:
                self._notice(str(error))

    def _notice(self, sentence: str) -> None:
        if sentence not in self.notices:
            self.notices.append(sentence)

    def _new_orders(self) -> Orders:
        return Orders(
            self.meter,
            now=self.now,
            durable=self.durable,
            status=self._status,
            gate=self.gate,
            push_now=lambda: self._pusher.send_now(self.now()),
            pair=self._pairing.take_step,
            give_dlms=self._give_dlms,
        )

    def _give_dlms(self, client: str, given: Mapping[str, str], author: str) -> None:
        self._dlms_service.give(client, given, author)

    def _new_flag_port(self) -> FlagPort:
        meter = self.meter
        self._flag_version = meter.config_version
        return FlagPort(
            flag_in_force(meter.config),
            meter.objects,
            serial=meter.config.serial,
            durable=self._durable_for_flag,
            desk=self._desk,
            enhanced=self._enhanced,
        )

    def _start_push(self, push: PushClient) -> None:
        if not self._dlms_service.can_push():
            client = self.meter.config.push.client
            self.notices.append(f"nothing is pushed: the DLMS client {client} has no keys")
        push.start()

    def _durable_for_flag(self) -> None:
        self.durable()
        self.meter.display.show_flag_activity(self.meter.now)

    def _new_gate(self) -> Gate:
        meter, storage = self.meter, self.meter.storage
        gate = Gate(lambda: meter.config.serial, storage.record_event, storage.get_state(GATE_KEY))
        meter.save_beside(GATE_KEY, gate.packed)
        return gate

    def _flag_session(self, now: datetime, line: FlagLine | None = None) -> FlagSession:
        """A session by the configuration in force; one that is under way keeps its own."""
        if self._flag_version != self.meter.config_version:
            self._flag_port = self._new_flag_port()
        return self._flag_port.session(now, line)

    async def _open_panel(self, place: PanelPlace) -> PanelServer:
        from . import panel

        desk = PanelDesk(
            self.meter,
            self.gate,
            self._orders,
            self._pairing,
            now=self.now,
            durable=self.durable,
            is_at_meter=place.is_at_meter or place.demo is not None,
        )
        served = place.panel_of(desk)
        return await panel.PanelServer.start(served, place.host, place.port, tls=place.tls)

    def _status(self) -> dict[str, Any]:
        addons = [] if self._slots is None else self._slots.status()
        durable, ports = self.is_durable(), self.ports
        return {"durable": durable, "pid": os.getpid(), "ports": ports, "addons": addons}

    def _supply_lost(self) -> None:
        """Power is going, and may come back before it is gone: what can be saved is, and on."""
        try:
            self.meter.supply_lost(self.now())
        except StorageLostError as error:
            self._lost(error)
        except CheckpointFailedError:
            pass  # the meter has it in its log and tries again

    def _lost(self, error: StorageLostError) -> None:
        self._failure = error
        self.stopping.set()
