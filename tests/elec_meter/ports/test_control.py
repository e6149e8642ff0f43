from __future__ import annotations

import asyncio
import json
import socket
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from elec_meter.control import AdjustClock, ControlSession, GetStatus, Request, TakePairingStep
from elec_meter.errors import ClockError, ControlError, NotAllowedError, PairingRefusedError
from elec_meter.ports import SOCKET_NAME, ControlServer, StreamLimits, ask
from elec_meter.ports import control as control_port

Talk = Callable[[Path], Awaitable[None]]


def perform(request: Request) -> dict[str, Any]:
    """A meter that refuses to be adjusted, and to pair."""
    if isinstance(request, AdjustClock):
        raise ClockError("it is right")
    if isinstance(request, TakePairingStep):
        raise PairingRefusedError("no pairing is under way")
    return {"price": 1, "text": "a\nb" * 1_000}


def served(directory: Path, talk: Talk, **limits: Any) -> None:
    """Run a server in a directory, and a talk with it."""

    async def run() -> None:
        server = await ControlServer.start(
            lambda now: ControlSession(perform, now),
            directory,
            limits=StreamLimits(**limits) if limits else StreamLimits(connections=8),
        )
        try:
            async with asyncio.timeout(20):
                await talk(directory)
        finally:
            await server.close()
            await server.close()

    asyncio.run(run())


async def asked(directory: Path, request: Request) -> dict[str, Any] | None:
    """The blocking client's answer, from another thread."""
    return await asyncio.to_thread(ask, directory, request)


def test_the_client_gets_its_reply_or_the_meters_own_error(tmp_path: Path) -> None:
    """One request, one reply; a refusal is raised as what it was."""

    async def talk(directory: Path) -> None:
        assert {"price": 1, "text": "a\nb" * 1_000} == await asked(directory, GetStatus())
        with pytest.raises(ClockError, match=r"^it is right$"):
            await asked(directory, AdjustClock(by_s=1))
        with pytest.raises(PairingRefusedError, match=r"^no pairing is under way$"):
            await asked(directory, TakePairingStep(step={"request": "pair.status"}))

    served(tmp_path, talk)


def test_the_socket_is_the_owners_and_goes_with_the_server(tmp_path: Path) -> None:
    """Nobody else may write to it; afterwards nobody listens, and no file is left."""
    path = tmp_path / SOCKET_NAME

    async def talk(directory: Path) -> None:
        mode = path.stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert 0o600 == stat.S_IMODE(mode)

    served(tmp_path, talk)
    assert not path.exists()
    assert ask(tmp_path, GetStatus()) is None


def test_a_dead_processs_socket_is_replaced(tmp_path: Path) -> None:
    """Nobody answers at it, until another meter starts."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / SOCKET_NAME))
    assert ask(tmp_path, GetStatus()) is None

    async def talk(directory: Path) -> None:
        assert await asked(directory, GetStatus()) is not None

    served(tmp_path, talk)


def test_another_socket_in_its_place_is_left_alone(tmp_path: Path) -> None:
    """A server that ends removes its own socket and not its successor's."""

    async def talk(directory: Path) -> None:
        (directory / SOCKET_NAME).unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(directory / SOCKET_NAME))

    served(tmp_path, talk)
    assert (tmp_path / SOCKET_NAME).exists()


def test_something_else_in_its_place_is_told(tmp_path: Path) -> None:
    """A file of that name is not removed."""
    (tmp_path / SOCKET_NAME).write_text("dear diary")
    with pytest.raises(ControlError, match=r"no control socket at .*: something else is there$"):
        served(tmp_path, lambda _: asyncio.sleep(0))
    assert "dear diary" == (tmp_path / SOCKET_NAME).read_text()


def test_a_path_that_is_too_long_is_told(tmp_path: Path) -> None:
    """One sentence with the limit; to a client it is as if nobody listened."""
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    with pytest.raises(ControlError, match=r"a socket's path has at most 107 bytes$"):
        served(deep, lambda _: asyncio.sleep(0))
    assert ask(deep, GetStatus()) is None


def test_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the file's mode: the kernel says who is at the other end."""
    user = control_port.os.geteuid() + 1
    monkeypatch.setattr(control_port.os, "geteuid", lambda: user)

    async def talk(directory: Path) -> None:
        with pytest.raises(NotAllowedError, match="only the user who runs the meter"):
            await asked(directory, GetStatus())

    served(tmp_path, talk)


def test_connections_are_bounded_and_given_back(tmp_path: Path) -> None:
    """Beyond the limit one is dropped, whose client says so; one that ends makes room."""

    async def talk(directory: Path) -> None:
        path = str(directory / SOCKET_NAME)
        first, second = [await asyncio.open_unix_connection(path) for _ in range(2)]
        with pytest.raises(ControlError, match=r"^the meter on .* gave no answer: [^.]*[^.]$"):
            await asked(directory, GetStatus())
        for reader, writer in (first, second):
            writer.write(b"no request\n")
            assert not json.loads(await reader.readline())["ok"]
            assert b"" == await reader.read()
            writer.close()
        assert await asked(directory, GetStatus()) is not None

    served(tmp_path, talk, connections=2)


@pytest.mark.parametrize("said", [b"", b"{", b"3\n", b"[]\n", b"{}\n", b"\xff\n"])
def test_a_server_that_is_no_meter_is_told(said: bytes, tmp_path: Path) -> None:
    """What makes no sense is one sentence, never taken for a reply."""

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(said)
        writer.close()

    async def run() -> None:
        server = await asyncio.start_unix_server(babble, str(tmp_path / SOCKET_NAME))
        async with server:
            with pytest.raises(ControlError, match=r"^the meter on .* [^.]*$"):
                await asked(tmp_path, GetStatus())

    asyncio.run(run())


def test_a_meter_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    """The client waits no longer than it was told to."""
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / SOCKET_NAME))
        mute.listen()
        with pytest.raises(ControlError, match="gave no answer: it did not answer in time"):
            ask(tmp_path, GetStatus(), timeout_s=0.05)


def test_an_error_of_a_later_version_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class that this version does not know becomes the root of the tree."""

    class LaterError(ClockError):
        """Unknown here."""

    async def talk(directory: Path) -> None:
        with pytest.raises(ValueError, match="from tomorrow"):
            await asked(directory, AdjustClock(by_s=1))

    def refuse(request: Request) -> dict[str, Any]:
        raise LaterError("from tomorrow")

    monkeypatch.setitem(globals(), "perform", refuse)
    served(tmp_path, talk)
