from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path

import pytest

from elec_meter.errors import PortInUseError
from elec_meter.ports import AddressError, StreamLimits, TcpServer
from tests.certificates import self_signed
from tests.elec_meter.ports.serving import NOW, Echo


def served(
    talk: Callable[[TcpServer], Coroutine[None, None, None]],
    session: Callable[..., Echo] = lambda now: Echo(),
    limits: StreamLimits | None = None,
    now: Callable[[], object] = lambda: NOW,
) -> list[dict[str, object]]:
    """Run a server and a talk with it; what asyncio had to report."""
    reports: list[dict[str, object]] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
        server = await TcpServer.start(session, "127.0.0.1", 0, limits=limits, now=now)
        try:
            async with asyncio.timeout(20):
                await talk(server)
        finally:
            await server.close()
        assert not server.connections

    asyncio.run(run())
    return reports


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connected(server: TcpServer) -> Stream:
    """A client's end."""
    return await asyncio.open_connection(*server.address)


async def ended(stream: Stream) -> bytes:
    """What still came before the server ended the connection."""
    reader, writer = stream
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def test_bytes_go_to_the_session_and_its_answer_back() -> None:
    """Two connections have two sessions."""

    async def talk(server: TcpServer) -> None:
        streams = [await connected(server) for _ in range(2)]
        for n, (reader, writer) in enumerate(streams):
            writer.write(b"hello%d" % n)
            assert b"hello%d" % n == await reader.readexactly(6)
        for _, writer in streams:
            writer.close()

    assert [] == served(talk)


def test_port_zero_takes_a_free_one_and_says_which() -> None:
    """The address is the real one."""

    async def talk(server: TcpServer) -> None:
        host, port = server.address
        assert "127.0.0.1" == host
        assert 0 < port < 65536

    served(talk)


def test_a_taken_port_is_one_sentence_with_the_address() -> None:
    """The error names what is in use."""

    async def talk(server: TcpServer) -> None:
        host, port = server.address
        with pytest.raises(PortInUseError, match=rf"^127\.0\.0\.1:{port} is in use [^.]*$"):
            await TcpServer.start(lambda now: Echo(), host, port)

    served(talk)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_of_another_computer_is_one_sentence(host: str) -> None:
    """Neither a foreign number nor an unknown name can be listened on."""
    with pytest.raises(AddressError, match=rf"^cannot listen on {host}:1: [^\[\]]+[^.]$"):
        asyncio.run(TcpServer.start(lambda now: Echo(), host, 1))


async def said_back(stream: Stream) -> None:
    """Say something, and hear it."""
    stream[1].write(b"a")
    assert b"a" == await stream[0].readexactly(1)


def test_a_connection_beyond_the_limit_takes_the_place_of_a_silent_one() -> None:
    """Nobody who says nothing keeps anybody out; nor does who was answered, but gives way later."""

    async def talk(server: TcpServer) -> None:
        first, silent, third = [await connected(server) for _ in range(3)]
        await said_back(first)
        await said_back(third)
        fourth = await connected(server)
        await said_back(fourth)
        assert b"" == await ended(silent)
        await said_back(first)
        fifth = await connected(server)
        await said_back(fifth)
        assert b"" == await ended(third)
        for stream in (first, fourth, fifth):
            await said_back(stream)
            stream[1].close()

    served(talk, limits=StreamLimits(connections=3))


def test_room_that_is_given_back_can_be_used() -> None:
    """Who leaves makes room, and nobody has to give way."""

    async def talk(server: TcpServer) -> None:
        first, second = await connected(server), await connected(server)
        await said_back(first)
        first[1].write(b"q")
        assert b"q" == await ended(first)
        third = await connected(server)
        for stream in (third, second):
            await said_back(stream)
            stream[1].close()

    served(talk, limits=StreamLimits(connections=2))


