"""Where the figures of `pulse_unit.boards` are from, for people; no board loads it.

A figure that a data sheet gives is its typical value at 25 °C and 3 V. What the code does is
counted in milliseconds awake: its time under MicroPython on a PC, where a call of a function takes
0.2 µs, times 80 for 64 MHz. Nothing here is a measurement of a unit.
"""

from dataclasses import dataclass
from typing import Final

from pulse_unit.battery import (
    EDGES_PER_PULSE,
    RECORDS_PER_PAGE,
    SAMPLE_INTERVAL_MS,
    USABLE_PERCENT,
)
from pulse_unit.boards import AA_MAH, D_MAH

MEASURED: Final = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A battery of Li-SOCl2 cells: its name, nominal capacity in mAh, and who says so."""

    name: str
    capacity_mah: int
    source: str


CELLS: Final = {
    "aa": Cell("one AA cell", AA_MAH, "Saft LS 14500, data sheet, electrical characteristics"),
    "2aa": Cell("two AA cells", 2 * AA_MAH, "twice Saft LS 14500"),
    "c": Cell("one C cell", 7_700, "Saft LS 26500, data sheet, electrical characteristics"),
    "d": Cell("one D cell", D_MAH, "Saft LS 33600, data sheet, electrical characteristics"),
}
CELL_OF_BOARD: Final = {"stm32wb": "aa", "esp32": "d"}
# How often a page of a board's flash can be erased, and who says so.
ENDURANCE: Final = {
    "stm32wb": (10_000, "STM32WB55, DS11929, flash memory endurance"),
    "esp32": (100_000, "ESP32-C3 data sheet, flash"),
}

# By `Term.per`: what is counted.
COUNTED: Final = (
    "seconds",
    "wake-ups",
    "pulses",
    "records",
    "looks",
    "adverts",
    "windows",
    "telegrams",
)

_SELF_DISCHARGE = (
    "Saft LS series, data sheets, benefits: less than 1 % in a year of storage at 20 °C;"
    f" {USABLE_PERCENT} % usable is an allowance for pulses, cold and age"
)
_NO_LINE = "estimate: a tamper loop of 10 MΩ at 3.3 V; a wired line is fed by its master"
_LISTEN = "S2-LP, DS11896, features: 7 mA receiving; estimate: open for 5 % of the window"

_STM32WB: Final = {
    "self-discharge": _SELF_DISCHARGE,
    "sleep": "STM32WB55, DS11929, features: 2.1 µA in Stop mode with RTC and 256 KB of RAM",
    "supply": "estimate: a buck converter of 60 nA (TPS62840, features) and leaking capacitors",
    "loops and lines": _NO_LINE,
    "wake-ups": "estimate: 1.2 ms awake at 5 mA (64 MHz at 53 µA/MHz, DS11929, features, and half"
    f" as much again for clocks); {EDGES_PER_PULSE} edges a pulse, as the simulated reed bounces",
    "pulses": "estimate: 3 ms awake at 5 mA for two debounce timers and the count",
    "memory": "DS11929, flash memory characteristics: 82 µs a double word and 22 ms a page, 3.4 mA"
    f" either way; {RECORDS_PER_PAGE} records a page",
    "pull-up": "DS11929, I/O static characteristics: 40 kΩ at 3.3 V, for the 150 ms that a"
    " closing contact is watched",
    "parked reed": f"estimate: 1 ms awake at 5 mA every {SAMPLE_INTERVAL_MS} ms",
    "adverts": "estimate: 1.1 ms on air at 5.2 mA (DS11929, features, 0 dBm), 10 µC of starting"
    " the radio and its core, 6 ms awake at 5 mA to seal (CCM), a wake-up: 51.7 µC, and 6 % for"
    " the pauses between the three channels",
    "windows": "estimate: 10 s of connectable adverts, ten a second, of 26 µC each with their"
    " receiving at 4.5 mA (DS11929, features)",
    "telegrams": "estimate: 250 bytes at 100 kbit/s and preamble, 22 ms at 12 mA (S2-LP, DS11896,"
    " features: 10 mA at 10 dBm), and 36 ms awake at 5 mA to encode and seal (mode 7)",
    "reply windows": _LISTEN,
}
_ESP32: Final = {
    "self-discharge": _SELF_DISCHARGE,
    "sleep": "ESP32-C3 data sheet, current consumption in low-power modes: 130 µA in light sleep;"
    " deep sleep keeps no RAM, and each wake-up from it would be a reset of the unit",
    "supply": "estimate: a low-drop regulator of 1 µA",
    "loops and lines": _NO_LINE,
    "wake-ups": "estimate: 1.5 ms awake at 28 mA (ESP32-C3 data sheet, modem sleep at 160 MHz)",
    "pulses": "estimate: 2 ms awake at 28 mA",
    "memory": "estimate: a serial flash, 0.2 ms a record and 45 ms a page at 25 mA",
    "pull-up": "ESP32-C3 data sheet, DC characteristics: 45 kΩ at 3.3 V for 150 ms",
    "parked reed": f"estimate: 1.4 ms awake at 28 mA every {SAMPLE_INTERVAL_MS} ms",
    "adverts": "estimate: 50 ms at 60 mA: the radio is started anew after each light sleep",
    "windows": "estimate: 10 s at 60 mA: no light sleep between connectable adverts",
    "telegrams": "estimate: an S2-LP as on the target, and 19 ms awake at 28 mA",
    "reply windows": _LISTEN,
}
SOURCES: Final = {"stm32wb": _STM32WB, "esp32": _ESP32}
