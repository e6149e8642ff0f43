"""The unit's memory in the STM32WB's flash, written eight bytes at a time.

MicroPython's own access to it, `pyb.Flash`, writes through a cache of whole pages: a loss of power
between erasing and writing would cost all that a page held. So the flash's registers are used, as
RM0434 describes them, and the semaphores that AN5289 wants of whoever shares it with the radio.
"""

import stm  # type: ignore[import-not-found]  # a board's
from machine import (  # type: ignore[import-not-found]  # a board's
    disable_irq,
    enable_irq,
    mem8,
    mem32,
)

from pulse_unit.nvm import Nvm

START = 0x080AC000  # the last 80 KiB of what the port's linker script keeps for a file system
PAGES = 20
_FLASH = 0x08000000
_PAGE_SIZE = 4096

_ACR = 0x58004000
_KEYR = 0x58004008
_SR = 0x58004010
_CR = 0x58004014
_KEYS = (0x45670123, 0xCDEF89AB)
_DCEN = 1 << 10
_DCRST = 1 << 12
_SR_ERRORS = 0xC3FB  # and the end of an operation; all cleared by writing ones
_SR_BUSY = 1 << 16 | 1 << 18 | 1 << 19  # an operation, a write to come, all suspended by the radio
_CR_PG = 1 << 0
_CR_PER = 1 << 1
_CR_STRT = 1 << 16
_CR_LOCK = 1 << 31

_HSEM_R = 0x58001400
_HSEM_RLR = 0x58001480
_LOCKED_BY_US = 1 << 31 | 4 << 8
_OURS = 4 << 8
_SEM_REGISTERS = 2  # whose are the flash's registers
_SEM_RADIO = 7  # taken: the radio's core keeps its hands off

_SHCI = 0x3F
_ERASE_ACTIVITY = 0x69  # tells the radio's core that erases come, so that it makes room


class FlashNvm(Nvm):
    """Twenty pages of 4 KiB: state and 13 months of log."""

    page_size = _PAGE_SIZE
    page_count = PAGES
    write_size = 8

    def read_into(self, address: int, buffer: "bytearray | memoryview") -> None:
        """See `Nvm`."""
        start = START + address
        for index in range(len(buffer)):
            buffer[index] = mem8[start + index]

    def write(self, address: int, data: "bytes | bytearray") -> None:
        """See `Nvm`."""
        for offset in range(0, len(data), 8):
            low = int.from_bytes(data[offset : offset + 4], "little")
            high = int.from_bytes(data[offset + 4 : offset + 8], "little")
            state = _begin()
            place = START + address + offset
            mem32[_CR] = _CR_PG
            mem32[place] = low
            mem32[place + 4] = high
            _end(state)

    def erase(self, page: int) -> None:
        """See `Nvm`."""
        stm.rfcore_sys_hci(_SHCI, _ERASE_ACTIVITY, b"\x01")
        state = _begin()
        number = (START - _FLASH) // _PAGE_SIZE + page
        mem32[_CR] = _CR_PER | number << 3
        mem32[_CR] = _CR_PER | number << 3 | _CR_STRT
        _end(state)
        stm.rfcore_sys_hci(_SHCI, _ERASE_ACTIVITY, b"\x00")
        cached = mem32[_ACR]
        mem32[_ACR] = cached & ~_DCEN
        mem32[_ACR] = cached & ~_DCEN | _DCRST
        mem32[_ACR] = cached


def _begin() -> int:
    """Take the flash; return what `_end` gives back. No interrupt comes between."""
    _take(_SEM_REGISTERS)
    state: int = disable_irq()
    for key in _KEYS:
        mem32[_KEYR] = key
    while mem32[_SR] & _SR_BUSY:
        pass
    _take(_SEM_RADIO)
    mem32[_SR] = _SR_ERRORS
    return state


def _end(state: int) -> None:
    while mem32[_SR] & _SR_BUSY:
        pass
    mem32[_CR] = 0
    _release(_SEM_RADIO)
    mem32[_CR] = _CR_LOCK
    enable_irq(state)
    _release(_SEM_REGISTERS)


def _take(semaphore: int) -> None:
    while mem32[_HSEM_RLR + 4 * semaphore] != _LOCKED_BY_US:
        pass


def _release(semaphore: int) -> None:
    mem32[_HSEM_R + 4 * semaphore] = _OURS
