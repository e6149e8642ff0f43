"""A real board's code on simulated hardware, run by either interpreter with equal output.

BOARD FOLDER: `stm32wb` or `esp32`, and where its file system is.
"""

import json
import os
import sys

from pulse_unit.hal.simulated_reed import Noise, pulse_edges
from pulse_unit.main import run
from shared.wire.advert import advert_key
from shared.wire.bthome import open_advert
from shared.wire.command import seal_phase
from shared.wire.gatt import (
    COMMAND,
    LOG_CONTROL,
    RESULT,
    SETTINGS,
    TELEGRAM,
    LogRequest,
    encode_log_request,
)
from shared.wire.oms import open_telegram
from shared.wire.telegram import decode_records
from tests.micropython.stand_ins import esp32 as esp32_port
from tests.micropython.stand_ins import stm32 as stm32_port
from tests.micropython.stand_ins.radio import Phone, Radio
from tests.micropython.stand_ins.world import Uart, World

KEY = bytes(range(16))
PASSKEY = 123_456
HOUR_MS = 3_600_000
SECOND_MS = 1000

if sys.implementation.name == "micropython":
    from shared.crypto.backend_micropython import AesBlock
else:
    from shared.crypto.backend_cryptography import AesBlock


def say(*values):
    """Print a line of what the two interpreters have to agree in."""
    print(*values)  # noqa: T201  the output is what is compared


class Bench:
    """One boot of a board on its bench: the chip, its flash, the switches, and a phone."""

    def __init__(self, name, flash, key=None):
        self.name = name
        self.is_stm32 = name == "stm32wb"
        self.flash = flash
        self.world = World()
        self.radio = Radio(self.world, asks_before_reads=self.is_stm32)
        self.phone = Phone(self.radio, key)
        pins = ("A0", "A1", "A2", "C4") if self.is_stm32 else (3, 4, 5, 1)
        self.reed, self.tamper, self.magnet, self.button = pins
        self.world.levels = {self.tamper: 1, self.magnet: 1}  # loop closed, no magnet
        port = stm32_port if self.is_stm32 else esp32_port
        self.modules = port.modules(self.world, self.radio, flash)
        self.command = 0

    def put_modules(self):
        """Let the port's modules be imported; return those that were there."""
        before = {}
        for name in self.modules:
            before[name] = sys.modules.get(name)
            sys.modules[name] = self.modules[name]
        return before

    def board_class(self):
        """Import the board's code on the simulated port."""
        before = self.put_modules()
        for name in list(sys.modules):
            if name.startswith(("pulse_unit.hal.mp_", "pulse_unit.hal.stm", "pulse_unit.hal.esp")):
                del sys.modules[name]
        if self.is_stm32:
            from pulse_unit.hal.stm32wb import Stm32wbBoard as Imported
        else:
            from pulse_unit.hal.esp32 import Esp32Board as Imported
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
        return Imported

    def run(self, until_ms):
        """Boot the unit and let it live until then; return it."""
        from pulse_unit.hal.unit_file import UnitFile

        world = self.world

        class Powered(self.board_class()):
            def is_powered(self):
                """See `Board`."""
                return world.now_us < until_ms * 1000

        told = UnitFile()
        self.board = Powered(told)
        return run(self.board, told.config)

    def closing(self):
        """Let the reed close."""
        self.world.drive(self.reed, 0)

    def opening(self):
        """Let the reed open."""
        self.world.drive(self.reed, None)

    def meter(self, first_ms, last_ms):
        """Let pulses come, a busy meter's; return how many."""
        noise = Noise(1)
        pulses = 0
        at_ms = first_ms
        while at_ms < last_ms:
            for edge_ms, closed in pulse_edges(at_ms, 151, 401, 6_000, pulses):
                self.world.at(edge_ms, self.closing if closed else self.opening)
            pulses += 1
            at_ms += 6_000 + noise.below(240_000)
        return pulses

    def pulse_low(self, pin, at_ms, span_ms):
        """Let a switch be low for a while."""
        idle = None if pin == self.button else 1
        self.world.at(at_ms, lambda: self.world.drive(pin, 0))
        self.world.at(at_ms + span_ms, lambda: self.world.drive(pin, idle))

    def phone_at(self, at_ms, action):
        """Let the phone do something, and say what it saw until then."""

        def act():
            action()
            say(at_ms, self.phone.told)
            self.phone.told = []

        self.world.at(at_ms, act)

    def read_all(self):
        """Read what there is to read, and say what it means."""
        telegram = self.phone.read(TELEGRAM)
        message = open_telegram(AesBlock, telegram, KEY)
        records = decode_records(message.records)
        say("telegram", message.serial, records.count, records.uptime_s, records.error_flags)
        say("settings", self.phone.read(SETTINGS).hex(), self.phone.read(RESULT).hex())

    def write_phase(self):
        """Write an authentic command."""
        self.command += 1
        self.phone.write(COMMAND, seal_phase(AesBlock, KEY, self.command, 1_000_000))

    def adverts(self):
        """Say what was on the air: every advert once, authentic, with rising counters."""
        key = advert_key(AesBlock, KEY, self.radio.ADDRESS)
        self.radio.end_advert()
        last = -1
        counts = [0, 0, 0, 0]
        for _, data, events, connectable in self.radio.sent:
            advert = open_advert(AesBlock, data[7:], self.radio.ADDRESS, key)
            if advert.counter < last + (not connectable):
                raise ValueError("an advert was repeated")
            last = advert.counter
            counts[2 if connectable else 0] += 1
            counts[3 if connectable else 1] += events
        say("adverts", counts)


