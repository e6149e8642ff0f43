from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

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


def test_what_waited_for_the_host_came_before_the_timer_was_due() -> None:
    """And the session has all its patience again for what comes next."""
    clock, line_time = waiting()
    clock.pass_s(10)
    told = line_time.tell_heard()
    assert after(2) - GRACE == told
    line_time.begin_wait(told + timedelta(seconds=2))
    assert 2 == line_time.left_s


def test_whoever_never_stops_is_given_up_all_the_same() -> None:
    """Bytes that come faster than the line is looked at do not hold a session's time."""
    clock, line_time = waiting()
    told = []
    for _ in range(2_100):
        clock.pass_s(0.001)
        told.append(line_time.tell_heard())
        line_time.begin_wait(after(2))
    assert after(2) - GRACE in told
    assert after(2) <= told[-1]


def test_a_silence_lasts_no_longer_than_it_was_listened_to() -> None:
    """What the host overslept is held against nobody's next timer."""
    clock, line_time = waiting()
    clock.pass_s(10)
    assert after(2) == line_time.tell_silent()
    line_time.begin_wait(after(120))
    assert 60 == line_time.left_s
    clock.pass_s(60)
    assert after(62) == line_time.tell_silent()


def test_time_stands_while_the_session_works() -> None:
    """From what it was told until it waits again."""
    clock, line_time = waiting()
    clock.pass_s(1)
    line_time.tell_heard()
    clock.pass_s(100)
    assert after(1) == line_time.tell_heard() == line_time.tell_silent() == line_time.now


def test_a_session_without_a_timer_is_told_the_time() -> None:
    """However long it takes, and without a look at the line more often than once a minute."""
    clock, line_time = waiting(None)
    assert 60 == line_time.left_s
    clock.pass_s(1_000)
    assert after(1_000) == line_time.tell_heard()


@dataclass
class Step:
    """A wait: its timer is due after `due_s`, or there is none, and `passes_s` pass."""

    due_s: float | None
    passes_s: float
    is_heard: bool


PASSES_S = st.floats(-5_000, 5_000)  # the clock may be set back meanwhile
DUE_S = st.floats(-10, 200)


def waits(
    due_s: st.SearchStrategy[float | None], *, is_heard: bool | None = None
) -> st.SearchStrategy[list[Step]]:
    """Waits that follow one another; each ends as `is_heard` says, or either way."""
    ends = st.booleans() if is_heard is None else st.just(is_heard)
    return st.lists(st.builds(Step, due_s, PASSES_S, ends), min_size=1)


def lived(steps: list[Step]) -> Iterator[tuple[datetime, datetime | None, timedelta, datetime]]:
    """Of each wait: what was told before it, when its timer is due, what passes, what is told."""
    clock = Clock()
    line_time = LineTime(clock.read)
    for step in steps:
        before = line_time.now
        due = None if step.due_s is None else before + timedelta(seconds=step.due_s)
        line_time.begin_wait(due)
        assert 0.01 <= line_time.left_s <= 60
        clock.pass_s(step.passes_s)
        assert 0.01 <= line_time.left_s <= 60
        told = line_time.tell_heard() if step.is_heard else line_time.tell_silent()
        yield before, due, max(timedelta(0), timedelta(seconds=step.passes_s)), told


@given(waits(st.none() | DUE_S))
def test_it_never_falls(steps: list[Step]) -> None:
    """Wherever the clock is set, and never more is told than has passed."""
    for before, _, passed, told in lived(steps):
        assert before <= told <= before + passed


@given(waits(DUE_S, is_heard=False))
def test_a_silence_never_passes_the_timer(steps: list[Step]) -> None:
    """It ends when the timer is due at the latest; one that was due before lets nothing pass."""
    for before, due, _, told in lived(steps):
        assert due is not None
        assert told <= max(before, due)


@given(waits(DUE_S, is_heard=True))
def test_what_comes_is_told_before_the_timer_is_due(steps: list[Step]) -> None:
    """By the grace, as long as it was before that; whoever never stops is told what passes."""
    for before, due, passed, told in lived(steps):
        assert due is not None
        if before < due - GRACE:
            assert told <= due - GRACE
        else:
            assert before + passed == told
