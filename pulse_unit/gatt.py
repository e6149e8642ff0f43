"""What a unit's GATT service does: values, writes and notifications, whatever stack carries them.

One peer at a time. A board calls `connected`, `secured` once the link is encrypted under the key of
a passkey pairing, and `disconnected`; it hands over reads and writes, and sends what
`next_notification` gives while `is_busy`. Where a stack serves reads from buffers, the board fills
them from `read` after `secured` and after every `write`.
"""

from pulse_unit.board import Board
from pulse_unit.config import settings_of
from pulse_unit.errors import AttributeRefused, StoreError
from pulse_unit.log_answer import LogAnswer
from pulse_unit.unit import PulseUnit
from shared.wire.errors import WireError
from shared.wire.gatt import (
    ATT_INSUFFICIENT_AUTHENTICATION,
    ATT_INSUFFICIENT_RESOURCES,
    ATT_INVALID_LENGTH,
    ATT_OK,
    ATT_READ_NOT_PERMITTED,
    ATT_VALUE_NOT_ALLOWED,
    ATT_WRITE_NOT_PERMITTED,
    COMMAND,
    FLAGS,
    LOG_CONTROL,
    LOG_DATA,
    NO_COMMAND,
    PULSES,
    READABLE,
    RESULT,
    TELEGRAM,
    WRITABLE,
    decode_log_request,
    encode_flags,
    encode_pulses,
    encode_result,
    value_max,
)
from shared.wire.telegram import FLAG_MAGNET, FLAG_TAMPER

PAIRINGS_MAX = 3  # attempts, then a pause: each tells a cheat one bit of a passkey that stays
_NO_RESULT = encode_result(b"", NO_COMMAND)
_PAIRINGS_PAUSE_MS = 90_000  # outlasts the window in which the attempts were made


class GattService:
    """The service of one unit. Attributes are the numbers in `shared.wire.gatt`.

    Args:
        unit: what it speaks for.
        board: whose key and AES the log's MAC takes.
    """

    def __init__(self, unit: PulseUnit, board: Board) -> None:
        self._unit = unit
        self._board = board
        self._pairings = 0
        self._pairings_from_ms = 0
        self._is_secure = False
        self._telegram = b""
        self._result = _NO_RESULT
        self._is_result_due = False
        self._answer: "LogAnswer | None" = None

    def connected(self) -> None:
        """Begin with a new peer, of whom nothing is known yet."""
        self._is_secure = False
        self._telegram = b""
        self._result = _NO_RESULT
        self._is_result_due = False
        self._answer = None

    def secured(self) -> None:
        """Know that the link is encrypted with a key from LE Secure Connections and a passkey."""
        self._is_secure = True

    @property
    def is_secure(self) -> bool:
        """Whether the peer has paired, and the link is encrypted with that key."""
        return self._is_secure

    def disconnected(self) -> None:
        """Forget the peer."""
        self.connected()

    def may_pair(self, uptime_ms: int) -> bool:
        """Return whether a peer that asks now may try the passkey; every call is an attempt.

        It may for 90 s after the button or a magnet, three times; then not for 90 s.
        """
        if not self._unit.is_pairing_open(uptime_ms):
            return False
        if uptime_ms - self._pairings_from_ms >= _PAIRINGS_PAUSE_MS:
            self._pairings = 0
        if self._pairings >= PAIRINGS_MAX:
            return False
        self._pairings += 1
        self._pairings_from_ms = uptime_ms
        return True

    def read(self, attribute: int, uptime_ms: int) -> bytes:
        """Return a value, whole; a long read gets the same bytes for each of its parts.

        Raises:
            AttributeRefused: with the ATT error code to answer.
        """
        if not self._is_secure:
            raise AttributeRefused(ATT_INSUFFICIENT_AUTHENTICATION)
        if attribute not in READABLE:
            raise AttributeRefused(ATT_READ_NOT_PERMITTED)
        if attribute == RESULT:
            return self._result
        if attribute == TELEGRAM:
            return self._read_telegram(uptime_ms)
        if attribute == PULSES:
            return encode_pulses(uptime_ms // 1000, self._unit.recent_pulses)
        if attribute == FLAGS:
            unit = self._unit
            tamper, magnet = unit.first_seen(FLAG_TAMPER), unit.first_seen(FLAG_MAGNET)
            return encode_flags(unit.error_flags, tamper, magnet)
        return settings_of(self._unit.config)

    def write(self, attribute: int, data: bytes, uptime_ms: int) -> int:
        """Take a value that was written; return `ATT_OK` or the ATT error code to answer.

        A command that was received is `ATT_OK`, also if it is not obeyed: that is the result's to
        say, because not every stack can answer a write with an error.
        """
        if not self._is_secure:
            return ATT_INSUFFICIENT_AUTHENTICATION
        if attribute not in WRITABLE:
            return ATT_WRITE_NOT_PERMITTED
        if len(data) > value_max(attribute):
            return ATT_INVALID_LENGTH
        if attribute == LOG_CONTROL:
            return self._ask_log(data)
        self._telegram = b""
        if attribute == COMMAND:
            self._result = encode_result(data, self._unit.obey(data, uptime_ms))
            self._is_result_due = True
        return ATT_OK

    @property
    def is_busy(self) -> bool:
        """Whether `next_notification` has more to give or to look for."""
        return self._is_result_due or self._answer is not None

    def next_notification(self, room: int) -> "tuple[int, bytes] | None":
        """Return the next attribute and value to notify, of ``room`` bytes at most, or None.

        A bounded amount of work: None while `is_busy` means to call again. A board whose stack
        does not take a notification keeps it and tries again.
        """
        if self._is_result_due:
            self._is_result_due = False
            return RESULT, self._result
        if self._answer is None:
            return None
        piece = self._answer.next_piece(min(room, value_max(LOG_DATA)))
        if self._answer.is_done:
            self._answer = None
        return None if piece is None else (LOG_DATA, piece)

    def _read_telegram(self, uptime_ms: int) -> bytes:
        if not self._telegram:
            try:
                self._telegram = self._unit.seal(uptime_ms)
            except StoreError:
                pass  # raised below: MicroPython chains no exceptions
        if not self._telegram:
            raise AttributeRefused(ATT_INSUFFICIENT_RESOURCES)
        return self._telegram

    def _ask_log(self, data: bytes) -> int:
        try:
            request = decode_log_request(data)
        except WireError:
            return ATT_VALUE_NOT_ALLOWED
        self._answer = None
        if request is not None:
            self._answer = LogAnswer(
                self._unit.history, self._board.aes, self._board.key, request, data
            )
        return ATT_OK
