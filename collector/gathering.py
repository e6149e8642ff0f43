"""Bearers, and whoever keeps what they bring, in somebody's asyncio loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from shared.timegrid import from_unix_ms, iso_utc, unix_ms

from .backfill import Backfill
from .bearers.base import Bearer, ReceivedFrame
from .bearers.group import BearerGroup
from .bearers.replay import WHOLE_MS
from .bearers.reports import BearerFailed, BearerReport, LogAnswered, LogUnanswered
from .errors import StorageFailedError
from .events import (
    CountReceived,
    Event,
    LogRead,
    LogRefused,
    Refusal,
    StateReceived,
    TelegramReceived,
    UnknownUnit,
)
from .hostclock import HostClock
from .notes import Note, note_of, note_of_report, sentence_of
from .upkeep import Upkeep

if TYPE_CHECKING:
    from .entries import LogPlace
    from .fleet import UnitRecord

_IDLE_S: Final = 0.25
_RETRY: Final = timedelta(seconds=5)
_RETRY_MAX: Final = timedelta(minutes=5)
_CHUNK: Final = 200
_SAID_MAX: Final = 1_000

Tell = Callable[[dict[str, Any]], None]
"""Takes what there is to tell: a mapping with `at`, `event` and `text`."""


def host_utc() -> datetime:
    """The host's clock."""
    return datetime.now(UTC)


def host_clock() -> HostClock:
    """The host's clock, checked against the time since its start."""
    # Linux's monotonic clock stands still while the host sleeps.
    number = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return HostClock(
        lambda: time.time_ns() // 1_000_000,
        lambda: time.clock_gettime_ns(number) // 1_000_000,
        threading.Lock(),
    )


class Keeper(Protocol):
    """Whoever keeps what bearers bring: a station, or an electricity meter.

    What is returned is durable; `StorageFailedError` is raised where nothing could be kept, and
    what was held waits for the next call.
    """

    @property
    def revision(self) -> int:
        """Rises whenever it is another unit that is paired, or on another way."""

    @property
    def is_behind(self) -> bool:
        """Whether anything at all waits to become durable."""

    @property
    def serials(self) -> Sequence[str]:
        """All units whose journals there are."""

    def reachable(self) -> list[UnitRecord]:
        """The units that are paired now."""

    def hold(self, frames: Iterable[ReceivedFrame]) -> None:
        """Take frames that the next `receive` is to make durable."""

    def hold_log(self, answer: LogAnswered) -> LogRefused | None:
        """Take what was read of a unit's log; return why not, where it is not authentic."""

    def note(self, notes: Iterable[Note]) -> None:
        """Take lines for the event log."""

    def receive(self, frames: Iterable[ReceivedFrame], now: datetime) -> list[Event]:
        """Make durable what waits; return what there is to tell."""

    def replies(self, now: datetime) -> list[tuple[str, bytes]]:
        """What to send into the reply windows of what was just received."""

    def next_timer(self) -> datetime | None:
        """When `handle_timer` has something to do."""

    def handle_timer(self, now: datetime) -> list[Event]:
        """Let time pass; return what there is to tell."""

    def log_gap(self, serial: str) -> LogPlace | None:
        """Behind which place a unit's log should be read."""

    def compact(self, serial: str, now: datetime) -> int | None:
        """Let a journal forget a part of what no row needs; None to be called again."""


