"""The one state table of an HDLC link, secondary station in normal mode (IEC 62056-46, 6.4.4)."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from elec_meter.dlms.hdlc.frames import Kind


class State(Enum):
    """Where a link is."""

    DISCONNECTED = auto()
    """Normal disconnected mode: only SNRM leads on."""

    CONNECTED = auto()
    """Normal response mode."""

    REJECTED = auto()
    """A frame made no sense; the other side has to begin again."""

    CLOSED = auto()
    """Nobody asked for a link for too long; the host may drop the line."""


class Event(Enum):
    """What happened, as the table sees it."""

    SET_NORMAL_MODE = auto()
    DISCONNECT = auto()
    INFORMATION = auto()
    READY = auto()
    NOT_READY = auto()
    OTHER = auto()
    """A response, or information without a number: nothing for a meter."""
    WRONG = auto()
    """An unknown control field, a number that cannot be, more than was agreed."""
    IDLE = auto()


class Action(Enum):
    """What the link does on a transition; answers are sent only to a poll."""

    NOTHING = auto()
    CONNECT = auto()
    """Begin afresh; UA with what was agreed."""
    DISCONNECT = auto()
    """End the association; UA."""
    REFUSE = auto()
    """DM."""
    TAKE = auto()
    """Information: acknowledge, and answer when it is whole."""
    GO_ON = auto()
    """Send what is waiting, or RR."""
    WAIT = auto()
    """RR: the other side takes no information now."""
    REJECT = auto()
    """FRMR."""
    DROP = auto()
    """End the association without a word."""


TRANSITIONS: Final[dict[State, dict[Event, tuple[State, Action]]]] = {
    State.DISCONNECTED: {
        Event.SET_NORMAL_MODE: (State.CONNECTED, Action.CONNECT),
        Event.DISCONNECT: (State.DISCONNECTED, Action.REFUSE),
        Event.INFORMATION: (State.DISCONNECTED, Action.REFUSE),
        Event.READY: (State.DISCONNECTED, Action.REFUSE),
        Event.NOT_READY: (State.DISCONNECTED, Action.REFUSE),
        Event.OTHER: (State.DISCONNECTED, Action.NOTHING),
        Event.WRONG: (State.DISCONNECTED, Action.REFUSE),
        Event.IDLE: (State.CLOSED, Action.NOTHING),
    },
    State.CONNECTED: {
        Event.SET_NORMAL_MODE: (State.CONNECTED, Action.CONNECT),
        Event.DISCONNECT: (State.DISCONNECTED, Action.DISCONNECT),
        Event.INFORMATION: (State.CONNECTED, Action.TAKE),
        Event.READY: (State.CONNECTED, Action.GO_ON),
        Event.NOT_READY: (State.CONNECTED, Action.WAIT),
        Event.OTHER: (State.CONNECTED, Action.NOTHING),
        Event.WRONG: (State.REJECTED, Action.REJECT),
        Event.IDLE: (State.DISCONNECTED, Action.DROP),
    },
    State.REJECTED: {
        Event.SET_NORMAL_MODE: (State.CONNECTED, Action.CONNECT),
        Event.DISCONNECT: (State.DISCONNECTED, Action.DISCONNECT),
        Event.INFORMATION: (State.REJECTED, Action.REJECT),
        Event.READY: (State.REJECTED, Action.REJECT),
        Event.NOT_READY: (State.REJECTED, Action.REJECT),
        Event.OTHER: (State.REJECTED, Action.NOTHING),
        Event.WRONG: (State.REJECTED, Action.REJECT),
        Event.IDLE: (State.DISCONNECTED, Action.DROP),
    },
    State.CLOSED: dict.fromkeys(Event, (State.CLOSED, Action.NOTHING)),
}

EVENTS: Final[dict[Kind, Event]] = {
    Kind.SET_NORMAL_MODE: Event.SET_NORMAL_MODE,
    Kind.DISCONNECT: Event.DISCONNECT,
    Kind.INFORMATION: Event.INFORMATION,
    Kind.RECEIVE_READY: Event.READY,
    Kind.RECEIVE_NOT_READY: Event.NOT_READY,
    Kind.ACKNOWLEDGE: Event.OTHER,
    Kind.DISCONNECTED_MODE: Event.OTHER,
    Kind.FRAME_REJECT: Event.OTHER,
    Kind.UNNUMBERED_INFORMATION: Event.OTHER,
    Kind.UNKNOWN: Event.WRONG,
}
"""What a frame is to the table, as long as its numbers are right."""
