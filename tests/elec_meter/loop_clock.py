"""The clock of a running loop, which a test moves as if the loop had been held up."""

from __future__ import annotations

import asyncio
import select
from datetime import UTC, datetime, timedelta


class LoopClock:
    """Takes the clock of the running loop over."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._real, self._lost_s = loop.time, 0.0
        loop.time = self.now_s  # type: ignore[method-assign]  # a test moves it

    def now_s(self) -> float:
        """What the loop takes for its time."""
        return self._real() + self._lost_s

    def utc(self) -> datetime:
        """The same as an instant."""
        return datetime(2012, 10, 28, tzinfo=UTC) + timedelta(seconds=self.now_s())

    def hold_up(self, seconds: float, *, until_readable: int | None = None) -> None:
        """The loop is busy for so long; within it bytes come to a file, if one is given."""
        if until_readable is not None:
            assert select.select([until_readable], [], [], 60)[0], "nothing came"
        self._lost_s += seconds
