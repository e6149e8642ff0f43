"""What becomes of half-hours where the host's clock jumps."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector import Collector, MemoryKeystore, PulseHalfHour, PulseStatus, ReceivedFrame
from collector.hostclock import HostClock
from collector.runtime import Runtime
from collector.storage.directory import DataDirectory
from shared.timegrid import from_unix_ms, unix_ms
from tests.collector.frames import KEY, SERIAL, at, received, record, sealed
from tests.collector.house import House, LiveUnit
from tests.collector.world import START_S, PaperUnit

DAY_S = 86_400
YEARS_S = 3653 * DAY_S


class _Life:
    """A unit, and a collector whose clock is off by what it is told."""

    def __init__(self) -> None:
        start_ms = START_S * 1000
        self.unit = PaperUnit(range(start_ms, start_ms + 20 * DAY_S * 1000, 97_000))
        self.connection = sqlite3.connect(":memory:")
        self.true_s = 300
        self.off_s = 0
        self.collector = Collector(self.connection, MemoryKeystore(), at(0))
        self.collector.pair(record(), KEY, at(0))

    @property
    def now_s(self) -> int:
        return self.true_s + self.off_s

    def go_on(self, seconds: int) -> None:
        for _ in range(seconds // 900):
            self.true_s += 900
            said = self.unit.telegram((START_S + self.true_s) * 1000)
            frame = received(sealed(said, self.unit.counter), self.now_s + 0.5)
            self.collector.receive(frame, frame.received_utc)
            self.collector.handle_timer(at(self.now_s + 1))

    def set_clock(self, off_s: int) -> None:
        self.off_s = off_s
        self.collector.set_clock(at(self.now_s))

    def restart(self) -> None:
        keystore = MemoryKeystore({SERIAL: KEY})
        self.collector = Collector(self.connection, keystore, at(self.now_s + 2))

    def rows(self, last_s: int = 400 * DAY_S) -> list[PulseHalfHour]:
        return self.collector.half_hours(SERIAL, START_S, START_S + last_s)

    def assert_conserved(self) -> None:
        """All that the register has is in rows, whoever asks and however they came about."""
        collector = self.collector
        if self.off_s < YEARS_S:
            stored = self.rows(self.now_s // 1800 * 1800)
            assert stored == collector.refold(SERIAL)[: len(stored)]
        last_s = START_S + max(self.now_s, 0) + 33 * DAY_S
        collector.handle_timer(from_unix_ms(last_s * 1000))
        runs = list(collector.runs(SERIAL, START_S, last_s))
        then_s = max(last_s, START_S + YEARS_S)
        far = collector.runs(SERIAL, then_s, START_S + YEARS_S + 40 * DAY_S)
        held = sum(run.pulses or 0 for run in (*runs, *far))
        assert collector.register(SERIAL) == held
        assert runs[0].start_s == START_S
        for one, other in pairwise(runs):
            assert one.end_s == other.start_s


def test_a_clock_set_back_adds_to_rows_that_are_final() -> None:
    """What was measured stays, what comes is added to it, and the row says that it is doubtful."""
    life = _Life()
    life.go_on(4 * DAY_S)
    before = {row.start_s: row for row in life.rows(3 * DAY_S)}
    register = life.collector.register(SERIAL)
    life.set_clock(-3 * DAY_S)
    assert register == life.collector.register(SERIAL)
    life.go_on(DAY_S)
    day = range(START_S + DAY_S + 3600, START_S + 2 * DAY_S - 3600, 1800)
    after = {row.start_s: row for row in life.rows(3 * DAY_S)}
    for start_s in day:
        added = after[start_s].pulses - before[start_s].pulses
        assert 18 <= added <= 20
        assert after[start_s].status & PulseStatus.DOUBTFUL_CLOCK
    for start_s in range(START_S, START_S + DAY_S - 1800, 1800):
        assert before[start_s] == after[start_s]
    life.assert_conserved()


def test_years_that_were_never_do_not_come_between_pulses_and_their_day() -> None:
    """After ten years forward and back pulses are in the half-hours in which they were counted."""
    life = _Life()
    life.go_on(DAY_S)
    life.set_clock(YEARS_S)
    life.go_on(3600)
    life.set_clock(0)
    life.go_on(DAY_S)
    day = life.rows(2 * DAY_S)[-44:-4]
    assert all(18 <= (row.pulses or 0) <= 19 and not row.status for row in day)
    assert unix_ms(life.collector.told) < (START_S + 3 * DAY_S) * 1000
    life.assert_conserved()


def test_a_clock_that_was_set_says_nothing_of_silence() -> None:
    """No unit is silent because the clock went forward, or because it was ahead once."""
    life = _Life()
    life.go_on(DAY_S)
    life.set_clock(YEARS_S)
    assert [] == life.collector.handle_timer(at(life.now_s + 60))
    life.go_on(1800)
    life.set_clock(0)
    life.go_on(1800)
    assert [] == life.collector.handle_timer(at(life.now_s + 60))
    assert not life.collector.state(SERIAL).is_silent
    (silence,) = life.collector.handle_timer(at(life.now_s + DAY_S))
    assert at(life.now_s + 0.501) == silence.heard_utc


def test_what_came_before_a_clock_was_set_back_is_known_again() -> None:
    """A telegram that is played again is refused, after a restart too."""
    life = _Life()
    life.go_on(DAY_S)
    said = life.unit.telegram((START_S + life.true_s) * 1000)
    frame = received(sealed(said, life.unit.counter), life.now_s + 1)
    life.collector.receive(frame, frame.received_utc)
    life.set_clock(-DAY_S)
    life.restart()
    register = life.collector.register(SERIAL)
    again = received(frame.data, life.now_s + 2)
    (refused,) = life.collector.receive(again, again.received_utc)
    assert "Replayed" == type(refused).__name__
    assert register == life.collector.register(SERIAL)


_OFFS_S = st.sampled_from([0, 600, -600, 3 * DAY_S, -3 * DAY_S, DAY_S, -DAY_S // 2, YEARS_S])


@given(st.lists(st.tuples(_OFFS_S, st.integers(1, 12), st.booleans()), min_size=1, max_size=4))
@settings(max_examples=8, deadline=None)
def test_no_clock_takes_or_doubles_a_pulse(steps: list[tuple[int, int, bool]]) -> None:
    """However the clock is set, and restarts fall, the register is the unit's and rows hold it."""
    life = _Life()
    life.go_on(DAY_S // 4)
    for off_s, quarters, restarts in steps:
        life.set_clock(off_s)
        if restarts:
            life.restart()
        life.go_on(quarters * 900)
        rows = life.rows(12 * DAY_S)
        if restarts:
            life.restart()
            assert rows == life.rows(12 * DAY_S)
    turned = life.unit.turned((START_S + life.true_s) * 1000)
    assert turned == life.collector.register(SERIAL)
    life.assert_conserved()


class _Wall(LiveUnit):
    """A unit in reach of a radio that goes by the host's clock."""

    def __init__(self, house: House) -> None:
        super().__init__(house.bench)
        self.true_ms = house.bench.now_ms
        self.off_ms = 0
        self.clock = self.boot()

    def boot(self) -> HostClock:
        """The clock of a collector that starts now."""
        self.clock = HostClock(lambda: self.true_ms + self.off_ms, lambda: self.true_ms)
        return self.clock

    def receive_until(self, utc_ms: int) -> list[ReceivedFrame]:
        """What it sent up to now, as of now."""
        frames = super().receive_until(self.true_ms)
        now = self.clock.now()
        return [ReceivedFrame(each.data, now, self.name, 1, -60) for each in frames]

    def pass_s(self, runtime: Runtime, seconds: int) -> None:
        """Let time pass, ten seconds at a time."""
        for _ in range(seconds // 10):
            self.true_ms += 10_000
            runtime.step()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house with a pairing."""
    with DataDirectory.open(tmp_path / "home") as directory:
        house = House(directory)
        house.pair()
        yield house


@pytest.mark.parametrize("off_s", [3 * DAY_S, YEARS_S, -3 * DAY_S])
def test_a_short_jump_of_the_host_leaves_no_trace(house: House, off_s: int) -> None:
    """After eight seconds of another time nothing was told, made final or found silent by it."""
    wall = _Wall(house)
    runtime = Runtime(house.station, [wall], house.told.append, clock=wall.clock)
    wall.pass_s(runtime, 600)
    wall.off_ms = off_s * 1000
    wall.pass_s(runtime, 10)
    wall.off_ms = 0
    house.bench.turn(7)
    wall.pass_s(runtime, 1800)
    assert not house.events("ClockSet")
    assert not house.events("UnitSilent")
    assert abs(unix_ms(house.station.told) - wall.true_ms) < 1_800_000
    assert all(abs(_ms(row["at"]) - wall.true_ms) < 3_600_000 for row in house.told)


@pytest.mark.parametrize("off_s", [3 * DAY_S, -3 * DAY_S])
def test_a_jump_that_holds_is_one_line(house: House, off_s: int) -> None:
    """Time goes on from there, and what is received is of that time."""
    wall = _Wall(house)
    runtime = Runtime(house.station, [wall], house.told.append, clock=wall.clock)
    wall.pass_s(runtime, 60)
    wall.off_ms = off_s * 1000
    wall.pass_s(runtime, 3000)
    (line,) = house.events("ClockSet")
    assert ("back" if off_s < 0 else "forward") in line["text"]
    assert 1 == sum(row["event"] == "ClockSet" for row in house.station.event_rows())
    assert abs(unix_ms(house.station.told) - wall.true_ms - off_s * 1000) < 1_800_000


def test_a_start_with_a_clock_that_is_behind_sets_it_back(house: House) -> None:
    """A collector that starts before the time that was noted says so once, and goes on."""
    wall = _Wall(house)
    wall.off_ms = -3 * DAY_S * 1000
    runtime = Runtime(house.station, [wall], house.told.append, clock=wall.boot())
    register = house.litres
    house.bench.turn(7)
    wall.pass_s(runtime, 1800)
    (line,) = house.events("ClockSet")
    assert "back" in line["text"]
    assert register + 70 == house.litres
    assert house.station.told < house.now - timedelta(days=2)


def _ms(iso: str) -> int:
    return unix_ms(datetime.fromisoformat(iso))
