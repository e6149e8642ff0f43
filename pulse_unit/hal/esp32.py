"""The board to make oneself: an ESP32-C3 under MicroPython's esp32 port, in light sleep.

Its pins end a sleep by their level and not by an edge. So no interrupt is heard while it sleeps,
the levels are read when it wakes, and it stays awake while a contact is closing.
"""

from time import (  # type: ignore[attr-defined]  # a board's, of MicroPython
    sleep_ms,
    ticks_diff,
    ticks_ms,
)

from esp32 import WAKEUP_ALL_LOW, wake_on_gpio  # type: ignore[import-not-found]  # a board's
from machine import Pin, lightsleep, reset  # type: ignore[import-not-found]  # a board's
from micropython import schedule  # type: ignore[import-not-found]  # a board's

from pulse_unit.board import INPUT_BUTTON, INPUT_MAGNET
from pulse_unit.boards import esp32
from pulse_unit.edges import TICK_MASK
from pulse_unit.errors import StoreError
from pulse_unit.hal.esp32_flash import PartitionNvm
from pulse_unit.hal.mp_ble import BleLink
from pulse_unit.hal.mp_board import MicroPythonBoard
from pulse_unit.hal.mp_bonds import BondFile
from pulse_unit.hal.mp_wire import UartWire
from pulse_unit.hal.unit_file import UnitFile
from pulse_unit.main import run
from shared.crypto.backend_micropython import AesBlock

PINS: "dict[str, object]" = {"reed": 3, "tamper": 4, "magnet": 5, "button": 1}

_SLEEP_MAX_MS = 1_800_000
_RETRY_MS = 3_600_000
_AWAKE_MS = 10  # between looks while it has to stay awake
_HELD_MS = 500  # while a button or a magnet is there, whose end no pin tells
_ADVERT_INTERVAL_US = 100_000
_ADVERT_HOLD_MS = 60


class Esp32Board(MicroPythonBoard):
    """See `Board`.

    Args:
        told: the unit's file.
    """

    def __init__(self, told: UnitFile) -> None:
        self._start_ticks = ticks_ms()
        self._last_ticks = self._start_ticks
        self._uptime_ms = 0
        super().__init__(PINS, told.pins)
        self.serial = told.serial
        self.key = told.key
        self.aes = AesBlock
        self.nvm = PartitionNvm()
        self.figures = esp32()
        self.ble = BleLink(
            self,
            told.passkey,
            BondFile(),
            stays_active=False,  # light sleep stops the controller's clock
            interval_us=_ADVERT_INTERVAL_US,
            hold_ms=_ADVERT_HOLD_MS,
        )
        self.address = self.ble.address
        if told.wire is not None:
            self.wire = UartWire(told.wire)

    def uptime_ms(self) -> int:
        """See `Board`."""
        now_ticks = ticks_ms()
        self._uptime_ms += ticks_diff(now_ticks, self._last_ticks)
        self._last_ticks = now_ticks
        return self._uptime_ms

    def _tick(self) -> int:
        ticks: int = ticks_diff(ticks_ms(), self._start_ticks)
        return ticks & TICK_MASK

    def _hear(self, pin: Pin, handler: object) -> None:
        pin.irq(handler=handler, trigger=Pin.IRQ_FALLING | Pin.IRQ_RISING)

    def _record_level(self) -> None:
        # This port calls handlers one after the other, between two steps of any other code: only
        # they may write into the buffer.
        while True:
            try:
                schedule(self._reed_changed, self._reed_pin)
                return
            except RuntimeError:
                sleep_ms(1)  # its queue is full

    def _rest(self, now_ms: int, span_ms: int) -> None:  # noqa: ARG002  the other board needs it
        is_closing = not self._is_parked and not self._reed_pin.value()
        is_needed = self.wire is not None or (self.ble is not None and self.ble.is_active)
        if is_closing or is_needed:
            sleep_ms(min(span_ms, _AWAKE_MS))
            return
        before = self._present()
        if before & (INPUT_BUTTON | INPUT_MAGNET):
            span_ms = min(span_ms, _HELD_MS)
        self._sleep(min(span_ms, _SLEEP_MAX_MS))
        present = self._present()
        if present != before:
            self._latched |= present
            self._is_changed = True
        if not self._is_parked and not self._reed_pin.value():
            self._record_level()

    def _sleep(self, span_ms: int) -> None:
        """Sleep until then or until a pin that is high falls."""
        pins = [self._tamper_pin, self._magnet_pin, self._button_pin]
        if not self._is_parked:
            pins.append(self._reed_pin)
        for pin in pins:
            pin.irq(handler=None)
        wake_on_gpio([pin for pin in pins if pin.value()], WAKEUP_ALL_LOW)
        lightsleep(span_ms)
        self._listen()


def start() -> None:
    """Run the unit that ``unit.json`` describes; what the board's ``main.py`` calls.

    Raises:
        ConfigError: the file or the partition is missing, or describes no possible unit.
    """
    told = UnitFile()
    try:
        run(Esp32Board(told), told.config)
    except StoreError:
        lightsleep(_RETRY_MS)  # off the air, and not in a circle of resets
        reset()
