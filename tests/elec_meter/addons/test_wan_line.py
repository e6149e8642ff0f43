from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from elec_meter.addons import wan_line
from elec_meter.addons.errors import LineSilentError
from elec_meter.addons.line import ANSWER_S, MeterLine
from elec_meter.addons.wan_line import SharedLine
from tests.elec_meter.addons.test_line import BLOCK, IMPORT, talked, told
from tests.elec_meter.flag.lines import BREAK, IDENTIFICATION, SELECT_READOUT, SIGN_ON


def test_a_meter_that_never_stops_talking_keeps_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asked is told, and whoever asks next, when it has stopped, is answered."""
    has_stopped = asyncio.Event()

    async def meter(end: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        say = partial(loop.sock_sendall, end)
        await told(end, SIGN_ON)
        while not has_stopped.is_set():
            await say(b"noise")
            await asyncio.sleep(0)
        while True:
            heard = await loop.sock_recv(end, 256)
            if heard.endswith(SIGN_ON):
                await say(IDENTIFICATION)
            elif heard.endswith(SELECT_READOUT):
                await say(BLOCK)

    async def ask(line: MeterLine, _: socket.socket) -> str:
        shared = SharedLine(line)
        monkeypatch.setattr(wan_line, "ANSWER_S", 0.05)
        with pytest.raises(LineSilentError, match=r"^the meter does not come to rest$"):
            await shared.readout()
        monkeypatch.setattr(wan_line, "ANSWER_S", ANSWER_S)
        has_stopped.set()
        return (await shared.readout())[IMPORT].text

    assert "000123.463" == talked(meter, ask)


def test_a_head_end_that_never_says_break_keeps_nobody_out() -> None:
    """However much the meter says to it: its time is over, and the module's question answered."""

    async def talk(say: Callable[[bytes], Awaitable[None]]) -> None:
        while True:
            await say(b"noise")
            await asyncio.sleep(0)

    async def meter(end: socket.socket) -> None:
        say = partial(asyncio.get_running_loop().sock_sendall, end)
        talking = asyncio.create_task(talk(say))
        await told(end, BREAK)
        talking.cancel()
        await told(end, SIGN_ON)
        await say(IDENTIFICATION)
        await told(end, SELECT_READOUT)
        await say(BLOCK)
        await asyncio.Event().wait()

    async def ask(line: MeterLine, _: socket.socket) -> str:
        shared = SharedLine(line, session_s=0.05)
        head_end, ours = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        try:
            assert await shared.lend(SIGN_ON, reader, writer)
            return (await shared.readout())[IMPORT].text
        finally:
            writer.transport.abort()
            head_end.close()

    assert "000123.463" == talked(meter, ask)
