"""What a receiver with the key makes of a unit's frames."""

from __future__ import annotations

from pulse_unit.hal.memory import MemoryNvm
from pulse_unit.hal.virtual import VirtualBoard
from pulse_unit.nvm import Nvm
from pulse_unit.unit import PulseUnit
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.oms import Message, open_telegram
from shared.wire.telegram import PulseTelegram, decode_records
from shared.wire.wmbus import unframe

SERIAL = "00000001"
KEY = bytes.fromhex("0F0E0D0C0B0A09080706050403020100")


ADDRESS = bytes.fromhex("C0FFEE000001")


def board_of(
    nvm: Nvm | None = None, *, closed: bool = False, address: bytes | None = None
) -> VirtualBoard:
    """A board with this key, Bluetooth if it has an address, and a new memory if none is given."""
    memory = nvm or MemoryNvm(8, 1024)
    return VirtualBoard(SERIAL, KEY, memory, AesBlock, closed=closed, address=address)


def pulse(board: VirtualBoard, closing_ms: int, held_ms: int = 1_000) -> None:
    """Let the reed close and open cleanly."""
    board.interrupt(True, closing_ms)
    board.interrupt(False, closing_ms + held_ms)


def run(unit: PulseUnit, until_ms: int) -> None:
    """Serve every timer up to an instant, as a board does."""
    while unit.next_timer() <= until_ms:
        unit.handle_timer(unit.next_timer())


def opened(frame: bytes) -> Message:
    """The authentic message in a radio frame."""
    return open_telegram(AesBlock, unframe(frame, "A"), KEY)


def told(frame: bytes) -> PulseTelegram:
    """What a radio frame says."""
    return decode_records(opened(frame).records)


def told_by(board: VirtualBoard) -> list[tuple[int, PulseTelegram]]:
    """Take what a board has sent: (uptime in ms, telegram)."""
    sent = [(uptime_ms, told(frame)) for uptime_ms, frame in board.sent]
    board.sent = []
    return sent
