from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.line_time import LineTime

START = datetime(2012, 10, 28, tzinfo=UTC)
GRACE = timedelta(milliseconds=10)


class Clock:
    """Moved by hand."""

    def __init__(self) -> None:
        self.now = START

    def read(self) -> datetime:
        """What it says."""
        return self.now

    def pass_s(self, seconds: float) -> None:
        """Let so much pass."""
        self.now += timedelta(seconds=seconds)


def after(seconds: float) -> datetime:
    """An instant after the start."""
    return START + timedelta(seconds=seconds)


def waiting(due_s: float | None = 2) -> tuple[Clock, LineTime]:
    """A line whose session waits for so long."""
    clock = Clock()
    line_time = LineTime(clock.read)
    line_time.begin_wait(None if due_s is None else after(due_s))
    return clock, line_time


def test_what_comes_in_time_comes_when_it_does() -> None:
    """The clock is told as it is while nothing was due."""
    clock, line_time = waiting()
    clock.pass_s(1.5)
    assert after(1.5) == line_time.tell_heard()


def test_what_waited_for_a_busy_host_was_there_from_the_beginning() -> None:
    """And the rest of it, which comes after a second look, has all the time that there was."""
    clock, line_time = waiting()
    clock.pass_s(126)
    assert START == line_time.tell_heard()
    line_time.begin_wait(after(2))
    clock.pass_s(1.9)
    assert after(1.9) == line_time.tell_heard()


def test_what_came_at_the_last_moment_is_in_time() -> None:
    """A look that is a little late holds nothing against anybody, once."""
    clock, line_time = waiting()
    clock.pass_s(2.3)
    assert after(2) - GRACE == line_time.tell_heard()
    line_time.begin_wait(after(2))
    clock.pass_s(0.02)
    assert after(2) < line_time.tell_heard()


@pytest.mark.parametrize("is_behind", [False, True])
def test_whoever_never_stops_is_given_up_all_the_same(is_behind: bool) -> None:
    """Bytes that come faster than they are answered do not hold a session's time."""
    clock, line_time = waiting()
    for _ in range(2_100):
        clock.pass_s(0.001)
        line_time.tell_heard()
        if not is_behind:
            line_time.begin_wait(after(2))
    assert after(2) <= line_time.now <= after(2.1)


def test_a_silence_lasts_no_longer_than_it_was_listened_to() -> None:
    """What the host overslept is held against nobody's next timer."""
    clock, line_time = waiting()
    clock.pass_s(10)
    assert after(2) == line_time.tell_silent()
    line_time.begin_wait(after(120))
    assert 60 == line_time.left_s
    clock.pass_s(60)
    assert after(62) == line_time.tell_silent()


def test_long_work_is_held_against_nobody_and_short_work_counts() -> None:
    """A commit may take seconds, in which the peer has heard nothing."""
    clock, line_time = waiting()
    clock.pass_s(1)
    line_time.tell_heard()
    clock.pass_s(100)
    line_time.begin_wait(after(2))
    assert after(1) == line_time.now
    line_time.tell_heard()
    clock.pass_s(0.1)
    line_time.begin_wait(after(2))
    assert after(1.1) == line_time.now


def test_a_session_without_a_timer_is_looked_at_once_a_minute() -> None:
    """Its time passes like any other's."""
    clock, line_time = waiting(None)
    assert 60 == line_time.left_s
    clock.pass_s(60)
    assert after(60) == line_time.tell_silent()


@dataclass
class Step:
    """A wait: its timer is due after `due_s`, or there is none, and `passes_s` pass."""

    due_s: float | None
    passes_s: float
    is_heard: bool


PASSES_S = st.floats(-5_000, 5_000) | st.floats(0, 3)  # the clock may be set meanwhile
DUE_S = st.none() | st.floats(-10, 200)
BUSY_S = 0.5


@given(st.lists(st.builds(Step, DUE_S, PASSES_S, st.booleans()), min_size=1))
def test_time_passes_but_for_what_was_overslept(steps: list[Step]) -> None:
    """It never falls, no more is told than has passed, and nothing that came is late."""
    clock = Clock()
    line_time = LineTime(clock.read)
    for step in steps:
        before = line_time.now
        due = None if step.due_s is None else before + timedelta(seconds=step.due_s)
        line_time.begin_wait(due)
        wait_s = line_time.left_s
        assert 0.01 <= wait_s <= 60
        clock.pass_s(step.passes_s)
        assert 0.01 <= line_time.left_s <= 60
        told = line_time.tell_heard() if step.is_heard else line_time.tell_silent()
        passed = max(timedelta(0), timedelta(seconds=step.passes_s))
        assert before <= told <= before + passed
        if due is not None and before < due - GRACE:
            assert not step.is_heard or told <= due - GRACE
        if passed > timedelta(seconds=wait_s + BUSY_S):
            assert told == (before if step.is_heard else before + timedelta(seconds=wait_s))
