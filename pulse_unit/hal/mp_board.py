"""What the boards under MicroPython share: the switches, and sleeping until there is work.

Every switch pulls its pin low: the reed and the button by closing, the tamper loop by opening, the
magnet's sensor by its output.
"""

from time import sleep_us  # type: ignore[attr-defined]  # a board's, of MicroPython

from machine import Pin, disable_irq, enable_irq  # type: ignore[import-not-found]  # a board's

from pulse_unit.board import INPUT_BUTTON, INPUT_MAGNET, INPUT_TAMPER, Board
from pulse_unit.edges import EdgeBuffer
from pulse_unit.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pulse_unit.hal.mp_ble import BleLink
    from pulse_unit.hal.mp_wire import UartWire
    from pulse_unit.unit import PulseUnit

PULL_UP_US = 200  # until the pull-up has charged the reed's cable: 40 kohm and a nanofarad or two

_REED = "reed"
_TAMPER = "tamper"
_MAGNET = "magnet"
_BUTTON = "button"


class MicroPythonBoard(Board):
    """The part of a board that `machine` is the same for.

    Its interrupts store integers and nothing else: a hard one has no heap.

    Args:
        pins: by switch, what `machine.Pin` calls the pin.
        wired: the same for those that are wired otherwise.

    Raises:
        ConfigError: ``wired`` has a switch that there is not.
    """

    has_radio = False

    def __init__(self, pins: "dict[str, object]", wired: "dict[str, object]") -> None:
        for switch in wired:
            if switch not in pins:
                raise ConfigError("a board has no switch named %s" % switch)
        self.edges = EdgeBuffer()
        self.ble: "BleLink | None" = None
        self.wire: "UartWire | None" = None
        self._is_parked = False
        self._latched = 0
        self._is_changed = False
        self._reed_pin = Pin(wired.get(_REED, pins[_REED]), Pin.IN, Pin.PULL_UP)
        self._tamper_pin = Pin(wired.get(_TAMPER, pins[_TAMPER]), Pin.IN)
        self._magnet_pin = Pin(wired.get(_MAGNET, pins[_MAGNET]), Pin.IN)
        self._button_pin = Pin(wired.get(_BUTTON, pins[_BUTTON]), Pin.IN, Pin.PULL_UP)
        # Bound once: an interrupt cannot make a method, and `irq` keeps what it is given.
        self._reed_changed = self._record_reed
        self._input_changed = self._latch_inputs
        sleep_us(PULL_UP_US)
        self._listen()

    def is_reed_closed(self) -> bool:
        """See `Board`."""
        if not self._is_parked:
            return not self._reed_pin.value()
        self._reed_pin.init(Pin.IN, Pin.PULL_UP)
        sleep_us(PULL_UP_US)
        closed = not self._reed_pin.value()
        self._reed_pin.init(Pin.IN, None)
        return closed

    def park_reed(self, parked: bool, uptime_ms: int) -> None:  # noqa: ARG002  it has a clock
        """See `Board`."""
        self._is_parked = parked
        if parked:
            self._reed_pin.irq(handler=None)
            self._reed_pin.init(Pin.IN, None)
            return
        self._reed_pin.init(Pin.IN, Pin.PULL_UP)
        sleep_us(PULL_UP_US)
        self._hear(self._reed_pin, self._reed_changed)
        self._record_level()

    def take_inputs(self) -> int:
        """See `Board`."""
        state = disable_irq()
        latched = self._latched
        self._latched = 0
        self._is_changed = False
        enable_irq(state)
        present = self._present()
        if latched & ~present:
            self._is_changed = True  # what came and went is looked at again: it is gone
        return latched | present

    def advertise(self, data: bytes, uptime_ms: int) -> None:
        """See `Board`."""
        if self.ble is not None:
            self.ble.advertise(data, uptime_ms)

    def open_window(self, data: bytes, uptime_ms: int, until_ms: int) -> None:  # noqa: ARG002  it is told when
        """See `Board`."""
        if self.ble is not None:
            self.ble.open_window(data)

    def close_window(self) -> None:
        """See `Board`."""
        if self.ble is not None:
            self.ble.close_window()

    def serve(self, unit: "PulseUnit") -> None:
        """See `Board`."""
        if self.ble is not None:
            self.ble.serve(unit, self.uptime_ms())
        if self.wire is not None:
            self.wire.serve(unit, self.uptime_ms())

    def sleep_until(self, uptime_ms: int) -> int:
        """See `Board`."""
        while True:
            now_ms = self.uptime_ms()
            until_ms = uptime_ms
            if self.ble is not None:
                until_ms = min(until_ms, self.ble.handle_timer(now_ms))
            if now_ms >= uptime_ms or self._is_awaited(now_ms):
                return now_ms
            if until_ms > now_ms:
                self._rest(now_ms, until_ms - now_ms)

    def _is_awaited(self, now_ms: int) -> bool:
        """Tell whether something has come in that somebody has to look at."""
        if self._is_changed or self.edges.next_ms(now_ms) is not None:
            return True
        if self.wire is not None and self.wire.is_awaited(now_ms):
            return True
        return self.ble is not None and self.ble.is_awaited(now_ms)

    def _listen(self) -> None:
        """Let the switches interrupt."""
        if not self._is_parked:
            self._hear(self._reed_pin, self._reed_changed)
        for pin in (self._tamper_pin, self._magnet_pin, self._button_pin):
            self._hear(pin, self._input_changed)

    def _record_reed(self, pin: Pin) -> None:
        """Store an edge of the reed; called from its interrupt."""
        self.edges.record(not pin.value(), self._tick())

    def _latch_inputs(self, pin: Pin) -> None:  # noqa: ARG002  one handler for all of them
        """Remember what a switch says; called from the interrupt of any of them."""
        self._latched |= self._present()
        self._is_changed = True

    def _present(self) -> int:
        """Return what the switches say now; called from an interrupt too."""
        present = 0
        if not self._tamper_pin.value():
            present |= INPUT_TAMPER
        if not self._magnet_pin.value():
            present |= INPUT_MAGNET
        if not self._button_pin.value():
            present |= INPUT_BUTTON
        return present

    def _tick(self) -> int:
        """Return ms of uptime modulo 2^30, from within an interrupt: without the heap."""
        raise NotImplementedError

    def _hear(self, pin: Pin, handler: object) -> None:
        """Let both edges of a pin call a handler."""
        raise NotImplementedError

    def _record_level(self) -> None:
        """Record the reed's level as an edge, whatever its interrupt does meanwhile."""
        raise NotImplementedError

    def _rest(self, now_ms: int, span_ms: int) -> None:
        """Sleep for so long or less."""
        raise NotImplementedError
