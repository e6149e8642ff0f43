"""Host time that stands still until it is moved."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from shared.timegrid import EPOCH, half_hour_of_settlement_period, require_utc

from .dates import settlement_date
from .errors import FreezegunMissingError

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory

_REAL_FOR: Final = ["_pytest.timing"]
"""A test that freezes time and is measured would else have taken decades."""

_OURS: Final = ("collector", "elec_meter", "pulse_unit", "shared")


class FrozenTime:
    """The one freeze of a process, shared by all who hold it: host time is where it was moved last.

    `hold` begins or joins it; the last `release` ends it. While it lasts, `datetime.now(UTC)`,
    `time.time()` and `time.monotonic()` stand still, and the loops of asyncio run on.
    """

    def __init__(self) -> None:
        self._holders = 0
        self._factory: FrozenDateTimeFactory | None = None
        self._undo: Callable[[], object] = lambda: None

    @property
    def is_frozen(self) -> bool:
        """Whether anybody holds it."""
        return self._holders > 0

    @property
    def now(self) -> datetime:
        """Where host time stands, in UTC.

        Raises:
            RuntimeError: it is not frozen.
        """
        return EPOCH + (self._frozen().time_to_freeze - EPOCH.replace(tzinfo=None))

    def hold(self, at: datetime) -> datetime | None:
        """Freeze host time, or join those who have, and move it to an instant.

        Returns:
            Where it stood before; None if it was not frozen.

        Raises:
            FreezegunMissingError: freezegun is not installed.
        """
        at = require_utc(at)
        before = self.now if self.is_frozen else None
        if before is None:
            self._freeze(at)
        self._holders += 1
        self.move_to(at)
        return before

    def release(self, back_to: datetime | None) -> None:
        """Let go: time stands again where `hold` found it, or runs when nobody holds it."""
        self._holders -= 1
        if not self.is_frozen:
            self._undo()
            self._factory = None
        elif back_to is not None:
            self.move_to(back_to)

    def move_to(self, at: datetime) -> None:
        """Let host time stand at an instant, later or earlier.

        Raises:
            RuntimeError: it is not frozen.
        """
        self._frozen().move_to(require_utc(at))

    def move_by(self, seconds: float) -> None:
        """Let host time go on by so much."""
        self.move_to(self.now + timedelta(seconds=seconds))

    def _frozen(self) -> FrozenDateTimeFactory:
        if self._factory is None:
            raise RuntimeError("host time is not frozen")
        return self._factory

    def _freeze(self, at: datetime) -> None:
        try:
            from freezegun import freeze_time
            from freezegun.api import FrozenDateTimeFactory
        except ImportError:
            raise FreezegunMissingError(
                "time cannot be frozen without freezegun: install the extra testing"
            ) from None
        _load_late_names()
        freezer = freeze_time(at, real_asyncio=True, ignore=_REAL_FOR)
        factory = freezer.start()
        assert isinstance(factory, FrozenDateTimeFactory)  # nothing that ticks was asked for
        self._factory, self._undo = factory, freezer.stop


FROZEN_TIME: Final = FrozenTime()
"""Of this process: freezegun's freeze is the whole interpreter's too."""


@contextmanager
def freeze_at_period(
    date: str | date, settlement_period: int, *, offset_s: float = 0
) -> Iterator[FrozenTime]:
    """Freeze host time at the start of a settlement period.

    Inside another freeze of this kind, time goes back to where it stood when this one is left.

    Args:
        date: settlement date, such as `2025-10-26`.
        settlement_period: from 1.
        offset_s: seconds after the start; below zero before it.

    Raises:
        SettlementDayError: that is no date.
        TimegridError: the date has no period of that number.
        FreezegunMissingError: freezegun is not installed.
    """
    half_hour = half_hour_of_settlement_period(settlement_date(date), settlement_period)
    before = FROZEN_TIME.hold(half_hour.start + timedelta(seconds=offset_s))
    try:
        yield FROZEN_TIME
    finally:
        FROZEN_TIME.release(before)


def _load_late_names() -> None:
    """Look at all that freezegun will look at, and so have it loaded while the time is real."""
    seen: set[str] = set()
    while ours := [
        name for name in sys.modules if name.split(".")[0] in _OURS and name not in seen
    ]:
        seen.update(ours)
        for name in ours:
            for attribute in dir(sys.modules[name]):
                getattr(sys.modules[name], attribute, None)
