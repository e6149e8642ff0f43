from __future__ import annotations

import random

import pytest

from pulse_unit.entries import Entries
from pulse_unit.hal.memory import MemoryNvm
from pulse_unit.history import CountHistory
from pulse_unit.unit import PAGES, STATE_PAGES
from tests.pulse_unit.tearing import PowerCut, TearingNvm

Entry = tuple[int, int, int]


def written(history: CountHistory, boots: list[list[tuple[int, int]]]) -> list[Entry]:
    """Log (tick, count) of several boots, numbered from 1; return the entries."""
    entries = []
    for boot, logged in enumerate(boots, start=1):
        history.begin(boot, *logged[0])
        for tick_s, count in logged[1:]:
            history.append(tick_s, count)
        history.flush()
        entries += [(boot, tick_s, count) for tick_s, count in logged]
    return entries


def test_new_log_is_empty() -> None:
    """A blank memory has no entries."""
    assert [] == list(Entries(CountHistory(MemoryNvm(2), 0, 2)))


def test_entries_come_back_in_order() -> None:
    """Ticks, moved ticks, wraps and boots read back as they were logged."""
    boots = [
        [(0, 4_294_967_290), (1800, 4_294_967_295), (3600, 3), (5400, 3), (7200, 70)],
        [(0, 71), (1800, 71)],
        [(0, 71), (900, 80), (2704, 81), (4504, 95), (6304, 70_000), (8104, 70_001)],
    ]
    nvm = MemoryNvm(4)
    entries = written(CountHistory(nvm, 1, 3), boots)
    assert entries == list(Entries(CountHistory(nvm, 1, 3)))
    assert 0 == nvm.erases[0]


def test_entries_not_yet_written_are_told_too() -> None:
    """The last entries are there before their record is full; a reset costs two at most."""
    nvm = MemoryNvm(2)
    history = CountHistory(nvm, 0, 2)
    history.begin(1, 0, 5)
    entries = [(1, 0, 5)]
    for number in range(1, 12):
        history.append(number * 1800, 5 + number)
        entries.append((1, number * 1800, 5 + number))
        assert entries == list(Entries(history))
        assert len(entries) - 2 <= len(list(Entries(CountHistory(nvm, 0, 2))))


def test_ring_keeps_the_newest() -> None:
    """When the ring is full the oldest page goes, and what is left is whole."""
    nvm = MemoryNvm(3, 256)
    boots = [[(number * 1800, number * number) for number in range(100)] for _ in range(6)]
    entries = written(CountHistory(nvm, 0, 3), boots)
    found = list(Entries(CountHistory(nvm, 0, 3)))
    assert len(entries) > len(found) > 2 * 3 * (256 // 8 - 6)
    assert entries[-len(found) :] == found


def test_thirteen_months_phased_daily_are_kept() -> None:
    """The unit's own memory holds 13 months of half-hours whose grid moves every day."""
    nvm = MemoryNvm(PAGES)
    history = CountHistory(nvm, STATE_PAGES, PAGES - STATE_PAGES)
    history.begin(1, 0, 0)
    tick_s = 0
    for number in range(1, 500 * 48):
        tick_s += 1800 if number % 48 else 1796
        history.append(tick_s, number * 20)
    oldest_s = next(iter(Entries(history)))[1]
    assert 13 * 31 * 86_400 <= tick_s - oldest_s
    assert 3 >= max(nvm.erases)


@pytest.mark.parametrize("seed", range(6))
def test_power_cuts_leave_only_true_entries(seed: int) -> None:
    """Through any number of cuts every entry read is one that was logged, in order."""
    rng = random.Random(seed)
    nvm = TearingNvm(3, rng)
    logged: list[Entry] = []
    count = 0
    for boot in range(1, 120):
        nvm.cut_in = rng.randrange(1, 30)
        try:
            history = CountHistory(nvm, 0, 3)
            read = list(Entries(history))
            assert set(read) <= set(logged), f"seed {seed}"
            assert sorted(read, key=lambda entry: entry[:2]) == read, f"seed {seed}"
            # In a sound run, all but the two entries that wait for their record are there.
            tick_s = 0
            logged.append((boot, 0, count))
            history.begin(boot, 0, count)
            while True:
                count += rng.randrange(300)
                tick_s += rng.choice([1800, 1800, 1800, 1797])
                logged.append((boot, tick_s, count))
                history.append(tick_s, count)
        except PowerCut:
            pass
    nvm.cut_in = None
    left = list(Entries(CountHistory(nvm, 0, 3)))
    assert 100 < len(left)


def test_write_that_fails_is_repeated_where_it_can_be_read() -> None:
    """A bad spot in the memory costs a record's place and no entry."""
    nvm = MemoryNvm(2)
    history = CountHistory(nvm, 0, 2)
    history.begin(1, 0, 0)
    entries = [(1, 0, 0)]
    for number in range(1, 40):
        if number % 9 == 3:
            spoil(nvm)
        history.append(number * 1800, number)
        entries.append((1, number * 1800, number))
    assert entries == list(Entries(history))
    assert (0, 5) == (history.lost, history.faults)


def spoil(nvm: MemoryNvm) -> None:
    """Let the log's next write meet a bit that does not erase, as a read shows afterwards."""
    write = nvm.write

    def write_badly(address: int, data: bytes | bytearray) -> None:
        write(address, data)
        nvm.image[address] ^= 1
        nvm.write = write  # type: ignore[method-assign]  # one write alone is bad

    nvm.write = write_badly  # type: ignore[method-assign]  # one write alone is bad
