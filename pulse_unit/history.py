"""Thirteen months of half-hourly counts in non-volatile memory.

A ring of pages of 8-byte records: three increments, or a mark that says where the increments after
it stand: the boot, the tick and the count of an entry. Every page begins with such marks, so that
the oldest can go. Three entries share a record: a loss of power costs the last two at most, and
what they counted is in the next entry's count. `pulse_unit.entries` reads what is written here.
"""

from pulse_unit.nvm import Nvm, Slots
from shared.wire.grid import COUNT_MASK, HALF_HOUR_S

ABSENT = 0xFFFF
_HEADER = 0xFFF0  # the page's sequence number
BOOT_MARK = 0xFFF1
TICK_MARK = 0xFFF2  # of an entry, seconds of uptime
COUNT_MARK = 0xFFF3  # of the same entry
INCREMENT_MAX = 0xFFEF
PAGE_MARKS = 4  # at the start of a page: its header; the boot, the tick and the count of an entry
BATCH = 3
_ATTEMPTS = 4


class CountHistory:
    """The log of counts: entries are (boot, tick in seconds of uptime, count).

    Args:
        nvm: the memory.
        first_page: the first page of the ring.
        page_count: at least two. Sixteen of 4 KiB hold 13 months that are phased every day.
    """

    def __init__(self, nvm: Nvm, first_page: int, page_count: int) -> None:
        self.slots = Slots(nvm, first_page, page_count)
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
        self._slot = self.slots.per_page
        self.lost = 0  # records that no page took, since the boot
        self.revision = 0  # rises with every entry: what reads the log has to start again
        self._find_newest()

    @property
    def faults(self) -> int:
        """How many writes read back otherwise since the boot."""
        return self.slots.faults

    @property
    def is_blank(self) -> bool:
        """Whether nothing was ever logged."""
        return self._sequence == 0

    def begin(self, boot: int, tick_s: int, count: int) -> None:
        """Log the first entry of a boot."""
        self.revision += 1
        self._boot = boot
        self._is_boot_marked = False
        self._rebase(tick_s, count)

    def append(self, tick_s: int, count: int) -> None:
        """Log a later entry of this boot."""
        self.revision += 1
        increment = (count - self._count) & COUNT_MASK
        if tick_s != self._tick_s + HALF_HOUR_S or increment > INCREMENT_MAX:
            self.flush()
            self._rebase(tick_s, count)
            return
        self._tick_s = tick_s
        self._count = count
        self._batch.append(increment)
        if len(self._batch) == BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what waits for its record to fill."""
        batch = self._batch
        if not batch:
            return
        self.revision += 1
        self._batch = []
        while len(batch) < BATCH:
            batch.append(ABSENT)
        self._emit(batch)
        self._base_s = self._tick_s
        self._base_count = self._count

    @property
    def newest_page(self) -> int:
        """The page of the ring that is being written."""
        return self._page

    def waiting(self) -> "list[tuple[int, int, int]]":
        """Return the newest entries, whose record is not yet full."""
        waiting = []
        tick_s = self._base_s
        count = self._base_count
        for increment in self._batch:
            tick_s += HALF_HOUR_S
            count = (count + increment) & COUNT_MASK
            waiting.append((self._boot, tick_s, count))
        return waiting

    def _rebase(self, tick_s: int, count: int) -> None:
        self._tick_s = self._base_s = tick_s
        self._count = self._base_count = count
        self._is_based = False
        self._emit(None)

    def _emit(self, batch: "list[int] | None") -> None:
        """Write increments, and before them what tells their place where nothing else does."""
        for _ in range(_ATTEMPTS):
            if self._slot >= self.slots.per_page and not self._turn():
                break
            if not self._is_based and not self._write_base():
                continue
            if batch is None or self._put(batch[0], batch[1], batch[2]):
                return
            self._is_based = self._is_boot_marked = False  # a reader forgets all at a bad record
        self.lost += 1

    def _write_base(self) -> bool:
        self._is_based = self._is_boot_marked = (
            (self._is_boot_marked or self._mark(BOOT_MARK, self._boot))
            and self._mark(TICK_MARK, self._base_s)
            and self._mark(COUNT_MARK, self._base_count)
        )
        return self._is_based

    def _turn(self) -> bool:
        """Start the next page of the ring that can be written."""
        origin = self._page
        sequence = self._sequence
        self._is_based = self._is_boot_marked = False
        for step in range(1, self.slots.page_count):
            self._page = (origin + step) % self.slots.page_count
            self._sequence = sequence + step
            self._slot = 0
            self.slots.erase(self._page)
            if self._mark(_HEADER, self._sequence):
                return True
        self._page = origin
        self._sequence = sequence
        self._slot = self.slots.per_page
        return False

    def _mark(self, kind: int, value: int) -> bool:
        return self._put(kind, value & 0xFFFF, value >> 16)

    def _put(self, first: int, second: int, third: int) -> bool:
        slot = self._slot
        if slot >= self.slots.per_page:
            return False
        self._slot += 1
        record = self._record
        record[0:2] = first.to_bytes(2, "little")
        record[2:4] = second.to_bytes(2, "little")
        record[4:6] = third.to_bytes(2, "little")
        check = self.slots.check(self._sequence, slot, record, 6) & 0xFFFF
        record[6:8] = check.to_bytes(2, "little")
        return self.slots.write(self._page, slot, record)

    def _find_newest(self) -> None:
        for page in range(self.slots.page_count):
            sequence = page_sequence(self.slots, page)
            if sequence > self._sequence:
                self._sequence = sequence
                self._page = page
        if self._sequence:
            self._slot = self.slots.first_blank(self._page)


def page_sequence(slots: Slots, page: int) -> int:
    """Return a page's sequence number, from 1 on, or -1 if it has no whole header."""
    record = slots.read(page, 0)
    sequence = int.from_bytes(record[2:6], "little")
    is_header = int.from_bytes(record[0:2], "little") == _HEADER
    return sequence if is_header and is_checked(slots, record, 0, sequence) else -1


def is_checked(slots: Slots, record: bytearray, slot: int, sequence: int) -> bool:
    """Tell whether a record's check is the one of its place."""
    check = slots.check(sequence, slot, record, 6) & 0xFFFF
    return check == int.from_bytes(record[6:8], "little")
