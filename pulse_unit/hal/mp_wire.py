"""A unit on a wired M-Bus through a board's UART: 8E1, at the speed that the slave says."""

from machine import UART  # type: ignore[import-not-found]  # a board's

from pulse_unit.slave import BAUD_DEFAULT, WiredSlave
from pulse_unit.unit import PulseUnit
from shared.wire.mbus import FRAME_MAX

_EVEN = 0


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
            self._slave = WiredSlave(unit, unit.wire_settings, unit.serial)
            self._set_baud(self._slave.baud)
        self._slave.handle_timer(now_ms)
        data = self._uart.read() if self._uart.any() else None
        if data:
            reply = self._slave.receive_data(data, now_ms)
            if reply:
                self._uart.write(reply)
        if self._slave.baud != self._baud:
            self._uart.flush()  # the reply goes at the speed of the request
            self._uart.read()  # what came meanwhile tells nothing about the new speed
            self._set_baud(self._slave.baud)

    def _set_baud(self, baud: int) -> None:
        if baud != self._baud:
            self._baud = baud
            self._uart.init(baud, bits=8, parity=_EVEN, stop=1)
