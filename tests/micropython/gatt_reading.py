"""A unit's GATT service at work, run by either interpreter with equal output."""

from pulse_unit.board import INPUT_BUTTON
from pulse_unit.config import UnitConfig
from pulse_unit.errors import AttributeRefused
from pulse_unit.gatt import GattService
from pulse_unit.hal.memory import MemoryNvm
from pulse_unit.hal.virtual import VirtualBoard
from pulse_unit.unit import PulseUnit
from shared.wire.command import seal_phase
from shared.wire.gatt import (
    COMMAND,
    LOG_CONTROL,
    LOG_DATA,
    UUIDS,
    LogRequest,
    encode_log_request,
)
from shared.wire.log_pieces import LogReader

KEY = bytes(range(16))
TICKS = 300


def say(*values):
    """Print a line of what the two interpreters have to agree in."""
    print(*values)  # noqa: T201  the output is what is compared


def say_values(service, now_ms):
    """Read every attribute."""
    for attribute in range(len(UUIDS)):
        try:
            say(attribute, service.read(attribute, now_ms).hex())
        except AttributeRefused as refused:
            say(attribute, refused.code)


def read_log(board, service, request, now_ms):
    """Ask for a range of the log, in the smallest pieces."""
    data = encode_log_request(request)
    reader = LogReader(board.aes, KEY, data)
    say("asked", service.write(LOG_CONTROL, data, now_ms))
    while service.is_busy:
        notified = service.next_notification(20)
        if notified is not None and notified[0] == LOG_DATA:
            say(notified[1].hex())
            reader.receive_data(notified[1])
    say(len(reader.entries), reader.entries[0], reader.entries[-1])


def pulse(board, unit, at_ms):
    """Let the meter turn once."""
    for since_ms, closed in ((0, True), (3_000, False)):
        unit.handle_timer(at_ms + since_ms)
        board.interrupt(closed, at_ms + since_ms)
        unit.handle_timer(at_ms + since_ms + 2_000)


def main():
    """Pair, be refused, command, and read the log."""
    board = VirtualBoard("00000001", KEY, MemoryNvm(7, 1024))
    unit = PulseUnit(board, UnitConfig())
    service = GattService(unit, board)
    now_ms = 1_800_000 * TICKS
    for index in range(TICKS):
        if index % 3 == 0:
            pulse(board, unit, index * 1_800_000 + 60_000)
    unit.handle_timer(now_ms)
    service.connected()
    say_values(service, now_ms)
    say(service.may_pair(now_ms))
    board.inputs = INPUT_BUTTON
    unit.handle_timer(now_ms)
    say([service.may_pair(now_ms) for _ in range(4)])
    service.secured()
    for _ in range(2):
        say(service.write(COMMAND, seal_phase(board.aes, KEY, 1, 60_000), now_ms))
        say(service.next_notification(20)[1].hex(), service.is_busy)
    say_values(service, now_ms)
    read_log(board, service, LogRequest(1), now_ms)
    read_log(board, service, LogRequest(2, limit=5, newest=True), now_ms)
    read_log(board, service, LogRequest(3, 1, 1_800 * 40, 7), now_ms)
    service.disconnected()


main()