def first_life(bench):
    """A day: gas, adverts, tampering, a stranger, an installer."""
    expected = bench.meter(20_000, 23 * HOUR_MS)
    phone = bench.phone
    # Everything that is written and read happens in the unit's time, after the events before it.
    window_ms = 4 * HOUR_MS + 65 * SECOND_MS
    bench.phone_at(window_ms, phone.connect)
    bench.phone_at(window_ms + 200, lambda: phone.write(COMMAND, b"x" * 40))
    bench.phone_at(window_ms + 300, lambda: phone.read(TELEGRAM))
    bench.phone_at(window_ms + 400, lambda: phone.pair(PASSKEY))
    bench.phone_at(window_ms + 2_000, lambda: None)
    bench.pulse_low(bench.tamper, 5 * HOUR_MS + 13, 40)
    bench.pulse_low(bench.magnet, 6 * HOUR_MS + 77, 700)
    swipe_ms = 6 * HOUR_MS + 4_000
    bench.phone_at(swipe_ms, phone.connect)
    bench.phone_at(swipe_ms + 100, lambda: phone.pair(111_111))
    bench.phone_at(swipe_ms + 3_000, lambda: phone.pair(PASSKEY))
    bench.phone_at(swipe_ms + 6_000, bench.read_all)
    bench.phone_at(swipe_ms + 7_000, bench.write_phase)
    bench.phone_at(swipe_ms + 8_000, bench.read_all)
    bench.phone_at(
        swipe_ms + 9_000, lambda: phone.write(LOG_CONTROL, encode_log_request(LogRequest(5)))
    )
    bench.phone_at(swipe_ms + 14_000, bench.read_all)
    bench.phone_at(swipe_ms + 15_000, phone.lose)
    bench.phone_at(swipe_ms + 20_000, phone.connect)
    bench.phone_at(swipe_ms + 90_000, lambda: None)  # a stranger for a minute, no longer
    bench.pulse_low(bench.button, 20 * HOUR_MS, 300)
    bench.world.at(23 * HOUR_MS + 600_000, bench.closing)  # the meter stops, closed
    bench.world.at(23 * HOUR_MS + 3_000_000, bench.opening)
    unit = bench.run(24 * HOUR_MS)
    bench.world.pins[bench.reed].meter()
    say("pull-up", bench.world.pins[bench.reed].pulled_us // 1_000_000)
    say("pulses", expected + 1, unit.count, unit.error_flags, bench.board.edges.lost)
    return unit


def second_life(bench):
    """After a loss of power: what was counted and who was paired is known."""
    bench.phone_at(65_000, bench.phone.connect)
    bench.phone_at(66_000, bench.phone.come_back)
    bench.phone_at(68_000, bench.read_all)
    bench.phone_at(69_000, bench.phone.lose)
    bench.pulse_low(bench.magnet, 100_000, 30_000)  # one that is no installer's
    return bench.run(300_000)


def wired_life(bench):
    """A few minutes on a wire: read, given an address and another speed."""

    def ask(at_ms, baud, digits):
        bench.world.at(at_ms, lambda: Uart.line.arrive(baud, bytes.fromhex(digits)))
        bench.world.at(at_ms + 100, lambda: say(at_ms, taken()))

    def taken():
        sent = [(baud, len(data), data[:1].hex()) for baud, data in Uart.line.sent]
        Uart.line.sent = []
        return sent

    ask(1_000, 2400, "1040004016")
    ask(2_000, 2400, "105b005b16")
    ask(3_000, 300, "1040004016")
    ask(4_000, 2400, "68060668530051017a052416")
    ask(5_000, 2400, "680303685305bd1516")
    ask(6_000, 2400, "1040054516")
    ask(7_000, 9600, "105b056016")
    return bench.run(20_000)


def write_unit_file(folder, **others):
    """Write what a board is told, where it looks for it."""
    os.chdir(folder)
    with open("unit.json", "w") as file:  # noqa: PTH123  MicroPython has no pathlib
        told = {"serial": "00000001", "key": KEY.hex(), "passkey": "123456"}
        told["config"] = {"initial_index_l": 1000}
        told.update(others)
        json.dump(told, file)


def main(arguments):
    """Live twice."""
    name, folder = arguments
    write_unit_file(folder)
    flash = stm32_port.Flash() if name == "stm32wb" else esp32_port.Flash()
    bench = Bench(name, flash)
    unit = first_life(bench)
    bench.adverts()
    say("boot", unit.boot, "writes", flash.writes, "erases", flash.erases)
    say("sleeps", bench.world.sleeps, "permille", bench.world.asleep_us // 86_400_000)
    count = unit.count
    bench = Bench(name, flash, bench.phone.key)
    unit = second_life(bench)
    bench.adverts()
    say("boot", unit.boot, count == unit.count, unit.error_flags)
    write_unit_file(folder, wire={"uart": 1})
    wired_life(Bench(name, flash))


if __name__ == "__main__":
    main(sys.argv[1:])
