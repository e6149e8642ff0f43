"""The one state table of the FLAG protocol, mode C (IEC 62056-21, 6.4.3)."""

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

    CLOSED = auto()
    """Nobody said anything sensible for too long; the host may drop the line."""


class Event(Enum):
    """What happened, as the table sees it."""

    REQUEST = auto()
    REQUEST_ELSEWHERE = auto()
    READOUT_SELECTED = auto()
    OTHER_SELECTED = auto()
    NAK = auto()
    NAK_TOO_OFTEN = auto()
    ACK = auto()
    BREAK = auto()
    MALFORMED = auto()
    LATE = auto()
    IDLE = auto()


class Action(Enum):
    """What the session sends on a transition."""

    NOTHING = auto()
    IDENTIFY = auto()
    SEND_READOUT = auto()
    REPEAT = auto()
    BREAK = auto()


# Programming (option 1), mode E and the makers' options are refused with a break: an honest "no"
# lets a reader end at once, where silence would cost it a time-out.
TRANSITIONS: Final[dict[State, dict[Event, tuple[State, Action]]]] = {
    State.SIGN_ON: {
        Event.REQUEST: (State.OPTION_SELECT, Action.IDENTIFY),
        Event.IDLE: (State.CLOSED, Action.NOTHING),
    },
    State.OPTION_SELECT: {
        Event.REQUEST: (State.OPTION_SELECT, Action.IDENTIFY),
        Event.READOUT_SELECTED: (State.READOUT, Action.SEND_READOUT),
        Event.OTHER_SELECTED: (State.SIGN_ON, Action.BREAK),
        Event.IDLE: (State.CLOSED, Action.NOTHING),
    },
    State.READOUT: {
        Event.REQUEST: (State.OPTION_SELECT, Action.IDENTIFY),
        Event.NAK: (State.READOUT, Action.REPEAT),
        Event.NAK_TOO_OFTEN: (State.SIGN_ON, Action.BREAK),
        Event.IDLE: (State.CLOSED, Action.NOTHING),
    },
    State.CLOSED: dict.fromkeys(Event, (State.CLOSED, Action.NOTHING)),
}

BACK_TO_SIGN_ON: Final = (State.SIGN_ON, Action.NOTHING)
"""What any pair does that the table does not name: nothing can leave a session stuck."""

PROGRESS: Final = frozenset(
    {
        Event.REQUEST,
        Event.READOUT_SELECTED,
        Event.OTHER_SELECTED,
        Event.NAK,
    }
)
"""Events that show somebody who speaks FLAG to this meter; noise does not keep a line open."""


def next_state(state: State, event: Event) -> tuple[State, Action]:
    """Where an event leads, and what is sent on the way."""
    return TRANSITIONS[state].get(event, BACK_TO_SIGN_ON)
