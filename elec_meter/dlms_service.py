"""DLMS beside a running meter: its invocation counters are part of every checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from shared.obis import Obis
from shared.timegrid import from_unix_s

from .access import Gate, Level
from .dlms import (
    PUBLISHED_PASSWORD,
    ActionsOf,
    ClientRule,
    Credentials,
    DirectoryChanges,
    DlmsPort,
    DlmsSession,
    GivenCredentials,
    HdlcSession,
    InvocationCounters,
    Keyring,
    LogicalDevice,
    Push,
    given_from,
)
from .errors import NotADataDirectoryError
from .events import EventCode
from .flag import FlagLine
from .meter import Meter
from .objects import Actions, CosemObject, Directory
from .storage import DLMS_CLIENTS_NAME, DLMS_KEYS_NAME, SecretFile, Storage

if TYPE_CHECKING:
    from pathlib import Path

STATE_KEY: Final = "dlms counters"
PUSH_KEY: Final = "dlms push"

TCP_PORT: Final = "DLMS TCP"
"""The port as lock-outs and the event log name it."""

_AT_METER: Final = FlagLine(port="FLAG optical")

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

    def unproved(self, level: Level) -> None:
        """Somebody has not the key."""
        if level > Level.PUBLIC:
            self._gate.unproved(self.port, level, self._now())

    def succeeded(self, level: Level) -> None:
        """Somebody signed on."""
        if level > Level.PUBLIC:
            self._gate.succeeded(self.port, level, self._now())


class _InForce(Directory):
    """The directory of the configuration in force, which may change while somebody reads.

    What a client has written it reads back, and what it writes next changes nothing else.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def __getitem__(self, obis: Obis | str) -> CosemObject:
        return self._meter.objects[obis]

    def __contains__(self, obis: object) -> bool:
        return obis in self._meter.objects

    def __iter__(self) -> Iterator[CosemObject]:
        return iter(self._meter.objects)

    def __len__(self) -> int:
        return len(self._meter.objects)

    @property
    def content(self) -> Directory:
        return self._meter.objects

    def now(self) -> datetime:
        return self._meter.objects.now()


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
        self._gate = gate
        self._meter = meter
        self._directory = _InForce(meter)
        self._clients = clients
        self._durable = durable
        self._random_bytes = random_bytes
        self._counters = InvocationCounters(meter.storage.get_state(STATE_KEY) or b"")
        meter.save_beside(STATE_KEY, self._counters.state)
        self._keyring = _keyring(meter.storage.directory)
        self._now = now
        self._version = meter.config_version
        self._ports: dict[tuple[str, bool], DlmsPort] = {}
        self._current(TCP_PORT, is_exposed=False)  # what cannot be is better known now

    def session(self, now: datetime, *, is_exposed: bool = False) -> DlmsSession:
        """A session; one that is under way keeps the system title that it began with.

        Args:
            now: the host's UTC.
            is_exposed: whether strangers may listen: no secret is then taken in clear.
        """
        return self._current(TCP_PORT, is_exposed=is_exposed).session(now)

    def give(self, client: str, fields: Mapping[str, str], author: str) -> None:
        """Let a client have what `fields` of `GivenCredentials` say, from its next association on.

        What a head end made of those that it had is forgotten. A client that may not associate
        while this meter runs may at the next start, if that names it.

        Raises:
            CredentialError: it cannot have that.
            DlmsError: what was kept is damaged.
            StorageError: it could not be made durable.
        """
        given, directory = given_from(fields), self._meter.storage.directory
        credentials = Credentials() if directory is None else credentials_of(directory)
        fresh = credentials.give(client, given)
        self._keyring.forget(fresh.sap)
        self._clients = tuple(fresh if each.sap == fresh.sap else each for each in self._clients)
        self._ports.clear()
        self._record_keys(_given_by(client, given, author))
        self._durable()

    def push(self) -> Push:
        """What pushes half-hours and alarms as the configuration says, after what was delivered.

        Raises:
            DlmsError: what the meter kept of it is damaged.
        """
        meter = self._meter
        saved = meter.storage.get_state(PUSH_KEY) or b""
        push = Push(self._device, lambda: meter.config.push, saved, self._now())
        meter.save_beside(PUSH_KEY, push.packed)
        return push

    def can_push(self) -> bool:
        """Whether the client to whom the configuration has anything pushed has keys, if any has."""
        config = self._meter.config.push
        rule = self._device().rule(config.client)
        return not config.destination or (rule is not None and rule.keys is not None)

    def link(self, now: datetime, line: FlagLine = _AT_METER) -> HdlcSession:
        """The same over HDLC: what takes a FLAG line over in mode E."""
        port = line.port.replace("FLAG", "DLMS")
        return self._current(port, is_exposed=line.is_exposed).link(now)

    def _record_keys(self, sentence: str) -> None:
        self._meter.storage.record_event(EventCode.KEYS_CHANGED, sentence, self._now())

    def _current(self, port: str, *, is_exposed: bool) -> DlmsPort:
        if self._version != self._meter.config_version:
            self._version = self._meter.config_version
            self._ports.clear()
        key = port, is_exposed
        if key not in self._ports:
            self._ports[key] = DlmsPort(self._new_device(port, is_exposed=is_exposed))
        return self._ports[key]

    def _actions_at(self, port: str) -> ActionsOf:
        return lambda level: self._actions(level, f"level {int(level)} at {port}")

    def _new_device(self, port: str, *, is_exposed: bool = False) -> LogicalDevice:
        meter = self._meter
        return LogicalDevice(
            directory=self._directory,
            title=system_title(meter.config.flag.manufacturer, meter.config.serial),
            clients=_without_secrets(self._clients) if is_exposed else self._clients,
            counters=self._counters,
            durable=self._durable,
            random_bytes=self._random_bytes,
            gate=_Door(self._gate, port, self._now),
            keyring=self._keyring,
            record=self._record_keys,
            changes=DirectoryChanges(self._directory, self._actions_at(port)),
        )

    def _device(self) -> LogicalDevice:
        return self._new_device(TCP_PORT)


