"""A loop's timers, whose clock is moved by hand."""

from __future__ import annotations

from collections.abc import Callable


class Timer:
    """A call to come.

    Attributes:
        at_ms: when, on the hand-driven clock.
    """

    def __init__(self, at_ms: int, call: Callable[[], None]) -> None:
        self.at_ms = at_ms
        self.call = call
        self.is_cancelled = False

    def cancel(self) -> None:
        """It does not come."""
        self.is_cancelled = True


class Timers:
    """Stands where a running loop would: only the clock's hand makes time pass.

    Attributes:
        now_ms: the clock.
    """

    def __init__(self) -> None:
        self.now_ms = 0
        self._timers: list[Timer] = []

    def call_later(self, delay_s: float, call: Callable[..., None], *given: object) -> Timer:
        """As `asyncio.AbstractEventLoop.call_later`."""
        timer = Timer(self.now_ms + round(delay_s * 1_000), lambda: call(*given))
        self._timers.append(timer)
        return timer

    def pass_by(self, length_ms: int) -> None:
        """Time passes; what is due is called, in order, each at its time."""
        end_ms = self.now_ms + length_ms
        while due := [each for each in self._timers if each.at_ms <= end_ms]:
            timer = min(due, key=lambda each: each.at_ms)
            self._timers.remove(timer)
            self.now_ms = timer.at_ms
            if not timer.is_cancelled:
                timer.call()
        self.now_ms = end_ms
