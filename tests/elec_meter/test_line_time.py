from __future__ import annotations

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
    time = LineTime(clock.read)
    time.wait(None if due_s is None else after(due_s))
    return clock, time


def test_what_comes_in_time_comes_when_it_does() -> None:
    """The clock is told as it is while nothing was due."""
    clock, time = waiting()
    clock.pass_s(1.5)
    assert after(1.5) == time.heard()


def test_what_waited_for_the_host_came_before_the_timer_was_due() -> None:
    """And the session has all its patience again for what comes next."""
    clock, time = waiting()
    clock.pass_s(10)
    told = time.heard()
    assert after(2) - GRACE == told
    time.wait(told + timedelta(seconds=2))
    assert 2 == time.left_s


def test_whoever_never_stops_is_given_up_all_the_same() -> None:
    """Bytes that come faster than the line is looked at do not hold a session's time."""
    clock, time = waiting()
    told = []
    for _ in range(2_100):
        clock.pass_s(0.001)
        told.append(time.heard())
        time.wait(after(2))
    assert after(2) - GRACE in told
    assert after(2) <= told[-1]


def test_a_silence_lasts_no_longer_than_it_was_listened_to() -> None:
    """What the host overslept is held against nobody's next timer."""
    clock, time = waiting()
    clock.pass_s(10)
    assert after(2) == time.silent()
    time.wait(after(120))
    assert 60 == time.left_s
    clock.pass_s(60)
    assert after(62) == time.silent()


def test_time_stands_while_the_session_works() -> None:
    """From what it was told until it waits again."""
    clock, time = waiting()
    clock.pass_s(1)
    time.heard()
    clock.pass_s(100)
    assert after(1) == time.heard() == time.silent() == time.now


def test_a_session_without_a_timer_is_told_the_time() -> None:
    """However long it takes."""
    clock, time = waiting(None)
    clock.pass_s(1_000)
    assert after(1_000) == time.heard()


@given(
    st.lists(
        st.tuples(
            st.floats(-5_000, 5_000), st.none() | st.floats(-10, 200), st.booleans(), st.booleans()
        )
    )
)
def test_it_never_falls_and_no_timer_is_passed(
    steps: list[tuple[float, float | None, bool, bool]],
) -> None:
    """Wherever the clock is set: a timer is never missed by more than nothing, and none spins."""
    clock = Clock()
    time = LineTime(clock.read)
    for passes_s, wait_s, is_heard, waits in steps:
        before = time.now
        due = None if wait_s is None else before + timedelta(seconds=wait_s)
        if waits:
            time.wait(due)
        assert 0.01 <= time.left_s <= 60
        clock.pass_s(passes_s)
        assert 0.01 <= time.left_s <= 60
        told = time.heard() if is_heard else time.silent()
        assert before <= told
        if waits and due is not None:
            assert told <= max(before, due) or (is_heard and due - GRACE <= before)
            assert told <= due - GRACE or not is_heard or due - GRACE <= before
