"""Host time: frozen once, shared, and given back."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest
from freezegun import freeze_time

from elec_meter.testing import FrozenTime, SettlementDay, freeze_at_period
from shared.errors import TimegridError

AUTUMN = datetime(2025, 10, 26, 1, tzinfo=UTC)  # period 5


def test_time_stands_at_a_period() -> None:
    """And at so many seconds after it; leaving gives real time back."""
    real = datetime.now(UTC)
    with freeze_at_period("2025-10-26", 5) as frozen:
        assert AUTUMN == datetime.now(UTC) == frozen.now
        frozen.move_by(0.5)
        assert AUTUMN.timestamp() + 0.5 == time.time()
    assert real <= datetime.now(UTC)
    assert not frozen.is_frozen


def test_a_freeze_within_a_freeze_goes_back() -> None:
    """When the inner one is left, time stands where the outer one had it."""
    with freeze_at_period("2025-10-26", 5):
        with freeze_at_period("2025-03-30", 3, offset_s=-1):
            assert datetime(2025, 3, 30, 0, 59, 59, tzinfo=UTC) == datetime.now(UTC)
        assert AUTUMN == datetime.now(UTC)


def test_a_period_that_is_not_there_freezes_nothing() -> None:
    """The sentence says which there are."""
    with (
        pytest.raises(TimegridError, match="2025-03-30 has settlement periods 1 to 46, not 47"),
        freeze_at_period("2025-03-30", 47) as frozen,
    ):
        assert not frozen.is_frozen
    assert time.time.__module__ == "time"


def test_two_days_in_one_test() -> None:
    """Each keeps its own time and rows; host time stands at the one that moved last."""
    with SettlementDay("2025-03-30") as spring, SettlementDay("2025-10-26") as autumn:
        spring.power_w(100)
        autumn.power_w(200)
        spring.run(through_period=3)
        assert spring.now == datetime.now(UTC) != autumn.now
        autumn.run(through_period=5)
        assert autumn.now == datetime.now(UTC)
        spring.step()
        assert spring.now == datetime.now(UTC)
        spring.assert_rows(import_wh=dict.fromkeys(range(1, 4), 50))
        autumn.assert_rows(import_wh=dict.fromkeys(range(1, 6), 100))


def test_a_day_that_was_not_entered_leaves_host_time_alone() -> None:
    """The meter is told its time; nothing needs to be frozen for it."""
    day = SettlementDay("2025-10-26")
    with freeze_at_period("2025-03-30", 1) as frozen:
        before = frozen.now
        day.power_w(100)
        day.run(through_period=2)
        assert before == datetime.now(UTC)
    day.assert_rows(import_wh=50)
    day.close()


def test_a_failure_within_a_day_thaws_time() -> None:
    """Whatever is raised passes, and time runs."""
    with pytest.raises(ZeroDivisionError), SettlementDay("2025-10-26"):
        raise ZeroDivisionError
    assert time.time.__module__ == "time"


def test_a_freeze_of_the_tests_own_may_be_around() -> None:
    """Within somebody's `freeze_time` a day has its own time, and leaves theirs behind it."""
    with freeze_time("2020-01-01"):
        with SettlementDay("2025-10-26", gas=False) as day:
            assert day.now == datetime.now(UTC)
        assert datetime(2020, 1, 1, tzinfo=UTC) == datetime.now(UTC)
    assert time.time.__module__ == "time"


def test_asyncio_goes_on_while_time_is_frozen() -> None:
    """A test may wait in a loop while the day stands still."""
    with SettlementDay("2025-10-26", gas=False):
        asyncio.run(asyncio.sleep(0.01))


def test_time_that_runs_cannot_be_moved() -> None:
    """There is nothing to move then."""
    with pytest.raises(RuntimeError, match="host time is not frozen"):
        FrozenTime().move_by(1)
