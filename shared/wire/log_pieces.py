"""A unit's log on its way over GATT: entries in pieces of a notification each, and a MAC.

A piece is its number (two bytes, low byte first) and codes, of which each stands for one entry or
prepares the next:

    00..BF           so many pulses in the half-hour after the last entry
    C0..DF xx        192 pulses and more: five bits of the code, then eight
    E0..FA           2 to 28 half-hours without a pulse
    FB xxxxxxxx      a number of pulses of 32 bits
    FC xxxx          the next entry is so many seconds off its half-hour (signed)
    FD boot tick count   an entry by itself, 32 bits each
    FF mac           the end: 8 bytes of MAC

The MAC is over the request and everything but itself, chained: C(0) = CMAC(K, request),
C(n) = CMAC(K, C(n-1) | piece n), under a key of its own, derived from the unit's. So nothing
of an answer counts as read before its end has come, and a recorded one fits no other request.
"""

from shared.crypto.block import BlockCipher
from shared.crypto.cmac import cmac, same_mac
from shared.wire.cursor import Cursor
from shared.wire.errors import BadMac, Malformed
from shared.wire.grid import COUNT_MASK, HALF_HOUR_S

ENTRIES_MAX = 0xFFFF  # in one answer

# 17 bytes: no other derivation from the unit's key has this length.
_LABEL = b"halfhourly log v1"
_MAC_LENGTH = 8
_NUMBER_LENGTH = 2

_MEDIUM = 0xC0
_MEDIUM_END = 0xE0
_ZEROS = 0xE0
_ZEROS_MAX = 28
_LARGE = 0xFB
_MOVE = 0xFC
_BASE = 0xFD
_END = 0xFF
_MEDIUM_MAX = _MEDIUM + (_MEDIUM_END - _MEDIUM << 8) - 1


def is_last(piece: bytes) -> bool:
    """Tell whether a piece is the end of an answer, for whoever has no key to read it with."""
    return len(piece) == _NUMBER_LENGTH + 1 + _MAC_LENGTH and piece[_NUMBER_LENGTH] == _END


class LogWriter:
    """The unit's side: entries in, pieces out; holds one piece at a time.

    Args:
        aes: the AES block class of a backend.
        key: the unit's 16-byte key.
        request: the bytes that asked for this answer.
    """

    def __init__(self, aes: "type[BlockCipher]", key: bytes, request: bytes) -> None:
        self._aes = aes
        self._key = cmac(aes, key, _LABEL)
        self._chain = cmac(aes, self._key, request)
        self._number = 0
        self._codes = bytearray()
        self._zeros = 0
        self._boot = -1
        self._tick_s = 0
        self._count = 0

    def add(self, room: int, boot: int, tick_s: int, count: int) -> bool:
        """Put an entry into the piece if it fits ``room`` bytes; return whether it did."""
        increment = (count - self._count) & COUNT_MASK
        move_s = tick_s - self._tick_s - HALF_HOUR_S
        codes = b""
        is_next = boot == self._boot and -0x8000 <= move_s < 0x8000
        if is_next and not move_s and not increment and 0 < self._zeros < _ZEROS_MAX:
            self._zeros += 1
        else:
            if not is_next:
                codes = bytes([_BASE]) + boot.to_bytes(4, "little")
                codes += tick_s.to_bytes(4, "little") + count.to_bytes(4, "little")
            elif move_s or increment:
                codes = _coded(move_s, increment)
            used = _NUMBER_LENGTH + len(self._codes) + (1 if self._zeros else 0)
            if used + (len(codes) or 1) > room:
                return False
            self._flush()
            if codes:
                self._codes += codes
            else:
                self._zeros = 1
        self._boot = boot
        self._tick_s = tick_s
        self._count = count
        return True

    def take(self) -> "bytes | None":
        """Return the piece, if there is anything in it, and begin the next."""
        self._flush()
        if not self._codes:
            return None
        piece = self._number.to_bytes(_NUMBER_LENGTH, "little") + bytes(self._codes)
        self._number += 1
        self._codes = bytearray()
        self._chain = cmac(self._aes, self._key, self._chain + piece)
        return piece

    def end(self) -> bytes:
        """Return the last piece: the end alone. What was added before is taken before."""
        self._codes.append(_END)
        piece = self.take() or b""
        return piece + self._chain[:_MAC_LENGTH]

    def _flush(self) -> None:
        if self._zeros:
            self._codes.append(_ZEROS + self._zeros - 2 if self._zeros > 1 else 0)
            self._zeros = 0


