"""The time that the session of a line is told, sans I/O: nobody is late for whom the host was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

# A clock may be set: never sleep long on one reading of it, and never spin when it stands still.
_WAIT_MAX: Final = timedelta(seconds=60)
_WAIT_MIN: Final = timedelta(milliseconds=10)
_BUSY: Final = timedelta(milliseconds=500)
"""Whoever looks at a line later than this was busy with something else, or its clock was set."""

_NO_TIME: Final = timedelta(0)


class LineTime:
    """Passes as the host's does, but for what the host overslept.

    A session gives up what comes too late, and all it knows is the time that it is told. When the
    host was busy for longer than the session would have waited, the host's clock cannot tell who
    kept whom waiting. So where something is there when the line is looked at again, it has come in
    time, and the session has all the time that it had when the wait began; where nothing is there,
    only the wait is over. What the host overslept is left out for good.

    All other time counts, that of the session's own work too: whoever never stops saying what makes
    no sense is given up when his time is over. It never falls, also where the clock is set.

    Args:
        now: the host's clock.

    Attributes:
        now: what the session was told last, or what has passed since by the time it began to wait.
    """

    __slots__ = ("_clock", "_due", "_expected", "_looked", "now")

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._clock = now
        self.now = self._looked = now()
        self._due: datetime | None = None
        self._expected = _NO_TIME

    def begin_wait(self, due: datetime | None) -> None:
        """The session waits from now on.

        Args:
            due: the host's UTC of the session's next timer; None for no timer.
        """
        self._pass()
        self._due = due
        self._expected = self._left(self.now)

    @property
    def left_s(self) -> float:
        """How long to look at the line: never for no time, and never for more than a minute."""
        return self._left(self.now + self._passed(self._clock())).total_seconds()

    def tell_heard(self) -> datetime:
        """The time for what has come: before the timer is due, if it was not as good as due."""
        before, due = self.now, self._due
        if self._pass() and due is not None and before < due - _WAIT_MIN:
            self.now = min(self.now, due - _WAIT_MIN)
        return self._told()

    def tell_silent(self) -> datetime:
        """The time when nothing has come, and nothing waits on the line."""
        if not self._pass():
            self.now += self._expected
        return self._told()

    def _pass(self) -> bool:
        """Let pass what the host's clock says has passed, unless it was busy: then nothing."""
        at = self._clock()
        passed, self._looked = self._passed(at), at
        if passed > self._expected + _BUSY:
            return False
        self.now += passed
        return True

    def _passed(self, at: datetime) -> timedelta:
        return max(_NO_TIME, at - self._looked)

    def _left(self, since: datetime) -> timedelta:
        if self._due is None:
            return _WAIT_MAX
        return max(_WAIT_MIN, min(_WAIT_MAX, self._due - since))

    def _told(self) -> datetime:
        self._due, self._expected = None, _NO_TIME
        return self.now
