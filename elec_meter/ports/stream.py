"""Servers of byte streams that host sans-I/O sessions, one for each connection.

Everything a stranger can grow is bounded: the number of connections, what is read at once, what
waits to be sent, and how long somebody may leave it waiting. Sessions bound the rest. A session
that can answers one request in a turn of the loop, so that nobody waits for all that somebody else
has asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar, Protocol, TypeAlias, runtime_checkable

from elec_meter.line_time import LineTime


def host_utc() -> datetime:
    """The host's time."""
    return datetime.now(UTC)


class Session(Protocol):
    """A protocol core: bytes and the time in, bytes out."""

    @property
    def closed(self) -> bool:
        """Whether the connection should be dropped once everything is sent."""

    def receive_data(self, data: bytes, now: datetime) -> bytes:
        """Take what came; return what is to be sent."""

    def next_timer(self) -> datetime | None:
        """When `handle_timer` is due."""

    def handle_timer(self, now: datetime) -> bytes:
        """Let time pass; return what is to be sent."""


@runtime_checkable
class TurnTaker(Session, Protocol):
    """A session that answers one request at a time, and then lets others have their turn."""

    @property
    def is_behind(self) -> bool:
        """Whether something that came may wait for `receive_one`."""

    def receive_one(self, data: bytes, now: datetime) -> bytes:
        """As `receive_data`, but answer one request at most; without data, one that waits."""


SessionFactory: TypeAlias = Callable[[datetime], Session]


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What strangers may use up.

    Attributes:
        connections: open at once.
        read_bytes: handed to a session at once.
        write_bytes: waiting to be sent before nothing more is read from that peer.
        stall_s: how long so much may wait before the connection is dropped.
        handshake_s: how long a TLS handshake may take.
    """

    connections: int = 1_024
    read_bytes: int = 256
    write_bytes: int = 65_536
    stall_s: float = 30.0
    handshake_s: float = 10.0


class StreamServer:
    """Gives every connection a session; what listens, and where, is for subclasses to say.

    Args:
        session_factory: makes the session of a connection that begins at the given instant.
        limits: what strangers may use up.
        now: the time that sessions are given.

    Attributes:
        gives_way: whether, where all connections are open, a further one takes the place of
            another: of the first that was never answered, or else of the one that was not answered
            for longest. Otherwise it is dropped.
    """

    gives_way: ClassVar[bool] = True

    def __init__(
        self,
        session_factory: SessionFactory,
        *,
        limits: StreamLimits | None = None,
        now: Callable[[], datetime] = host_utc,
    ) -> None:
        self.session_factory = session_factory
        self.limits = limits or StreamLimits()
        self.now = now
        self.connections: dict[StreamConnection, None] = {}
        self._server: asyncio.Server | None = None

    def connection(self) -> asyncio.BaseProtocol:
        """What asyncio is to give a connection to."""
        return StreamConnection(self)

    def session(self, transport: asyncio.Transport) -> Session:  # noqa: ARG002 - for subclasses
        """The session of a connection that has just begun."""
        return self.session_factory(self.now())

    def admit(self, connection: StreamConnection) -> bool:
        """Take a connection up if there is room for it, or another gives way."""
        if len(self.connections) >= self.limits.connections:
            if not self.gives_way:
                return False
            unanswered = (each for each in self.connections if not each.is_answered)
            given_up = next(unanswered, None) or next(iter(self.connections))
            del self.connections[given_up]
            given_up.abort()
        self.connections[connection] = None
        return True

    def answered(self, connection: StreamConnection) -> None:
        """Somebody was told something: of all, theirs is the last connection to give way."""
        if connection in self.connections:
            del self.connections[connection]
            self.connections[connection] = None

    async def close(self) -> None:
        """Stop listening and drop every connection; harmless when repeated."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        lost = [connection.lost for connection in self.connections]
        for connection in list(self.connections):
            connection.abort()
        await asyncio.gather(*lost)
        await server.wait_closed()


class StreamConnection(asyncio.BufferedProtocol):
    """One connection of a server, and its session.

    Attributes:
        is_answered: whether its peer was ever told anything.
    """

    def __init__(self, server: StreamServer) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = loop.create_future()
        self.is_answered = False
        self._loop = loop
        self._server = server
        self._buffer = bytearray(server.limits.read_bytes)
        self._transport: asyncio.Transport | None = None
        self._session: Session | None = None
        self._turn_taker: TurnTaker | None = None
        self._turn: asyncio.Handle | None = None
        self._line_time: LineTime
        self._is_stalled = False
        self._timer: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take it up, if there is room."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if not self._server.admit(self):
            transport.abort()
            return
        self.begin(transport)

    def begin(self, transport: asyncio.Transport) -> None:
        """Give the connection, which is counted, its session."""
        self._transport = transport
        transport.set_write_buffer_limits(high=self._server.limits.write_bytes)
        self._session = self._server.session(transport)
        if isinstance(self._session, TurnTaker):
            self._turn_taker = self._session
        self._line_time = LineTime(self._server.now)
        self._step(self._session.handle_timer, self._line_time.now)

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 - the size is a limit
        """Where the next bytes are to go."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes came."""
        data = bytes(self._buffer[:nbytes])
        self._receive(data)

    def pause_writing(self) -> None:
        """The peer reads too slowly: hear no more of it, and give it up in the end."""
        self._is_stalled = True
        self._heed()
        self._stall = self._loop.call_later(self._server.limits.stall_s, self.abort)

    def resume_writing(self) -> None:
        """The peer reads again."""
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        self._is_stalled = False
        self._heed()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - lost is lost
        """It is over."""
        for timer in (self._timer, self._stall, self._turn):
            if timer is not None:
                timer.cancel()
        self._server.connections.pop(self, None)
        self._session = self._turn_taker = None
        self.lost.set_result(None)

    def abort(self) -> None:
        """Drop the connection and what was not sent."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def _is_behind(self) -> bool:
        return self._turn_taker is not None and self._turn_taker.is_behind

    def _receive(self, data: bytes) -> None:
        session, turn_taker = self._session, self._turn_taker
        if session is None:
            return
        receive = session.receive_data if turn_taker is None else turn_taker.receive_one
        self._step(partial(receive, data), self._line_time.tell_heard())
        self._heed()

    def _heed(self) -> None:
        """Read on only once everything is answered, and answer on only once there is room."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._is_stalled or self._is_behind:
            transport.pause_reading()
        else:
            transport.resume_reading()
        if self._is_behind and not self._is_stalled and self._turn is None:
            self._turn = self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._turn = None
        if self._is_behind and not self._is_stalled:
            self._receive(b"")

    def _step(self, step: Callable[[datetime], bytes], now: datetime) -> None:
        """Let the session do one thing, send what it says, and come back when it wants."""
        transport, session = self._transport, self._session
        if transport is None or session is None or transport.is_closing():
            return
        try:
            reply = step(now)
        except BaseException:
            # A session that failed says nothing more; asyncio reports why.
            self.abort()
            raise
        if reply:
            transport.write(reply)
            self.is_answered = True
            self._server.answered(self)
        if session.closed:
            transport.close()
            self._stall = self._stall or self._loop.call_later(
                self._server.limits.stall_s, self.abort
            )
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._is_behind:  # nobody is late whose requests wait for us
            self._line_time.begin_wait(session.next_timer())
            self._timer = self._loop.call_later(self._line_time.left_s, self._wake)

    def _wake(self) -> None:
        self._timer = None
        if self._session is not None:
            self._step(self._session.handle_timer, self._line_time.tell_silent())