def _coded(move_s: int, increment: int) -> bytes:
    codes = b""
    if move_s:
        codes = bytes([_MOVE]) + (move_s & 0xFFFF).to_bytes(2, "little")
    if increment < _MEDIUM:
        return codes + bytes([increment])
    if increment <= _MEDIUM_MAX:
        above = increment - _MEDIUM
        return codes + bytes([_MEDIUM + (above >> 8), above & 0xFF])
    return codes + bytes([_LARGE]) + increment.to_bytes(4, "little")


class LogReader:
    """The collector's side: pieces in, entries out once their MAC is right.

    An answer that raises is of no more use: ask again.

    Args:
        aes: the AES block class of a backend.
        key: the unit's 16-byte key.
        request: the bytes that asked for this answer.
    """

    def __init__(self, aes: "type[BlockCipher]", key: bytes, request: bytes) -> None:
        self._aes = aes
        self._key = cmac(aes, key, _LABEL)
        self._chain = cmac(aes, self._key, request)
        self._number = 0
        self._found: "list[tuple[int, int, int]]" = []
        self._move_s = 0
        self.is_complete = False

    @property
    def entries(self) -> "list[tuple[int, int, int]]":
        """(boot, tick in seconds of uptime, count), oldest first; none before the end has come."""
        return self._found if self.is_complete else []

    def receive_data(self, piece: bytes) -> None:
        """Take the next piece.

        Raises:
            Truncated: it ends within a code or its number.
            Malformed: a piece is missing, comes after the end, or means nothing.
            BadMac: the answer is not this unit's to this request.
        """
        if self.is_complete:
            raise Malformed("a piece of the log comes after its end")
        cursor = Cursor(piece)
        number = cursor.u16()
        if number != self._number:
            raise Malformed("piece %d of the log comes where %d is due" % (number, self._number))
        self._number += 1
        mac = None
        while cursor.remaining:
            code = cursor.u8()
            if code == _END:
                mac = cursor.rest()
            else:
                self._read(code, cursor)
        end = len(piece) - (0 if mac is None else len(mac))
        self._chain = cmac(self._aes, self._key, self._chain + bytes(piece[:end]))
        if mac is not None:
            if self._move_s or not same_mac(self._chain[:_MAC_LENGTH], mac):
                raise BadMac("the log is not this unit's answer to this request")
            self.is_complete = True

    def _read(self, code: int, cursor: Cursor) -> None:
        if code == _BASE:
            self._find(cursor.u32(), cursor.u32(), cursor.u32())
        elif code == _MOVE:
            move_s = cursor.u16()
            self._move_s = move_s - 0x10000 if move_s >> 15 else move_s
        elif code < _MEDIUM:
            self._follow(code)
        elif code < _MEDIUM_END:
            self._follow(_MEDIUM + ((code - _MEDIUM) << 8) + cursor.u8())
        elif code == _LARGE:
            self._follow(cursor.u32())
        elif code < _LARGE:
            for _ in range(code - _ZEROS + 2):
                self._follow(0)
        else:
            raise Malformed("a log has no code %02X" % code)

    def _follow(self, increment: int) -> None:
        if not self._found:
            raise Malformed("a log begins with an entry by itself")
        boot, tick_s, count = self._found[-1]
        tick_s += HALF_HOUR_S + self._move_s
        self._find(boot, tick_s, (count + increment) & COUNT_MASK)

    def _find(self, boot: int, tick_s: int, count: int) -> None:
        if len(self._found) >= ENTRIES_MAX:
            raise Malformed("a log has at most %d entries" % ENTRIES_MAX)
        if self._found and (boot, tick_s) <= self._found[-1][:2]:
            raise Malformed("the entries of a log are not in order")
        if tick_s > 0xFFFFFFFF:
            raise Malformed("an uptime of %d s has no room" % tick_s)
        self._move_s = 0
        self._found.append((boot, tick_s, count))
