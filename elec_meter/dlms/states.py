"""The one state table of an association (IEC 62056-5-3, 9.3)."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final


class State(Enum):
    """Where an association is; the value is attribute 8 of class 15."""

    NONE = 0
    """Only an AARQ leads on."""

    PENDING = 1
    """Accepted, if the client's answer to the challenge is right: nothing else is served."""

    ASSOCIATED = 2
    """Served."""


class Event(Enum):
    """What happened, as the table sees it."""

    ACCEPTED = auto()
    CHALLENGED = auto()
    REFUSED = auto()
    PROVED = auto()
    NOT_PROVED = auto()
    RELEASED = auto()
    LOST = auto()
    """The connection is gone."""


TRANSITIONS: Final[dict[State, dict[Event, State]]] = {
    State.NONE: {
        Event.ACCEPTED: State.ASSOCIATED,
        Event.CHALLENGED: State.PENDING,
    },
    State.PENDING: {
        Event.ACCEPTED: State.ASSOCIATED,
        Event.CHALLENGED: State.PENDING,
        Event.PROVED: State.ASSOCIATED,
    },
    State.ASSOCIATED: {
        Event.ACCEPTED: State.ASSOCIATED,
        Event.CHALLENGED: State.PENDING,
    },
}


def next_state(state: State, event: Event) -> State:
    """Where an event leads; whatever the table does not name ends the association."""
    return TRANSITIONS[state].get(event, State.NONE)
