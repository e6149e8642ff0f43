"""The few numbers that must survive anything: counts, counters and flags, one record per change.

A page holds the values at its start, a commit mark twice, and then every change. A full page is
followed by the next of the ring, which counts from its commit mark on and not before: a loss of
power at any point leaves either the old page or the new one, whole. The check of a torn record
fails, and its predecessor stays.

A torn record is the last of its page, or a resume mark follows it. Any other whose check fails has
decayed: one bit of it is turned back; with more, the store is corrupt. The last slot of a page is
for a mark that says that its successor is committed: should that one be lost, the store is corrupt
too, since the older page would give counters that were used.
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
ADVERT_LIMIT = 10  # advert counters below this may have been used
CONFIG_BANK = 11  # whose settings hold: 0 the factory's, 1 those from CONFIG_A on, 2 from CONFIG_B
CONFIG_A = 12  # six words
CONFIG_B = 18  # six words
MUTE = 24  # counters have been lost: nothing enciphered may be sent
WIRED = 25  # primary address and baud rate on a wired bus
KEY_COUNT = 26
PAGE_MARKS = 3  # records of a page that are no values: its commit mark twice, and that it is closed

_FIRST_MARK = 0xF0
_COMMIT = 0xF1
_RESUME = 0xF2
_CLOSED = 0xF3
_CHECK_MASK = 0xFFFFFF
_WRITES_MAX = 3  # attempts in one page before it is given up
_SLOTS_MAX = 2 * _WRITES_MAX  # what they take up, with a resume mark before each
_SEQUENCE_END = 0xFFFF0000


class Store:
    """Numbered unsigned 32-bit values in a ring of pages; absent ones are 0.

    Whoever opens it puts a value, the number of this boot, before using any.

    Args:
        nvm: the memory.
        first_page: the first page of the ring.
        page_count: at least two.
        remade_with: what a store that is corrupt starts again with, by key; None: it is refused.
            Until all of it is committed, whatever power does, the store stays corrupt.
        was_used: whether something beside it says that it has been used: then a blank one is
            corrupt.

    Raises:
        StoreCorrupt: there was a store here and its newest values cannot be told.
        StoreError: a new store could not be written.
    """

    def __init__(
        self,
        nvm: Nvm,
        first_page: int,
        page_count: int,
        remade_with: "dict[int, int] | None" = None,
        *,
        was_used: bool = False,
    ) -> None:
        self._slots = Slots(nvm, first_page, page_count)
        self._values = [0] * KEY_COUNT
        self._record = bytearray(Slots.RECORD)
        self._page = page_count - 1
        self._sequence = 0
        self._slot = self._slots.per_page
        self._is_resumed = False  # nothing torn is left before the next slot
        self._last = -1  # the key of the last change: power may have gone while it was written
        self._mended = 0
        try:
            if not self._load():
                if was_used:
                    raise StoreCorrupt("the store is blank and has been used")
                self._turn()
        except StoreCorrupt:
            if remade_with is None:
                raise
            self._remake(remade_with)

    @property
    def faults(self) -> int:
        """How many records had a decayed bit at the boot, or read back otherwise since."""
        return self._slots.faults + self._mended

    def get(self, key: int) -> int:
        """Return a persisted value, 0 if it was never put."""
        return self._values[key]

    def put(self, key: int, value: int) -> None:
        """Persist a value; when this returns, it survives.

        Raises:
            StoreError: the memory is worn. The old value holds; the next boot finds it or the new.
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
            if (self._is_resumed or self._resume(kind)) and self._write(kind, value):
                return True
        return False

    def _resume(self, kind: int) -> bool:
        """Mark what is torn before, and repeat the last change: it may read well by chance."""
        last = self._last
        self._is_resumed = self._write(_RESUME, self._sequence) and (
            last in (-1, kind) or self._write(last, self._values[last])
        )
        return self._is_resumed

    def _write(self, kind: int, value: int) -> bool:
        slot = self._slot
        if slot >= self._slots.per_page - 1:
            return False
        self._slot += 1
        record = self._encoded(kind, value, slot, self._sequence)
        if self._slots.write(self._page, slot, record):
            return True
        self._is_resumed = False
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
            self._is_resumed = True
            self._slots.erase(self._page)
            if self._write_page():
                self._close(origin, sequence)
                return
        # The page before this is full or worn, and still whole: it is what the next boot finds.
        self._page = origin
        self._sequence = sequence
        self._slot = self._slots.per_page
        raise StoreError("no page of the store takes a record")

    def _write_page(self) -> bool:
        for key, value in enumerate(self._values):
            if value and not self._append(key, value):
                return False
        if not self._append(_COMMIT, self._sequence):
            return False
        self._append(_COMMIT, self._sequence)  # one that decays must not cost the page
        return True

    def _close(self, page: int, sequence: int) -> None:
        """Mark a page as succeeded, once it is."""
        slot = self._slots.per_page - 1
        if sequence and self._slots.is_blank(page, slot):
            self._slots.write(page, slot, self._encoded(_CLOSED, sequence, slot, sequence))

    def _remake(self, values: "dict[int, int]") -> None:
        """Start again in a page other than the one that shows the loss: it shows it until then."""
        self._values = [0] * KEY_COUNT
        for key in values:
            self._values[key] = values[key]
        self._turn()

    def _load(self) -> bool:
        """Take the newest whole page; return False if there is none."""
        for page in range(self._slots.page_count):
            sequence = self._whole(page)
            if sequence > self._sequence:
                self._sequence = sequence
                self._page = page
        if not self._sequence:
            self._refuse_used()
            return False
        self._slot = self._slots.first_blank(self._page)
        self._replay()
        if self._mended:
            self._slot = self._slots.per_page  # the next change takes all values to a new page
        return True

    def _whole(self, page: int) -> int:
        """Return the sequence number of a page that has a commit mark, else 0."""
        for slot in range(self._snapshot_end()):
            record = self._slots.read(page, slot)
            sequence = int.from_bytes(record[1:5], "little")
            is_mark = record[0] == _COMMIT and sequence < _SEQUENCE_END
            if is_mark and self._is_sound(record, slot, sequence):
                return sequence
        return 0

    def _snapshot_end(self) -> int:
        # Values and commit mark, each tried a few times.
        return min(self._slots.per_page, (KEY_COUNT + 1) * _SLOTS_MAX)

    def _refuse_used(self) -> None:
        """Tell a first start that was cut short, which may be repeated, from a loss of counters.

        Until its first commit mark a store has no values: nothing has been sent.
        """
        for page in range(self._slots.page_count):
            used = self._slots.first_blank(page)
            is_begun = used <= (0 if page else _SLOTS_MAX)
            for slot in range(used if is_begun else 0):
                is_begun = is_begun and self._slots.read(page, slot)[0] >= _FIRST_MARK
            if not is_begun:
                self._page = page
                raise StoreCorrupt("the store has been used and none of its pages is whole")

    def _replay(self) -> None:
        """Take the values of the newest page, which all its records give in order."""
        is_torn = False
        for slot in range(self._slot):
            record = self._slots.read(self._page, slot)
            if not (self._is_sound(record, slot, self._sequence) or self._mend(record, slot)):
                is_torn = True
                continue
            kind = record[0]
            if is_torn and kind != _RESUME:
                raise StoreCorrupt("a record among others in the store has decayed")
            if kind == _CLOSED:
                raise StoreCorrupt("the newest page of the store is lost")
            is_torn = False
            if kind < KEY_COUNT:
                self._values[kind] = int.from_bytes(record[1:5], "little")
                self._last = kind

    def _mend(self, record: bytearray, slot: int) -> bool:
        """Turn back the one bit of a record that has decayed, if there is such a bit."""
        for place in range(Slots.RECORD):
            for bit in range(8):
                record[place] ^= 1 << bit
                is_kind = record[0] < KEY_COUNT or _FIRST_MARK <= record[0] <= _CLOSED
                if is_kind and self._is_sound(record, slot, self._sequence):
                    self._mended += 1
                    return True
                record[place] ^= 1 << bit
        return False

    def _encoded(self, kind: int, value: int, slot: int, sequence: int) -> bytearray:
        record = self._record
        record[0] = kind
        record[1:5] = value.to_bytes(4, "little")
        check = self._slots.check(sequence, slot, record, 5) & _CHECK_MASK
        record[5:8] = check.to_bytes(3, "little")
        return record

    def _is_sound(self, record: bytearray, slot: int, sequence: int) -> bool:
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
