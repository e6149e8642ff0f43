"""A unit on a wired M-Bus: the slave's side of EN 13757-2 and EN 13757-7, without a serial port.

Whoever owns the port hands over what arrives and sends the replies, each at the speed that `baud`
had before the call, drops what arrives until the port has followed `baud`, and calls
`handle_timer` when `next_timer` is due.

What it replies to each request is in docs/telegram.md, "On a wire". E5 is an acknowledgement, and
means done and durable.

Nothing sent to 255 is replied to, and 253 is an address of its own while it is selected. A request
with FCV that equals the last one is a repeat: it gets the very same reply and does nothing again.
"""

from pulse_unit.errors import StoreError
from shared.wire.address import MANUFACTURER, MEDIUM_GAS, VERSION, secondary_address
from shared.wire.command import (
    REFUSED_ILLEGAL,
    REFUSED_MALFORMED,
    REFUSED_NOT_AUTHENTIC,
    REFUSED_REPLAYED,
    REFUSED_UNKNOWN,
)
from shared.wire.mbus import (
    ACKNOWLEDGE,
    ADDRESS_ALL_REPLY,
    ADDRESS_ALL_SILENT,
    ADDRESS_MAX,
    ADDRESS_SELECTED,
    BAUDS,
    CI_COMMAND,
    CI_ERROR,
    CI_RESET,
    CI_SELECT,
    CI_SEND_DATA,
    FCV,
    FRAME_MAX,
    REQ_UD1,
    REQ_UD2,
    RSP_UD,
    SET_ADDRESS,
    SND_NKE,
    SND_UD,
    Frame,
    FrameReader,
    encode_frame,
    response,
)

TYPE_CHECKING = False  # MicroPython has no typing; a checker knows this name
if TYPE_CHECKING:
    from pulse_unit.settings import WireSettings
    from pulse_unit.unit import PulseUnit

BAUD_DEFAULT = 2_400

# What persists is one word: the address in its low byte, above it the speed in units of 300 bit/s
_BAUD_SHIFT = 8
_BAUD_UNIT = 300

TRIAL_MS = 300_000  # how long a new speed may stay silent (EN 13757-3: 2 to 10 minutes)
REPEAT_MS = 60_000  # a master that never toggles FCB gets new data after this time

# Application errors (EN 13757-3, CI 70)
ERROR_UNSPECIFIED = 0x00
ERROR_UNKNOWN_CI = 0x01
ERROR_DENIED = 0x10
ERROR_UNKNOWN_COMMAND = 0x11
ERROR_PARAMETER = 0x12
ERROR_KEY = 0x14

# Others are unspecified
_REFUSALS = {
    REFUSED_MALFORMED: ERROR_PARAMETER,
    REFUSED_NOT_AUTHENTIC: ERROR_KEY,
    REFUSED_REPLAYED: ERROR_DENIED,
    REFUSED_ILLEGAL: ERROR_PARAMETER,
    REFUSED_UNKNOWN: ERROR_UNKNOWN_COMMAND,
}

_FROM_MASTER = 0x40  # of a C field; a converter may echo what the slave has sent
_KIND = 0xCF  # a C field without FCB and FCV
_SELECT = bytes([CI_SELECT])
_DONE = bytes([ACKNOWLEDGE])
_GAP_BITS = 33  # no longer is a pause within a frame,
_LATENCY_MS = 50  # as seen by whoever waits for the port


