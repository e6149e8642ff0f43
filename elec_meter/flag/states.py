"""The one state table of the FLAG protocol, modes A, C and E (IEC 62056-21, 6.4 and Annex B)."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final


class State(Enum):
    """Where a session is."""

    SIGN_ON = auto()
    """Waiting for a request message."""

    OPTION_SELECT = auto()
    """Identified; the reader says what it wants, or the time is up."""

    READOUT = auto()
    """The data block was sent and is kept for repetition."""

    PROGRAMMING = auto()
    """Challenged; reads and writes as far as the level of the sign-on goes."""

    BLOCKS = auto()
    """As before, and an answer goes on with another block when this one is acknowledged."""

    TRANSPARENT = auto()
    """Mode E: the line is another protocol's."""

    CLOSED = auto()
    """Nobody said anything sensible for too long; the host may drop the line."""


class Event(Enum):
    """What happened, as the table sees it."""

    REQUEST = auto()
    REQUEST_ELSEWHERE = auto()
    REQUEST_TO_READ = auto()
    READOUT_SELECTED = auto()
    READOUT_FAILED = auto()
    PROGRAMMING_SELECTED = auto()
    ENHANCED_SELECTED = auto()
    OTHER_SELECTED = auto()
    ANSWERED = auto()
    BLOCK = auto()
    SIGN_ON_REFUSED = auto()
    NAK = auto()
    NAK_TOO_OFTEN = auto()
    ACK = auto()
    BREAK = auto()
    COMMAND = auto()
    MALFORMED = auto()
    MALFORMED_TOO_OFTEN = auto()
    LATE = auto()
    IDLE = auto()


class Action(Enum):
    """What the session sends on a transition."""

    NOTHING = auto()
    IDENTIFY = auto()
    SEND_READOUT = auto()
    CHALLENGE = auto()
    ANSWER = auto()
    REPEAT = auto()
    ASK_AGAIN = auto()
    HAND_OVER = auto()
    BREAK = auto()


_PROGRAMMING: Final[dict[Event, tuple[State, Action]]] = {
    Event.REQUEST: (State.OPTION_SELECT, Action.IDENTIFY),
    Event.REQUEST_TO_READ: (State.READOUT, Action.SEND_READOUT),
    Event.READOUT_FAILED: (State.SIGN_ON, Action.BREAK),
    Event.ANSWERED: (State.PROGRAMMING, Action.ANSWER),
    Event.BLOCK: (State.BLOCKS, Action.ANSWER),
    Event.SIGN_ON_REFUSED: (State.SIGN_ON, Action.ANSWER),
    Event.NAK_TOO_OFTEN: (State.SIGN_ON, Action.BREAK),
    Event.MALFORMED_TOO_OFTEN: (State.SIGN_ON, Action.BREAK),
    Event.IDLE: (State.CLOSED, Action.BREAK),
}

# What does not exist is refused with a break: an honest "no" lets a reader end at once, where
# silence would cost it a time-out.
TRANSITIONS: Final[dict[State, dict[Event, tuple[State, Action]]]] = {
    State.SIGN_ON: {
        Event.REQUEST: (State.OPTION_SELECT, Action.IDENTIFY),
        Event.REQUEST_TO_READ: (State.READOUT, Action.SEND_READOUT),
        Event.READOUT_FAILED: (State.SIGN_ON, Action.BREAK),
        Event.IDLE: (State.CLOSED, Action.NOTHING),
    },
    State.OPTION_SELECT: {
        Event.REQUEST: (State.OPTION_SELECT, Action.IDENTIFY),
        Event.REQUEST_TO_READ: (State.READOUT, Action.SEND_READOUT),
        Event.READOUT_FAILED: (State.SIGN_ON, Action.BREAK),
        Event.READOUT_SELECTED: (State.READOUT, Action.SEND_READOUT),
        Event.PROGRAMMING_SELECTED: (State.PROGRAMMING, Action.CHALLENGE),
        Event.ENHANCED_SELECTED: (State.TRANSPARENT, Action.HAND_OVER),
        Event.OTHER_SELECTED: (State.SIGN_ON, Action.BREAK),
        Event.IDLE: (State.CLOSED, Action.NOTHING),
    },
    State.READOUT: {
        Event.REQUEST: (State.OPTION_SELECT, Action.IDENTIFY),
        Event.REQUEST_TO_READ: (State.READOUT, Action.SEND_READOUT),
        Event.READOUT_FAILED: (State.SIGN_ON, Action.BREAK),
        Event.NAK: (State.READOUT, Action.REPEAT),
        Event.NAK_TOO_OFTEN: (State.SIGN_ON, Action.BREAK),
        Event.IDLE: (State.CLOSED, Action.NOTHING),
    },
    State.PROGRAMMING: {
        **_PROGRAMMING,
        Event.NAK: (State.PROGRAMMING, Action.REPEAT),
        Event.ACK: (State.PROGRAMMING, Action.NOTHING),
        Event.MALFORMED: (State.PROGRAMMING, Action.ASK_AGAIN),
    },
    State.BLOCKS: {
        **_PROGRAMMING,
        Event.NAK: (State.BLOCKS, Action.REPEAT),
        Event.MALFORMED: (State.BLOCKS, Action.ASK_AGAIN),
    },
    State.TRANSPARENT: {Event.IDLE: (State.CLOSED, Action.NOTHING)},
    State.CLOSED: dict.fromkeys(Event, (State.CLOSED, Action.NOTHING)),
}

BACK_TO_SIGN_ON: Final = (State.SIGN_ON, Action.NOTHING)
"""What any pair does that the table does not name: nothing can leave a session stuck."""

PROGRESS: Final = frozenset(
    {
        Event.REQUEST,
        Event.REQUEST_TO_READ,
        Event.READOUT_SELECTED,
        Event.READOUT_FAILED,
        Event.PROGRAMMING_SELECTED,
        Event.ENHANCED_SELECTED,
        Event.OTHER_SELECTED,
        Event.ANSWERED,
        Event.BLOCK,
        Event.NAK,
    }
)
"""Events that show somebody who speaks FLAG to this meter; noise does not keep a line open."""

UNDER_WAY: Final = frozenset({State.PROGRAMMING, State.BLOCKS})
"""States in which there is a conversation."""


def next_state(state: State, event: Event) -> tuple[State, Action]:
    """Where an event leads, and what is sent on the way."""
    return TRANSITIONS[state].get(event, BACK_TO_SIGN_ON)
