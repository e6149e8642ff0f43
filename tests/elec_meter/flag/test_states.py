from __future__ import annotations

from itertools import product

import pytest

from elec_meter.flag.states import PROGRESS, Action, Event, State, next_state


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_pair_leads_somewhere_that_ends(state: State, event: Event) -> None:
    """From anywhere, anything leads to a state from which a request is answered, or the end."""
    following, _ = next_state(state, event)

    if state is State.CLOSED or event is Event.IDLE:
        assert following is State.CLOSED
    else:
        assert (State.OPTION_SELECT, Action.IDENTIFY) == next_state(following, Event.REQUEST)


@pytest.mark.parametrize("state", [state for state in State if state is not State.CLOSED])
def test_what_a_state_does_not_expect_leads_back_to_sign_on(state: State) -> None:
    """Noise, a break and a request to somebody else are never answered."""
    for event in (Event.MALFORMED, Event.BREAK, Event.REQUEST_ELSEWHERE, Event.ACK, Event.LATE):
        assert (State.SIGN_ON, Action.NOTHING) == next_state(state, event)


def test_registers_are_sent_after_an_identification_only() -> None:
    """The readout follows an option select message, and no other event sends it."""
    sending = {
        (state, event)
        for state, event in product(State, Event)
        if next_state(state, event)[1] is Action.SEND_READOUT
    }
    assert {(State.OPTION_SELECT, Event.READOUT_SELECTED)} == sending


def test_noise_does_not_keep_a_line_open() -> None:
    """Only messages to this meter count as progress."""
    assert not PROGRESS & {Event.MALFORMED, Event.REQUEST_ELSEWHERE, Event.LATE, Event.IDLE}
