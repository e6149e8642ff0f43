"""What a radio stick is told before it hears meters, and what it has to answer.

Each set-up is a generator: it yields a `Question` and is sent the answer, or None when the time for
it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

from shared.wire.sticks import (
    AMBER_C1_OTHER,
    AMBER_CT_OTHER,
    AMBER_GET,
    AMBER_RESET,
    AMBER_S1_OTHER,
    AMBER_SET,
    AMBER_SET_MODE,
    AMBER_T1_OTHER,
    IMST_C1,
    IMST_CONFIGURATION_SET,
    IMST_HAS_DEVICE_AND_MODE,
    IMST_MANAGEMENT,
    IMST_OTHER,
    IMST_S1,
    IMST_SET_CONFIGURATION,
    IMST_T1,
    IMST_TEMPORARY,
    amber_message,
    imst_message,
)

from .errors import BearerLostError
from .stick_frames import AmberReader, ImstReader, LineReader, StickAnswer, StickReader

_TRIES = 3
_IMST_HAS_SAVING_AND_RSSI = 0x08 | 0x10
_AMBER_COMMAND_OUT = 0x05  # parameter: received frames come as messages, not bare
_AMBER_RSSI = 0x45  # parameter: and tell their signal strength


@dataclass(frozen=True, slots=True)
class Question:
    """What is sent, and how its answer is known.

    Attributes:
        data: for the stick; may be empty.
        is_answer: whether something that the stick says is the answer.
        patience_s: how long it is waited for.
    """

    data: bytes
    is_answer: Callable[[StickAnswer], bool]
    patience_s: float = 1.0


SetUp = Generator[Question, StickAnswer | None, None]
_Asking = Generator[Question, StickAnswer | None, StickAnswer]


@dataclass(frozen=True, slots=True)
class StickKind:
    """One kind of stick.

    Attributes:
        reader: makes its reader.
        set_up: makes its set-up, for a link mode.
        modes: the link modes (EN 13757-4) that it can be told.
    """

    reader: Callable[[], StickReader]
    set_up: Callable[[int], SetUp]
    modes: dict[str, int]


def _set_up_im871a(mode: int) -> SetUp:
    """To hear meters, never to sleep, and to tell signal strengths; until its power goes."""
    choice = [IMST_TEMPORARY, IMST_HAS_DEVICE_AND_MODE, IMST_OTHER, mode]
    choice += [_IMST_HAS_SAVING_AND_RSSI, 0, 1]
    data = imst_message(IMST_MANAGEMENT, IMST_SET_CONFIGURATION, bytes(choice))
    yield from _ask("iM871A", data, lambda answer: answer.number == IMST_CONFIGURATION_SET)


def _set_up_amb8465(mode: int) -> SetUp:
    """To hear meters, and to tell frames as messages with signal strengths: these two for good."""
    changed = False
    for parameter in (_AMBER_COMMAND_OUT, _AMBER_RSSI):
        answer = yield from _ask_amber(AMBER_GET, bytes([parameter, 1]))
        if answer.payload[-1:] != b"\x01":
            yield from _ask_amber(AMBER_SET, bytes([parameter, 1, 1]))
            changed = True
    if changed:
        yield from _ask_amber(AMBER_RESET, b"")
        yield Question(b"", lambda _: False, 0.5)  # it starts anew
    yield from _ask_amber(AMBER_SET_MODE, bytes([mode]))


def _set_up_cul(mode: int) -> SetUp:
    """To hear meters, and to tell link quality and signal strength with each frame."""
    letter = chr(mode)
    expected = f"{letter.upper()}MODE".encode()
    data = f"X21\r\nbr{letter}\r\n".encode()
    yield from _ask("CUL", data, lambda answer: expected in answer.payload)


def _set_up_nothing(_mode: int) -> SetUp:
    yield from ()


def _ask_amber(
    command: int, payload: bytes
) -> Generator[Question, StickAnswer | None, StickAnswer]:
    data = amber_message(command, payload)
    return (yield from _ask("AMB8465", data, lambda answer: answer.number == command))


def _ask(kind: str, data: bytes, is_answer: Callable[[StickAnswer], bool]) -> _Asking:
    for _ in range(_TRIES):
        answer = yield Question(data, is_answer)
        if answer is not None:
            return answer
    raise BearerLostError(f"what is plugged in does not answer as {kind} sticks do")


KINDS = {
    "im871a": StickKind(ImstReader, _set_up_im871a, {"T1": IMST_T1, "C1": IMST_C1, "S1": IMST_S1}),
    "amb8465": StickKind(
        AmberReader,
        _set_up_amb8465,
        {
            "T1": AMBER_T1_OTHER,
            "C1": AMBER_C1_OTHER,
            "C1+T1": AMBER_CT_OTHER,
            "S1": AMBER_S1_OTHER,
        },
    ),
    "cul": StickKind(LineReader, _set_up_cul, {"T1": ord("t"), "C1": ord("c"), "S1": ord("s")}),
    "hex": StickKind(LineReader, _set_up_nothing, {"T1": 0, "C1": 0, "S1": 0}),
}
