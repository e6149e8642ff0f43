"""One asyncio loop that owns a station, its bearers and its control socket."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from shared.timegrid import iso_utc, unix_ms

from .bearers.base import Bearer, ReceivedFrame
from .desk import Desk
from .errors import OrderError, StorageFailedError
from .gathering import Gathering, Tell, host_utc
from .hostclock import JUMP_MS, HostClock
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
        clock: the host's UTC instead, with what becomes of a jump.
    """

    def __init__(
        self,
        station: Station,
        bearers: Sequence[Bearer],
        tell: Tell,
        *,
        now: Callable[[], datetime] = host_utc,
        clock: HostClock | None = None,
    ) -> None:
        hosts = now if clock is None else clock.now
        super().__init__(station, bearers, tell, now=hosts, follows_recordings=True)
        self._clock = clock
        self._is_begun = False
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
        self._begin()
        super().step()
        self._follow_clock()
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

    def _begin(self) -> None:
        """Find out, once, whether the host's clock is behind what was noted before."""
        if self._clock is None or self._is_begun or self._bearers.is_recorded:
            return
        try:
            if unix_ms(self.now()) < unix_ms(self._station.told) - JUMP_MS:
                self._set_clock(self._station.told, self.now())
        except StorageFailedError:
            return  # the next step tries again
        self._is_begun = True

    def _follow_clock(self) -> None:
        """Go over to a clock that jumped and has held since."""
        due = None if self._clock is None else self._clock.due()
        if due is None or self._clock is None:
            return
        try:
            self._set_clock(self._latest, due)
        except StorageFailedError:
            return  # the next step tries again
        self._clock.believe()
        self._restart(self._clock.now())

    def _set_clock(self, before: datetime, now: datetime) -> None:
        note = self._station.set_clock(before, now)
        self._tell({"at": iso_utc(now), "event": note.kind, "text": note.text})

    def open_desk(self) -> Desk:
        """A desk for an installer; it hears what the bearers bring."""
        desk = Desk(self._station)
        self._desks.append(desk)
        return desk
