"""The gate: what is a reading, and why everything else is not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import collector
from collector import (
    Fleet,
    FleetUnit,
    Ingest,
    MemoryKeystore,
    Refusal,
    Replayed,
    TelegramReceived,
    TooOld,
)
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.oms import seal_telegram
from shared.wire.seal import SEND_INSTALLATION
from shared.wire.telegram import encode_records
from shared.wire.wmbus import frame_a, unframe
from tests.collector.frames import KEY, SERIAL, heard, received, record, sealed, telegram


def _gate(**changes: object) -> Ingest:
    return Ingest(Fleet([FleetUnit(record(**changes))]), MemoryKeystore({SERIAL: KEY}))


def _plain(count: int, uptime_s: int = 2000, boot: int = 1) -> bytes:
    """A telegram in security mode 0: the address of a sealed one, and a short header."""
    said = telegram(count, uptime_s, reset_counter=boot)
    link = unframe(sealed(said, 1))
    plain = link[1:10] + b"\x7a\x01\x00\x00\x00" + encode_records(said)
    return frame_a(bytes([len(plain)]) + plain)


def test_authentic_telegram_is_received() -> None:
    """What a paired unit sealed comes out with its place in the order of sending."""
    outcome = _gate().receive(heard(7, 60, 3, reset_counter=2))
    assert isinstance(outcome, TelegramReceived)
    assert (SERIAL, 2, 3, 7, True) == (
        outcome.serial,
        outcome.boot,
        outcome.counter,
        outcome.telegram.count,
        outcome.is_authentic,
    )


def test_installation_telegram_is_a_reading_too() -> None:
    """What a unit sends at an installer's request (control 46) is received like any other."""
    outcome = _gate().receive(received(sealed(telegram(7), 3, control=SEND_INSTALLATION), 60))
    assert isinstance(outcome, TelegramReceived)
    assert (3, 7) == (outcome.counter, outcome.telegram.count)


def _flipped(place: int) -> bytes:
    data = bytearray(sealed(telegram(1), 1))
    data[place] ^= 1
    return bytes(data)


def _recrced(place: int) -> bytes:
    link = bytearray(unframe(sealed(telegram(1), 1)))
    link[place] ^= 1
    return frame_a(bytes(link))


_REFUSALS = [
    ("BadCrc", _flipped(20), None),
    ("BadMac", _recrced(-3), SERIAL),
    ("BadMac", sealed(telegram(1), 1, key=bytes(16)), SERIAL),
    ("MalformedFrame", b"", None),
    ("MalformedFrame", b"\x05" * 5, None),
    ("UnknownUnit", sealed(telegram(1), 1, serial="00000002"), "00000002"),
    ("UnknownUnit", sealed(telegram(1), 1, manufacturer="ABC"), SERIAL),
    ("WrongMedium", sealed(telegram(1), 1, medium=7), SERIAL),
    ("PlaintextDowngrade", _plain(5), SERIAL),
    ("MalformedRecord", frame_a(seal_telegram(AesBlock, KEY, SERIAL, b"\x01\x02", 1, 1)), SERIAL),
]


@pytest.mark.parametrize(("kind", "data", "serial"), _REFUSALS)
def test_refusal_has_its_own_type(kind: str, data: bytes, serial: str | None) -> None:
    """Each reason has its own event, which names the unit if the frame does."""
    outcome = _gate().receive(received(data, 5))
    assert isinstance(outcome, Refusal)
    assert (kind, serial, "test") == (type(outcome).__name__, outcome.serial, outcome.bearer)


def test_refused_telegram_leaves_no_trace() -> None:
    """After a telegram with a wrong MAC the right one with its counter is still welcome."""
    gate = _gate()
    gate.receive(received(_recrced(-3), 5))
    assert isinstance(gate.receive(received(sealed(telegram(1), 1), 6)), TelegramReceived)


def test_missing_key_is_told_from_a_wrong_one() -> None:
    """Without a key the refusal says that, not that the telegram is forged."""
    gate = Ingest(Fleet([FleetUnit(record())]), MemoryKeystore())
    assert isinstance(gate.receive(heard(1, 5, 1)), collector.KeyMissing)


