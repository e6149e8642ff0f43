from __future__ import annotations

from itertools import product

import pytest

from elec_meter.contactor import (
    CONTROL_MODES,
    TRANSITIONS,
    Contactor,
    ContactorState,
    ControlState,
    Trigger,
)
from elec_meter.errors import ContactorError

OPEN, CLOSED, ARMED = (
    ControlState.DISCONNECTED,
    ControlState.CONNECTED,
    ControlState.READY_FOR_RECONNECTION,
)
# The table of control modes of IEC 62056-6-2, 4.5.8, by its columns: what a remote disconnection, a
# remote reconnection, hands and the meter itself may do.
STANDARD = {
    0: (),
    1: ("remote off", "remote arms", "hand on", "hand off", "local off"),
    2: ("remote off", "remote on", "hand on", "hand off", "local off"),
    3: ("remote off", "remote arms", "hand on", "local off"),
    4: ("remote off", "remote on", "hand on", "local off"),
    5: ("remote off", "remote arms", "hand on", "hand off", "local off", "local on"),
    6: ("remote off", "remote arms", "hand on", "local off", "local on"),
}
MOVES = {
    "remote off": {
        (CLOSED, Trigger.REMOTE_DISCONNECT, OPEN),
        (ARMED, Trigger.REMOTE_DISCONNECT, OPEN),
    },
    "remote on": {(OPEN, Trigger.REMOTE_RECONNECT, CLOSED)},
    "remote arms": {(OPEN, Trigger.REMOTE_RECONNECT, ARMED)},
    "hand on": {(ARMED, Trigger.MANUAL_RECONNECT, CLOSED)},
    "hand off": {(CLOSED, Trigger.MANUAL_DISCONNECT, ARMED)},
    "local off": {(CLOSED, Trigger.LOCAL_DISCONNECT, ARMED)},
    "local on": {(ARMED, Trigger.LOCAL_RECONNECT, CLOSED)},
}


@pytest.mark.parametrize("mode", range(7))
def test_the_control_modes_are_the_standards(mode: int) -> None:
    """Each has the transitions of its row, and no other."""
    wanted = {move for column in STANDARD[mode] for move in MOVES[column]}
    assert wanted == {
        (before, by, after) for (its, before, by), after in TRANSITIONS.items() if its == mode
    }


@pytest.mark.parametrize("mode", [1, 3])
def test_only_a_hand_closes(mode: int) -> None:
    """In the modes that a configuration may choose nothing but a hand leads to a closed one."""
    closing = {by for (its, _, by), after in TRANSITIONS.items() if (its, after) == (mode, CLOSED)}
    assert {Trigger.MANUAL_RECONNECT} == closing


@pytest.mark.parametrize(
    ("mode", "before", "trigger"), list(product(CONTROL_MODES, ControlState, Trigger))
)
def test_a_trigger_moves_it_or_leaves_all_as_it_was(
    mode: int, before: ControlState, trigger: Trigger
) -> None:
    """By the table; what is so already is no change, and anything else is refused."""
    contactor = Contactor(mode, ContactorState(before, "before", 5))
    moves = {move for column in STANDARD[mode] for move in MOVES[column]}
    after = next((end for start, by, end in moves if (start, by) == (before, trigger)), None)
    if after is None:
        if before in {end for _, by, end in moves if by is trigger}:
            assert contactor.trigger(trigger, "test", 7) is None
        else:
            with pytest.raises(ContactorError):
                contactor.trigger(trigger, "test", 7)
        assert ("before", 5) == (contactor.saved.cause, contactor.saved.changed_s)
        return
    change = contactor.trigger(trigger, "test", 7)
    assert (before, after) == change
    assert after is contactor.state
    assert ("test", 7) == (contactor.saved.cause, contactor.saved.changed_s)
    assert (before is CLOSED) == contactor.saved.openings


def test_without_a_contactor_the_mains_are_connected() -> None:
    """As it was built, and nothing can be ordered of it."""
    contactor = Contactor(0)
    assert contactor.is_closed
    with pytest.raises(ContactorError, match="this meter has no contactor"):
        contactor.trigger(Trigger.REMOTE_DISCONNECT, "test", 0)


@pytest.mark.parametrize("before", ControlState)
@pytest.mark.parametrize("mode", CONTROL_MODES)
def test_a_mode_moves_nothing(mode: int, before: ControlState) -> None:
    """What was open stays open in every control mode: only a transition closes it."""
    assert before is Contactor(mode, ContactorState(before)).state


def test_refusals_are_sentences() -> None:
    """They say what stands in the way."""
    contactor = Contactor(3)
    with pytest.raises(ContactorError, match=r"^the contactor is closed$"):
        contactor.trigger(Trigger.REMOTE_RECONNECT, "test", 0)
    contactor.trigger(Trigger.REMOTE_DISCONNECT, "test", 0)
    with pytest.raises(ContactorError, match="has to be armed before a person can close it"):
        contactor.trigger(Trigger.MANUAL_RECONNECT, "test", 0)
