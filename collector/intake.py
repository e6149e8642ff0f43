"""What comes in, made durable: whatever could not be kept waits in memory and is tried again.

Every step is one transaction of the data directory; nothing is told to anybody before that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from shared.wire.errors import WireError

from .backfill import is_settled
from .collector import Collector
from .entries import LogPlace
from .errors import StorageFailedError
from .events import Event, LogRead, LogRefused
from .notes import Note, note_of
from .segments import Segment
from .storage.eventlog import DEPTH, EventLog
from .storage.pairings import Pairings
from .storage.registry import Registry

if TYPE_CHECKING:
    from .bearers.base import ReceivedFrame
    from .bearers.reports import LogAnswered
    from .fleet import UnitRecord
    from .storage.directory import DataDirectory

FRAMES_MAX: Final = 20_000
"""Frames that wait for a disk; of more the oldest leave: later ones tell their counts too."""

_NOTES_MAX: Final = 1_000
_CHUNK: Final = 100  # in one transaction: as long as the disk is full, no more is tried in vain


@dataclass(frozen=True, slots=True)
class _ReadLog:
    at: datetime
    bearer: str
    entries: list[tuple[int, int, int]]


class Intake:
    """A data directory's collector, and what waits for it.

    Args:
        directory: open for writing.
        now: the host's UTC.

    Raises:
        StorageFailedError: the tables could not be made.
    """

    def __init__(self, directory: DataDirectory, now: datetime) -> None:
        self.directory = directory
        self.pairings = Pairings(directory.connection)
        self._registry = Registry(directory.connection)
        self._events = EventLog(directory.connection)
        self._waiting: deque[ReceivedFrame] = deque(maxlen=FRAMES_MAX)
        self._logs: dict[str, _ReadLog] = {}
        self._notes: deque[Note] = deque(maxlen=_NOTES_MAX)
        self._collector: Collector | None = None
        with self._transaction(now):
            self.pairings.make()
            self._events.make()

    @property
    def collector(self) -> Collector:
        """The collector, with all that is durable.

        Raises:
            StorageFailedError: what was written last was not kept, and nothing was since.
        """
        if self._collector is None:
            raise StorageFailedError("the database has not taken anything since it failed")
        return self._collector

    @property
    def serials(self) -> Sequence[str]:
        """All units that were ever paired.

        Raises:
            StorageFailedError: it cannot be told.
        """
        return self.collector.serials

    @property
    def waiting(self) -> int:
        """How many frames wait to become durable."""
        return len(self._waiting)

    @property
    def is_behind(self) -> bool:
        """Whether anything at all waits to become durable."""
        return bool(self._waiting or self._logs or self._notes)

    def note(self, notes: Iterable[Note]) -> None:
        """Take lines for the event log, which the next thing that becomes durable brings along."""
        self._notes.extend(notes)

    def event_rows(self, limit: int = DEPTH) -> list[dict[str, Any]]:
        """The newest lines of the event log, oldest first, plain enough for JSON."""
        return list(self._events.newest(limit))

    def hold_log(self, answer: LogAnswered) -> LogRefused | None:
        """Take what was read of a unit's log, which the next `receive` is to make durable.

        Returns:
            Why not, where it is not the answer of the unit with that key to that question.
        """
        key = self.directory.keystore.get(answer.serial)
        if key is None:
            return _log_refused(answer, "the unit is not paired any more")
        try:
            entries = answer.entries(key)
        except WireError as error:
            return _log_refused(answer, str(error))
        self._logs[answer.serial] = _ReadLog(answer.at_utc, answer.bearer, entries)
        return None

    def reachable(self) -> list[UnitRecord]:
        """The units that are paired now: those whose keys are kept.

        Raises:
            StorageFailedError: it cannot be told.
        """
        keystore, collector = self.directory.keystore, self.collector
        return [collector.unit(serial) for serial in collector.serials if keystore.get(serial)]

    def log_gap(self, serial: str) -> LogPlace | None:
        """Behind which place a unit's log should be read; None where that can wait, or need not be.

        Raises:
            StorageFailedError: it cannot be told.
            UnitUnknownError: the unit is not paired.
        """
        place = self.collector.log_gap(serial)
        if place is None or not is_settled(place, self.collector.state(serial).heard):
            return None
        return place

    def compact(self, serial: str, now: datetime) -> int | None:
        """Let the journal of one unit forget what no row needs, a part at a time.

        Returns:
            How many entries are gone; None as long as it is to be called again.

        Raises:
            StorageFailedError: none is.
            UnitUnknownError: the unit is not paired.
        """
        with self._transaction(now):
            return self.collector.compact_some(serial, now)

    def hold(self, frames: Iterable[ReceivedFrame]) -> None:
        """Take frames that the next `receive` is to make durable."""
        self._waiting.extend(frames)

    def receive(self, frames: Iterable[ReceivedFrame], now: datetime) -> list[Event]:
        """Take frames, with those that wait, and make durable what they bring.

        Returns:
            What there is to tell, durable. Of more than a few frames some may wait on: see
            `waiting`.

        Raises:
            StorageFailedError: nothing was kept; the frames wait for the next call.
        """
        self._waiting.extend(frames)
        events: list[Event] = []
        while self._waiting:
            chunk = [self._waiting[n] for n in range(min(_CHUNK, len(self._waiting)))]
            told: list[Event] = []
            try:
                with self._transaction(now):
                    for frame in chunk:
                        # Where a disk was full for days, a frame counts as of when it came in.
                        told += self.collector.receive(frame, min(frame.received_utc, now))
                    self._log(told)
            except StorageFailedError:
                if events:
                    break  # these are durable and have to be told; the next call fails
                raise
            events += told
            for _ in chunk:
                self._waiting.popleft()
        if not self._waiting:
            events += self._receive_logs(now, keep=bool(events))
        if self._notes and not events:
            with self._transaction(now):
                pass
        return events

    def replies(self, now: datetime) -> list[tuple[str, bytes]]:
        """What to send into the reply windows of what was just received: (serial, command).

        Raises:
            StorageFailedError: none may be sent.
        """
        with self._transaction(now):
            return self.collector.replies(now)

    def handle_timer(self, now: datetime) -> list[Event]:
        """Let time pass; return what there is to tell, durable. What waits is received first.

        Raises:
            StorageFailedError: nothing was kept.
        """
        if self._waiting:
            self.receive((), now)
        paired = self.open_segments()
        with self._transaction(now):
            told = self.collector.handle_timer(now)
            events = [event for event in told if event.serial in paired]
            self._log(events)
        return events

    def next_timer(self) -> datetime | None:
        """When `handle_timer` has something to do, as far as can be told now."""
        return None if self._collector is None else self._collector.next_timer()

    def open_segments(self) -> dict[str, Segment]:
        """The units that are paired now, each on its meter."""
        return {each.serial: each for each in self.pairings.segments() if each.is_open}

    def _receive_logs(self, now: datetime, *, keep: bool) -> list[Event]:
        """Make durable what was read of logs, a unit's at a time; what fails waits on."""
        events: list[Event] = []
        for serial, log in list(self._logs.items()):
            read = LogRead(
                received_utc=now, serial=serial, bearer=log.bearer, entries=len(log.entries)
            )
            try:
                with self._transaction(now):
                    self.collector.receive_log(serial, log.entries, min(log.at, now))
                    self._log([read])
            except StorageFailedError:
                if events or keep:
                    break  # these are durable and have to be told; the next call fails
                raise
            del self._logs[serial]
            events.append(read)
        return events

    def _log(self, events: Iterable[Event]) -> None:
        for event in events:
            note = note_of(event)
            if note is not None:
                self._events.add(note)

    @contextmanager
    def _transaction(self, now: datetime) -> Iterator[None]:
        """One transaction; after a failure the collector is made anew from what is durable."""
        try:
            with self.directory.transaction():
                if self._collector is None:
                    connection, keystore = self.directory.connection, self.directory.keystore
                    self._collector = Collector(connection, keystore, now)
                noted = list(self._notes)
                for note in noted:
                    self._events.add(note)
                yield
            for _ in noted:
                self._notes.popleft()
        except BaseException:
            self._collector = None
            raise


def _log_refused(answer: LogAnswered, reason: str) -> LogRefused:
    return LogRefused(
        received_utc=answer.at_utc, serial=answer.serial, bearer=answer.bearer, reason=reason
    )