def test_a_session_gets_no_more_at_once_than_the_limit() -> None:
    """However much a peer sends, the pieces are bounded."""
    echo = Echo()

    async def talk(server: TcpServer) -> None:
        reader, writer = await connected(server)
        writer.write(b"a" * 10_000)
        assert b"a" * 10_000 == await reader.readexactly(10_000)
        writer.close()

    served(talk, lambda now: echo, StreamLimits(read_bytes=100))
    assert 100 >= max(len(piece) for piece in echo.received)


def test_a_reader_that_does_not_read_is_dropped() -> None:
    """What waits to be sent is bounded in size and in time."""
    echo = Echo(times=100)
    limits = StreamLimits(write_bytes=10_000, stall_s=0.2)

    async def talk(server: TcpServer) -> None:
        with socket.socket() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(peer, server.address)
            with pytest.raises((ConnectionResetError, BrokenPipeError)):
                await loop.sock_sendall(peer, b"a" * 50_000_000)
        while server.connections:
            await asyncio.sleep(0.01)

    served(talk, lambda now: echo, limits)
    sent = sum(len(piece) for piece in echo.received) * echo.times
    assert 20_000_000 > sent


def test_a_slow_reader_gets_everything() -> None:
    """Reading late is no fault as long as it is not too late."""
    echo = Echo(times=100)

    async def talk(server: TcpServer) -> None:
        reader, writer = await connected(server)
        writer.write(b"a" * 20_000)
        await asyncio.sleep(0.05)
        assert b"a" * 2_000_000 == await reader.readexactly(2_000_000)
        writer.close()

    assert [] == served(talk, lambda now: echo, StreamLimits(write_bytes=10_000))


def test_a_session_is_woken_when_it_asks() -> None:
    """Its timer may send, and end the connection."""
    passed = iter([NOW] + [NOW + timedelta(milliseconds=30)] * 100)

    async def talk(server: TcpServer) -> None:
        assert b"late" == await ended(await connected(server))

    session = Echo(due=NOW + timedelta(milliseconds=20))
    served(talk, lambda now: session, now=lambda: next(passed))


def test_a_clock_that_stands_still_wakes_nobody_in_vain() -> None:
    """Under frozen time a timer neither fires nor spins."""
    session = Echo(due=NOW + timedelta(milliseconds=1))
    calls = []

    def handle_timer(now: object) -> bytes:
        calls.append(now)
        return b""

    session.handle_timer = handle_timer

    async def talk(server: TcpServer) -> None:
        _, writer = await connected(server)
        await asyncio.sleep(0.1)
        writer.close()

    served(talk, lambda now: session)
    assert 12 >= len(calls)


def test_a_session_that_fails_ends_its_own_connection_only() -> None:
    """A bug is reported, and the others are served on."""

    async def talk(server: TcpServer) -> None:
        bad, good = await connected(server), await connected(server)
        bad[1].write(b"x")
        assert b"" == await ended(bad)
        good[1].write(b"a")
        assert b"a" == await good[0].readexactly(1)
        good[1].close()

    reports = served(talk)
    assert ["a bug"] == [str(report["exception"]) for report in reports]


def test_a_half_closed_connection_gets_its_answer() -> None:
    """A peer that sends, ends its side and reads is served."""

    async def talk(server: TcpServer) -> None:
        reader, writer = await connected(server)
        writer.write(b"hello")
        writer.write_eof()
        assert b"hello" == await reader.read()
        writer.close()

    served(talk)


def test_closing_drops_everybody_and_may_be_repeated() -> None:
    """No connection outlives the server."""

    async def talk(server: TcpServer) -> None:
        streams = [await connected(server) for _ in range(3)]
        for reader, writer in streams:
            writer.write(b"a")
            await reader.readexactly(1)
        await server.close()
        assert [b""] * 3 == [await ended(stream) for stream in streams]

    assert [] == served(talk)


