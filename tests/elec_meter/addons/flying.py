"""An event loop whose time passes at once: an hour of waiting costs nothing."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class _Selector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]  # it is chosen at run time
    """Nothing is waited for: the time until the next timer has passed."""

    at_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now."""
        self.at_s += max(0.0, timeout or 0.0)
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        return ready


class FlyingLoop(asyncio.SelectorEventLoop):
    """Its time begins at 0 and is that of its timers alone."""

    def __init__(self) -> None:
        self._flown = _Selector()
        super().__init__(self._flown)

    def time(self) -> float:
        """Seconds."""
        return self._flown.at_s


def fly(talk: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine in such a loop."""
    with asyncio.Runner(loop_factory=FlyingLoop) as runner:
        return runner.run(talk)
