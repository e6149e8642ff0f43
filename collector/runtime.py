"""One asyncio loop that owns a station, its bearers and its control socket."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from .bearers.base import Bearer, ReceivedFrame
from .desk import Desk
from .errors import OrderError
from .gathering import Gathering, Tell, host_utc
from .ports.control import ControlPort
from .station import Station

_STOPS: Final = (signal.SIGINT, signal.SIGTERM)


class Runtime(Gathering):
    """Runs a station until it is stopped; nothing else touches the station or its database.

    Args:
        station: the station.
        bearers: what brings frames; each is closed at the end.
        tell: is told what a person may want to know.
        now: the host's UTC; where it falls, the station's time stands still.
    """

    def __init__(
        self,
        station: Station,
        bearers: Sequence[Bearer],
        tell: Tell,
        *,
        now: Callable[[], datetime] = host_utc,
    ) -> None:
        super().__init__(station, bearers, tell, now=now)
        self._station = station
        self._desks: list[Desk] = []

    async def run(self) -> None:
        """Run until SIGINT, SIGTERM, `stop`, or the end of all recordings where that is all."""
        loop = asyncio.get_running_loop()
        for number in _STOPS:
            loop.add_signal_handler(number, self.stop)
        port = ControlPort(self.open_desk, self._desks.remove, self.now)
        try:
            try:
                await port.listen(self._station.directory.path)
            except OrderError as error:
                self._say("notice", f"{error}; the collector runs without one")
            await self.gather()
        finally:
            for number in _STOPS:
                loop.remove_signal_handler(number)
            await port.close()

    def step(self) -> None:
        """Take what the bearers have, keep it, answer, and let time pass."""
        super().step()
        for desk in self._desks:
            desk.handle_timer(self._latest)

    @property
    def sought(self) -> Mapping[str, bytes]:
        """See `Gathering.sought`: who is being paired."""
        units: dict[str, bytes] = {}
        for desk in self._desks:
            units |= desk.sought
        return units

    def hear(self, frames: Sequence[ReceivedFrame], now: datetime) -> None:
        """See `Gathering.hear`: every installer's desk does."""
        for frame in frames:
            for desk in self._desks:
                self._hear(desk, frame, now)

    def _hear(self, desk: Desk, frame: ReceivedFrame, now: datetime) -> None:
        reads_log = any(self._bearers.reads_log(frame.bearer, serial) for serial in desk.sought)
        commands = desk.receive(frame, now, reads_log=reads_log)
        self._came_by |= {serial: frame.bearer for serial, _ in commands}
        self._reply(commands)

    def open_desk(self) -> Desk:
        """A desk for an installer; it hears what the bearers bring."""
        desk = Desk(self._station)
        self._desks.append(desk)
        return desk