def credentials_of(directory: Path) -> Credentials:
    """What the clients of a data directory were given.

    Raises:
        DlmsError: the file is damaged.
        StorageError: it cannot be read, or others can read it, too.
    """
    file = SecretFile(directory, DLMS_CLIENTS_NAME)
    return Credentials(file.read(), file.replace)


def give_at_rest(
    storage: Storage, client: str, fields: Mapping[str, str], *, author: str, now: datetime
) -> None:
    """As `DlmsService.give`, for a meter that does not run, or has not yet; `now` dates that.

    Raises:
        NotADataDirectoryError: the storage has no directory.
    """
    given, directory = given_from(fields), storage.directory
    if directory is None:
        raise NotADataDirectoryError("what is in memory alone is nobody's meter at rest")
    fresh = credentials_of(directory).give(client, given)
    _keyring(directory).forget(fresh.sap)
    durable_s = storage.load().durable_s
    at = now if durable_s is None else from_unix_s(durable_s)
    storage.record_event(EventCode.KEYS_CHANGED, _given_by(client, given, author), at)
    storage.commit()


def _given_by(client: str, given: GivenCredentials, author: str) -> str:
    what = " and ".join(
        name for name, text in (("keys", given.encryption), ("password", given.password)) if text
    )
    return f"the DLMS client {client} was given {what} by {author}"


def _without_secrets(clients: tuple[ClientRule, ...]) -> tuple[ClientRule, ...]:
    """Those that can associate where strangers listen.

    No password travels in clear there, unless nobody can overhear what he does not know already.
    """
    kept = []
    for rule in clients:
        is_secret = rule.password not in (b"", PUBLISHED_PASSWORD)
        if not is_secret:
            kept.append(rule)
        elif rule.keys is not None:
            kept.append(replace(rule, password=b""))
    return tuple(kept)


def _keyring(directory: Path | None) -> Keyring:
    """Changed keys, in a file of their own: the database holds nothing that lets anybody in."""
    if directory is None:
        return Keyring()
    file = SecretFile(directory, DLMS_KEYS_NAME)
    return Keyring(file.read(), file.replace)


def system_title(manufacturer: str, serial: str) -> bytes:
    """The meter's name in ciphering: three letters, and the digits of its serial number in BCD."""
    return manufacturer.upper().encode("ascii") + bytes.fromhex(serial.zfill(_TITLE_DIGITS))
