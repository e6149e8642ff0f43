"""When which unit's journal forgets what no row needs: each once a day, a part at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Final

PERIOD: Final = timedelta(days=1)


class Upkeep:
    """Shares the work out, so that nobody waits for all of it."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()
        self._begun: datetime | None = None

    def go_on(
        self,
        serials: Collection[str],
        compact: Callable[[str, datetime], int | None],
        now: datetime,
    ) -> None:
        """Do the next part, if it is time for one.

        Args:
            serials: all units whose journals there are.
            compact: does a part of one's, as `Collector.compact_some`; None as long as there is
                more of it.
            now: the host's UTC.
        """
        if self._begun is None or now - self._begun >= PERIOD:
            self._begun = now
            self._waiting = deque(serials)
        while self._waiting and self._waiting[0] not in serials:
            self._waiting.popleft()
        if self._waiting and compact(self._waiting[0], now) is not None:
            self._waiting.popleft()
