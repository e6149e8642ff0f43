"""A simulated ESP32-C3 under MicroPython's esp32 port: `machine`, `esp32`, `time`, `micropython`.

What the port does not have raises; so does what the chip does not do. Sources: the port's
``machine_pin.c``, ``modmachine.c``, ``esp32_partition.c``, its documentation and that of ESP-IDF.
"""

import sys

from tests.micropython.stand_ins.world import Module, Pin, Uart

TICKS_PERIOD = 1 << 30
BOOT_TICKS = TICKS_PERIOD - 3_600_000  # they start again after an hour
PAGE = 4096


class Flash:
    """The cells of one partition."""

    def __init__(self):
        self.cells = bytearray(b"\xff" * (20 * PAGE))
        self.erases = 0
        self.writes = 0


class Chip:
    """The chip between two resets."""

    def __init__(self, world, radio):
        self.world = world
        self.radio = radio
        self.wake_pins = ()

    def lightsleep(self, time_ms=None):
        """Sleep until then or until a pin falls."""
        world = self.world
        if self.radio.is_active:
            raise ValueError("light sleep stops the controller in the middle")
        for pin in world.pins.values():
            if pin.handler is not None:
                raise ValueError("what wakes would interrupt without end")
        if not time_ms > 0:
            raise ValueError("no sleep")
        world.sleeps += 1
        start_us = world.now_us
        world.run(start_us + time_ms * 1000, self.is_woken)
        world.asleep_us += world.now_us - start_us

    def is_woken(self):
        """Tell whether a pin that may wake is low."""
        return any(not pin.value() for pin in self.wake_pins)

    def wake_on_gpio(self, pins, level):
        """As `esp32.wake_on_gpio`."""
        if level is not False:
            raise ValueError("only low levels are simulated")
        self.wake_pins = tuple(pins)

    def sleep_us(self, span_us):
        """As `time.sleep_us`."""
        self.world.run(self.world.now_us + span_us)

    def sleep_ms(self, span_ms):
        """As `time.sleep_ms`."""
        self.world.run(self.world.now_us + span_ms * 1000)

    def ticks_ms(self):
        """As `time.ticks_ms`."""
        return (BOOT_TICKS + self.world.now_us // 1000) % TICKS_PERIOD

    def ticks_diff(self, end, start):
        """As `time.ticks_diff`."""
        half = TICKS_PERIOD // 2
        return (end - start + half) % TICKS_PERIOD - half

    def schedule(self, function, argument):
        """As `micropython.schedule`: at once, between two steps."""
        function(argument)

    def reset(self):
        """As `machine.reset`."""
        raise SystemExit


def partition_class(flash):
    """Return `esp32.Partition` over these cells."""

    class Partition:
        TYPE_DATA = 1

        @staticmethod
        def find(type=0, subtype=0xFF, label=None, block_size=PAGE):  # noqa: A002  the port's name
            """As `Partition.find`."""
            return [Partition()] if (type, label) == (1, "pulse") else []

        def info(self):
            """As `Partition.info`."""
            return (1, 0x40, 0x3E0000, len(flash.cells), "pulse", False)

        def readblocks(self, block, buffer, offset):
            """As `Partition.readblocks`, extended."""
            start = block * PAGE + offset
            buffer[:] = flash.cells[start : start + len(buffer)]

        def writeblocks(self, block, data, offset):
            """As `Partition.writeblocks`, extended: nothing is erased."""
            start = block * PAGE + offset
            if flash.cells[start : start + len(data)] != b"\xff" * len(data):
                raise ValueError("flash is written once between erases")
            flash.cells[start : start + len(data)] = data
            flash.writes += 1

        def ioctl(self, command, argument):
            """As `Partition.ioctl`: only pages are erased."""
            if command != 6 or not 0 <= argument < 20:
                raise ValueError("no such command")
            flash.cells[argument * PAGE : argument * PAGE + PAGE] = b"\xff" * PAGE
            flash.erases += 1
            return 0

    return Partition


def modules(world, radio, flash):
    """Return the port's modules by name."""
    chip = Chip(world, radio)

    class Esp32Pin(Pin):
        names = tuple(range(22))

        def irq(self, handler=None, trigger=3, wake=None):
            """As `Pin.irq`."""
            self.set_irq(handler, trigger, False)

    Esp32Pin.world = world

    ported = {
        "machine": Module(
            Pin=Esp32Pin,
            UART=Uart,
            disable_irq=world.disable_irq,
            enable_irq=world.enable_irq,
            lightsleep=chip.lightsleep,
            reset=chip.reset,
        ),
        "esp32": Module(
            Partition=partition_class(flash),
            WAKEUP_ALL_LOW=False,
            wake_on_gpio=chip.wake_on_gpio,
        ),
        "micropython": Module(schedule=chip.schedule),
        "bluetooth": Module(BLE=lambda: radio, UUID=radio.uuid),
        "time": Module(
            sleep_us=chip.sleep_us,
            sleep_ms=chip.sleep_ms,
            ticks_ms=chip.ticks_ms,
            ticks_diff=chip.ticks_diff,
        ),
    }
    if sys.implementation.name != "micropython":
        ported["cryptolib"] = Module(aes=HostAes)
    return ported


class HostAes:
    """As `cryptolib.aes`, which CPython does not have."""

    def __init__(self, key, mode):
        from shared.crypto.backend_cryptography import AesBlock

        if mode != 1:
            raise ValueError("only the electronic code book is simulated")
        self.block = AesBlock(key)

    def encrypt(self, block):
        """As `aes.encrypt`."""
        return self.block.encrypt_block(block)

    def decrypt(self, block):
        """As `aes.decrypt`."""
        return self.block.decrypt_block(block)
