"""The interrupt's side of the reed: it stores two integers and returns."""

from array import array

TICK_MASK = 0x3FFFFFFF  # 30 bits: the largest integer that a 32-bit board keeps off the heap
_HALF = 0x20000000


class EdgeBuffer:
    """A ring of edges between an interrupt, which records, and the core, which takes.

    Times are recorded as ticks, ms of uptime modulo 2^30, and handed out as uptime; edges must be
    taken within six days. When the ring is full, `lost` counts and the newest edge is kept, so
    that the level is right once the ring is drained.
    """

    def __init__(self, size: int = 64) -> None:
        self._ticks = array("I", [0] * size)
        self._levels = bytearray(size)
        self._size = size
        self._head = 0
        self._tail = 0
        self._lost_taken = 0
        self._lost_tick = 0
        self._lost_level = 0
        self.lost = 0  # edges that found the ring full, since the boot

    def record(self, closed: bool, tick: int) -> None:
        """Store an edge. Called from the interrupt: allocates nothing."""
        following = self._head + 1
        if following == self._size:
            following = 0
        # Once an edge is lost, later ones wait beside the ring too: they must not overtake it.
        if following == self._tail or self.lost != self._lost_taken:
            self._lost_tick = tick
            self._lost_level = closed
            self.lost += 1
            return
        self._ticks[self._head] = tick
        self._levels[self._head] = closed
        self._head = following

    def next_ms(self, now_ms: int) -> "int | None":
        """Return the uptime of the oldest edge, or None if there is none."""
        if self._tail != self._head:
            tick = self._ticks[self._tail]
        elif self.lost != self._lost_taken:
            tick = self._lost_tick
        else:
            return None
        return now_ms + ((tick - now_ms + _HALF) & TICK_MASK) - _HALF

    def take(self) -> bool:
        """Remove the oldest edge and return its level; only after `next_ms` was not None."""
        if self._tail != self._head:
            closed = self._levels[self._tail]
            following = self._tail + 1
            self._tail = 0 if following == self._size else following
            return bool(closed)
        # An interrupt after this line counts once more, and its edge is taken next.
        self._lost_taken = self.lost
        return bool(self._lost_level)
