"""A simulated STM32WB55 under MicroPython's stm32 port: `machine`, `stm` and registers.

What the port does not have raises; so does what the chip does not do. Sources: the port's
``modmachine.c``, ``pin.c``, ``rtc.c``, ``flash.c``; RM0434 for the registers.
"""

import sys

from tests.micropython.stand_ins.world import Module, Pin, Uart

if sys.implementation.name == "micropython":
    from shared.crypto.backend_micropython import AesBlock
else:
    from shared.crypto.backend_cryptography import AesBlock

FLASH_START = 0x08000000
STORE_START = 0x08080000
STORE_END = 0x080C0000
MIDNIGHT_US = 86_400_000_000
BOOT_US = MIDNIGHT_US - 3_600_000_000  # an hour before midnight
FRACTIONS = 32_768


def bcd(number):
    """Two decimal digits, as the clock has them."""
    return number // 10 << 4 | number % 10


class Flash:
    """Its cells and its controller, which refuse what flash cannot do."""

    KEYS = (0x45670123, 0xCDEF89AB)

    def __init__(self):
        self.cells = {}  # by page, once it is not blank
        self.semaphores = set()
        self.keys = 0
        self.control = 1 << 31
        self.first = None
        self.erases = 0
        self.writes = 0

    def read(self, address, length):
        """Bytes of the cells."""
        page = self.cells.get(address // 4096)
        if page is None:
            return b"\xff" * length
        return page[address % 4096 : address % 4096 + length]

    def set_key(self, value):
        """Unlock by two keys."""
        if value != self.KEYS[self.keys]:
            raise ValueError("a wrong key locks the flash until the next reset")
        self.keys += 1
        if self.keys == 2:
            self.keys = 0
            self.control = 0

    def set_control(self, value):
        """Program, erase or lock."""
        if self.control >> 31:
            raise ValueError("the flash is locked")
        if 2 not in self.semaphores:
            raise ValueError("the radio's core may use these registers")
        if value >> 31:
            self.control = 1 << 31
            return
        if value & ~(1 | 2 | 0xFF << 3 | 1 << 16) or value & 3 == 3:
            raise ValueError("no such control")
        self.control = value
        if value & 1 << 16:
            if not value & 2 or 7 not in self.semaphores:
                raise ValueError("nothing to start")
            page = value >> 3 & 0xFF
            self.check(FLASH_START + page * 4096)
            self.cells.pop(FLASH_START // 4096 + page, None)
            self.erases += 1

    def check(self, address):
        """Only what the port leaves to a file system may be written."""
        if not STORE_START <= address < STORE_END:
            raise ValueError("this is not the file system's flash")

    def program(self, address, value):
        """Write a word: the first waits for the second."""
        self.check(address)
        if self.control != 1 or 7 not in self.semaphores:
            raise ValueError("programming was not begun")
        if self.first is None:
            if address % 8:
                raise ValueError("a double word begins at a multiple of eight")
            self.first = (address, value)
            return
        start, low = self.first
        self.first = None
        if address != start + 4:
            raise ValueError("a double word has two halves")
        if self.read(start, 8) != b"\xff" * 8:
            raise ValueError("a double word is written once between erases")
        number = start // 4096
        page = self.cells.setdefault(number, bytearray(b"\xff" * 4096))
        page[start % 4096 : start % 4096 + 8] = low.to_bytes(4, "little") + value.to_bytes(
            4, "little"
        )
        self.writes += 1


class Aes:
    """The AES unit, on whatever AES the interpreter has."""

    def __init__(self):
        self.control = 0
        self.keys = [0, 0, 0, 0]
        self.taken = b""
        self.done = b""

    def set_control(self, value):
        """Switch it on, or take note that the result was fetched."""
        if value & 1 << 7:
            self.done = b""
        if value & 1:
            self.taken = b""
        self.control = value & 0x1F

    def feed(self, value):
        """Take a word of the block."""
        if not self.control & 1:
            raise ValueError("the AES unit is off")
        self.taken += value.to_bytes(4, "big")
        if len(self.taken) == 16:
            key = b"".join([self.keys[3 - word].to_bytes(4, "big") for word in range(4)])
            block = AesBlock(key)
            if self.control & 0x18 == 0x18:
                self.done = block.decrypt_block(self.taken)
            elif self.control & 0x18 == 0:
                self.done = block.encrypt_block(self.taken)
            else:
                raise ValueError("this mode is not simulated")

    def fetch(self):
        """Return a word of the result."""
        word = int.from_bytes(self.done[:4], "big")
        self.done = self.done[4:]
        return word


class Registers:
    """`machine.mem32`: the registers that the firmware uses, and no others."""

    def __init__(self, chip):
        self.chip = chip

    def __getitem__(self, address):
        """Read a register."""
        chip = self.chip
        if address == 0x40002800:
            return chip.clock()
        if address == 0x40002828:
            return FRACTIONS - 1 - chip.fraction()
        if address == 0x40002810:
            return FRACTIONS - 1
        if address == 0x40002808:
            return chip.rtc_control
        if address == 0x58004010:
            return 0
        if address == 0x58004000:
            return chip.flash_access
        if 0x58001480 <= address < 0x58001500:
            chip.flash.semaphores.add((address - 0x58001480) // 4)
            return 0x80000400
        if address == 0x5800004C:
            return chip.clocks
        if address == 0x50060004:
            return 1 if len(chip.aes.done) == 16 else 0
        if address == 0x5006000C:
            return chip.aes.fetch()
        raise ValueError(f"no register at {address:x} is simulated")

    def __setitem__(self, address, value):
        """Write a register."""
        chip = self.chip
        if not 0 <= value <= 0xFFFFFFFF:
            raise ValueError("a register has 32 bits")
        if STORE_START <= address < STORE_END:
            chip.flash.program(address, value)
        elif address == 0x58004008:
            chip.flash.set_key(value)
        elif address == 0x58004014:
            chip.flash.set_control(value)
        elif 0x58001400 <= address < 0x58001480:
            if value != 0x400:
                raise ValueError("a semaphore is released by its owner")
            chip.flash.semaphores.discard((address - 0x58001400) // 4)
        elif address == 0x40002824:
            chip.rtc_keys = chip.rtc_keys[-1:] + [value]  # noqa: RUF005  MicroPython unpacks no display
        elif address == 0x40002808:
            if chip.rtc_keys != [0xCA, 0x53]:
                raise ValueError("the clock's registers are protected")
            chip.rtc_control = value
        elif address == 0x5800004C:
            chip.clocks = value
        elif address == 0x58004000:
            chip.flash_access = value
        elif 0x50060010 <= address < 0x50060020 and chip.clocks & 1 << 16:
            chip.aes.keys[(address - 0x50060010) // 4] = value
        elif address == 0x50060000 and chip.clocks & 1 << 16:
            chip.aes.set_control(value)
        elif address == 0x50060008:
            chip.aes.feed(value)
        elif address != 0x58004010:
            raise ValueError(f"no register at {address:x} is simulated")


class Bytes:
    """`machine.mem8`, of the flash."""

    def __init__(self, chip):
        self.chip = chip

    def __getitem__(self, address):
        """Read a byte."""
        self.chip.flash.check(address)
        return self.chip.flash.read(address, 1)[0]


class Chip:
    """The chip between two resets; ``flash`` outlives it."""

    def __init__(self, world, radio, flash):
        self.world = world
        self.radio = radio
        self.flash = flash
        self.aes = Aes()
        self.rtc_control = 0
        self.rtc_keys = []
        self.clocks = 0
        self.flash_access = 0x600
        self.is_clock_started = False

    def of_day_us(self):
        """Us since the clock's midnight."""
        return (BOOT_US + self.world.now_us) % MIDNIGHT_US

    def clock(self):
        """The hours, minutes and seconds in decimal digits."""
        if not self.is_clock_started:
            raise ValueError("the clock has not been started")
        second = self.of_day_us() // 1_000_000
        return bcd(second // 3600) << 16 | bcd(second // 60 % 60) << 8 | bcd(second % 60)

    def fraction(self):
        """How many fractions of its second have passed."""
        return self.of_day_us() % 1_000_000 * FRACTIONS // 1_000_000

    def datetime(self):
        """As `RTC.datetime`."""
        self.is_clock_started = True

    def lightsleep(self, time_ms=None):
        """Stop until then or an interrupt, which need not be let through to end it."""
        if self.radio.peer is not None:
            raise ValueError("the stack needs its ticks while somebody is connected")
        if not 1 <= time_ms < 131_072_000:
            raise ValueError("the wake-up timer cannot count that")
        world = self.world
        world.sleeps += 1
        start_us = world.now_us
        world.run(start_us + time_ms * 1000, self.is_woken)
        world.asleep_us += world.now_us - start_us

    def is_woken(self):
        """Tell whether an interrupt waits or the radio has something."""
        return bool(self.world.pending) or self.radio.take_wake()

    def idle(self):
        """Wait for an interrupt: the next tick at the latest."""
        self.world.run((self.world.now_us // 1000 + 1) * 1000, lambda: bool(self.world.pending))

    def sleep_us(self, span_us):
        """As `time.sleep_us`."""
        self.world.run(self.world.now_us + span_us)

    def reset(self):
        """As `machine.reset`."""
        raise SystemExit

    def sys_hci(self, ogf, ocf, data, timeout_ms=0):
        """As `stm.rfcore_sys_hci`; the only command that is sent is about erasing."""
        if (ogf, ocf) != (0x3F, 0x69) or bytes(data) not in (b"\x00", b"\x01"):
            raise ValueError("the radio's core knows no such command")
        return b"\x00"


def modules(world, radio, flash):
    """Return the port's modules by name."""
    chip = Chip(world, radio, flash)

    class Stm32Pin(Pin):
        names = ("A0", "A1", "A2", "C4")

        def irq(self, handler=None, trigger=3, hard=False):
            """As `Pin.irq`."""
            self.set_irq(handler, trigger, hard)

    Stm32Pin.world = world

    class Clock:
        def datetime(self):
            """As `RTC.datetime`."""
            return chip.datetime()

    machine = Module(
        Pin=Stm32Pin,
        UART=Uart,
        RTC=Clock,
        disable_irq=world.disable_irq,
        enable_irq=world.enable_irq,
        lightsleep=chip.lightsleep,
        idle=chip.idle,
        reset=chip.reset,
        mem32=Registers(chip),
        mem8=Bytes(chip),
    )
    return {
        "machine": machine,
        "stm": Module(rfcore_sys_hci=chip.sys_hci),
        "bluetooth": Module(BLE=lambda: radio, UUID=radio.uuid),
        "time": Module(sleep_us=chip.sleep_us),
    }
