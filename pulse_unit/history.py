"""Thirteen months of half-hourly counts in non-volatile memory.

A ring of pages of 8-byte records: three increments, or a mark that says where the increments after
it stand: the boot, the tick and the count of an entry. Every page begins with such marks, so that
the oldest can go. Three entries share a record: a loss of power costs the last two at most, and
what they counted is in the next entry's count.
"""

from pulse_unit.nvm import Nvm, Slots

SPACING_S = 1800

_COUNT_MASK = 0xFFFFFFFF
_ABSENT = 0xFFFF
_HEADER = 0xFFF0  # the page's sequence number
_BOOT = 0xFFF1
_TICK = 0xFFF2  # of an entry, seconds of uptime
_COUNT = 0xFFF3  # of the same entry
_INCREMENT_MAX = 0xFFEF
_BATCH = 3
_ATTEMPTS = 4


class CountHistory:
    """The log of counts: entries are (boot, tick in seconds of uptime, count).

    Args:
        nvm: the memory.
        first_page: the first page of the ring.
        page_count: at least two. Sixteen of 4 KiB hold 13 months that are phased every day.
    """

    def __init__(self, nvm: Nvm, first_page: int, page_count: int) -> None:
        self._slots = Slots(nvm, first_page, page_count)
        self._record = bytearray(Slots.RECORD)
        self._batch: "list[int]" = []
        self._boot = 0
        self._is_boot_marked = False  # in this page
        self._is_based = False  # whether the next increments' place is told by what is before them
        self._base_s = 0  # the last entry before the batch, and its count
        self._base_count = 0
        self._tick_s = 0  # the last entry
        self._count = 0
        self._page = page_count - 1
        self._sequence = 0
        self._slot = self._slots.per_page
        self.lost = 0  # records that no page took, since the boot
        self._find_newest()

    @property
    def faults(self) -> int:
        """How many writes read back otherwise since the boot."""
        return self._slots.faults

    def begin(self, boot: int, tick_s: int, count: int) -> None:
        """Log the first entry of a boot."""
        self._boot = boot
        self._is_boot_marked = False
        self._rebase(tick_s, count)

    def append(self, tick_s: int, count: int) -> None:
        """Log a later entry of this boot."""
        increment = (count - self._count) & _COUNT_MASK
        if tick_s != self._tick_s + SPACING_S or increment > _INCREMENT_MAX:
            self.flush()
            self._rebase(tick_s, count)
            return
        self._tick_s = tick_s
        self._count = count
        self._batch.append(increment)
        if len(self._batch) == _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what waits for its record to fill."""
        batch = self._batch
        if not batch:
            return
        self._batch = []
        while len(batch) < _BATCH:
            batch.append(_ABSENT)
        self._emit(batch)
        self._base_s = self._tick_s
        self._base_count = self._count

    def entries(self) -> "Entries":
        """Return an iterator over all entries, from the oldest to the newest."""
        waiting = []
        tick_s = self._base_s
        count = self._base_count
        for increment in self._batch:
            tick_s += SPACING_S
            count = (count + increment) & _COUNT_MASK
            waiting.append((self._boot, tick_s, count))
        return Entries(self._slots, self._page, waiting)

    def _rebase(self, tick_s: int, count: int) -> None:
        self._tick_s = self._base_s = tick_s
        self._count = self._base_count = count
        self._is_based = False
        self._emit(None)

    def _emit(self, batch: "list[int] | None") -> None:
        """Write increments, and before them what tells their place where nothing else does."""
        for _ in range(_ATTEMPTS):
            if self._slot >= self._slots.per_page and not self._turn():
                break
            if not self._is_based and not self._write_base():
                continue
            if batch is None or self._put(batch[0], batch[1], batch[2]):
                return
            self._is_based = self._is_boot_marked = False  # a reader forgets all at a bad record
        self.lost += 1

    def _write_base(self) -> bool:
        self._is_based = self._is_boot_marked = (
            (self._is_boot_marked or self._mark(_BOOT, self._boot))
            and self._mark(_TICK, self._base_s)
            and self._mark(_COUNT, self._base_count)
        )
        return self._is_based

    def _turn(self) -> bool:
        """Start the next page of the ring that can be written."""
        origin = self._page
        sequence = self._sequence
        self._is_based = self._is_boot_marked = False
        for step in range(1, self._slots.page_count):
            self._page = (origin + step) % self._slots.page_count
            self._sequence = sequence + step
            self._slot = 0
            self._slots.erase(self._page)
            if self._mark(_HEADER, self._sequence):
                return True
        self._page = origin
        self._sequence = sequence
        self._slot = self._slots.per_page
        return False

    def _mark(self, kind: int, value: int) -> bool:
        return self._put(kind, value & 0xFFFF, value >> 16)

    def _put(self, first: int, second: int, third: int) -> bool:
        slot = self._slot
        if slot >= self._slots.per_page:
            return False
        self._slot += 1
        record = self._record
        record[0:2] = first.to_bytes(2, "little")
        record[2:4] = second.to_bytes(2, "little")
        record[4:6] = third.to_bytes(2, "little")
        check = self._slots.check(self._sequence, slot, record, 6) & 0xFFFF
        record[6:8] = check.to_bytes(2, "little")
        return self._slots.write(self._page, slot, record)

    def _find_newest(self) -> None:
        for page in range(self._slots.page_count):
            sequence = _page_sequence(self._slots, page)
            if sequence > self._sequence:
                self._sequence = sequence
                self._page = page
        if self._sequence:
            self._slot = self._slots.first_blank(self._page)


class Entries:
    """Iterates over a log's entries: (boot, tick in seconds of uptime, count), oldest first."""

    def __init__(
        self, slots: Slots, newest_page: int, waiting: "list[tuple[int, int, int]]"
    ) -> None:
        self._slots = slots
        self._page = newest_page  # the ring ends with it, and then with what is not yet written
        self._waiting = waiting
        self._pages_left = slots.page_count
        self._sequence = -1
        self._slot = 0
        self._end = 0
        self._found: "list[tuple[int, int, int]]" = []
        self._last = (-1, -1)
        self._forget()

    def __iter__(self) -> "Entries":
        return self

    def __next__(self) -> "tuple[int, int, int]":
        while not self._found:
            if self._slot < self._end:
                self._read()
            elif self._pages_left:
                self._open_page()
            elif self._waiting:
                self._found = self._waiting
                self._waiting = []
            else:
                raise StopIteration
        return self._found.pop(0)

    def _open_page(self) -> None:
        self._pages_left -= 1
        self._page = (self._page + 1) % self._slots.page_count
        self._sequence = _page_sequence(self._slots, self._page)
        self._slot = 1
        self._end = self._slots.first_blank(self._page) if self._sequence > 0 else 0

    def _read(self) -> None:
        slot = self._slot
        self._slot += 1
        record = self._slots.read(self._page, slot)
        if not _is_checked(self._slots, record, slot, self._sequence):
            self._forget()
            return
        kind = int.from_bytes(record[0:2], "little")
        value = int.from_bytes(record[2:6], "little")
        if kind == _BOOT:
            self._forget()
            self._boot = value
        elif kind == _TICK:
            self._tick_s = value
            self._count = -1
        elif kind == _COUNT:
            self._count = value
            self._find()
        elif kind <= _INCREMENT_MAX and self._count >= 0:
            self._read_increments(record)

    def _read_increments(self, record: bytearray) -> None:
        for place in range(0, 2 * _BATCH, 2):
            increment = int.from_bytes(record[place : place + 2], "little")
            if increment == _ABSENT:
                break
            self._tick_s += SPACING_S
            self._count = (self._count + increment) & _COUNT_MASK
            self._find()

    def _find(self) -> None:
        # The marks at a page's start repeat the last entry of the page before it.
        if self._boot >= 0 and self._tick_s >= 0 and self._last != (self._boot, self._tick_s):
            self._last = (self._boot, self._tick_s)
            self._found.append((self._boot, self._tick_s, self._count))

    def _forget(self) -> None:
        """Know nothing until the next marks: a record in between is lost."""
        self._boot = self._tick_s = self._count = -1


def _page_sequence(slots: Slots, page: int) -> int:
    """Return a page's sequence number, from 1 on, or -1 if it has no whole header."""
    record = slots.read(page, 0)
    sequence = int.from_bytes(record[2:6], "little")
    is_header = int.from_bytes(record[0:2], "little") == _HEADER
    return sequence if is_header and _is_checked(slots, record, 0, sequence) else -1


def _is_checked(slots: Slots, record: bytearray, slot: int, sequence: int) -> bool:
    check = slots.check(sequence, slot, record, 6) & 0xFFFF
    return check == int.from_bytes(record[6:8], "little")