def test_replay_is_refused_and_disorder_is_not() -> None:
    """Telegrams are accepted once each, in any order."""
    gate = _gate()
    outcomes = [gate.receive(heard(1, 5, counter)) for counter in (5, 3, 5, 4, 3)]
    assert [TelegramReceived, TelegramReceived, Replayed, TelegramReceived, Replayed] == [
        type(outcome) for outcome in outcomes
    ]


def test_too_old_is_refused() -> None:
    """A telegram 4096 behind the newest is not told from a replay, and 4095 behind it is."""
    gate = _gate()
    gate.receive(heard(1, 5, 5000))
    assert isinstance(gate.receive(heard(1, 5, 904)), TooOld)
    assert isinstance(gate.receive(heard(1, 5, 905)), TelegramReceived)


def test_count_and_flow_are_never_a_reason() -> None:
    """An authentic telegram is accepted whatever its count."""
    gate = _gate()
    counts = [10, 0, (1 << 32) - 1, 1 << 31, 3]
    for counter, count in enumerate(counts):
        outcome = gate.receive(heard(count, 5 + counter, counter))
        assert isinstance(outcome, TelegramReceived)


def test_unauthenticated_unit_must_rise() -> None:
    """Allowed plain text is taken while uptime and count rise, and is marked."""
    gate = _gate(allow_unauthenticated=True)
    first = gate.receive(received(_plain(5, 2000), 5))
    assert isinstance(first, TelegramReceived)
    assert not first.is_authentic
    assert isinstance(gate.receive(received(_plain(6, 2000), 6)), collector.NotRising)
    assert isinstance(gate.receive(received(_plain(4, 2900), 7)), collector.NotRising)
    assert isinstance(gate.receive(received(_plain(6, 2900), 8)), TelegramReceived)
    assert isinstance(gate.receive(received(_plain(6, 100, boot=2), 9)), TelegramReceived)
    assert isinstance(gate.receive(received(_plain(7, 9000, boot=1), 9)), collector.NotRising)


def test_reset_counter_of_an_unauthenticated_unit_wraps() -> None:
    """Boot 0 follows boot 65,535; what was received before the wrap stays refused after it."""
    gate = _gate(allow_unauthenticated=True)
    for boot, uptime_s in ((65_534, 500), (65_535, 90), (0, 3), (1, 2)):
        frame = received(_plain(5, uptime_s, boot=boot), 5)
        outcome = gate.receive(frame)
        assert isinstance(outcome, TelegramReceived)
        assert outcome.boot & 0xFFFF == boot
        assert isinstance(gate.receive(frame), collector.NotRising)
    assert isinstance(gate.receive(received(_plain(9, 900, boot=65_535), 5)), collector.NotRising)


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_noise_is_refused(data: bytes) -> None:
    """No bytes at all raise anything."""
    assert isinstance(_gate().receive(received(data, 5)), Refusal)


@given(
    st.integers(0, 400),
    st.lists(st.tuples(st.integers(0, 399), st.integers(1, 255)), max_size=4),
    st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_damaged_telegram_is_refused(
    length: int, changes: list[tuple[int, int]], with_crcs: bool
) -> None:
    """A telegram that was cut or changed is refused, or says what was sealed.

    Link fields such as the C field are covered by CRCs alone; they change no reading.
    """
    said = telegram(9, grid_count=5, grid_age_s=7, increments=(1, 2))
    data = bytearray(sealed(said, 1) if with_crcs else unframe(sealed(said, 1)))
    for place, change in changes:
        data[place % len(data)] ^= change
    damaged = bytes(data[:length])
    if not with_crcs and damaged:
        damaged = bytes([len(damaged) - 1]) + damaged[1:]
    outcome = _gate().receive(received(damaged, 5))
    if isinstance(outcome, TelegramReceived):
        assert (SERIAL, 1, said) == (outcome.serial, outcome.counter, outcome.telegram)


def test_placeholder_of_an_unauthenticated_unit_is_not_the_count_to_rise_from() -> None:
    """Behind a count of zero that is no wrap, the meter's next count is still taken."""
    gate = _gate(allow_unauthenticated=True, base_count=(1 << 31) + 10)
    for count, uptime_s in (((1 << 31) + 10, 2000), (0, 2100), ((1 << 31) + 11, 2200)):
        outcome = gate.receive(received(_plain(count, uptime_s), 5))
        assert isinstance(outcome, TelegramReceived)
