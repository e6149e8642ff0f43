"""A wired slave in conversation; run by both interpreters, prints its replies."""

import gc
import sys

if sys.implementation.name == "micropython":
    gc.threshold(4096)  # compiling leaves much behind: collect in time

from tests.pulse_unit.wired import (
    ASK,
    ASK_TOGGLED,
    COMMAND,
    RESET,
    SECONDARY,
    Line,
    select,
    set_address,
    short,
    user_data,
)


def say(*values: object) -> None:
    """Print a line of what the two interpreters have to agree in."""
    print(*values)  # noqa: T201  the output is what is compared


def conversation() -> "tuple[bytes, ...]":
    """What a master sends, some of it to nobody or meaningless."""
    return (
        RESET,
        ASK,
        ASK,
        ASK_TOGGLED,
        COMMAND,
        short(0x5A),
        short(0x4B, 254),
        short(0x40, 255),
        short(0x5B, 6),
        select(b"\xff" * 8),
        short(0x5B, 253),
        select(SECONDARY[:7] + b"\x07"),
        short(0x7B, 253),
        user_data(COMMAND),
        user_data(COMMAND),
        user_data(b"\x53"),
        ASK,
        user_data(b"\xbd"),
        RESET,
        user_data(b"\xb8"),
        set_address(251, 254),
        set_address(7, 254),
        short(0x7B, 7),
        set_address(5, 7),
    )


def main() -> None:
    """Say it whole, byte by byte and spoilt."""
    line = Line()
    state = 20_240_229
    for turn in range(6):
        for data in conversation():
            heard = bytearray(data)
            if turn > 1:
                state = (state * 1_103_515_245 + 12_345) & 0x7FFFFFFF
                heard[(state >> 8) % len(heard)] ^= state >> 16 & 0xFF
            if turn == 1:
                line.now_ms += 1000
                replies = [
                    line.slave.receive_data(bytes([byte]), line.now_ms).hex() for byte in heard
                ]
                say("".join(replies))
            else:
                say(line.send(bytes(heard)).hex())
            line.unit.refusal = (turn + line.unit.count) % 7
            say(line.slave.address, line.slave.baud, line.slave.next_timer())
        line.now_ms += 400_000
    say(line.unit.obeyed, line.memory.word)


main()
