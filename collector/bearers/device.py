"""Bearers with a device: a thread of its own for each, so that none waits for another's."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from collector.errors import BearerClosedError, BearerLostError
from shared.timegrid import from_unix_ms, unix_ms

from .base import Bearer, ReceivedFrame
from .reports import BearerLost, BearerReport, BearerWorks

COMMAND_MAX_S = 1.0  # a command tells the time: one that has waited for longer is not sent
COMMAND_LATE = "it waited for too long and was not sent: the next telegram brings another"

_WAITING_MAX = 10_000  # frames or reports; the oldest give way if nobody takes them
_JOIN_S = 20.0
_STOP_S = 3.0  # what is cancelled may have a device to give back


@dataclass(frozen=True, slots=True)
class BackOff:
    """How long a bearer waits before it tries its device again.

    Attributes:
        first_s: after the first failure; each later pause is twice the last.
        most_s: the longest pause.
        stable_s: a device that has worked for so long begins with `first_s` anew.
    """

    first_s: float = 1.0
    most_s: float = 60.0
    stable_s: float = 60.0


def host_utc_ms() -> int:
    """The host's clock, UNIX milliseconds."""
    return time.time_ns() // 1_000_000


class DeviceBearer(Bearer):
    """A bearer whose device is served by a thread, from the end of its making until `close`.

    A device that is missing or breaks away is reported once and tried again with growing pauses;
    nothing of it is raised to whoever takes frames.

    Args:
        name: as it appears in events and reports.
        wake: called, in the bearer's thread, when there are frames or reports to take.
        clock_ms: the host's UTC, UNIX milliseconds.
        back_off: the pauses.
    """

    def __init__(
        self,
        name: str,
        *,
        wake: Callable[[], None] | None = None,
        clock_ms: Callable[[], int] = host_utc_ms,
        back_off: BackOff | None = None,
    ) -> None:
        self.name = name
        self._wake = wake
        self._clock_ms = clock_ms
        self._back_off = back_off or BackOff()
        self._lock = threading.Lock()
        self._frames: deque[ReceivedFrame] = deque(maxlen=_WAITING_MAX)
        self._reports: deque[BearerReport] = deque(maxlen=_WAITING_MAX)
        self._is_closed = False
        self._sentence: str | None = ""  # of the last loss; None while the device works
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def receive_until(self, utc_ms: int) -> list[ReceivedFrame]:
        """See `Bearer.receive_until`."""
        self._refuse_closed()
        received = []
        with self._lock:
            while self._frames and unix_ms(self._frames[0].received_utc) <= utc_ms:
                received.append(self._frames.popleft())
        return received

    def next_frame_utc_ms(self) -> int | None:
        """See `Bearer.next_frame_utc_ms`: that of a frame which waits to be taken."""
        with self._lock:
            return unix_ms(self._frames[0].received_utc) if self._frames else None

    def take_reports(self) -> list[BearerReport]:
        """See `Bearer.take_reports`; what is left after `close` can still be taken."""
        with self._lock:
            reports = list(self._reports)
            self._reports.clear()
        return reports

    def close(self) -> None:
        """See `Bearer.close`; returns when the device is given back."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            self._frames.clear()
        with contextlib.suppress(RuntimeError):  # its loop has ended by itself
            self._loop.call_soon_threadsafe(self._closing.set)
        if threading.current_thread() is not self._thread:
            self._thread.join(_JOIN_S)

    @abstractmethod
    async def _work(self, opened: Callable[[], None]) -> None:
        """Open the device and serve it until it breaks; call ``opened`` once it works.

        Raises:
            BearerLostError: with the sentence that is reported.
        """

    def _start(self) -> None:
        """Begin to serve the device: the last thing that a bearer does when it is made."""
        self._thread.start()

    def _deliver(self, frame: ReceivedFrame) -> None:
        with self._lock:
            if not self._is_closed:
                self._frames.append(frame)
        self._notify()

    def _report(self, report: BearerReport) -> None:
        with self._lock:
            self._reports.append(report)
        self._notify()

    def _notify(self) -> None:
        if self._wake is not None:
            self._wake()

    def _call(self, function: Callable[[], None]) -> None:
        """Have something done in the bearer's thread, from another.

        Raises:
            BearerClosedError: after `close`.
        """
        self._refuse_closed()
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function)

    def _refuse_closed(self) -> None:
        if self._is_closed:
            raise BearerClosedError(f"{self.name} is closed")

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.run_until_complete(stop(asyncio.all_tasks(self._loop)))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _serve(self) -> None:
        keeping = asyncio.ensure_future(self._keep())
        try:
            await self._closing.wait()
        finally:
            await stop([keeping])

    async def _keep(self) -> None:
        pause_s = self._back_off.first_s
        while True:
            sentence, worked_s = await self._attempt()
            if worked_s is not None and worked_s >= self._back_off.stable_s:
                pause_s = self._back_off.first_s
            if sentence != self._sentence:
                at_utc = from_unix_ms(self._clock_ms())
                self._report(BearerLost(at_utc=at_utc, bearer=self.name, sentence=sentence))
            self._sentence = sentence
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, self._back_off.most_s)

    async def _attempt(self) -> tuple[str, float | None]:
        """Serve the device until it breaks: why it did, and for how long it worked if it did."""
        opened_s: list[float] = []

        def opened() -> None:
            opened_s.append(self._loop.time())
            self._opened()

        sentence = f"{self.name} has ended"
        try:
            await self._work(opened)
        except BearerLostError as error:
            sentence = str(error)
        except Exception as error:  # noqa: BLE001  whatever ends a device, the others go on
            sentence = f"{self.name} has failed: {error!r}"
        return sentence, self._loop.time() - opened_s[0] if opened_s else None

    def _opened(self) -> None:
        if self._sentence is not None:
            self._sentence = None
            self._report(BearerWorks(at_utc=from_unix_ms(self._clock_ms()), bearer=self.name))


async def stop(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel tasks until they have ended.

    One that is within `asyncio.wait_for` can lose a cancellation before Python 3.12.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_STOP_S)
