from __future__ import annotations

import random

import pytest

from pulse_unit.errors import StoreCorrupt, StoreError
from pulse_unit.hal.memory import MemoryNvm
from pulse_unit.store import COUNT, KEY_COUNT, MESSAGE_LIMIT, ReservedCounter, Store
from tests.pulse_unit.tearing import PowerCut, TearingNvm

PAGES = 3


class WornNvm(MemoryNvm):
    """A memory some of whose pages no longer take what is written: two bits of it stay."""

    worn: frozenset[int] = frozenset()

    def write(self, address: int, data: bytes | bytearray) -> None:
        """Write, on a worn page not quite what was asked for."""
        super().write(address, data)
        if address // self.page_size in self.worn:
            self.image[address + 2] |= 0x80
            self.image[address + 6] ^= 0x01


def values(store: Store) -> list[int]:
    """All values of a store."""
    return [store.get(key) for key in range(KEY_COUNT)]


def test_new_store_is_all_zero() -> None:
    """What was never put is 0."""
    assert [0] * KEY_COUNT == values(Store(MemoryNvm(PAGES), 0, PAGES))


@pytest.mark.parametrize("write_size", [4, 8, 16])
def test_values_survive_through_many_pages(write_size: int) -> None:
    """Every reopening gives what was put last, whatever the memory's unit of writing."""
    nvm = MemoryNvm(PAGES + 1, 512, write_size)
    store = Store(nvm, 1, PAGES)
    expected = [0] * KEY_COUNT
    for number in range(500):
        key = number * 7 % KEY_COUNT
        expected[key] = number * 1_000_003 & 0xFFFFFFFF
        store.put(key, expected[key])
        if number % 41 == 0:
            store = Store(nvm, 1, PAGES)
        assert expected == values(store)
    assert 0 == store.faults
    assert 0 == nvm.erases[0]


def test_unchanged_value_costs_no_write() -> None:
    """Putting what is there already does not wear the memory."""
    nvm = MemoryNvm(PAGES)
    store = Store(nvm, 0, PAGES)
    store.put(COUNT, 5)
    before = nvm.operations
    store.put(COUNT, 5)
    assert before == nvm.operations


def test_wear_is_spread_over_the_ring() -> None:
    """Twenty years of pulses stay below 10,000 erases of each of four pages of 4 KiB."""
    nvm = MemoryNvm(4)
    store = Store(nvm, 0, 4)
    writes = 20_000
    for count in range(1, writes + 1):
        store.put(COUNT, count)
    pulses_in_20_years = 20_000 * 12 * 20
    assert 10_000 > max(nvm.erases) * pulses_in_20_years // writes
    assert max(nvm.erases) - min(nvm.erases) <= 1


def puts(seed: int, length: int) -> list[tuple[int, int]]:
    """A seeded series of changes, most of them of the count."""
    rng = random.Random(seed)
    return [
        (rng.choice([COUNT, COUNT, rng.randrange(KEY_COUNT)]), rng.getrandbits(32))
        for _ in range(length)
    ]


def test_power_cut_at_any_operation_loses_nothing_that_was_put() -> None:
    """After a cut in any operation each value is the last put, or the one being put."""
    rng = random.Random(1)
    series = puts(2, 150)
    reference = MemoryNvm(PAGES, 256)
    store = Store(reference, 0, PAGES)
    for key, value in series:
        store.put(key, value)
    assert max(reference.erases) >= 2
    for cut_in in range(1, reference.operations + 1):
        nvm = TearingNvm(PAGES, rng, 256)
        nvm.cut_in = cut_in
        expected = [0] * KEY_COUNT
        with pytest.raises(PowerCut):
            run_puts(nvm, series, expected)
        putting = next_put(series, expected)
        found = values(Store(nvm, 0, PAGES))
        after = list(expected)
        if putting is not None:
            after[putting[0]] = putting[1]
        assert found in (expected, after), f"cut in operation {cut_in}"
        assert found == values(Store(nvm, 0, PAGES))


def run_puts(nvm: MemoryNvm, series: list[tuple[int, int]], done: list[int]) -> None:
    """Put a series into a new store, noting each value once it is put."""
    store = Store(nvm, 0, PAGES)
    for key, value in series:
        store.put(key, value)
        done[key] = value


def next_put(series: list[tuple[int, int]], done: list[int]) -> tuple[int, int] | None:
    """The first change of a series that is not among those done."""
    state = [0] * KEY_COUNT
    for key, value in series:
        if state == done:
            return key, value
        state[key] = value
    return None