class Gathering:
    """Takes what bearers bring to whoever keeps it, answers, reads logs and lets journals forget.

    Whatever ails a bearer or the disk, the rest goes on. Nothing else touches the bearers.

    Args:
        keeper: keeps what comes.
        bearers: what brings frames; each is closed at the end.
        tell: is told what a person may want to know.
        now: the host's UTC; where it falls, time stands still here.
        follows_recordings: whether time is theirs where recordings are all there is; otherwise what
            is ahead of `now` waits, as beside other bearers.
    """

    def __init__(
        self,
        keeper: Keeper,
        bearers: Sequence[Bearer],
        tell: Tell,
        *,
        now: Callable[[], datetime] = host_utc,
        follows_recordings: bool = False,
    ) -> None:
        self._keeper = keeper
        self._bearers = BearerGroup(bearers)
        self._lives_recorded = follows_recordings and self._bearers.is_recorded
        self._backfill = Backfill()
        self._paired: dict[str, bytes | None] = {}
        self._revision: int | None = None
        self._tell = tell
        self._host_now = now
        self._latest = now()
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._came_by: dict[str, str] = {}
        self._failure: str | None = None
        self._kept_utc: datetime | None = None
        self._kept_at = self._latest
        self._retry = self._latest
        self._pause_before = _RETRY
        self._said: dict[tuple[str | None, ...], datetime] = {}
        self._upkeep = Upkeep()

    def wake(self) -> None:
        """Look at the bearers now; may be called from any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._wake.set)

    async def gather(self) -> None:
        """Go on until `stop`, or the end of all recordings where that is all.

        Raises:
            StorageFailedError: what came last could not be kept, and is lost.
        """
        self._loop = asyncio.get_running_loop()
        try:
            await self._replay()
            while not self._stopping.is_set() and len(self._bearers):
                self.step()
                await self._pause()
            if not self._lives_recorded:  # a recording of last year ends last year
                self.step()
            self._require_kept()
        finally:
            self._bearers.close()

    def stop(self) -> None:
        """Come to an end soon."""
        self._stopping.set()
        self._wake.set()

    def step(self) -> None:
        """Take what the bearers have, keep it, answer, and let time pass."""
        now = self.now()
        self._meet()
        frames, reports = self._bearers.receive_until(unix_ms(now))
        self._note(reports, now)
        self.hear(frames, now)
        self._keep(frames, now)

    @property
    def sought(self) -> Mapping[str, bytes]:
        """Units to connect to besides those that are paired: serials to Bluetooth addresses."""
        return {}

    def hear(self, frames: Sequence[ReceivedFrame], now: datetime) -> None:
        """Who listens beside the keeper hears frames first."""

    def _keep(self, frames: Sequence[ReceivedFrame], now: datetime) -> None:
        """Make durable what came, and only then tell and answer."""
        self._keeper.hold(frames)
        self._kept_at = now
        if self._failure is not None and now < self._retry:
            return
        try:
            if self._keeper.is_behind:
                self._tell_events(self._keeper.receive((), now), now)
                self._reply(self._keeper.replies(now))
            due = self._keeper.next_timer()
            if self._failure is not None or (due is not None and due <= now):
                self._tell_events(self._keeper.handle_timer(now), now)
            self._ask_logs(now)
            self._upkeep.go_on(self._keeper.serials, self._keeper.compact, now)
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

    def _require_kept(self) -> None:
        """Keep what still waits: at the end nobody does so later."""
        while self._failure is not None or self._keeper.is_behind:
            self._keep((), max(self._retry, self._kept_at))
            if self._failure is not None:
                kept = self._kept_utc
                far = "nothing was" if kept is None else f"it was up to {iso_utc(kept)}"
                raise StorageFailedError(f"not all that came could be kept, {far}: {self._failure}")

    def _meet(self) -> None:
        """Let the bearers know whom to connect to: who is paired, and who is being paired."""
        if self._revision != self._keeper.revision:
            try:
                records = self._keeper.reachable()
            except StorageFailedError:
                return  # the next step tries again
            self._revision = self._keeper.revision
            self._paired = {record.serial: record.address for record in records}
            self._backfill.keep_only(frozenset(self._paired))
            for serial in self._paired:
                self._backfill.heard(serial)
        units = {serial: address for serial, address in self._paired.items() if address is not None}
        self._bearers.meet({**units, **self.sought})

    def _note(self, reports: Iterable[BearerReport], now: datetime) -> None:
        """Tell and log what has become of bearers; take the logs that they have read."""
        for report in reports:
            if isinstance(report, LogAnswered):
                refused = self._keeper.hold_log(report)
                if refused is not None:
                    self._tell_events([refused], now)
                    note = note_of(refused)
                    self._keeper.note([] if note is None else [note])
            elif isinstance(report, LogUnanswered):
                self._backfill.answered(report.serial, now)
            elif isinstance(report, BearerFailed):
                self._backfill.lost(report.bearer, now)
            note = note_of_report(report)
            if note is not None:
                self._keeper.note([note])
                if self._is_news(now, note.kind, note.serial, note.bearer, note.mark):
                    text = _of_bearer(report.bearer, note.text)
                    self._say(note.kind, text, bearer=report.bearer)

    def _reply(self, commands: Iterable[tuple[str, bytes]]) -> None:
        for serial, command in commands:
            complaint = self._bearers.reply(self._came_by.get(serial), serial, command)
            if complaint is not None:
                self._say("CommandAnswered", complaint)

    def _ask_logs(self, now: datetime) -> None:
        """Have the logs read that tell what telegrams left out."""
        for serial in self._backfill.due(now):
            place = self._keeper.log_gap(serial)
            bearer = None if place is None else self._bearers.ask_log(serial, place)
            if place is None or bearer is None:
                self._backfill.seen(serial)
            else:
                self._backfill.asked(serial, place, bearer, now)

    async def _replay(self) -> None:
        """Go through recordings in their own time, as fast as it can, until a disk is full.

        Beside other bearers, what was recorded ahead of this clock waits for it.
        """
        until_ms = WHOLE_MS if self._lives_recorded else unix_ms(self._latest)
        frames, reports = self._bearers.receive_until(until_ms, recorded=True)
        self._note(reports, self._latest)
        frames.sort(key=lambda frame: frame.received_utc)
        for at in range(0, len(frames), _CHUNK):
            chunk = frames[at : at + _CHUNK]
            self._keep(chunk, chunk[-1].received_utc)
            await asyncio.sleep(0)
            is_in_vain = self._failure is not None and self._lives_recorded
            if self._stopping.is_set() or is_in_vain:
                return
        for name, at_ms in self._bearers.recorded_ahead():
            text = f"{name} is ahead of this clock until {iso_utc(from_unix_ms(at_ms))}"
            self._say("notice", text)

    async def _pause(self) -> None:
        """Wait until a bearer wakes us, or something is due."""
        now_ms = unix_ms(self.now())
        pauses_s = [max(0, at_ms - now_ms) / 1000 for at_ms in self._bearers.next_frames_utc_ms()]
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), min([_IDLE_S, *pauses_s]))
        self._wake.clear()

    def _tell_events(self, events: Iterable[Event], now: datetime) -> None:
        for event in events:
            self._kept_utc = max(self._kept_utc or event.received_utc, event.received_utc)
            if isinstance(event, TelegramReceived):
                self._came_by[event.serial] = event.bearer
            if (
                isinstance(event, (TelegramReceived, CountReceived))
                and event.serial in self._paired
            ):
                self._backfill.heard(event.serial)
            if isinstance(event, (LogRead, LogRefused)):
                self._backfill.answered(event.serial, now)
            if isinstance(event, (UnknownUnit, CountReceived, StateReceived)):
                continue
            kind = type(event).__name__
            if isinstance(event, Refusal) and not self._is_news(None, kind, event.serial):
                continue
            if isinstance(event, LogRefused) and not self._is_news(now, kind, event.serial):
                continue
            self._tell(event_row(event))

    def _is_news(self, now: datetime | None, *said: str | None) -> bool:
        """Whether something should be told: what was already is told again after a day, if ever."""
        before = self._said.get(said)
        if before is not None and (now is None or now - before < timedelta(days=1)):
            return False
        if len(self._said) < _SAID_MAX or said in self._said:
            self._said[said] = self._latest if now is None else now
        return True

    def _say(self, event: str, text: str, **about: str) -> None:
        self._tell({"at": iso_utc(self._latest), "event": event, **about, "text": text})

    def _restart(self, now: datetime) -> None:
        """Let time go on from another instant: what was due by the old one is due at once."""
        self._latest = self._retry = now
        self._compacted = None
        self._said.clear()
        self._backfill.restart()

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
    return row | {"text": sentence_of(event)}


def _of_bearer(name: str, text: str) -> str:
    """A sentence that says whom it is about."""
    return text if text.startswith(f"{name} ") else f"{name}: {text}"
