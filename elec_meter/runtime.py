"""One asyncio loop that owns a meter: its ports, and the promise that what is served is durable."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Self

from .errors import CheckpointFailedError, StorageLostError
from .flag import FlagPort
from .meter import Meter
from .ports import TcpServer, format_address


class Runtime:
    """Serves a meter until it is left; an async context manager.

    Whoever drives the meter's time does so from the same loop. Nothing else touches the meter or
    its database, and leaving makes everything durable.

    Args:
        meter: the meter, powered up.
        host_now: the host's UTC, simulated or not.
        flag: host and port of the FLAG listener; None for none.
    """

    def __init__(
        self, meter: Meter, host_now: Callable[[], datetime], *, flag: tuple[str, int] | None = None
    ) -> None:
        self.meter = meter
        self._host_now = host_now
        self._flag_address = flag
        self._flag: TcpServer | None = None
        self._failure: StorageLostError | None = None
        self.stopping = asyncio.Event()

    @property
    def ports(self) -> dict[str, str]:
        """Name to HOST:PORT of everything that listens."""
        if self._flag is None:
            return {}
        return {"FLAG": format_address(*self._flag.address)}

    def durable(self) -> None:
        """Bring the meter up to now and commit: after this its values may be shown to anybody.

        Raises:
            CheckpointFailedError: they may not; the next call tries again.
            StorageLostError: nor will they ever be. The runtime stops, and leaving it raises this
                too.
        """
        try:
            self.meter.handle_timer(self._host_now())
            self.meter.checkpoint()
        except StorageLostError as error:
            self._failure = error
            self.stopping.set()
            raise

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
            port = FlagPort(
                self.meter.config.flag,
                self.meter.objects,
                serial=self.meter.config.serial,
                durable=self.durable,
            )
            self._flag = await TcpServer.start(port.session, *self._flag_address)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stopping.set)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        if self._flag is not None:
            await self._flag.close()
        if kind is not None:
            return
        if self._failure is not None:
            raise self._failure
        self.durable()

    async def wait(self, seconds: float) -> None:
        """Let everybody else have the loop for a while, or until it is time to stop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)
