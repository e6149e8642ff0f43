"""Answering a request for the log piece by piece, while the unit goes on logging."""

from pulse_unit.entries import Entries
from pulse_unit.history import CountHistory
from shared.crypto.block import BlockCipher
from shared.wire.gatt import LogRequest
from shared.wire.log_pieces import ENTRIES_MAX, LogWriter

_LOOKED_AT_MAX = 256  # entries in one call, so that the unit goes on meanwhile


class LogAnswer:
    """One answer. It holds a piece and a place in the log, never the log.

    An entry that is logged meanwhile ends the reading of pages, which starts again behind the last
    entry that was sent: none is sent twice, none is left out, and the new one comes last.

    Args:
        history: the log.
        aes: the AES block class of a backend.
        key: the unit's 16-byte key.
        request: what is asked for.
        data: the bytes that asked.
    """

    def __init__(
        self,
        history: CountHistory,
        aes: "type[BlockCipher]",
        key: bytes,
        request: LogRequest,
        data: bytes,
    ) -> None:
        self._history = history
        self._writer = LogWriter(aes, key, data)
        self._last = (request.boot, request.tick_s)  # sent, or before all that is asked for
        self._left = request.limit or ENTRIES_MAX
        self._newest = request.limit if request.newest else 0
        self._waiting: "tuple[int, int, int] | None" = None  # did not fit the piece before
        self.is_done = False
        self._open()

    def next_piece(self, room: int) -> "bytes | None":
        """Return the next piece, of ``room`` bytes at most, or None: there will be one later.

        Looks at a bounded number of entries. After the last piece `is_done`.
        """
        if self.is_done:
            return None
        if self._revision != self._history.revision:
            self._open()
        if self._is_counting:
            self._count()
            return None
        is_end = self._fill(room)
        piece = self._writer.take()
        if is_end and piece is None:
            self.is_done = True
            return self._writer.end()
        return piece

    def _open(self) -> None:
        self._revision = self._history.revision
        self._entries = Entries(self._history)
        self._waiting = None
        # How many there are must be known before the newest can be told.
        self._is_counting = self._newest > 0
        self._counted = 0
        self._skip = 0

    def _count(self) -> None:
        for _ in range(_LOOKED_AT_MAX):
            if self._next() is None:
                skip = max(0, self._counted - self._newest)
                self._open()
                self._is_counting = False
                self._skip = skip
                return
            self._counted += 1

    def _fill(self, room: int) -> bool:
        """Put entries into the piece until it is full; return whether there are no more."""
        for _ in range(_LOOKED_AT_MAX):
            entry = self._next() if self._left else None
            if entry is None:
                return True
            boot, tick_s, count = entry
            if self._skip:
                self._skip -= 1
            elif self._last < (boot, tick_s):
                if not self._writer.add(room, boot, tick_s, count):
                    self._waiting = entry
                    return False
                self._last = (boot, tick_s)
                self._left -= 1
                self._newest = 0  # from here on by place: new entries do not move it
        return False

    def _next(self) -> "tuple[int, int, int] | None":
        entry = self._waiting
        if entry is not None:
            self._waiting = None
            return entry
        try:
            return next(self._entries)
        except StopIteration:
            return None
