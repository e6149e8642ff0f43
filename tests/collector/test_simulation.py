"""Real units over a bad radio: what was turned is in the register, and measured rows are true."""

from __future__ import annotations

import random
import sqlite3
from bisect import bisect_right
from collections.abc import Iterator

import pytest

from collector import Collector, MemoryKeystore, PulseHalfHour, PulseStatus, VirtualRadio
from pulse_unit.config import UnitConfig
from pulse_unit.hal.virtual import VirtualUnit
from shared.timegrid import from_unix_ms, unix_ms
from tests.collector.frames import KEY, SERIAL, record
from tests.collector.world import START_S

START_MS = START_S * 1000
DAY_MS = 86_400_000
TOLERANCE_MS = 10_000
SETTLING_MS = 500  # the reed's debounce: a pulse is counted a little after it begins


def _burns(rng: random.Random, days: int) -> Iterator[int]:
    """Pulses of heating in the morning and evening, and of cooking, in UNIX ms."""
    at_ms = START_MS
    while at_ms < START_MS + days * DAY_MS:
        hour = at_ms // 3_600_000 % 24
        is_on = hour in (6, 7, 12, 17, 18, 19, 20, 21)
        if is_on and rng.random() < 0.6:
            gap_ms = rng.choice([8_000, 16_000, 25_000])
            for _ in range(rng.randint(10, 60)):
                at_ms += gap_ms + rng.randint(0, 500)
                yield at_ms
        at_ms += rng.randint(200_000, 900_000)


class World:
    """A unit, a meter that turns, a radio and a collector, in simulated time."""

    def __init__(self, seed: int, days: int, drift_ppm: int, **radio: float) -> None:
        self.turns_ms = list(_burns(random.Random(seed), days))
        self.end_ms = START_MS + days * DAY_MS
        boot_ms = START_MS - 3_000_000 - seed * 100_000
        config = UnitConfig()
        self.unit = VirtualUnit(
            SERIAL, KEY, config, boot_utc_ms=boot_ms, drift_ppm=drift_ppm, pages=8
        )
        self.unit.advance(START_MS)
        self.radio = VirtualRadio(seed, delay_max_s=1, **radio)
        self.collector = Collector(
            sqlite3.connect(":memory:"), MemoryKeystore(), from_unix_ms(START_MS)
        )
        self.collector.pair(record(base_count=self.unit.count), KEY, from_unix_ms(START_MS))
        for turn_ms in self.turns_ms:
            self.unit.pulse(turn_ms)

    def run(self) -> None:
        """Let everything happen, and a last telegram be heard."""
        now_ms = START_MS
        while now_ms < self.end_ms:
            under_way_ms = self.radio.next_frame_utc_ms()
            now_ms = min(self.unit.next_timer_utc_ms(), under_way_ms or self.end_ms, self.end_ms)
            self._step(now_ms)
        last_frames = []
        while not last_frames:
            now_ms = self.unit.next_timer_utc_ms()
            last_frames = self.unit.advance(now_ms)
        self.radio = VirtualRadio(0, delay_max_s=1)
        for sent_ms, frame in last_frames:
            self.radio.send(frame, sent_ms)
        self._step(now_ms + 1000)

    def rows(self) -> list[PulseHalfHour]:
        """All half-hours."""
        return self.collector.half_hours(SERIAL, START_S, self.end_ms // 1000)

    def turned(self, until_ms: int) -> int:
        """What was turned, in truth."""
        return bisect_right(self.turns_ms, until_ms)

    def _step(self, now_ms: int) -> None:
        for sent_ms, frame in self.unit.advance(now_ms):
            self.radio.send(frame, sent_ms)
        for frame in self.radio.receive_until(now_ms):
            self.collector.receive(frame, frame.received_utc)
            for serial, data in self.collector.replies(frame.received_utc):
                self.radio.reply(serial, data)
            for _, data in self.radio.take_replies():
                self.unit.receive(data, unix_ms(frame.received_utc))

    def refute(self) -> list[PulseHalfHour]:
        """Rows that are called measured and are not true within the pulses of 10 s."""
        false, counted = [], 0
        for row in self.rows():
            counted += row.pulses or 0
            end_ms = (row.start_s + 1800) * 1000
            least = self.turned(end_ms - TOLERANCE_MS - SETTLING_MS)
            most = self.turned(end_ms + TOLERANCE_MS)
            is_claimed = not row.status & (PulseStatus.INTERPOLATED | PulseStatus.PENDING)
            if is_claimed and not least <= counted <= most:
                false.append(row)
        return false


@pytest.mark.parametrize(("seed", "drift_ppm"), [(1, 50), (2, -50)])
def test_nine_of_ten_lost_and_all_measured(seed: int, drift_ppm: int) -> None:
    """At 90 % loss, told the phase about once a day, every row is measured, and true."""
    world = World(seed, 4, drift_ppm, loss=0.9)
    world.run()
    assert world.turned(world.end_ms) == world.collector.register(SERIAL)
    assert [] == world.refute()
    settled = [row for row in world.rows() if row.final]
    assert 150 < len(settled)
    # Before it was first told the phase, the unit's grid was anywhere.
    assert {0} == {int(row.status) for row in settled if row.start_s > START_S + 12 * 3600}


def test_bad_radio_loses_and_doubles_nothing() -> None:
    """Loss, repetition, reordering and damage: the register is what was turned, rows add up."""
    world = World(3, 3, 20, loss=0.5, duplicate=0.3, reorder=0.1, corrupt=0.1, reply_loss=0.5)
    world.run()
    assert world.turned(world.end_ms) == world.collector.register(SERIAL)
    assert [] == world.refute()
    rows = [row for row in world.rows() if row.pulses is not None]
    boundary_ms = (rows[-1].start_s + 1800) * 1000
    assert abs(sum(row.pulses or 0 for row in rows) - world.turned(boundary_ms)) <= 2
    assert world.collector.refold(SERIAL)[: len(rows)] == world.rows()[: len(rows)]


def test_one_way_radio_is_honest() -> None:
    """A unit that is never told the phase has every pulse in the register, and no false row."""
    world = World(4, 3, -40, loss=0.5, reply_loss=1.0)
    world.run()
    assert world.turned(world.end_ms) == world.collector.register(SERIAL)
    assert [] == world.refute()
    statuses = {int(row.status) for row in world.rows()[:-2]}
    assert {0, 1} == statuses
