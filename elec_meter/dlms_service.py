"""DLMS beside a running meter: its invocation counters are part of every checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from shared.obis import Obis

from .access import Gate, Level
from .dlms import (
    PUSH_SETUP,
    ActionsOf,
    ClientRule,
    DirectoryChanges,
    DlmsPort,
    DlmsSession,
    HdlcSession,
    InvocationCounters,
    Keyring,
    LogicalDevice,
    OwnObject,
    Push,
    PushRule,
)
from .events import EventCode
from .meter import Meter
from .objects import Actions
from .storage import DLMS_KEYS_NAME, SecretFile

if TYPE_CHECKING:
    from pathlib import Path

STATE_KEY: Final = "dlms counters"
PUSH_KEY: Final = "dlms push"

TCP_PORT: Final = "DLMS TCP"
LINE_PORT: Final = "DLMS optical"
"""Ports as lock-outs and the event log name them."""

_TITLE_DIGITS: Final = 10


class _Door:
    """The meter's gate as one port of DLMS has it; the public is not signed on."""

    def __init__(self, gate: Gate, port: str, now: Callable[[], datetime]) -> None:
        self._gate = gate
        self.port = port
        self._now = now

    def is_locked(self, level: Level) -> bool:
        """Whether nobody signs on at this level now."""
        return level > Level.PUBLIC and self._gate.is_locked(self.port, level, self._now())

    def failed(self, level: Level) -> None:
        """Somebody tried and failed."""
        if level > Level.PUBLIC:
            self._gate.failed(self.port, level, self._now())

    def succeeded(self, level: Level) -> None:
        """Somebody signed on."""
        if level > Level.PUBLIC:
            self._gate.succeeded(self.port, level, self._now())


class DlmsService:
    """Makes the sessions of a meter's DLMS port.

    Args:
        meter: the meter.
        clients: who may associate.
        durable: brings the meter up to now and commits; what it has not committed is not said.
        random_bytes: gives as many bytes of chance as it is told.
        gate: counts failures by port, and has them and sign-ons logged.
        now: the host's UTC, as the meter is told it.
        actions: makes what carries out orders, by level and author.

    Raises:
        ConfigError: two clients are one.
        DlmsError: the invocation counters or keys that the meter kept are damaged.
        StorageError: its keys cannot be read, or others can read them, too.
    """

    def __init__(
        self,
        meter: Meter,
        clients: tuple[ClientRule, ...],
        *,
        durable: Callable[[], None],
        random_bytes: Callable[[int], bytes],
        gate: Gate,
        now: Callable[[], datetime],
        actions: Callable[[Level, str], Actions],
    ) -> None:
        self._actions = actions
        self._doors = {port: _Door(gate, port, now) for port in (TCP_PORT, LINE_PORT)}
        self._meter = meter
        self._clients = clients
        self._durable = durable
        self._random_bytes = random_bytes
        self._counters = InvocationCounters(meter.storage.get_state(STATE_KEY) or b"")
        meter.save_beside(STATE_KEY, self._counters.state)
        self._keyring = _keyring(meter.storage.directory)
        self._now = now
        self._push: Push | None = None
        self._ports = self._new_ports()

    def session(self, now: datetime) -> DlmsSession:
        """A session by the configuration in force; one that is under way keeps its own."""
        return self._current(TCP_PORT).session(now)

    def push(self, rule: PushRule) -> Push:
        """Have half-hours and alarms pushed from now on, after what was delivered before.

        Raises:
            ConfigError: the client to whom to push has no keys.
            DlmsError: what the meter kept of it is damaged.
        """
        saved = self._meter.storage.get_state(PUSH_KEY) or b""
        push = Push(self._device, rule, saved, self._now())
        self._meter.save_beside(PUSH_KEY, push.packed)
        self._push = push
        return push

    def link(self, now: datetime) -> HdlcSession:
        """The same over HDLC: what takes a FLAG line over in mode E."""
        return self._current(LINE_PORT).link(now)

    def _record_keys(self, sentence: str) -> None:
        self._meter.storage.record_event(EventCode.KEYS_CHANGED, sentence, self._now())

    def _current(self, port: str) -> DlmsPort:
        if self._version != self._meter.config_version:
            self._ports = self._new_ports()
        return self._ports[port]

    def _new_ports(self) -> dict[str, DlmsPort]:
        self._version = self._meter.config_version
        return {port: DlmsPort(self._new_device(door)) for port, door in self._doors.items()}

    def _actions_at(self, port: str) -> ActionsOf:
        return lambda level: self._actions(level, f"level {int(level)} at {port}")

    def _new_device(self, door: _Door) -> LogicalDevice:
        meter = self._meter
        return LogicalDevice(
            directory=meter.objects,
            title=system_title(meter.config.flag.manufacturer, meter.config.serial),
            clients=self._clients,
            counters=self._counters,
            durable=self._durable,
            random_bytes=self._random_bytes,
            gate=door,
            keyring=self._keyring,
            record=self._record_keys,
            further=self._further,
            changes=DirectoryChanges(meter.objects, self._actions_at(door.port)),
        )

    def _device(self) -> LogicalDevice:
        return self._new_device(self._doors[TCP_PORT])

    def _further(self, level: Level) -> Mapping[Obis, OwnObject]:
        if self._push is None or level is Level.PUBLIC:
            return {}
        return {PUSH_SETUP: self._push.object(level)}


def _keyring(directory: Path | None) -> Keyring:
    """Changed keys, in a file of their own: the database holds nothing that lets anybody in."""
    if directory is None:
        return Keyring()
    file = SecretFile(directory, DLMS_KEYS_NAME)
    return Keyring(file.read(), file.replace)


def system_title(manufacturer: str, serial: str) -> bytes:
    """The meter's name in ciphering: three letters, and the digits of its serial number in BCD."""
    return manufacturer.upper().encode("ascii") + bytes.fromhex(serial.zfill(_TITLE_DIGITS))