class Peer:
    """A transport that knows where its peer is."""

    def __init__(self, *peer: object) -> None:
        self._peer = peer

    def get_extra_info(self, name: str) -> object:
        """The peer."""
        return self._peer or None


@pytest.mark.parametrize(
    ("peer", "kind"),
    [
        (("127.0.0.1", 1), "closed"),
        (("127.9.9.9", 1), "closed"),
        (("::1", 1, 0, 0), "closed"),
        (("::ffff:127.0.0.1", 1, 0, 0), "closed"),
        (("192.0.2.1", 1), "exposed"),
        (("0.0.0.0", 1), "exposed"),
        (("::ffff:192.0.2.1", 1, 0, 0), "exposed"),
        (("fe80::1%eth0", 1, 0, 2), "exposed"),
        (("localhost", 1), "exposed"),
        ((), "exposed"),
    ],
)
def test_only_this_computer_is_not_exposed(peer: tuple[object, ...], kind: str) -> None:
    """An address of the loopback, also as IPv6 writes it; whatever cannot be told is a stranger."""
    server = TcpServer(lambda now: "closed", exposed_factory=lambda now: "exposed")
    assert kind == server.session(Peer(*peer))
    encrypted = TcpServer(
        lambda now: "closed",
        exposed_factory=lambda now: "exposed",
        tls=ssl.create_default_context(ssl.Purpose.CLIENT_AUTH),
    )
    assert "closed" == encrypted.session(Peer(*peer))


def certificate(directory: Path) -> ssl.SSLContext:
    """A server's context with a certificate of its own making."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(directory, "meter").both)
    return context


def trusting() -> ssl.SSLContext:
    """Of a client that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def test_an_encrypted_connection_is_served(tmp_path: Path) -> None:
    """Bytes go to the session and back through TLS, and its end ends the connection."""

    async def run() -> None:
        tls = certificate(tmp_path)
        server = await TcpServer.start(lambda now: Echo(), "127.0.0.1", 0, tls=tls)
        reader, writer = await asyncio.open_connection(*server.address, ssl=trusting())
        writer.write(b"hello")
        assert b"hello" == await reader.readexactly(5)
        writer.write(b"q")
        assert b"q" == await reader.read()
        writer.close()
        await server.close()

    asyncio.run(asyncio.wait_for(run(), 20))


def test_a_crowd_that_never_shakes_hands_is_bounded(tmp_path: Path) -> None:
    """It takes no more places than connections in clear do; whoever speaks TLS is served."""

    async def run() -> None:
        tls = certificate(tmp_path)
        limits = StreamLimits(connections=8)
        server = await TcpServer.start(lambda now: Echo(), "127.0.0.1", 0, tls=tls, limits=limits)
        crowd = [await connected(server) for _ in range(40)]
        crowd[-1][1].write(b"no handshake at all\r\n\r\n")
        await ended(crowd.pop())
        reader, writer = await asyncio.open_connection(*server.address, ssl=trusting())
        writer.write(b"hello")
        assert b"hello" == await reader.readexactly(5)
        assert 8 == len(server.connections)
        for stream in crowd[:32]:
            assert b"" == await ended(stream)
        await server.close()
        for stream in crowd[32:]:
            assert b"" == await ended(stream)
        writer.close()
        assert not server.connections

    asyncio.run(asyncio.wait_for(run(), 20))


def test_a_handshake_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    """Where nobody needs its place, its time ends it, whether it said something or nothing."""

    async def run() -> None:
        tls = certificate(tmp_path)
        limits = StreamLimits(handshake_s=0.01)
        server = await TcpServer.start(lambda now: Echo(), "127.0.0.1", 0, tls=tls, limits=limits)
        silent, slow = await connected(server), await connected(server)
        slow[1].write(b"\x16\x03\x01")
        assert b"" == await ended(silent)
        assert b"" == await ended(slow)
        await server.close()
        assert not server.connections

    asyncio.run(asyncio.wait_for(run(), 20))
