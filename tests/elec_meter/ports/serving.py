"""A server in a loop of its own, and sessions that say what a test wants."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from elec_meter.ports import StreamLimits, TcpServer

NOW = datetime(2012, 10, 28, 1, 0, tzinfo=UTC)


@dataclass
class Echo:
    """Says everything back, `times` over; `q` ends it."""

    times: int = 1
    closed: bool = False
    due: datetime | None = None
    received: list[bytes] = field(default_factory=list)

    def receive_data(self, data: bytes, now: datetime) -> bytes:
        """What came."""
        self.received.append(data)
        self.closed = self.closed or b"q" in data
        if b"x" in data:
            raise RuntimeError("a bug")
        return data * self.times

    def next_timer(self) -> datetime | None:
        """Once."""
        return self.due

    def handle_timer(self, now: datetime) -> bytes:
        """Farewell when due."""
        if self.due is None or now < self.due:
            return b""
        self.closed, self.due = True, None
        return b"late"


@dataclass
class OneByOne(Echo):
    """Says every byte back in a turn of its own, and tells `heard` of it.

    Attributes:
        heard: takes each byte that is answered.
        longest: how many bytes it had at most.
    """

    heard: Callable[[bytes], None] = lambda _: None
    longest: int = 0
    waiting: bytes = b""

    @property
    def is_behind(self) -> bool:
        """Whether a byte waits."""
        return bool(self.waiting)

    def receive_one(self, data: bytes, now: datetime) -> bytes:
        """The first byte that waits."""
        self.waiting += data
        self.longest = max(self.longest, len(self.waiting))
        first, self.waiting = self.waiting[:1], self.waiting[1:]
        self.heard(first)
        return first


@contextmanager
def serving(
    session_factory: Callable[[datetime], object],
    limits: StreamLimits | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[tuple[str, int]]:
    """Serve on a free port of the loopback, in a thread; gives the address."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(coroutine: object) -> object:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(10)

    starting = TcpServer.start(session_factory, "127.0.0.1", 0, limits=limits, now=now)
    server = run(starting)
    try:
        yield server.address
    finally:
        run(server.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
