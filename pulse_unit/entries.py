"""Reading the log of counts back: the other side of `pulse_unit.history`."""

from pulse_unit.history import (
    ABSENT,
    BATCH,
    BOOT_MARK,
    COUNT_MARK,
    INCREMENT_MAX,
    TICK_MARK,
    CountHistory,
    is_checked,
    page_sequence,
)
from shared.wire.grid import COUNT_MASK, HALF_HOUR_S


class Entries:
    """Iterates over a log's entries: (boot, tick in seconds of uptime, count), oldest first.

    Nothing may be logged meanwhile.
    """

    def __init__(self, history: CountHistory) -> None:
        self._slots = history.slots
        self._page = history.newest_page  # the ring ends with it, and then with what waits
        self._waiting = history.waiting()
        self._pages_left = history.slots.page_count
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
        self._sequence = page_sequence(self._slots, self._page)
        self._slot = 1
        self._end = self._slots.first_blank(self._page) if self._sequence > 0 else 0

    def _read(self) -> None:
        slot = self._slot
        self._slot += 1
        record = self._slots.read(self._page, slot)
        if not is_checked(self._slots, record, slot, self._sequence):
            self._forget()
            return
        kind = int.from_bytes(record[0:2], "little")
        value = int.from_bytes(record[2:6], "little")
        if kind == BOOT_MARK:
            self._forget()
            self._boot = value
        elif kind == TICK_MARK:
            self._tick_s = value
            self._count = -1
        elif kind == COUNT_MARK:
            self._count = value
            self._find()
        elif kind <= INCREMENT_MAX and self._count >= 0:
            self._read_increments(record)

    def _read_increments(self, record: bytearray) -> None:
        for place in range(0, 2 * BATCH, 2):
            increment = int.from_bytes(record[place : place + 2], "little")
            if increment == ABSENT:
                break
            self._tick_s += HALF_HOUR_S
            self._count = (self._count + increment) & COUNT_MASK
            self._find()

    def _find(self) -> None:
        # The marks at a page's start repeat the last entry of the page before it.
        if self._boot >= 0 and self._tick_s >= 0 and self._last != (self._boot, self._tick_s):
            self._last = (self._boot, self._tick_s)
            self._found.append((self._boot, self._tick_s, self._count))

    def _forget(self) -> None:
        """Know nothing until the next marks: a record in between is lost."""
        self._boot = self._tick_s = self._count = -1