@pytest.mark.parametrize("seed", range(8))
def test_any_number_of_power_cuts(seed: int) -> None:
    """Through hundreds of cuts, also while recovering from one, nothing that was put is lost."""
    rng = random.Random(seed)
    nvm = TearingNvm(PAGES, rng, 256)
    known = [0] * KEY_COUNT
    key, value = COUNT, 0
    for _ in range(250):
        nvm.cut_in = rng.randrange(1, 40)
        try:
            store = Store(nvm, 0, PAGES)
            found = values(store)
            assert [
                value if index == key and found[key] == value else known[index]
                for index in range(KEY_COUNT)
            ] == found, f"seed {seed}"
            known = found
            while True:
                key, value = rng.randrange(KEY_COUNT), rng.getrandbits(32)
                store.put(key, value)
                known[key] = value
        except PowerCut:
            pass


def test_worn_page_is_left_out() -> None:
    """Writes that read back otherwise are repeated elsewhere and counted as faults."""
    nvm = WornNvm(PAGES, 256)
    store = Store(nvm, 0, PAGES)
    nvm.worn = frozenset([1])
    for count in range(1, 200):
        store.put(COUNT, count)
        assert count == Store(nvm, 0, PAGES).get(COUNT)
    assert 0 < store.faults


def test_worn_out_memory_refuses_and_keeps_the_old_value() -> None:
    """When no page takes a record, `put` says so, and what was persisted still is."""
    nvm = WornNvm(PAGES, 256)
    store = Store(nvm, 0, PAGES)
    store.put(COUNT, 7)
    nvm.worn = frozenset(range(PAGES))
    with pytest.raises(StoreError):
        store.put(COUNT, 8)
    assert 7 == store.get(COUNT) == Store(nvm, 0, PAGES).get(COUNT)


def test_used_store_without_a_whole_page_is_refused() -> None:
    """Counters never start again on a memory that has been used."""
    nvm = MemoryNvm(PAGES, 256)
    store = Store(nvm, 0, PAGES)
    for count in range(1, 40):
        store.put(COUNT, count)
    nvm.image[:] = bytes(len(nvm.image))
    with pytest.raises(StoreCorrupt):
        Store(nvm, 0, PAGES)


def test_interrupted_first_start_is_repeated() -> None:
    """A store whose first page was never committed has told nothing to anybody: it starts anew."""
    rng = random.Random(4)
    for cut_in in range(1, 4):
        nvm = TearingNvm(PAGES, rng, 512)
        nvm.cut_in = cut_in
        with pytest.raises(PowerCut):
            Store(nvm, 0, PAGES)
        assert [0] * KEY_COUNT == values(Store(nvm, 0, PAGES))


def test_counter_is_reserved_ahead() -> None:
    """A block costs one write, and a reset skips what is left of it."""
    nvm = MemoryNvm(PAGES)
    counter = ReservedCounter(Store(nvm, 0, PAGES), MESSAGE_LIMIT, 256)
    before = nvm.operations
    assert [0, 1, 2] == [counter.take() for _ in range(3)]
    assert 1 == nvm.operations - before
    assert 256 == ReservedCounter(Store(nvm, 0, PAGES), MESSAGE_LIMIT, 256).take()


@pytest.mark.parametrize("seed", range(4))
def test_counter_is_never_used_twice(seed: int) -> None:
    """Whenever the power goes, no value of the counter is handed out again."""
    rng = random.Random(seed)
    nvm = TearingNvm(PAGES, rng, 256)
    used: list[int] = []
    for _ in range(100):
        nvm.cut_in = rng.randrange(1, 12)
        try:
            counter = ReservedCounter(Store(nvm, 0, PAGES), MESSAGE_LIMIT, 8)
            while True:
                used.append(counter.take())
        except PowerCut:
            pass
    assert sorted(set(used)) == used, f"seed {seed}"


def test_counter_ends_instead_of_starting_again() -> None:
    """When all 32 bits are used up nothing more is handed out."""
    store = Store(MemoryNvm(PAGES), 0, PAGES)
    store.put(MESSAGE_LIMIT, 0xFFFFFFFF - 8)
    counter = ReservedCounter(store, MESSAGE_LIMIT, 8)
    assert list(range(0xFFFFFFF7, 0xFFFFFFFF)) == [counter.take() for _ in range(8)]
    with pytest.raises(StoreError):
        counter.take()
