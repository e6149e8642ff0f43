"""The fixtures. Nothing of the meter is loaded before a test asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from datetime import date

    from elec_meter.config import MeterConfig

    from .day import SettlementDay


class MakeSettlementDay(Protocol):
    """The type of the fixture `settlement_day`."""

    def __call__(
        self, date: str | date, *, config: MeterConfig | None = None, gas: bool = True
    ) -> SettlementDay:
        """A meter at the first instant of a settlement date, and host time frozen there."""


@pytest.fixture
def settlement_day() -> Iterator[MakeSettlementDay]:
    """A maker of settlement days: `settlement_day("2025-10-26", config=None, gas=True)`.

    Host time is frozen from the first day made until the test is over. With several days it
    stands at the one that moved last.
    """
    with ExitStack() as days:

        def make(
            date: str | date, *, config: MeterConfig | None = None, gas: bool = True
        ) -> SettlementDay:
            from .day import SettlementDay
            from .errors import FreezegunMissingError

            day = SettlementDay(date, config=config, gas=gas)
            try:
                return days.enter_context(day)
            except FreezegunMissingError as error:
                day.close()
                reason = str(error)
            pytest.fail(reason, pytrace=False)

        yield make