class WiredSlave:
    """The slave of one unit. Time is ``uptime_ms``: integer ms, never backwards.

    Args:
        unit: what speaks and obeys.
        memory: where address and speed persist.
        serial: eight digits, in its secondary address.
        manufacturer: three letters, likewise.

    Raises:
        Malformed: for a serial or manufacturer that no meter has.
    """

    def __init__(
        self,
        unit: "PulseUnit",
        memory: "WireSettings",
        serial: str,
        manufacturer: str = MANUFACTURER,
    ) -> None:
        self._unit = unit
        self._memory = memory
        self._secondary = secondary_address(serial, manufacturer, VERSION, MEDIUM_GAS)
        word = memory.load()
        address = word & 0xFF
        self._address = address if address <= ADDRESS_MAX else 0
        baud = (word >> _BAUD_SHIFT) * _BAUD_UNIT
        self._settled_baud = baud if baud in BAUDS.values() else BAUD_DEFAULT
        self._baud = self._settled_baud
        self._trial_end_ms = -1
        self._is_selected = False
        self._reader = FrameReader()
        self._heard_ms = 0
        self._heard_baud = self._baud
        self._asked: "Frame | None" = None
        self._asked_ms = 0
        self._replied = b""
        self._access_number = 0
        self._error = -1

    @property
    def address(self) -> int:
        """The primary address, 0 to 250."""
        return self._address

    @property
    def baud(self) -> int:
        """The speed at which the port listens now, in bit/s; 8E1."""
        return self._baud

    def next_timer(self) -> "int | None":
        """Return the uptime in ms at which `handle_timer` has something to do, if ever."""
        return None if self._trial_end_ms < 0 else self._trial_end_ms

    def handle_timer(self, uptime_ms: int) -> None:
        """Go back to the old speed if nothing has arrived at the new one in time."""
        if 0 <= self._trial_end_ms <= uptime_ms:
            self._trial_end_ms = -1
            self._baud = self._settled_baud
            self._reader.reset()

    def receive_data(self, data: bytes, uptime_ms: int) -> bytes:
        """Return the reply to what ``data`` completes, which may be nothing.

        Bytes that follow others after a pause begin a new frame. Whatever cannot be read is left
        unanswered, as the standard asks: the master repeats it.
        """
        self.handle_timer(uptime_ms)
        if uptime_ms - self._heard_ms > _GAP_BITS * 1000 // self._baud + _LATENCY_MS:
            self._reader.reset()
        self._heard_ms = uptime_ms
        self._heard_baud = self._baud
        replies = b""
        for start in range(0, len(data), FRAME_MAX):
            for found in self._reader.receive_data(data[start : start + FRAME_MAX]):
                if isinstance(found, Frame) and found.control is not None:
                    replies += self._take(found, found.control, uptime_ms)
        return replies

    def _take(self, frame: Frame, control: int, uptime_ms: int) -> bytes:
        self._settle_baud()
        if not control & _FROM_MASTER:
            return b""
        kind = control & _KIND
        if kind == SND_UD & _KIND and _is_selection(frame):
            self._is_selected = self._matches(frame.user_data[1:])
        if not self._is_addressed(frame.address):
            return b""
        if not self._is_repeat(frame, control, uptime_ms):
            self._asked = frame
            self._asked_ms = uptime_ms
            self._replied = self._answer(frame, kind, uptime_ms)
        return b"" if frame.address == ADDRESS_ALL_SILENT else self._replied

    def _is_addressed(self, address: int) -> bool:
        if address == ADDRESS_SELECTED:
            return self._is_selected
        return address in (self._address, ADDRESS_ALL_REPLY, ADDRESS_ALL_SILENT)

    def _is_repeat(self, frame: Frame, control: int, uptime_ms: int) -> bool:
        if not control & FCV or uptime_ms - self._asked_ms > REPEAT_MS:
            return False
        return frame == self._asked

    def _matches(self, pattern: bytes) -> bool:
        """Tell whether a selection means this unit: F for a digit, FF for a byte, is any."""
        if len(pattern) != len(self._secondary):
            return False
        for index, own in enumerate(self._secondary):
            wanted = pattern[index]
            if index < 4:
                for shift in (0, 4):
                    digit = wanted >> shift & 0xF
                    if digit not in (0xF, own >> shift & 0xF):
                        return False
            elif wanted not in (0xFF, own):
                return False
        return True

    def _answer(self, frame: Frame, kind: int, uptime_ms: int) -> bytes:
        if (kind == SND_UD & _KIND) != (len(frame.user_data) > 0):
            return b""  # a short frame that ought to be long, or the other way round
        if kind == SND_UD & _KIND:
            return self._do(frame, uptime_ms)
        if kind == SND_NKE & _KIND:
            self._error = -1
            if frame.address in (ADDRESS_SELECTED, ADDRESS_ALL_SILENT):
                self._is_selected = False
            return _DONE
        if kind == REQ_UD1 & _KIND:
            return _DONE
        if kind == REQ_UD2 & _KIND:
            return self._told(frame.address, uptime_ms)
        return b""

    def _told(self, asked_address: int, uptime_ms: int) -> bytes:
        if asked_address == ADDRESS_ALL_SILENT:
            return b""
        address = ADDRESS_SELECTED if asked_address == ADDRESS_SELECTED else self._address
        if self._error >= 0:
            told = Frame(RSP_UD, address, bytes([CI_ERROR, self._error]))
            self._error = -1
        else:
            self._access_number = (self._access_number + 1) & 0xFF
            status = self._unit.status()
            records = self._unit.records(uptime_ms)
            told = response(address, self._secondary, self._access_number, status, records)
        return encode_frame(told)

    def _do(self, frame: Frame, uptime_ms: int) -> bytes:
        """Do what a SND_UD asks for; remember why not, but for what was sent to everybody."""
        error = self._done(frame, uptime_ms)
        if error < 0:
            self._error = -1
            return _DONE
        if frame.address != ADDRESS_ALL_SILENT:
            self._error = error
        return b""

    def _done(self, frame: Frame, uptime_ms: int) -> int:
        """Return -1 if it is done, else the application error."""
        ci = frame.user_data[0]
        content = frame.user_data[1:]
        if ci == CI_RESET or _is_selection(frame):
            return -1
        if ci == CI_SEND_DATA:
            return self._set_address(content)
        if ci in BAUDS:
            return self._try_baud(BAUDS[ci], uptime_ms)
        if ci == CI_COMMAND:
            refusal = self._unit.obey(content, uptime_ms)
            return _REFUSALS.get(refusal, ERROR_UNSPECIFIED) if refusal else -1
        return ERROR_UNKNOWN_CI

    def _set_address(self, record: bytes) -> int:
        if len(record) != 3 or record[:2] != SET_ADDRESS:
            return ERROR_UNKNOWN_COMMAND
        if record[2] > ADDRESS_MAX:
            return ERROR_PARAMETER
        try:
            self._store(record[2])
        except StoreError:
            return ERROR_UNSPECIFIED
        self._address = record[2]
        return -1

    def _try_baud(self, baud: int, uptime_ms: int) -> int:
        if baud != self._baud:
            self._baud = baud
            self._trial_end_ms = uptime_ms + TRIAL_MS
        return -1

    def _settle_baud(self) -> None:
        """Keep the speed at which a whole frame has arrived, and was sent."""
        if self._trial_end_ms < 0 or self._heard_baud != self._baud:
            return
        self._trial_end_ms = -1
        self._settled_baud = self._baud
        try:
            self._store(self._address)
        except StoreError:
            pass  # good until the next boot; the memory's own flag is up

    def _store(self, address: int) -> None:
        self._memory.store(address | self._settled_baud // _BAUD_UNIT << _BAUD_SHIFT)


def _is_selection(frame: Frame) -> bool:
    return frame.address == ADDRESS_SELECTED and frame.user_data[:1] == _SELECT
