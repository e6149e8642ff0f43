from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from elec_meter.clock import Clock
from elec_meter.errors import TimeRunsBackwardsError
from shared.errors import TimegridError
from shared.timegrid import LONDON, unix_s

NOW = datetime(2013, 1, 1, 12, tzinfo=UTC)


def test_time_is_unknown_before_power_up() -> None:
    """A clock without power has no epoch and is not valid."""
    clock = Clock()
    assert (False, 0) == (clock.valid, clock.epoch)


def test_power_up_begins_an_epoch() -> None:
    """Every power-up begins a later epoch, and from then on the time is known."""
    clock = Clock(last_durable_s=unix_s(NOW))
    clock.power_up(NOW, 7)
    assert (True, 7) == (clock.valid, clock.epoch)
    with pytest.raises(ValueError, match="does not follow"):
        clock.power_up(NOW, 7)


def test_clock_refuses_to_run_backwards() -> None:
    """A cold start before the last known instant leaves the time unknown."""
    clock = Clock(last_durable_s=unix_s(NOW))
    with pytest.raises(TimeRunsBackwardsError, match="2013-01-01 12:00:00 UTC"):
        clock.power_up(NOW - timedelta(seconds=1), 1)
    assert not clock.valid


def test_time_is_read_in_utc() -> None:
    """Whatever zone the host speaks, the meter's time is UTC; a naive time is refused."""
    clock = Clock()
    clock.power_up(NOW, 1)
    assert NOW == clock.read(NOW.astimezone(LONDON))
    assert UTC is clock.read(NOW.astimezone(LONDON)).tzinfo
    with pytest.raises(TimegridError):
        clock.read(NOW.replace(tzinfo=None))
