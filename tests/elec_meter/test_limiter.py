from __future__ import annotations

from datetime import UTC, datetime

from elec_meter.config import EmergencyConfig, LimiterConfig
from elec_meter.limiter import LimitWatcher, Verdict
from shared.timegrid import unix_s

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
NOON_S = unix_s(NOON)
SECOND_US = 1_000_000


def verdicts(
    limiter: LimitWatcher, values: list[int | None], step_s: int = 10
) -> list[Verdict | None]:
    """What it says of one value every ten seconds, from noon on."""
    return [
        limiter.observe(value, (NOON_S + n * step_s) * SECOND_US, NOON_S + n * step_s)
        for n, value in enumerate(values)
    ]


def test_too_much_for_long_enough_is_exceeded_once() -> None:
    """After 30 s above it, not before, and not again while it lasts."""
    limiter = LimitWatcher(LimiterConfig(threshold=1000, over_s=30))
    said = verdicts(limiter, [1001] * 6)
    assert [None, None, None, Verdict.EXCEEDED, None, None] == said


def test_the_threshold_itself_is_kept() -> None:
    """Only what is above it counts."""
    limiter = LimitWatcher(LimiterConfig(threshold=1000, over_s=0))
    assert [None] * 3 == verdicts(limiter, [1000, 999, 0])
    assert [Verdict.EXCEEDED] == verdicts(limiter, [1001])


def test_a_moment_below_begins_the_time_again() -> None:
    """So does one of which nothing is known."""
    for pause in (900, None):
        limiter = LimitWatcher(LimiterConfig(threshold=1000, over_s=30))
        said = verdicts(limiter, [1001, 1001, 1001, pause, 1001, 1001, 1001, 1001])
        assert [None] * 7 + [Verdict.EXCEEDED] == said


def test_it_is_kept_again_after_its_own_time() -> None:
    """20 s at or below the threshold."""
    limiter = LimitWatcher(LimiterConfig(threshold=1000, over_s=0, under_s=20))
    said = verdicts(limiter, [1001, 10, 10, 10, 10])
    assert [Verdict.EXCEEDED, None, None, Verdict.KEPT, None] == said


def test_next_us_is_when_the_time_is_over() -> None:
    """Counted from the first value above; nothing when nothing is under way."""
    limiter = LimitWatcher(LimiterConfig(threshold=1000, over_s=30))
    assert limiter.next_us() is None
    verdicts(limiter, [1001])
    assert (NOON_S + 30) * SECOND_US == limiter.next_us()
    verdicts(limiter, [999])
    assert limiter.next_us() is None


def test_an_emergency_has_its_threshold_for_its_time() -> None:
    """From its activation on, by the meter's time; not while that is unknown."""
    emergency = EmergencyConfig(threshold=500, activate=NOON, duration_min=1)
    limiter = LimitWatcher(LimiterConfig(threshold=1000, emergency=emergency))
    seconds = (NOON_S - 1, NOON_S, NOON_S + 59, NOON_S + 60, None)
    assert [1000, 500, 500, 1000, 1000] == [limiter.threshold(at_s) for at_s in seconds]


def test_an_emergency_alone_is_a_limit() -> None:
    """Without a usual threshold nothing is too much once it has ended."""
    emergency = EmergencyConfig(threshold=500, activate=NOON, duration_min=1)
    limiter = LimitWatcher(LimiterConfig(over_s=0, under_s=0, emergency=emergency))
    said = verdicts(limiter, [600, 600, 600], step_s=30)
    assert [Verdict.EXCEEDED, None, Verdict.KEPT] == said


def test_openings_add_up_to_a_lockout_within_its_time() -> None:
    """The third within an hour, wherever the hour begins; an order from afar forgets them."""
    limiter = LimitWatcher(LimiterConfig(threshold=1, lockout_trips=3, lockout_s=3600))
    minutes = (0, 59, 61, 62)
    assert [False, False, False, True] == [
        limiter.trip(minute * 60 * SECOND_US) for minute in minutes
    ]
    limiter.release()
    assert not limiter.saved.is_locked
    assert not limiter.trip(63 * 60 * SECOND_US)
