"""The module `wan_tcp`: the meter's FLAG line for a head end, and half-hours that wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Final, NamedTuple

from elec_meter.addons.errors import (
    AddonError,
    LineGarbledError,
    LineRefusedError,
    OutletError,
    SettingError,
)
from elec_meter.addons.forwarding import Backoff, Forwarding
from elec_meter.addons.line import MeterLine
from elec_meter.addons.readings import Readings
from elec_meter.addons.settings import Address, Settings
from elec_meter.addons.wan_line import HOLD_S, SAID_BYTES, SharedLine
from elec_meter.addons.wan_push import DELIVERY_S, HeadEnd, StateFile, drop, forward
from shared.errors import ObisError
from shared.obis import Obis

PROFILES: Final = "1-0:99.1.0"
"""What is forwarded where nothing else is said: half-hours of import, export, reactive energy."""

CALLERS: Final = 4
"""Head ends that may be connected at once; they are served one session after the other."""

CONNECT_S: Final = 20.0
_CLOCK: Final = "0-0:1.0.0"
_SERIAL: Final = "1-0:0.0.0"


class Tls(NamedTuple):
    """What encrypts; None where nothing does.

    Attributes:
        client: of a connection that the module makes.
        server: of one that it is made.
    """

    client: ssl.SSLContext | None = None
    server: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How the module waits; a test lets an hour pass in no time.

    Attributes:
        sleep: waits so many seconds.
        delivery_s: for the acknowledgement of a message.
        hold_s: how long a head end may keep the line without an answer.
    """

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    delivery_s: float = DELIVERY_S
    hold_s: float = HOLD_S


@dataclass(frozen=True, slots=True, kw_only=True)
class WanSettings:
    """What the module was told; `of` checks it.

    Attributes:
        connect: where a head end waits for the FLAG line.
        listen: where the module waits for one.
        push: where half-hours go.
        state_file: where it is written down how far the head end has them.
        profiles: OBIS codes of what is forwarded.
        keep_days: rows that are older are not sent any more.
        interval_s: seconds between two looks at the meter.
        tls: what encrypts.
    """

    connect: Address | None
    listen: Address | None
    push: Address | None
    state_file: str
    profiles: tuple[str, ...]
    keep_days: int
    interval_s: int
    tls: Tls

    @classmethod
    def of(cls, settings: Settings) -> WanSettings:
        """The settings, checked together.

        Raises:
            SettingError: one is wrong, or they do not fit each other.
        """
        connect, listen = settings.address("connect"), settings.address("listen")
        push, state_file = settings.address("push"), settings.text("state_file")
        profiles = tuple(map(_profile, settings.text("profiles", PROFILES).split(",")))
        keep_days = settings.number("keep_days", 31, 1, 400)
        interval_s = settings.number("interval_s", 60, 1, 100)
        files = [settings.text(f"{name}_file") for name in ("ca", "certificate", "key")]
        encrypts = settings.text("tls", "on")
        settings.require_no_more()
        places = [each for each in (connect, listen, push) if each is not None]
        if not places:
            raise SettingError("wan_tcp needs the setting connect, listen or push")
        if push is not None and not state_file:
            raise SettingError(
                "the setting push needs state_file, where it is kept how far the head end has it"
            )
        tls = _tls(encrypts, files, places, is_server=listen is not None)
        return cls(
            connect=connect,
            listen=listen,
            push=push,
            state_file=state_file,
            profiles=profiles,
            keep_days=keep_days,
            interval_s=interval_s,
            tls=tls,
        )


async def run(line: MeterLine, settings: Settings) -> None:
    """Serve head ends for ever.

    Settings: `connect`, `listen`, `push` (HOST:PORT), `state_file`, `profiles`, `keep_days`,
    `interval_s`, `tls` (`on` or `off`), `ca_file`, `certificate_file`, `key_file`.

    Raises:
        AddonError: a setting is wrong, or the meter is gone. A head end that is gone is no error.
    """
    await Wan(line, WanSettings.of(settings)).run()


