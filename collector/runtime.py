"""One asyncio loop that owns a station, its bearers and its control socket."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shared.timegrid import iso_utc, unix_ms

from .bearers.base import Bearer, ReceivedFrame
from .bearers.replay import ReplayFile
from .desk import Desk
from .errors import CollectorError, OrderError, StorageFailedError
from .events import Event, Refusal, TelegramReceived, UnitSilent, UnknownUnit
from .ports.control import ControlPort
from .station import Station

_STOPS: Final = (signal.SIGINT, signal.SIGTERM)
_IDLE_S: Final = 0.25
_RETRY: Final = timedelta(seconds=5)
_RETRY_MAX: Final = timedelta(minutes=5)
_CHUNK: Final = 200

Tell = Callable[[dict[str, Any]], None]
"""Takes what there is to tell: a mapping with `at`, `event` and `text`."""


def host_utc() -> datetime:
    """The host's clock."""
    return datetime.now(UTC)


class Runtime:
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
        self._station = station
        self._bearers = list(bearers)
        self._is_recorded = all(isinstance(bearer, ReplayFile) for bearer in bearers)
        self._tell = tell
        self._host_now = now
        self._latest = now()
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._desks: list[Desk] = []
        self._came_by: dict[str, str] = {}
        self._failure: str | None = None
        self._retry = self._latest
        self._pause_before = _RETRY
        self._refused: set[tuple[str | None, str]] = set()

    def wake(self) -> None:
        """Look at the bearers now; may be called from any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._wake.set)

    async def run(self) -> None:
        """Run until SIGINT, SIGTERM, `stop`, or the end of all recordings where that is all."""
        self._loop = asyncio.get_running_loop()
        for number in _STOPS:
            self._loop.add_signal_handler(number, self.stop)
        port = ControlPort(self.open_desk, self._desks.remove, self.now)
        try:
            try:
                await port.listen(self._station.directory.path)
            except OrderError as error:
                self._say("notice", f"{error}; the collector runs without one")
            await self._replay()
            while not self._stopping.is_set() and self._bearers:
                self.step()
                await self._pause()
            if not self._is_recorded:  # a recording of last year ends last year
                self.step()
        finally:
            for number in _STOPS:
                self._loop.remove_signal_handler(number)
            await port.close()
            for bearer in self._bearers:
                bearer.close()

    def stop(self) -> None:
        """Come to an end soon."""
        self._stopping.set()
        self._wake.set()

    def step(self) -> None:
        """Take what the bearers have, keep it, answer, and let time pass."""
        now = self.now()
        frames = [frame for bearer in list(self._bearers) for frame in self._heard(bearer, now)]
        self._keep(frames, now)
        for desk in self._desks:
            desk.handle_timer(now)

    def _keep(self, frames: Sequence[ReceivedFrame], now: datetime) -> None:
        """Make durable what came, and only then tell and answer."""
        self._station.hold(frames)
        if self._failure is not None and now < self._retry:
            return
        try:
            if self._station.waiting:
                self._tell_events(self._station.receive((), now))
                self._reply(self._station.replies(now))
            due = self._station.next_timer()
            if self._failure is not None or (due is not None and due <= now):
                self._tell_events(self._station.handle_timer(now))
        except StorageFailedError as error:
            self._retry = now + self._pause_before
            self._pause_before = min(2 * self._pause_before, _RETRY_MAX)
            if str(error) != self._failure:
                self._say("storage_failed", f"nothing can be kept, and what comes waits: {error}")
            self._failure = str(error)
        else:
            if self._failure is not None:
                self._say("storage_recovered", "what waited has been kept, nothing was lost")
            self._failure, self._pause_before = None, _RETRY

    def _heard(self, bearer: Bearer, now: datetime) -> list[ReceivedFrame]:
        """A bearer's frames; one that fails is left out, and the others go on."""
        try:
            frames = bearer.receive_until(unix_ms(now))
            reports = bearer.take_reports()
        except Exception as error:  # noqa: BLE001  whatever ails one bearer, the others go on
            self._say("bearer_failed", f"{bearer.name} has failed and is left out: {error}")
            self._drop(bearer)
            return []
        for report in reports:
            sentence = getattr(report, "sentence", "") or "works"
            self._say("bearer", f"{report.bearer}: {sentence}")
        if isinstance(bearer, ReplayFile) and bearer.next_frame_utc_ms() is None:
            self._drop(bearer)
        if not bearer.is_two_way:
            frames = [replace(frame, two_way=False) for frame in frames]
        for frame in frames:
            for desk in self._desks:
                commands = desk.receive(frame, now)
                self._came_by |= {serial: bearer.name for serial, _ in commands}
                self._reply(commands)
        return frames

    def _reply(self, commands: Iterable[tuple[str, bytes]]) -> None:
        for serial, command in commands:
            name = self._came_by.get(serial)
            bearer = next((each for each in self._bearers if each.name == name), None)
            if bearer is None:
                continue
            try:
                bearer.reply(serial, command)
            except CollectorError as error:
                self._say("bearer", f"{bearer.name}: {error}")

    def _drop(self, bearer: Bearer) -> None:
        self._bearers.remove(bearer)
        with suppress(Exception):  # it may be what has failed
            bearer.close()

    async def _replay(self) -> None:
        """Go through what was recorded before now in its own time, as fast as it can."""
        frames = [
            frame
            for bearer in list(self._bearers)
            if isinstance(bearer, ReplayFile)
            for frame in self._heard(bearer, self._latest)
        ]
        frames.sort(key=lambda frame: frame.received_utc)
        for at in range(0, len(frames), _CHUNK):
            chunk = frames[at : at + _CHUNK]
            self._keep(chunk, chunk[-1].received_utc)
            await asyncio.sleep(0)
            if self._stopping.is_set():
                return

    async def _pause(self) -> None:
        """Wait until a bearer wakes us, or something is due."""
        now_ms = unix_ms(self.now())
        due_ms = [bearer.next_frame_utc_ms() for bearer in self._bearers]
        pauses_s = [max(0, at_ms - now_ms) / 1000 for at_ms in due_ms if at_ms is not None]
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), min([_IDLE_S, *pauses_s]))
        self._wake.clear()

    def _tell_events(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, TelegramReceived):
                self._came_by[event.serial] = event.bearer
            if isinstance(event, UnknownUnit) or not self._is_news(event):
                continue
            self._tell(event_row(event))

    def _is_news(self, event: Event) -> bool:
        """Whether it should be told: refusals of a kind once for each unit."""
        if not isinstance(event, Refusal):
            return True
        key = (event.serial, type(event).__name__)
        is_first = key not in self._refused
        if len(self._refused) < _CHUNK:
            self._refused.add(key)
        return is_first

    def _say(self, event: str, text: str) -> None:
        self._tell({"at": iso_utc(self._latest), "event": event, "text": text})

    def open_desk(self) -> Desk:
        """A desk for an installer; it hears what the bearers bring."""
        desk = Desk(self._station)
        self._desks.append(desk)
        return desk

    def now(self) -> datetime:
        """The host's UTC; it never falls."""
        self._latest = max(self._latest, self._host_now())
        return self._latest


def event_row(event: Event) -> dict[str, Any]:
    """An event for people and programs; nothing in it is secret."""
    row: dict[str, Any] = {
        "at": iso_utc(event.received_utc),
        "event": type(event).__name__,
        "serial": event.serial,
    }
    if isinstance(event, TelegramReceived):
        row |= {"count": event.telegram.count, "rssi_dbm": event.rssi_dbm, "bearer": event.bearer}
        strength = "" if event.rssi_dbm is None else f", {event.rssi_dbm} dBm"
        return row | {"text": f"{event.serial} count {event.telegram.count}{strength}"}
    if isinstance(event, Refusal):
        return row | {"text": f"{event.serial or 'a frame'} refused: {event.reason}"}
    if isinstance(event, UnitSilent):
        return row | {"text": f"{event.serial} silent since {iso_utc(event.heard_utc)}"}
    return row | {"text": f"{event.serial} {_words(type(event).__name__)}"}


def _words(name: str) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
