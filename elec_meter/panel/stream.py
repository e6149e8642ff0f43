"""Live values: one snapshot a second for everybody who looks, written as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from starlette.types import Receive, Send

CLIENTS_MAX: Final = 64
"""Streams that are open at once; the browser of whoever comes later tries again."""

INTERVAL_S: Final = 1.0
_SHORTEST_S: Final = 0.05
STALL_S: Final = 10.0
"""How long somebody may leave what was sent unread."""

HEADERS: Final = ((b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"))


class LiveStream:
    """Sends the same bytes to every client; without clients nothing is computed.

    A client that is slower than the meter misses snapshots, and one that reads nothing is dropped.

    Args:
        snapshot: gives an event, complete with its end.
        clients_max: open at once.
        interval_s: from one snapshot to the next.
        stall_s: how long a client may leave something unread.
    """

    def __init__(
        self,
        snapshot: Callable[[], bytes],
        *,
        clients_max: int = CLIENTS_MAX,
        interval_s: float = INTERVAL_S,
        stall_s: float = STALL_S,
    ) -> None:
        self.clients = 0
        self._snapshot = snapshot
        self._clients_max = clients_max
        self._interval_s = interval_s
        self._stall_s = stall_s
        self._frame = b""
        self._number = 0
        self._news = asyncio.Condition()
        self._is_wanted = asyncio.Event()
        self._is_closed = False

    @property
    def is_full(self) -> bool:
        """Whether nobody more can be served."""
        return self.clients >= self._clients_max

    async def run(self) -> None:
        """Take snapshots while anybody looks; until it is cancelled."""
        while not self._is_closed:
            await self._is_wanted.wait()
            self._is_wanted.clear()
            self._frame, self._number = self._snapshot(), self._number + 1
            async with self._news:
                self._news.notify_all()
            await asyncio.sleep(_SHORTEST_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_wanted.wait(), self._interval_s)
            if self.clients:
                self._is_wanted.set()

    def hurry(self) -> None:
        """Something has changed that a client waits for: the next snapshot is taken at once."""
        self._is_wanted.set()

    async def close(self) -> None:
        """End every client's stream."""
        self._is_closed = True
        async with self._news:
            self._news.notify_all()

    async def serve(
        self, receive: Receive, send: Send, may_see: Callable[[], bool] = lambda: True
    ) -> None:
        """Answer a request with the stream, until the client leaves, stalls or all is closed.

        Args:
            receive: of the request.
            send: likewise.
            may_see: whether the client may see the next snapshot; the stream ends where not.
        """
        self.clients += 1
        leaving = asyncio.ensure_future(_left(receive))
        sending = asyncio.ensure_future(self._send_all(send, may_see))
        self.hurry()
        try:
            await asyncio.wait((leaving, sending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.clients -= 1
            for task in (leaving, sending):
                task.cancel()
            await asyncio.gather(leaving, sending, return_exceptions=True)

    async def _send_all(self, send: Send, may_see: Callable[[], bool]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
        seen = self._number
        while not self._is_closed:
            if self._number == seen:
                async with self._news:
                    await self._news.wait()
                continue
            if not may_see():
                break
            seen = self._number
            if not await self._sent(send, self._frame):
                return
        await self._sent(send, b"", is_last=True)

    async def _sent(self, send: Send, body: bytes, *, is_last: bool = False) -> bool:
        message: dict[str, Any] = {"type": "http.response.body", "body": body}
        try:
            await asyncio.wait_for(send(message | {"more_body": not is_last}), self._stall_s)
        except TimeoutError:
            return False
        return True


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def event(name: str, data: str) -> bytes:
    """A server-sent event of one line of data."""
    return f"event: {name}\ndata: {data}\n\n".encode()
