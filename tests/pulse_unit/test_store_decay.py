"""What the store makes of a memory that no longer holds what was written."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_unit.entries import Entries
from pulse_unit.errors import StoreCorrupt
from pulse_unit.hal.memory import MemoryNvm
from pulse_unit.history import CountHistory
from pulse_unit.store import BOOT, COUNT, KEY_COUNT, MESSAGE_LIMIT, MUTE, ReservedCounter, Store
from tests.pulse_unit.tearing import PowerCut, RecordingNvm, TearingNvm

PAGES, PAGE = 3, 512

# What a store of three pages of 256 bytes held whose pages began with a header and whose commit
# mark came once: 30 counts, then the boot 3 and the message counters up to 512.
HEADED = bytes.fromhex(
    "00010000f001000000145981f101000000107b96000100000060182a00020000003abce80003000000d1e5f300"
    "04000000dcd653000500000024ab0700060000007e0fc50007000000f2183100080000001003250009000000e8"
    "7e71000a000000b2dab3000b0000005983a8000c00000054b008000d000000accd5c000e000000f6699e000f00"
    "0000b4e2b40010000000c9aeb9001100000031d3ed00120000006b772f0013000000802e3400140000008d1d94"
    "00150000007560c000160000002fc4020017000000a3d3f6001800000041c8e20019000000b9b5b6001a000000"
    "e31174001b00000008486f001c000000057bcf001d000000fd069b001e000000a7a25928000000f002000000fb"
    "90d6001e00000035235a01030000005a9fa1f102000000d6a35e020002000030abe000000000"
)


def values(store: Store) -> list[int]:
    """All values of a store."""
    return [store.get(key) for key in range(KEY_COUNT)]


def memory_of(image: bytes | bytearray, pages: int = PAGES) -> MemoryNvm:
    """A memory that holds these bytes."""
    nvm = MemoryNvm(pages, len(image) // pages)
    nvm.image[:] = image
    return nvm


def used(changes: int, boots: int = 1) -> MemoryNvm:
    """A memory whose store has been in use."""
    nvm = MemoryNvm(PAGES, PAGE)
    for boot in range(1, boots + 1):
        store = Store(nvm, 0, PAGES)
        store.put(BOOT, boot)
        for change in range(changes):
            if change % 5:
                store.put(COUNT, store.get(COUNT) + 1)
            else:
                store.put(2 + change % (KEY_COUNT - 2), change + boot)
    return nvm


def opened(nvm: MemoryNvm) -> Store | None:
    """The store in a memory, or None if it is refused as corrupt."""
    try:
        return Store(nvm, 0, PAGES)
    except StoreCorrupt:
        return None


def test_image_of_pages_with_headers_loads() -> None:
    """A memory written with a header on each page, and fewer keys, still says what it said."""
    nvm = MemoryNvm(PAGES, 256)
    nvm.unpack(HEADED)
    store = Store(nvm, 0, PAGES)
    assert [30, 3, 512] + [0] * (KEY_COUNT - 3) == values(store)
    store.put(COUNT, 31)
    assert 31 == Store(nvm, 0, PAGES).get(COUNT)


@pytest.mark.parametrize("step", [11, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("changes", "boots"), [(1, 1), (40, 1), (90, 2)])
def test_any_one_decayed_bit_changes_no_value(changes: int, boots: int, step: int) -> None:
    """Whichever bit of the memory turns, every value is what it was, and stays so."""
    nvm = used(changes, boots)
    image, expected = bytes(nvm.image), values(Store(nvm, 0, PAGES))
    for bit in range(0, len(image) * 8, step):
        decayed = memory_of(image)
        decayed.image[bit // 8] ^= 1 << bit % 8
        store = Store(decayed, 0, PAGES)
        assert expected == values(store), f"bit {bit}"
        store.put(BOOT, 99)
        assert [expected[0], 99, *expected[2:]] == values(Store(decayed, 0, PAGES)), f"bit {bit}"


def test_decayed_bit_is_reported_and_not_kept() -> None:
    """A bit that was turned back counts as a fault until the values are in a new page."""
    nvm = used(40)
    nvm.image[3 * 8] ^= 1
    store = Store(nvm, 0, PAGES)
    assert 1 == store.faults
    store.put(BOOT, 2)
    assert 0 == Store(nvm, 0, PAGES).faults


def test_record_that_two_decayed_bits_hide_is_missed() -> None:
    """A record that cannot be told any more is no reason to go back to an older value."""
    nvm = used(40)
    newest = nvm.packed()
    slots = [slot for slot in range(PAGE // 8) if nvm.image[slot * 8 : slot * 8 + 8] != b"\xff" * 8]
    for slot in slots[:-1]:
        nvm.unpack(newest)
        nvm.image[slot * 8 + 1] ^= 0x11
        with pytest.raises(StoreCorrupt):
            Store(nvm, 0, PAGES)


@pytest.mark.parametrize("fill", [b"\x00", b"\xff", b"\xa5"])
def test_newest_page_lost_is_noticed(fill: bytes) -> None:
    """When the page with the newest values is gone, an older one does not take its place."""
    nvm = MemoryNvm(PAGES, PAGE)
    store = Store(nvm, 0, PAGES)
    lost = 0
    for count in range(1, 400):
        erased = list(nvm.erases)
        store.put(COUNT, count)
        image = bytes(nvm.image)
        newest = [now - then for now, then in zip(nvm.erases, erased, strict=True)]
        if count > PAGE // 8 and 1 in newest:
            lost += 1
            at = newest.index(1) * PAGE
            nvm.image[at : at + PAGE] = fill * PAGE
            with pytest.raises(StoreCorrupt):
                Store(nvm, 0, PAGES)
            nvm.image[:] = image
    assert 5 <= lost


@pytest.mark.parametrize(("changes", "spoil"), [(2, 0x00), (40, 0xF0)])
def test_young_store_without_commit_marks_is_no_first_start(changes: int, spoil: int) -> None:
    """A store that has been used for a moment does not pass for one that never was."""
    nvm = used(changes)
    for slot in range(3 + changes if spoil else 2):
        nvm.image[slot * 8] = (nvm.image[slot * 8] | spoil) ^ 0x01
        nvm.image[slot * 8 + 1] ^= 0x33
    with pytest.raises(StoreCorrupt):
        Store(nvm, 0, PAGES)


def garbage(kind: str, rng: random.Random, nvm: MemoryNvm) -> None:
    """Fill a memory with what does not belong there."""
    size = len(nvm.image)
    if kind == "random":
        nvm.image[:] = rng.randbytes(size)
    elif kind == "zeros":
        nvm.image[:] = bytes(size)
    elif kind == "ones":
        nvm.image[:] = b"\xff" * size
    elif kind == "pages swapped":
        pages = [nvm.image[at : at + PAGE] for at in range(0, size, PAGE)]
        rng.shuffle(pages)
        nvm.image[:] = b"".join(pages)
    elif kind == "a page of noise":
        page = rng.randrange(PAGES) * PAGE
        nvm.image[page : page + PAGE] = rng.randbytes(PAGE)
    else:
        for _ in range(int(kind)):
            bit = rng.randrange(size * 8)
            nvm.image[bit // 8] ^= 1 << bit % 8


KINDS = ["random", "zeros", "ones", "pages swapped", "a page of noise", "2", "5", "30", "500"]


@pytest.mark.parametrize("examples", [150, pytest.param(5_000, marks=pytest.mark.slow)])
def test_any_memory_is_refused_or_works(examples: int) -> None:
    """Whatever a memory holds, the store is corrupt or works, and the log works."""

    @settings(max_examples=examples)
    @given(st.sampled_from(KINDS), st.integers(0, 120), st.integers(0, 2**32))
    def demand(kind: str, changes: int, seed: int) -> None:
        nvm = used(changes)
        before = Store(nvm, 0, PAGES)
        garbage(kind, random.Random(seed), nvm)
        image = bytes(nvm.image)
        store = opened(nvm)
        if store is None:
            assert image == nvm.image
            store = Store(nvm, 0, PAGES, {MUTE: 1})
            assert [0] * MUTE + [1] + [0] * (KEY_COUNT - MUTE - 1) == values(store)
        elif kind == "ones" or (kind == "a page of noise" and not store.get(BOOT)):
            assert [0] * KEY_COUNT == values(store)
        elif kind != "pages swapped":
            # Two bits in the last record alone look like a power cut: it is one change at most.
            changed = [key for key in range(KEY_COUNT) if before.get(key) != store.get(key)]
            assert len(changed) <= 1, f"{kind} {changes} {seed}"
        store.put(COUNT, 0xDEADBEEF)
        assert 0xDEADBEEF == Store(nvm, 0, PAGES).get(COUNT)
        log_survives(nvm, image)

    demand()


def log_survives(nvm: MemoryNvm, image: bytes) -> None:
    """Read and write a log in a memory that holds anything."""
    nvm.image[:] = image
    history = CountHistory(nvm, 0, PAGES)
    list(Entries(history))
    history.begin(7, 0, 5)
    for number in range(1, 5):
        history.append(number * 1800, 5 + number)
    assert [(7, 0, 5), *((7, number * 1800, 5 + number) for number in range(1, 5))] == list(
        Entries(history)
    )[-5:]


@pytest.mark.parametrize("step", [3, pytest.param(1, marks=pytest.mark.slow)])
def test_decayed_log_holds_only_true_entries(step: int) -> None:
    """Whichever bit of the log turns, what is read was logged, and in order."""
    nvm = MemoryNvm(2, 256)
    history = CountHistory(nvm, 0, 2)
    logged = []
    count = 0
    for boot in range(1, 5):
        history.begin(boot, 0, count)
        logged.append((boot, 0, count))
        for number in range(1, 40):
            count += number * 7 % 13
            history.append(number * 1800, count)
            logged.append((boot, number * 1800, count))
        history.flush()
    image = bytes(nvm.image)
    whole = list(Entries(CountHistory(nvm, 0, 2)))
    assert logged[-len(whole) :] == whole
    for bit in range(0, len(image) * 8, step):
        decayed = memory_of(image, 2)
        decayed.image[bit // 8] ^= 1 << bit % 8
        found = list(Entries(CountHistory(decayed, 0, 2)))
        assert [entry for entry in whole if entry in set(found)] == found, f"bit {bit}"


def spoilt(nvm: MemoryNvm, number: int) -> None:
    """Make a store corrupt, in one way or another."""
    ways: list[Callable[[], None]] = [
        lambda: garbage("random", random.Random(number), nvm),
        lambda: garbage("zeros", random.Random(number), nvm),
        lambda: nvm.image.__setitem__(slice(0, 3 * 8), bytes(24)),
        lambda: nvm.image.__setitem__(slice(PAGE, PAGE + 32 * 8), bytes(256)),
        lambda: nvm.image.__setitem__(slice(2 * PAGE, 2 * PAGE + 32 * 8), bytes(256)),
    ]
    ways[number]()


@pytest.mark.parametrize(
    ("number", "changes"),
    [(0, 3), (0, 90), (0, 130), (1, 3), (1, 90), (1, 130), (2, 3), (3, 90), (4, 130)],
)
def test_store_made_anew_is_mute_or_still_corrupt(number: int, changes: int) -> None:
    """Whenever the power goes while a corrupt store is made anew, none without its mark is left."""
    nvm = used(changes)
    spoilt(nvm, number)
    assert opened(nvm) is None
    recording = RecordingNvm(bytes(nvm.image), PAGE)
    remade = Store(recording, 0, PAGES, {MUTE: 1, COUNT: 1234, BOOT: 77})
    assert (1, 1234, 77, 0) == tuple(remade.get(k) for k in (MUTE, COUNT, BOOT, MESSAGE_LIMIT))
    assert values(remade) == values(Store(recording, 0, PAGES))
    assert 5 <= len(recording.cuts)
    for place, cut in enumerate(recording.cuts):
        for extent, image in cut.images(place, torn=6):
            again = RecordingNvm(image, PAGE)
            store = opened(again)
            if store is None:
                store = Store(again, 0, PAGES, {MUTE: 1, COUNT: 1234, BOOT: 77})
            assert values(remade) == values(store), f"{extent} in operation {place}"


def test_whole_store_is_not_made_anew() -> None:
    """What a corrupt store would start with is nothing to a whole one, or a new one."""
    nvm = used(30)
    before = values(Store(nvm, 0, PAGES))
    assert before == values(Store(nvm, 0, PAGES, {MUTE: 1, COUNT: 0}))
    assert [0] * KEY_COUNT == values(Store(MemoryNvm(PAGES, PAGE), 0, PAGES, {MUTE: 1}))


@pytest.mark.parametrize("lives", [1_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_no_counter_is_used_twice_through_random_cuts(lives: int) -> None:
    """Through a thousand cuts, none of three reserved counters gives a value again."""
    rng = random.Random(lives)
    nvm = TearingNvm(PAGES, rng, PAGE)
    keys = (MESSAGE_LIMIT, 10, 25)
    given_out: list[list[int]] = [[] for _ in keys]
    for life in range(lives):
        nvm.cut_in = rng.choice([rng.randrange(1, 5), rng.randrange(1, 40)])
        try:
            store = Store(nvm, 0, PAGES)
            store.put(BOOT, store.get(BOOT) + 1)
            counters = [ReservedCounter(store, key, 2 + key) for key in keys]
            while True:
                which = rng.randrange(len(keys))
                given_out[which].append(counters[which].take())
                if rng.random() < 0.3:
                    store.put(COUNT, store.get(COUNT) + 1)
        except PowerCut:
            assert nvm.cut_in is None, f"life {life}"
    for counters_given in given_out:
        assert lives < len(counters_given)
        assert sorted(set(counters_given)) == counters_given


def test_change_that_reads_well_by_chance_is_written_again() -> None:
    """A last record that read as whole at one boot and does not at the next is not missed."""
    nvm = used(30)
    slot = next(slot for slot in range(PAGE // 8) if nvm.image[slot * 8 :][:8] == b"\xff" * 8)
    store = Store(nvm, 0, PAGES)
    expected = values(store)
    store.put(BOOT, 2)
    nvm.image[(slot - 1) * 8 + 5] ^= 0x0F
    assert [expected[0], 2, *expected[2:]] == values(Store(nvm, 0, PAGES))
