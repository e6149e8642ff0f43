"""Sends over TCP what a core has to say of itself, one connection for each message.

A message is delivered when the other side, told that nothing more comes, has closed in order: it
has read all of it by then. Anything else is a failure, and the core sends it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Final, Protocol, Self

from elec_meter.errors import CheckpointFailedError, StorageLostError
from elec_meter.ports.stream import host_utc

REPLY_MAX: Final = 4_096
"""Bytes that a head end may say in answer; they are passed over."""

_WAIT_MAX_S: Final = 1.0
_WAIT_MIN_S: Final = 0.01


class Sender(Protocol):
    """A core that has something to say now and then."""

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port of the other side, as it is when a message is asked for."""

    def next_timer(self) -> datetime:
        """When `message` is to be asked for next."""

    def message(self, now: datetime) -> bytes:
        """What is to be sent now; empty for nothing."""

    def delivered(self, now: datetime) -> None:
        """The other side has it all."""

    def failed(self, now: datetime) -> None:
        """It may have it or not."""


class PushClient:
    """Has a core's messages delivered until it is closed.

    Args:
        sender: the core.
        now: the time that the core is given.
        timeout_s: for a whole delivery.
    """

    def __init__(
        self,
        sender: Sender,
        *,
        now: Callable[[], datetime] = host_utc,
        timeout_s: float = 20.0,
    ) -> None:
        self._sender = sender
        self._now = now
        self._timeout_s = timeout_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> Self:
        """Begin, in the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())
        return self

    async def close(self) -> None:
        """Stop; what is under way counts as not delivered. Harmless when repeated."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        sender = self._sender
        while True:
            now = self._now()
            wait_s = (sender.next_timer() - now).total_seconds()
            if wait_s > 0:
                # The time may be set, or run fast: never sleep long on one reading of it.
                await asyncio.sleep(min(max(wait_s, _WAIT_MIN_S), _WAIT_MAX_S))
                continue
            try:
                message = sender.message(now)
            except StorageLostError:
                return
            except CheckpointFailedError:
                sender.failed(self._now())
                continue
            address = sender.address
            if not message or address is None:
                continue
            if await self._is_delivered(message, address):
                sender.delivered(self._now())
            else:
                sender.failed(self._now())

    async def _is_delivered(self, message: bytes, address: tuple[str, int]) -> bool:
        try:
            async with asyncio.timeout(self._timeout_s):
                reader, writer = await asyncio.open_connection(*address)
                try:
                    writer.write(message)
                    writer.write_eof()
                    await writer.drain()
                    said = await reader.read(REPLY_MAX)
                    while said:
                        said = await reader.read(REPLY_MAX)
                    return True
                finally:
                    # Nothing is left to be said: what was sent is acknowledged, or given up.
                    writer.transport.abort()
        except (OSError, TimeoutError):
            return False
