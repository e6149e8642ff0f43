from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elec_meter.access import Gate, Level, client_key, proof, stored_key
from elec_meter.flag import FlagPort, FlagSession, ProgrammingDesk
from elec_meter.flag.framing import command_message
from elec_meter.flag.reader import COMMAND_LIMIT
from fuzz.flag import FLAG_TARGETS, HONEST_EVERY, IdleActions
from fuzz.target import Target
from tests.elec_meter.flag.lines import (
    IDENTIFICATION,
    NOW,
    SELECT_READOUT,
    SIGN_ON,
    busy_meter,
    fed,
    flag_port,
    later,
)

METER = busy_meter()
SERIAL = METER.config.serial
CLIENT = client_key("supplier", bytes(16), Level.SUPPLIER)
SEED = bytes(16)
PROGRAM = b"\x06061\r\n"
PROOF = command_message("P2", f"(3,{proof(CLIENT, SERIAL, Level.SUPPLIER, SEED).hex()})")
WRONG = command_message("P2", f"(3,{bytes(32).hex()})")
COMMANDS = [
    command_message(*each)
    for each in (
        ("R1", "1.8.0()"),
        ("R1", "9.9.9()"),
        ("W1", "0-0:1.0.0;M6(-3)"),
        ("W1", "0-0:10.0.1;M1(1)"),
        ("W1", "0-0:128.50.4({})"),
        ("W1", "1.8.0(0)"),
    )
]
WORDS = [
    b"/?!\r\n",
    b"/?1!\r\n",
    b"\x06060\r\n",
    b"\x06061\r\n",
    b"\x15",
    b"\x01B0\x03q",
    b"/",
    b"\x06",
    SIGN_ON + PROGRAM,
    PROOF,
    WRONG,
    *COMMANDS,
]
PIECES = st.lists(
    st.tuples(st.sampled_from(WORDS) | st.binary(max_size=40), st.integers(0, 40_000)), max_size=30
)


def new_port() -> FlagPort:
    """A port that nobody has spoken at, whose meter's seed is always the same."""
    gate = Gate(lambda: SERIAL, lambda *_: None)
    gate.set_verifier(Level.SUPPLIER, bytes(16), stored_key(CLIENT), NOW)
    idle = IdleActions(METER.config)
    desk = ProgrammingDesk(
        gate=gate,
        now=lambda: NOW,
        directory=lambda: METER.directory,
        actions=lambda _level, _author: idle,
        clear_levels=tuple,
        draw=lambda _: SEED,
    )
    return flag_port(METER, desk=desk)


def test_the_words_lead_into_programming() -> None:
    """Signed on, a command is taken."""
    session = new_port().session(NOW)
    fed(session, SIGN_ON + PROGRAM)
    assert b"\x06" == fed(session, PROOF)
    assert b"\x06" == fed(session, COMMANDS[2])


@pytest.mark.parametrize("target", FLAG_TARGETS[:2], ids=lambda target: target.name)
def test_every_seed_of_the_fuzz_is_survived(target: Target) -> None:
    """Signed on as the supplier: there is no order that the fuzz's meter does not know."""
    feed, seeds = target.start()
    for _ in range(HONEST_EVERY):
        feed(b"")  # then the supplier signs on
    orders = [seed for seed in seeds if seed.startswith(b"\x01W")]
    assert orders
    for order in orders:
        feed(order)


def state_size(session: FlagSession) -> int:
    """Bytes that a session keeps: what was not understood yet, and the block to repeat."""
    return len(session._reader._buffer) + len(session._block)


@settings(max_examples=300)
@given(PIECES)
def test_any_bytes_at_any_time_are_survived(pieces: list[tuple[bytes, int]]) -> None:
    """Nothing raises, nothing grows, and a reader that signs on in time is answered."""
    session, at_ms = new_port().session(NOW), 0
    block = len(fed(new_port().session(NOW), SIGN_ON + SELECT_READOUT)) - len(IDENTIFICATION)
    for data, wait_ms in pieces:
        at_ms += wait_ms
        fed(session, data, later(at_ms))
        assert COMMAND_LIMIT + 3 + block >= state_size(session)
        due = session.next_timer()
        assert session.closed or due is not None
        assert due is None or due > later(at_ms)
    if not session.closed:
        assert fed(session, b"\r\n" + SIGN_ON, later(at_ms)).endswith(IDENTIFICATION)


@settings(max_examples=100)
@given(st.binary(max_size=4000))
def test_noise_is_never_answered_at_length(noise: bytes) -> None:
    """Bytes of chance do not make the meter talk, but for those that ask for a readout."""
    readout = len(fed(new_port().session(NOW), SIGN_ON + SELECT_READOUT))
    asked = noise.count(b"\x06") + noise.count(b"\x15")
    answer = fed(new_port().session(NOW), noise)
    assert len(noise) * 5 + 100 + asked * readout >= len(answer)
