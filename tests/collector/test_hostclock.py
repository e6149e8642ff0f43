from __future__ import annotations

from collector.hostclock import HELD_MS, JUMP_MS, HostClock
from shared.timegrid import from_unix_ms

START_MS = 1_767_225_600_000
DAY_MS = 86_400_000


class _Host:
    """A host of which both clocks are told what to show."""

    def __init__(self) -> None:
        self.up_ms = 5_000
        self.off_ms = 0
        self.clock = HostClock(lambda: self.wall_ms, lambda: self.up_ms)

    @property
    def wall_ms(self) -> int:
        return START_MS + self.up_ms + self.off_ms

    def pass_ms(self, ms: int) -> int:
        self.up_ms += ms
        return self.clock.now_ms() - START_MS - self.up_ms


def test_a_jump_that_is_taken_back_leaves_no_trace() -> None:
    """Time goes on as it did while the wall clock is days or years off, either way."""
    for off_ms in (3 * DAY_MS, 3653 * DAY_MS, -3 * DAY_MS):
        host = _Host()
        host.off_ms = off_ms
        assert 0 == host.pass_ms(HELD_MS - 1)
        assert host.clock.due() is None
        host.off_ms = 0
        assert 0 == host.pass_ms(2 * HELD_MS)
        assert host.clock.due() is None


def test_a_jump_that_holds_is_due_after_a_quarter_of_an_hour() -> None:
    """It is followed once its owner says so, and not before."""
    host = _Host()
    host.off_ms = DAY_MS
    host.pass_ms(0)
    assert 0 == host.pass_ms(HELD_MS)
    assert from_unix_ms(host.wall_ms) == host.clock.due()
    host.clock.believe()
    assert DAY_MS == host.pass_ms(1)
    assert host.clock.due() is None


def test_a_clock_that_jumps_again_has_not_held() -> None:
    """Each jump begins the quarter of an hour anew."""
    host = _Host()
    for off_ms in (DAY_MS, 2 * DAY_MS, 3 * DAY_MS):
        host.off_ms = off_ms
        host.pass_ms(0)
        assert 0 == host.pass_ms(HELD_MS - 1)
        assert host.clock.due() is None


def test_a_clock_that_is_slewed_is_followed() -> None:
    """A time server that moves it a little at a time is believed at once."""
    host = _Host()
    for _ in range(10):
        host.off_ms += JUMP_MS
        assert host.off_ms == host.pass_ms(60_000)
