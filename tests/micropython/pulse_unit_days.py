"""A unit's days, run by either interpreter with equal output: DAYS FILE.

FILE is the unit's memory.
"""

import hashlib
import sys

from pulse_unit.config import UnitConfig
from pulse_unit.entries import Entries
from pulse_unit.hal.memory import FileNvm
from pulse_unit.hal.simulated_reed import Noise, pulse_edges
from pulse_unit.hal.virtual import VirtualBoard
from pulse_unit.unit import PAGES, PulseUnit
from shared.wire.command import seal_phase

KEY = bytes(range(16))
DAY_MS = 86_400_000
PULSE_GAP_MS = 129_600  # 20,000 pulses in 30 days


def say(*values):
    """Print a line of what the two interpreters have to agree in."""
    print(*values)  # noqa: T201  the output is what is compared


def heard(board, digest, aloud):
    """Take what a board has sent; return when the last of it left, or None."""
    last_ms = None
    for sent_ms, frame in board.sent:
        last_ms = sent_ms
        digest.update(frame)
        if aloud:
            say(sent_ms, frame.hex())
    board.sent.clear()
    return last_ms


def serve(unit, until_ms):
    """Run every timer up to an instant."""
    while True:
        due_ms = unit.next_timer()
        if due_ms > until_ms:
            return
        unit.handle_timer(due_ms)


def run(board, unit, days):
    """Let pulses come for some days, with a phase command now and then."""
    noise = Noise(1)
    digest = hashlib.sha256()
    pulses = commands = 0
    closing_ms = 10_000
    while closing_ms < days * DAY_MS:
        pulses += 1
        for at_ms, closed in pulse_edges(closing_ms, 151, 401, 6_000, 2):
            serve(unit, at_ms)
            board.interrupt(closed, at_ms)
            unit.handle_timer(at_ms)
        closing_ms += 6_000 + noise.below(2 * PULSE_GAP_MS - 12_000)
        while unit.next_timer() < closing_ms:
            serve(unit, unit.next_timer())
            sent_ms = heard(board, digest, days < 3)
            if sent_ms is not None and noise.below(50) == 0:
                commands += 1
                phase = seal_phase(board.aes, KEY, commands, (sent_ms + 77_000) % 1_800_000)
                say("command", unit.receive_command(phase, sent_ms + 500))
    say("pulses", pulses, unit.count, unit.error_flags)
    say("frames", bytes(digest.digest()).hex())


def main(arguments):
    """Run a unit, reset it and read its log."""
    days = int(arguments[0])
    board = VirtualBoard("00000001", KEY, FileNvm(arguments[1], PAGES))
    run(board, PulseUnit(board, UnitConfig(initial_index_l=5)), days)
    unit = PulseUnit(board, UnitConfig())
    entries = [0, None]
    for entry in Entries(unit.history):
        entries = [entries[0] + 1, entry]
    say("reset", unit.boot, unit.count, entries)
    board.nvm.close()


if __name__ == "__main__":
    main(sys.argv[1:])
