"""The few numbers that must survive anything: counts, counters and flags, one record per change.

A page holds a header, the values at its start, a commit mark, and then every change. A full page
is followed by the next of the ring, which counts from its commit mark on and not before: a loss of
power at any point leaves either the old page or the new one, whole. The check of a torn record
fails, and its predecessor stays.
"""

from pulse_unit.errors import StoreCorrupt, StoreError
from pulse_unit.nvm import Nvm, Slots

COUNT = 0  # pulses, modulo 2^32
BOOT = 1  # resets since the unit was made
MESSAGE_LIMIT = 2  # message counters below this may have been used
COMMAND = 3  # commands below this counter are refused
CHARGE_C = 4  # coulombs taken from the battery, rounded up
FLAGS = 5  # error flags that stay until somebody looks
TAMPER_BOOT = 6  # when the tamper loop was first seen open: the boot and its uptime
TAMPER_S = 7
MAGNET_BOOT = 8  # when a foreign magnet was first seen
MAGNET_S = 9
ADVERT_LIMIT = 10  # as MESSAGE_LIMIT, of adverts
MUTE = 11  # not 0: counters were lost, and nothing may be enciphered again
WIRED = 12  # the wire's primary address, and its speed
CONFIG_BANK = 13  # which settings hold: 0 the factory's, else bank 1 or 2
CONFIG = 14  # two banks of so many words
CONFIG_WORDS = 6
KEY_COUNT = CONFIG + 2 * CONFIG_WORDS

_HEADER = 0xF0
_COMMIT = 0xF1
_CHECK_MASK = 0xFFFFFF
_WRITES_MAX = 3  # attempts in one page before it is given up
_FIRST_SLOTS = 1 + _WRITES_MAX  # of a first start: its header and, with no values, its commit mark


class Store:
    """Numbered unsigned 32-bit values in a ring of pages; absent ones are 0.

    Args:
        nvm: the memory.
        first_page: the first page of the ring.
        page_count: at least two.

    Raises:
        StoreCorrupt: there was a store here and no page of it is whole.
        StoreError: a new store could not be written.
    """

    def __init__(self, nvm: Nvm, first_page: int, page_count: int) -> None:
        self._slots = Slots(nvm, first_page, page_count)
        self._values = [0] * KEY_COUNT
        self._record = bytearray(Slots.RECORD)
        self._page = page_count - 1
        self._sequence = 0
        self._slot = self._slots.per_page
        if not self._load():
            self._refuse_corrupt()
            self._turn()

    @property
    def faults(self) -> int:
        """How many writes read back otherwise since the boot."""
        return self._slots.faults

    @property
    def is_mute(self) -> bool:
        """Whether the counters are lost, so that nothing may be enciphered."""
        return self._values[MUTE] != 0

    def get(self, key: int) -> int:
        """Return a persisted value, 0 if it was never put."""
        return self._values[key]

    def put(self, key: int, value: int) -> None:
        """Persist a value; when this returns, it survives.

        Raises:
            StoreError: it is not persisted, and the old value still is.
        """
        old = self._values[key]
        if old == value:
            return
        self._values[key] = value
        try:
            if not self._append(key, value):
                self._turn()
        except StoreError:
            self._values[key] = old
            raise

    def _append(self, kind: int, value: int) -> bool:
        """Write to the next slot of this page that takes it, if any does."""
        for _ in range(_WRITES_MAX):
            slot = self._slot
            if slot >= self._slots.per_page:
                return False
            self._slot += 1
            if self._slots.write(self._page, slot, self._encoded(kind, value, slot)):
                return True
        return False

    def _turn(self) -> None:
        """Start the next page of the ring that can be written, with all values in it."""
        origin = self._page
        sequence = self._sequence
        for step in range(1, self._slots.page_count):
            self._page = (origin + step) % self._slots.page_count
            # Each attempt its own number: a page given up may yet read as whole one day.
            self._sequence = sequence + step
            self._slot = 0
            self._slots.erase(self._page)
            if self._write_page():
                return
        # The page before this is full or worn, and still whole: it is what the next boot finds.
        self._page = origin
        self._sequence = sequence
        self._slot = self._slots.per_page
        raise StoreError("no page of the store takes a record")

    def _write_page(self) -> bool:
        if not self._append(_HEADER, self._sequence) or self._slot != 1:
            return False
        for key, value in enumerate(self._values):
            if value and not self._append(key, value):
                return False
        return self._append(_COMMIT, self._sequence)

    def _load(self) -> bool:
        """Take the newest whole page; return False if there is none."""
        newest = -1
        for page in range(self._slots.page_count):
            sequence = self._whole(page)
            if sequence > newest:
                newest = sequence
                self._page = page
        if newest < 0:
            return False
        self._sequence = newest
        self._slot = self._slots.first_blank(self._page)
        for slot in range(self._slot):
            record = self._slots.read(self._page, slot)
            if record[0] < KEY_COUNT and self._is_checked(record, slot, newest):
                self._values[record[0]] = int.from_bytes(record[1:5], "little")
        return True

    def _whole(self, page: int) -> int:
        """Return the sequence number of a page with header and commit mark, else -1."""
        record = self._slots.read(page, 0)
        sequence = int.from_bytes(record[1:5], "little")
        if record[0] != _HEADER or not self._is_checked(record, 0, sequence):
            return -1
        for slot in range(1, self._snapshot_end()):
            record = self._slots.read(page, slot)
            if record[0] == _COMMIT and self._is_checked(record, slot, sequence):
                return sequence
        return -1

    def _snapshot_end(self) -> int:
        # Header, values, commit mark, each tried a few times.
        return min(self._slots.per_page, 1 + (KEY_COUNT + 1) * _WRITES_MAX)

    def _refuse_corrupt(self) -> None:
        """Tell a first start that was cut short, which may be repeated, from a loss of counters.

        Until its first commit mark a store has never been used: nothing has been sent.
        """
        for page in range(self._slots.page_count):
            used = self._slots.first_blank(page)
            if used and (page or used > _FIRST_SLOTS):
                raise StoreCorrupt("the store has been used and none of its pages is whole")

    def _encoded(self, kind: int, value: int, slot: int) -> bytearray:
        record = self._record
        record[0] = kind
        record[1:5] = value.to_bytes(4, "little")
        check = self._slots.check(self._sequence, slot, record, 5) & _CHECK_MASK
        record[5:8] = check.to_bytes(3, "little")
        return record

    def _is_checked(self, record: bytearray, slot: int, sequence: int) -> bool:
        check = self._slots.check(sequence, slot, record, 5) & _CHECK_MASK
        return check == int.from_bytes(record[5:8], "little")


class ReservedCounter:
    """A counter that is never used twice: blocks are persisted as used before they are.

    A loss of power skips the rest of a block.
    """

    def __init__(self, store: Store, key: int, block: int) -> None:
        self._store = store
        self._key = key
        self._block = block
        self._limit = store.get(key)
        self._next = self._limit

    def take(self) -> int:
        """Return the next value.

        Raises:
            StoreError: it cannot be reserved, or all 32 bits are used up: it must not be used.
        """
        value = self._next
        if value == self._limit:
            limit = value + self._block
            if limit > 0xFFFFFFFF:
                raise StoreError("the counter is used up")
            self._store.put(self._key, limit)
            self._limit = limit
        self._next = value + 1
        return value
