"""The module `wan_tcp`: the meter's FLAG line for a head end, and half-hours that wait for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

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
from elec_meter.addons.wan_settings import WanSettings

CALLERS: Final = 4
"""Head ends that may be connected at once; they are served one session after the other."""

CONNECT_S: Final = 20.0
_CLOCK: Final = "0-0:1.0.0"
_SERIAL: Final = "1-0:0.0.0"


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
        self._tls = settings.tls()
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
                self._called, *address, ssl=self._tls.server, limit=SAID_BYTES
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
                        *address, ssl=self._tls.client, limit=SAID_BYTES
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
            # A meter that will not say its values now has written down why, and a head end that
            # asks it itself is told.
            with contextlib.suppress(LineRefusedError):
                await self._look_once()
            await self._pace.sleep(self._settings.interval_s)

    async def _look_once(self) -> None:
        self._readings = await self._shared.readout()
        if self._settings.push is not None and _CLOCK not in self._readings:
            raise SettingError(f"wan_tcp needs {_CLOCK} in the readout of its line")
        self._has_looked.set()

    async def _push(self, address: Address) -> None:
        """Forward what the head end does not have, with growing pauses while it is away."""
        head_end = HeadEnd(address, self._tls.client, self._pace.delivery_s)
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


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
