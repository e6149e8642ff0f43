"""The contactor: what may become of it when, as COSEM class 70 has it (IEC 62056-6-2, 4.5.8)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, IntEnum
from typing import Final, NamedTuple

import msgspec

from .errors import ContactorError

NO_CONTACTOR: Final = 0
"""The control mode of a meter whose mains nothing opens."""


class ControlState(IntEnum):
    """Attribute 3 of class 70; only `CONNECTED` lets current flow."""

    DISCONNECTED = 0
    CONNECTED = 1
    READY_FOR_RECONNECTION = 2
    """Armed: open, and a person at the meter may close it."""


class Trigger(Enum):
    """Who wants something: from afar, by hand at the meter, or the meter's own limiter."""

    REMOTE_DISCONNECT = "remote disconnect"
    REMOTE_RECONNECT = "remote reconnect"
    MANUAL_DISCONNECT = "manual disconnect"
    MANUAL_RECONNECT = "manual reconnect"
    LOCAL_DISCONNECT = "local disconnect"
    LOCAL_RECONNECT = "local reconnect"


_OPEN: Final = ControlState.DISCONNECTED
_CLOSED: Final = ControlState.CONNECTED
_ARMED: Final = ControlState.READY_FOR_RECONNECTION

_BY_LETTER: Final = {
    "a": (_OPEN, Trigger.REMOTE_RECONNECT, _CLOSED),
    "b": (_CLOSED, Trigger.REMOTE_DISCONNECT, _OPEN),
    "c": (_ARMED, Trigger.REMOTE_DISCONNECT, _OPEN),
    "d": (_OPEN, Trigger.REMOTE_RECONNECT, _ARMED),
    "e": (_ARMED, Trigger.MANUAL_RECONNECT, _CLOSED),
    "f": (_CLOSED, Trigger.MANUAL_DISCONNECT, _ARMED),
    "g": (_CLOSED, Trigger.LOCAL_DISCONNECT, _ARMED),
    "h": (_ARMED, Trigger.LOCAL_RECONNECT, _CLOSED),
}
"""The transitions by the letters of the standard's diagram."""

CONTROL_MODES: Final = {
    0: "",
    1: "bcdefg",
    2: "abcefg",
    3: "bcdeg",
    4: "abceg",
    5: "bcdefgh",
    6: "bcdegh",
}
"""The transitions of each control mode."""

TRANSITIONS: Final = {
    (mode, before, trigger): after
    for mode, letters in CONTROL_MODES.items()
    for before, trigger, after in map(_BY_LETTER.__getitem__, letters)
}
"""All that can ever happen: control mode, state and trigger to the state that follows."""


class ContactorState(msgspec.Struct, frozen=True, array_like=True):
    """What outlasts an outage.

    Attributes:
        state: one of `ControlState`.
        cause: why it is so, in words.
        changed_s: since when, UNIX seconds of the host's; None for as it was built.
        openings: how often it was opened since ever.
        limited: whether the limiter opened it, and nobody has said anything since.
    """

    state: int = _CLOSED
    cause: str = "as it was built"
    changed_s: int | None = None
    openings: int = 0
    limited: bool = False


class Change(NamedTuple):
    """The contactor went from one state to another."""

    before: ControlState
    after: ControlState


class Contactor:
    """One contactor. It moves by `TRANSITIONS` and by nothing else.

    Args:
        mode: its control mode.
        saved: as it was left; without one it is connected, as it was built.
    """

    def __init__(self, mode: int, saved: ContactorState | None = None) -> None:
        self.mode = mode
        self.saved = ContactorState() if saved is None else saved

    @property
    def state(self) -> ControlState:
        """What it is, whatever the control mode: a mode neither opens nor closes anything."""
        return ControlState(self.saved.state)

    @property
    def is_closed(self) -> bool:
        """Whether current can flow."""
        return self.state is _CLOSED

    def trigger(
        self, trigger: Trigger, cause: str, now_s: int, *, limited: bool = False
    ) -> Change | None:
        """Somebody wants something; return what changed, None where it was so already.

        Args:
            trigger: who wants what.
            cause: why, in words, for whoever asks later.
            now_s: the host's time, UNIX seconds.
            limited: the limiter is behind it.

        Raises:
            ContactorError: the control mode does not allow it now.
        """
        before = self.state
        after = TRANSITIONS.get((self.mode, before, trigger))
        if after is None:
            if self.mode != NO_CONTACTOR and before in _ends(self.mode, trigger):
                # What was the limiter's is now his who wants the same.
                self.saved = msgspec.structs.replace(self.saved, limited=limited)
                return None
            raise ContactorError(_refusal(self.mode, before, trigger))
        opened = before is _CLOSED
        self.saved = ContactorState(after, cause, now_s, self.saved.openings + opened, limited)
        return Change(before, after)


def _ends(mode: int, trigger: Trigger) -> Iterator[ControlState]:
    """The states to which a trigger leads in a mode."""
    return (after for (its, _, by), after in TRANSITIONS.items() if (its, by) == (mode, trigger))


def _refusal(mode: int, before: ControlState, trigger: Trigger) -> str:
    if mode == NO_CONTACTOR:
        return "this meter has no contactor"
    if before is _CLOSED and trigger in (Trigger.REMOTE_RECONNECT, Trigger.MANUAL_RECONNECT):
        return "the contactor is closed"
    if before is _OPEN and trigger is Trigger.MANUAL_RECONNECT:
        return "the contactor is open and has to be armed before a person can close it"
    return (
        f"control mode {mode} has no {trigger.value} of a contactor that is {before.name.lower()}"
    )
