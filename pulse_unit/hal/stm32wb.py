"""The battery target: an STM32WB55 under MicroPython's stm32 port, asleep in Stop mode."""

from machine import (  # type: ignore[import-not-found]  # a board's
    RTC,
    Pin,
    disable_irq,
    enable_irq,
    idle,
    lightsleep,
    mem32,
    reset,
)

from pulse_unit.boards import stm32wb
from pulse_unit.edges import TICK_MASK
from pulse_unit.errors import StoreError
from pulse_unit.hal.mp_ble import BleLink
from pulse_unit.hal.mp_board import MicroPythonBoard
from pulse_unit.hal.mp_bonds import BondFile
from pulse_unit.hal.mp_wire import UartWire
from pulse_unit.hal.stm32wb_aes import AesBlock
from pulse_unit.hal.stm32wb_flash import FlashNvm
from pulse_unit.hal.unit_file import UnitFile
from pulse_unit.main import run

PINS: "dict[str, object]" = {"reed": "A0", "tamper": "A1", "magnet": "A2", "button": "C4"}

_DAY_MS = 86_400_000
_SLEEP_MAX_MS = 1_800_000
_RETRY_MS = 3_600_000

# Of the controller: one event at once, and it is stopped before the next.
_ADVERT_INTERVAL_US = 10_240_000
_ADVERT_HOLD_MS = 5_000

# The clock that runs in Stop mode, which the ticks of `time` do not: RM0434, "RTC registers".
_RTC_TR = 0x40002800
_RTC_CR = 0x40002808
_RTC_PRER = 0x40002810
_RTC_WPR = 0x40002824
_RTC_SSR = 0x40002828
_BYPSHAD = 1 << 5  # read the counters themselves: their copies are stale after Stop mode


class Stm32wbBoard(MicroPythonBoard):
    """See `Board`.

    Args:
        told: the unit's file.
    """

    def __init__(self, told: UnitFile) -> None:
        self._day_ms = 0
        self._uptime_ms = 0
        self._anchor_tick = 0
        self._start_clock()
        super().__init__(PINS, told.pins)
        self.serial = told.serial
        self.key = told.key
        self.aes = AesBlock
        self.nvm = FlashNvm()
        self.figures = stm32wb()
        self.ble = BleLink(
            self,
            told.passkey,
            BondFile(),
            stays_active=True,
            interval_us=_ADVERT_INTERVAL_US,
            hold_ms=_ADVERT_HOLD_MS,
        )
        self.address = self.ble.address
        if told.wire is not None:
            self.wire = UartWire(told.wire)

    def uptime_ms(self) -> int:
        """See `Board`."""
        state = disable_irq()
        now_ms = self._ms_of_day()
        elapsed_ms = now_ms - self._day_ms
        if elapsed_ms < 0:
            elapsed_ms += _DAY_MS
        self._day_ms = now_ms
        self._uptime_ms += elapsed_ms
        self._anchor_tick = self._uptime_ms & TICK_MASK
        enable_irq(state)
        return self._uptime_ms

    def _start_clock(self) -> None:
        RTC().datetime()  # the port starts it when it is first asked
        mem32[_RTC_WPR] = 0xCA
        mem32[_RTC_WPR] = 0x53
        mem32[_RTC_CR] |= _BYPSHAD
        mem32[_RTC_WPR] = 0xFF
        self._fractions: int = (mem32[_RTC_PRER] & 0x7FFF) + 1
        self._day_ms = self._ms_of_day()

    def _ms_of_day(self) -> int:
        """Return ms since the calendar's midnight, with integers that need no heap."""
        while True:
            time: int = mem32[_RTC_TR]
            fraction: int = mem32[_RTC_SSR]
            if mem32[_RTC_TR] == time and mem32[_RTC_SSR] == fraction:
                break
        hours = (time >> 20 & 0x3) * 10 + (time >> 16 & 0xF)
        minutes = (time >> 12 & 0x7) * 10 + (time >> 8 & 0xF)
        seconds = (time >> 4 & 0x7) * 10 + (time & 0xF)
        whole_ms = ((hours * 60 + minutes) * 60 + seconds) * 1000
        return whole_ms + (self._fractions - 1 - fraction) * 1000 // self._fractions

    def _tick(self) -> int:
        elapsed_ms = self._ms_of_day() - self._day_ms
        if elapsed_ms < 0:
            elapsed_ms += _DAY_MS
        # A sum above 30 bits would need the heap.
        until_wrap_ms = TICK_MASK - self._anchor_tick
        if elapsed_ms > until_wrap_ms:
            return elapsed_ms - until_wrap_ms - 1
        return self._anchor_tick + elapsed_ms

    def _hear(self, pin: Pin, handler: object) -> None:
        pin.irq(handler=handler, trigger=Pin.IRQ_FALLING | Pin.IRQ_RISING, hard=True)

    def _record_level(self) -> None:
        state = disable_irq()
        self._record_reed(self._reed_pin)
        enable_irq(state)

    def _rest(self, now_ms: int, span_ms: int) -> None:
        if self.wire is not None or (self.ble is not None and self.ble.is_connected):
            idle()  # a UART hears nothing in Stop mode, and the stack wants its clock
            return
        # An interrupt before the sleep would be slept through; one within it ends it, and is
        # served below.
        state = disable_irq()
        if not self._is_awaited(now_ms):
            lightsleep(min(span_ms, _SLEEP_MAX_MS))
        enable_irq(state)


def start() -> None:
    """Run the unit that ``unit.json`` describes; what the board's ``main.py`` calls.

    Raises:
        ConfigError: the file is missing or describes no possible unit.
    """
    told = UnitFile()
    try:
        run(Stm32wbBoard(told), told.config)
    except StoreError:
        lightsleep(_RETRY_MS)  # off the air, and not in a circle of resets
        reset()
