"""A wired slave with a unit and a memory of a few values, and what a master sends it.

Runs under MicroPython too.
"""

from pulse_unit.errors import StoreError
from pulse_unit.slave import WiredSlave
from shared.wire.mbus import (
    ADDRESS_SELECTED,
    CI_COMMAND,
    CI_SELECT,
    CI_SEND_DATA,
    FCB,
    REQ_UD2,
    RSP_UD,
    SET_ADDRESS,
    SND_NKE,
    SND_UD,
    Frame,
    decode_frame,
    encode_frame,
)

SERIAL = "12345678"
SECONDARY = bytes.fromhex("7856341219210103")


# Of a telegram's records: the days left, the error flags and the boot, all 0.
_REST = b"\x02\xfd\x74\0\0\x02\xfd\x17\0\0\x02\xfd\x60\0\0"


class FakeUnit:
    """Counts one more with each reading, so that no two responses are alike."""

    def __init__(self) -> None:
        self.count = 0
        self.obeyed = []
        self.refusal = 0

    def records(self, uptime_ms: int) -> bytes:
        """See `PulseUnit`."""
        self.count += 1
        data = b"\x04\xfd\x3a" + self.count.to_bytes(4, "little")
        return data + b"\x04\x20" + (uptime_ms // 1000).to_bytes(4, "little") + _REST

    def status(self) -> int:
        """See `PulseUnit`."""
        return 0x20

    def obey(self, data: bytes, uptime_ms: int) -> int:
        """See `PulseUnit`."""
        self.obeyed.append((data, uptime_ms))
        return self.refusal


class FakeMemory:
    """One word; worn out on demand."""

    def __init__(self, word: int = 0) -> None:
        self.word = word
        self.is_worn = False

    def load(self) -> int:
        """See `WireSettings`."""
        return self.word

    def store(self, word: int) -> None:
        """See `WireSettings`."""
        if self.is_worn:
            raise StoreError("worn out")
        self.word = word


class Line:
    """A slave, its unit and memory, and a clock that moves on a second with each frame."""

    def __init__(self, address: int = 5) -> None:
        self.unit = FakeUnit()
        self.memory = FakeMemory(address)
        self.now_ms = 0
        self.slave = WiredSlave(self.unit, self.memory, SERIAL)

    def send(self, data: bytes) -> bytes:
        """What the slave replies to bytes that come after a pause."""
        self.now_ms += 1000
        return self.slave.receive_data(data, self.now_ms)


def short(control: int, address: int = 5) -> bytes:
    """A frame without user data."""
    return encode_frame(Frame(control, address))


def user_data(content: bytes, address: int = 5, control: int = SND_UD) -> bytes:
    """SND_UD with CI and what follows it."""
    return encode_frame(Frame(control, address, content))


def select(pattern: bytes) -> bytes:
    """The selection of a secondary address."""
    return user_data(bytes([CI_SELECT]) + pattern, ADDRESS_SELECTED)


def set_address(new: int, address: int = 5) -> bytes:
    """What gives a slave another primary address."""
    return user_data(bytes([CI_SEND_DATA]) + SET_ADDRESS + bytes([new]), address)


def error(reply: bytes) -> int:
    """The application error in a response."""
    frame = decode_frame(reply)
    assert (RSP_UD, 0x70, 2) == (frame.control, frame.user_data[0], len(frame.user_data))
    return frame.user_data[1]


COMMAND = bytes([CI_COMMAND]) + bytes(range(17))
RESET = short(SND_NKE)
ASK = short(REQ_UD2)
ASK_TOGGLED = short(REQ_UD2 | FCB)
DONE = b"\xe5"
