from __future__ import annotations

from itertools import product

import pytest

from elec_meter.flag.states import PROGRESS, UNDER_WAY, Action, Event, State, next_state


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_pair_leads_somewhere_that_ends(state: State, event: Event) -> None:
    """From anywhere, anything leads to a state from which a request is answered, or the end."""
    following, _ = next_state(state, event)

    if state is State.CLOSED or event is Event.IDLE:
        assert following is State.CLOSED
    elif following is State.TRANSPARENT:
        assert (State.SIGN_ON, Action.NOTHING) == next_state(following, Event.BREAK)
    else:
        assert (State.OPTION_SELECT, Action.IDENTIFY) == next_state(following, Event.REQUEST)


@pytest.mark.parametrize("state", [state for state in State if state is not State.CLOSED])
def test_what_a_state_does_not_expect_leads_back_to_sign_on(state: State) -> None:
    """A break and a request to somebody else are never answered, nor is noise before a sign-on."""
    events = [Event.BREAK, Event.REQUEST_ELSEWHERE, Event.LATE, Event.COMMAND]
    if state not in UNDER_WAY:
        events += [Event.MALFORMED, Event.MALFORMED_TOO_OFTEN, Event.ACK]
    for event in events:
        assert (State.SIGN_ON, Action.NOTHING) == next_state(state, event)


@pytest.mark.parametrize("state", sorted(UNDER_WAY, key=lambda state: state.value))
def test_damage_in_programming_is_asked_for_again_and_then_ended(state: State) -> None:
    """The level is not lost by one bad character, nor kept through endless noise."""
    assert (state, Action.ASK_AGAIN) == next_state(state, Event.MALFORMED)
    assert (State.SIGN_ON, Action.BREAK) == next_state(state, Event.MALFORMED_TOO_OFTEN)
    assert (state, Action.REPEAT) == next_state(state, Event.NAK)
    assert (State.SIGN_ON, Action.BREAK) == next_state(state, Event.NAK_TOO_OFTEN)


def test_programming_follows_its_option_only() -> None:
    """No event but the one leads to where commands are carried out."""
    leading = {
        (state, event)
        for state, event in product(State, Event)
        if state not in UNDER_WAY and next_state(state, event)[0] is State.PROGRAMMING
    }
    assert {(State.OPTION_SELECT, Event.PROGRAMMING_SELECTED)} == leading


def test_registers_are_sent_after_an_identification_only() -> None:
    """The readout follows an option select message, or in mode A the request itself."""
    sending = {
        (state, event)
        for state, event in product(State, Event)
        if next_state(state, event)[1] is Action.SEND_READOUT and event is not Event.REQUEST_TO_READ
    }
    assert {(State.OPTION_SELECT, Event.READOUT_SELECTED)} == sending


def test_noise_does_not_keep_a_line_open() -> None:
    """Only messages to this meter count as progress."""
    assert not PROGRESS & {Event.MALFORMED, Event.REQUEST_ELSEWHERE, Event.LATE, Event.IDLE}
