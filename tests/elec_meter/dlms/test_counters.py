from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.dlms.ciphering import COUNTER_MAX, Keys
from elec_meter.dlms.counters import TITLES_MAX, InvocationCounters
from elec_meter.dlms.errors import EncodingError, MalformedError, ReplayError

KEYS = Keys(bytes(16), bytes(16))
OTHER = Keys(bytes(15) + b"\x01", bytes(16))
TITLE = b"HHY\x00\x00\x00\x00\x01"
STRANGER = b"HHY\x00\x00\x00\x00\x02"


def test_what_is_sent_never_repeats() -> None:
    """For one key; another has counters of its own."""
    counters = InvocationCounters()

    assert [1, 2, 3] == [counters.next_sent(KEYS) for _ in range(3)]
    assert 1 == counters.next_sent(OTHER)
    assert 4 == InvocationCounters(counters.state()).next_sent(KEYS)


def test_what_was_heard_is_not_heard_again() -> None:
    """Nor anything before it, from that sender with that key; and not after a restart either."""
    counters = InvocationCounters()
    counters.heard(KEYS, TITLE, 0)
    counters.heard(KEYS, TITLE, 7)
    for again in (counters, InvocationCounters(counters.state())):
        for counter in (0, 6, 7):
            with pytest.raises(ReplayError) as caught:
                again.heard(KEYS, TITLE, counter)
            assert 8 == caught.value.lowest
        again.require(KEYS, TITLE, 8)
        again.require(KEYS, STRANGER, 0)
        again.require(OTHER, TITLE, 0)
        assert 7 == again.highest_heard(KEYS)
    assert 0 == counters.highest_heard(OTHER)


def test_the_last_counter_can_be_used_once() -> None:
    """Then the key has to be changed."""
    counters = InvocationCounters()
    counters.heard(KEYS, TITLE, COUNTER_MAX)
    again = InvocationCounters(counters.state())
    with pytest.raises(ReplayError):
        again.heard(KEYS, TITLE, COUNTER_MAX)
    again._of(KEYS).next_sent = COUNTER_MAX
    assert COUNTER_MAX == again.next_sent(KEYS)
    with pytest.raises(EncodingError):
        InvocationCounters(again.state()).next_sent(KEYS)


HEARD = st.lists(
    st.tuples(st.integers(0, 40).map(lambda n: n.to_bytes(8, "big")), st.integers(0, 300)),
    max_size=120,
)


@given(HEARD)
def test_nothing_is_heard_twice_however_many_speak(heard: list[tuple[bytes, int]]) -> None:
    """And no more is kept than stated."""
    counters, taken = InvocationCounters(), set()
    for title, counter in heard:
        try:
            counters.heard(KEYS, title, counter)
        except ReplayError:
            continue
        assert (title, counter) not in taken
        taken.add((title, counter))
        counters = InvocationCounters(counters.state())
        assert TITLES_MAX >= len(counters._of(KEYS).lowest)
        assert counters.highest_heard(KEYS) == max(each for _, each in taken)
        counters.require(KEYS, title, counter + 1)


@pytest.mark.parametrize("state", [b"\x02", b"\x01", b"\x01\x00\x00\x00\x00\x01abc", bytes(3)])
def test_a_damaged_state_is_refused(state: bytes) -> None:
    """Rather than counters that begin again."""
    with pytest.raises(MalformedError):
        InvocationCounters(state)
