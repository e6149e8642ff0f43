from __future__ import annotations

from elec_meter.access.lockouts import Lockouts

HERE, THERE = "FLAG TCP", "FLAG optical"


def fail(lockouts: Lockouts, at_s: int, times: int, port: str = HERE, level: int = 3) -> list[int]:
    """Failures one after the other; how long each of them locks."""
    ends = [lockouts.failed(port, level, at_s) for _ in range(times)]
    return [0 if end is None else end - at_s for end in ends]


def test_every_third_failure_locks_for_twice_as_long() -> None:
    """From a minute to a day, and no longer."""
    lockouts = Lockouts()
    spells = [fail(lockouts, 1_000_000 * n, 3) for n in range(14)]
    assert [[0, 0]] * 14 == [each[:2] for each in spells]
    minutes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440, 1440, 1440]
    assert [minute * 60 for minute in minutes] == [each[2] for each in spells]


def test_a_lock_is_of_one_level_on_one_port() -> None:
    """A stranger on the network does not lock out the supplier at the meter."""
    lockouts = Lockouts()
    fail(lockouts, 0, 3)
    assert 60 == lockouts.locked_until_s(HERE, 3, 59)
    assert lockouts.locked_until_s(HERE, 3, 60) is None
    assert lockouts.locked_until_s(HERE, 2, 0) is None
    assert lockouts.locked_until_s(THERE, 3, 0) is None


def test_a_success_begins_anew() -> None:
    """Two failures and a success are forgotten, and so is how often it was locked."""
    lockouts = Lockouts()
    fail(lockouts, 0, 8)
    lockouts.succeeded(HERE, 3)
    assert [0, 0, 60] == fail(lockouts, 1_000, 3)


def test_many_failures_are_no_more_work() -> None:
    """The time does not overflow after years of them."""
    assert [86_400] == fail(Lockouts(), 0, 30_000)[-1:]
