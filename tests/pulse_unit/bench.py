"""A unit on a Linux board with some parts, and a clock that can be put forward."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pulse_unit.config import UnitConfig
from pulse_unit.hal.linux import LinuxBoard, Part, SyncedNvm
from pulse_unit.main import run
from pulse_unit.unit import PAGES, PulseUnit
from shared.label import UnitLabel
from tests.pulse_unit.listening import KEY, SERIAL

LIMIT_S = 120  # a virtual link never gives up by itself, and a busy machine takes its time


class Bench:
    """A unit's board, whose memory is a file in ``folder``; each `run` is a boot."""

    def __init__(
        self, folder: Path, *parts: Part, closed: bool = False, passkey: str = "123456"
    ) -> None:
        self.folder = folder
        self.passkey = passkey
        self.reports: list[str] = []
        self.board: LinuxBoard
        self._parts = parts
        self._closed = closed
        self._skipped_ms = 0
        self._mistakes: list[str] = []

    def parts(self) -> tuple[Part, ...]:
        """What the board has besides its clock and memory."""
        return self._parts

    @property
    def unit(self) -> PulseUnit:
        """The unit that runs."""
        return self.board.unit

    def clock_ns(self) -> int:
        """The kernel's clock, further on."""
        return time.monotonic_ns() + self._skipped_ms * 1_000_000

    async def skip(self, milliseconds: int) -> None:
        """Let time pass at once, and let the unit see it."""
        self._skipped_ms += milliseconds
        self.board.wake()
        await asyncio.sleep(0.01)

    async def until(
        self, condition: Callable[[], bool], meanwhile: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Wait for something to become true, and do something over and over until it is."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                if meanwhile is not None:
                    await meanwhile()
                await asyncio.sleep(0.01)

    def run(self, scenario: Callable[[], Awaitable[None]], **config: int) -> PulseUnit:
        """Run the unit, as every board does, until a scenario has ended; raise what it raises.

        When the board is closed, none of its tasks may be left, and none may have failed unheard.
        """
        board = self.board = LinuxBoard(
            UnitLabel(SERIAL, KEY, self.passkey),
            SyncedNvm(str(self.folder / "memory"), PAGES),
            self.parts(),
            closed=self._closed,
            report=self.reports.append,
            clock_ns=self.clock_ns,
        )
        board.loop.set_exception_handler(self._blame)

        async def play() -> None:
            try:
                async with asyncio.timeout(3 * LIMIT_S):
                    await scenario()
            finally:
                board.switch_off()

        playing = board.loop.create_task(play())
        try:
            unit = run(board, UnitConfig(**{"telegram_period_s": 10, **config}))
        finally:
            board.close()
        playing.result()
        left = [repr(task) for task in asyncio.all_tasks(board.loop) if _is_ours(task)]
        assert not self._mistakes + left, self._mistakes + left
        return unit

    def _blame(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # Bumble's host hands a reply to whoever asked, also once that has been cancelled.
        if not isinstance(context.get("exception"), asyncio.InvalidStateError):
            self._mistakes.append(f"{context['message']}: {context.get('exception')!r}")


def _is_ours(task: asyncio.Task[Any]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)  # Bumble's own tasks live with its devices
    return code is not None and "/pulse_unit/" in code.co_filename
