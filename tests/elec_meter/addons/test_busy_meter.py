from __future__ import annotations

import asyncio
import socket
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from elec_meter.addons.slot import News, Slots, Surroundings
from elec_meter.config import AddonConfig
from elec_meter.flag import FlagSession
from tests.elec_meter.addons import modules_for_tests
from tests.elec_meter.addons.reading_out import module_session
from tests.elec_meter.addons.test_slot import module, until
from tests.elec_meter.flag.lines import busy_meter
from tests.elec_meter.loop_clock import LoopClock


def test_a_module_is_not_late_for_a_busy_meter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it said while the meter was held up for longer than a session waits is answered."""
    monkeypatch.syspath_prepend(str(modules_for_tests.install(tmp_path)))
    ends: list[socket.socket] = []
    held_up: list[int] = []
    said: list[str] = []
    news: list[tuple[News, str]] = []
    pair = socket.socketpair

    def kept_pair() -> tuple[socket.socket, socket.socket]:
        ends[:] = pair()
        return ends[0], ends[1]

    async def talk() -> None:
        clock, loop = LoopClock(), asyncio.get_running_loop()

        def session(addon: AddonConfig, now: datetime) -> FlagSession:
            made = module_session(busy_meter(), addon, now=now)
            receive = made.receive_data

            def receive_data(data: bytes, now: datetime) -> bytes:
                reply = receive(data, now)
                if reply.startswith(b"/") and len(held_up) < 2:
                    held_up.append(ends[0].fileno())
                    loop.call_soon(partial(clock.hold_up, 3, until_readable=held_up[-1]))
                return reply

            made.receive_data = receive_data  # type: ignore[method-assign]  # a test looks on
            return made

        monkeypatch.setattr(socket, "socketpair", kept_pair)
        surroundings = Surroundings(
            session=session,
            version=lambda: 1,
            tell=lambda *told: news.append(told),
            say=lambda _, sentence: said.append(sentence),
        )
        slots = Slots(surroundings, lambda: (module("good"),))
        try:
            async with asyncio.timeout(60):
                await until(lambda: len(said) >= 2)
        finally:
            await slots.close()

    asyncio.run(talk())
    assert 2 == len(held_up)
    assert ["import 000123.463"] * 2 == said[:2]
    assert [] == news