class Wan:
    """The module at work.

    Args:
        line: the meter's.
        settings: where to.
        pace: how it waits.

    Attributes:
        forwarding: what the head end has.
    """

    def __init__(self, line: MeterLine, settings: WanSettings, pace: Pace | None = None) -> None:
        self._line = line
        self._settings = settings
        self._pace = pace or Pace()
        self._shared = SharedLine(line, self._pace.hold_s)
        self._callers: list[asyncio.StreamWriter] = []
        self._serving: set[asyncio.Task[None]] = set()
        self._state = StateFile(settings.state_file)
        keep = timedelta(days=settings.keep_days)
        self.forwarding = Forwarding(settings.profiles, keep, self._state.read())
        self._readings: Readings | None = None
        self._has_looked = asyncio.Event()

    async def run(self) -> None:
        """Until it is cancelled.

        Raises:
            AddonError: the meter is gone, or the port cannot be listened on.
        """
        settings = self._settings
        try:
            async with asyncio.TaskGroup() as tasks:
                if settings.listen is not None:
                    server = await self._listen(settings.listen)
                    tasks.create_task(self._attend(server))
                if settings.connect is not None:
                    tasks.create_task(self._dial(settings.connect))
                if settings.push is not None:
                    tasks.create_task(self._push(settings.push))
                tasks.create_task(self._look())
        except BaseExceptionGroup as group:
            raise _first(group) from None

    async def _listen(self, address: Address) -> asyncio.Server:
        try:
            server = await asyncio.start_server(
                self._called, *address, ssl=self._settings.tls.server, limit=SAID_BYTES
            )
        except OSError as error:
            raise OutletError(f"cannot listen on {address}: {error.strerror or error}") from None
        host, port = server.sockets[0].getsockname()[:2]
        self._line.say(f"listens on {Address(host, port)}")
        return server

    async def _attend(self, server: asyncio.Server) -> None:
        """Serve until it is over, and drop everybody then."""
        try:
            async with server:
                await server.serve_forever()
        finally:
            for writer in self._callers:
                writer.transport.abort()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a head end; one more than there is room for takes the place of the oldest."""
        if len(self._callers) >= CALLERS:
            self._callers.pop(0).transport.abort()
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        with contextlib.suppress(AddonError):  # the meter has gone, which the next look finds
            await self._serve(reader, writer)

    async def _dial(self, address: Address) -> None:
        """Offer the line, and offer it again, with growing pauses."""
        backoff = Backoff()
        while True:
            try:
                async with asyncio.timeout(CONNECT_S):
                    reader, writer = await asyncio.open_connection(
                        *address, ssl=self._settings.tls.client, limit=SAID_BYTES
                    )
                self._line.say(f"offers its FLAG line to {address}")
                if await self._serve(reader, writer):
                    backoff.worked()
                because = "it has closed the connection"
            except (OSError, TimeoutError) as error:  # ssl.SSLError is one too
                because = str(error) or "no answer"
            pause_s = backoff.failed()
            self._line.say(f"cannot serve {address}: {because}; tries again in {pause_s:g} s")
            await self._pace.sleep(pause_s)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One connection of a head end; whether the meter ever answered it."""
        is_answered = False
        self._callers.append(writer)
        try:
            while said := await reader.read(SAID_BYTES):
                is_answered |= await self._shared.lend(said, reader, writer)
        except OSError:
            pass  # it has gone; whoever dials goes on
        finally:
            if writer in self._callers:
                self._callers.remove(writer)
            await drop(writer)
        return is_answered

    async def _look(self) -> None:
        """Read the meter again and again, which also shows the slot that the module lives."""
        while True:
            self._readings = await self._shared.readout()
            if self._settings.push is not None and _CLOCK not in self._readings:
                raise SettingError(f"wan_tcp needs {_CLOCK} in the readout of its line")
            self._has_looked.set()
            await self._pace.sleep(self._settings.interval_s)

    async def _push(self, address: Address) -> None:
        """Forward what the head end does not have, with growing pauses while it is away."""
        head_end = HeadEnd(address, self._settings.tls.client, self._pace.delivery_s)
        async with contextlib.aclosing(head_end):
            await self._push_to(head_end)

    async def _push_to(self, head_end: HeadEnd) -> None:
        backoff = Backoff()
        while True:
            await self._has_looked.wait()
            self._has_looked.clear()
            try:
                await self._forward(head_end)
                backoff.worked()
            except SettingError:
                raise
            except (
                OSError,
                TimeoutError,
                LineGarbledError,
                LineRefusedError,
                OutletError,
            ) as error:
                pause_s = backoff.failed()
                because = str(error) or "no acknowledgement"
                self._line.say(
                    f"cannot forward to {head_end.address}: {because}; waits {pause_s:g} s"
                )
                await self._pace.sleep(pause_s)

    async def _forward(self, head_end: HeadEnd) -> None:
        assert self._readings is not None
        now, serial = self._readings[_CLOCK].instant(), self._readings[_SERIAL].text
        if now is None:
            return  # the meter does not know the time, and so closes no half-hour
        forwarding, had = self.forwarding, self.forwarding.rows
        await forward(self._shared, forwarding, head_end, self._state, serial, now)
        if forwarding.rows > had and self._settings.listen is None:
            through = max(
                at for each in self._settings.profiles if (at := forwarding.through(each))
            )
            self._line.say(
                f"forwards to {head_end.address}: has all through {through:%Y-%m-%d %H:%M} UTC,"
                f" {forwarding.octets // forwarding.rows} bytes a row"
            )


def _profile(text: str) -> str:
    try:
        return str(Obis.parse(text.strip()))
    except ObisError:
        raise SettingError(f"the setting profiles names no OBIS code: {text[:24]!r}") from None


def _tls(word: str, files: list[str], places: list[Address], *, is_server: bool) -> Tls:
    """What encrypts: in clear a line that reads personal data leaves no computer."""
    authority, certificate, key = files
    if word not in ("on", "off"):
        raise SettingError("the setting tls is on or off")
    if word == "off":
        if any(files):
            raise SettingError("certificates are for the setting tls on")
        outside = [each for each in places if not _is_here(each.host)]
        if outside:
            raise SettingError(f"without TLS wan_tcp serves this computer alone, not {outside[0]}")
        return Tls()
    if is_server and not (authority and certificate):
        raise SettingError(
            "the setting listen needs certificate_file, and ca_file of who may connect"
        )
    try:
        client = ssl.create_default_context(cafile=authority or None)
        server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority or None)
        server.verify_mode = ssl.CERT_REQUIRED
        if certificate:
            for context in (client, server):
                context.load_cert_chain(certificate, key or None)
    except OSError as error:  # ssl.SSLError is one too
        raise SettingError(f"the certificates cannot be read: {error}") from None
    return Tls(client, server)


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
