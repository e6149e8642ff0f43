"""A unit on a wired M-Bus through a board's UART: 8E1, at the speed that the slave says."""

import os

from machine import UART  # type: ignore[import-not-found]  # a board's

from pulse_unit.errors import StoreError
from pulse_unit.slave import BAUD_DEFAULT, WiredMemory, WiredSlave, WiredUnit
from pulse_unit.unit import PulseUnit
from shared.wire.mbus import FRAME_MAX

WIRE_FILE = "wire.bin"
_EVEN = 0
_WORD_LENGTH = 2


class UartWire:
    """The wire's end of a board.

    Args:
        settings: ``uart``, and whatever else `machine.UART` wants of the board: ``tx``, ``rx``.
    """

    def __init__(self, settings: "dict[str, object]") -> None:
        others = dict(settings)
        self._uart = UART(others.pop("uart"), BAUD_DEFAULT, rxbuf=2 * FRAME_MAX, **others)
        self._slave: "WiredSlave | None" = None
        self._baud = 0
        self._set_baud(BAUD_DEFAULT)

    def is_awaited(self, now_ms: int) -> bool:
        """Tell whether `serve` has something to do now."""
        timer_ms = None if self._slave is None else self._slave.next_timer()
        return bool(self._uart.any()) or (timer_ms is not None and now_ms >= timer_ms)

    def serve(self, unit: PulseUnit, now_ms: int) -> None:
        """Answer what has come in."""
        if self._slave is None:
            self._slave = WiredSlave(_Speaker(unit), WordFile(), unit.serial)
            self._set_baud(self._slave.baud)
        self._slave.handle_timer(now_ms)
        data = self._uart.read() if self._uart.any() else None
        if data:
            reply = self._slave.receive_data(data, now_ms)
            if reply:
                self._uart.write(reply)
        if self._slave.baud != self._baud:
            self._uart.flush()  # the reply goes at the speed of the request
            self._set_baud(self._slave.baud)

    def _set_baud(self, baud: int) -> None:
        if baud != self._baud:
            self._baud = baud
            self._uart.init(baud, bits=8, parity=_EVEN, stop=1)


class WordFile(WiredMemory):
    """A word of 16 bits in a file; one that is missing or torn was never stored."""

    def __init__(self, path: str = WIRE_FILE) -> None:
        self._path = path

    def load(self) -> int:
        """See `WiredMemory`."""
        try:
            with open(self._path, "rb") as file:
                data = file.read()
        except OSError:
            return 0
        return int.from_bytes(data, "little") if len(data) == _WORD_LENGTH else 0

    def store(self, word: int) -> None:
        """See `WiredMemory`."""
        made = self._path + ".new"
        try:
            with open(made, "wb") as file:
                file.write(word.to_bytes(_WORD_LENGTH, "little"))
            os.rename(made, self._path)
        except OSError as error:
            raise StoreError("the wire's settings are not persisted") from error


class _Speaker(WiredUnit):
    def __init__(self, unit: PulseUnit) -> None:
        self._unit = unit

    def records(self, uptime_ms: int) -> bytes:
        return self._unit.records(uptime_ms)

    def status(self) -> int:
        return self._unit.status()

    def obey(self, data: bytes, uptime_ms: int) -> int:
        return self._unit.obey(data, uptime_ms)
