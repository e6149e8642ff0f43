"""The gate for the adverts of our units: counts and states, replays, and what is no advert."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import collector
from collector import (
    Collector,
    CountReceived,
    Fleet,
    FleetUnit,
    Ingest,
    MemoryKeystore,
    ReceivedFrame,
    Refusal,
    StateReceived,
    TelegramReceived,
    UnitPairedError,
    UnitRecordError,
)
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.advert import advert_key, count_objects, seal_advert, state_objects
from shared.wire.telegram import FLAG_LOW_BATTERY, FLAG_MAGNET, FLAG_TAMPER
from tests.collector.frames import KEY, SERIAL, at, heard, received, record

ADDRESS = bytes.fromhex("C0FFEE123456")
# docs: the demo's unit, 12,345 pulses, the last 77 s ago, 93 % of its battery and 1,234.567 m3
COUNT = bytes.fromhex("45B647742939D404BF8E24B40001000046E904C2")
STATE = bytes.fromhex("45C485A6A24F9F84E7DA65F8331601010000D84FB4B0")


def _gate(**changes: object) -> Ingest:
    unit = FleetUnit(record(**({"address": ADDRESS} | changes)))
    return Ingest(Fleet([unit]), MemoryKeystore({SERIAL: KEY}))


def _advert(data: bytes, seconds: float = 5, **changes: object) -> ReceivedFrame:
    return replace(received(data, seconds, 60), **({"address": ADDRESS} | changes))


def _sealed(objects: bytes, counter: int, key: bytes = KEY) -> bytes:
    return seal_advert(AesBlock, advert_key(AesBlock, key, ADDRESS), ADDRESS, objects, counter)


def _count(count: int, counter: int) -> ReceivedFrame:
    return _advert(_sealed(count_objects(counter & 0xFF, count, None), counter))


def test_published_count_is_received() -> None:
    """The documented advert counts 12,345 pulses, and nothing else is told."""
    outcome = _gate().receive(_advert(COUNT))
    assert isinstance(outcome, CountReceived)
    assert (SERIAL, 12_345, True, True, None, 60) == (
        outcome.serial,
        outcome.count,
        outcome.is_advert,
        outcome.is_authentic,
        outcome.error_flags,
        outcome.delay_max_s,
    )
    assert (0, 256) == outcome.key


def test_published_state_is_received() -> None:
    """The documented other advert tells battery, flags and dial, and no count."""
    outcome = _gate().receive(_advert(STATE))
    assert isinstance(outcome, StateReceived)
    assert (SERIAL, 93, 0, 1_234_567, (0, 257)) == (
        outcome.serial,
        outcome.battery_percent,
        outcome.error_flags,
        outcome.volume_l,
        outcome.key,
    )


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (FLAG_LOW_BATTERY, FLAG_LOW_BATTERY),
        (FLAG_TAMPER, FLAG_TAMPER),
        (FLAG_MAGNET, FLAG_TAMPER),
        (FLAG_LOW_BATTERY | FLAG_TAMPER, FLAG_LOW_BATTERY | FLAG_TAMPER),
    ],
)
def test_state_tells_battery_and_tampering(told: int, expected: int) -> None:
    """An advert does not tell a magnet from an open loop."""
    outcome = _gate().receive(_advert(_sealed(state_objects(1, 5, told, None), 1)))
    assert isinstance(outcome, StateReceived)
    assert (expected, 5, None) == (outcome.error_flags, outcome.battery_percent, outcome.volume_l)


@pytest.mark.parametrize("count", [0, (1 << 32) - 1])
def test_count_that_may_be_a_placeholder_is_left_to_the_fold(count: int) -> None:
    """A unit's count may wrap: whether it did is told by what was heard before and after."""
    outcome = _gate(base_count=17).receive(_count(count, 8))
    assert isinstance(outcome, CountReceived)
    assert count == outcome.count


def test_dial_of_all_ones_is_no_data() -> None:
    """A volume of FFFFFFFF litres is not known."""
    objects = state_objects(1, 5, 0, 0xFFFFFFFF)
    outcome = _gate().receive(_advert(_sealed(objects, 1)))
    assert isinstance(outcome, StateReceived)
    assert outcome.volume_l is None


@pytest.mark.parametrize(
    ("kind", "frame"),
    [
        ("UnknownUnit", _advert(COUNT, address=bytes(6))),
        ("UnknownUnit", _advert(COUNT, address=b"")),
        ("BadMac", _advert(_sealed(count_objects(1, 1, None), 1, bytes(16)))),
        ("BadMac", _advert(COUNT[:-1] + b"\x00")),
        ("BadMac", _advert(COUNT[:-5] + b"\x01" + COUNT[-4:])),
        ("PlaintextDowngrade", _advert(b"\x44" + count_objects(1, 12_345, None))),
        ("MalformedFrame", _advert(b"")),
        ("MalformedFrame", _advert(COUNT[:6])),
        ("UnsupportedFrame", _advert(b"\x21" + COUNT[1:])),
    ],
)
def test_refusal_has_its_own_type(kind: str, frame: ReceivedFrame) -> None:
    """Strangers, forgeries, plain adverts and nonsense are told apart."""
    outcome = _gate(allow_unauthenticated=True).receive(frame)
    assert isinstance(outcome, Refusal)
    assert (kind, None if kind == "UnknownUnit" else SERIAL) == (
        type(outcome).__name__,
        outcome.serial,
    )


def test_advert_without_a_key_is_told_from_a_forged_one() -> None:
    """A unit whose key is not in the keystore misses it."""
    gate = Ingest(Fleet([FleetUnit(record(address=ADDRESS))]), MemoryKeystore())
    assert isinstance(gate.receive(_advert(COUNT)), collector.KeyMissing)


def test_adverts_are_taken_once_in_any_order() -> None:
    """Within 4,096 of the newest each is taken once; a low counter is nothing special."""
    gate = _gate()
    counters = (5_000, 4_998, 5_000, 904, 905, 60, 4_998)
    kinds = [type(gate.receive(_count(7, counter))).__name__ for counter in counters]
    assert [
        "CountReceived",
        "CountReceived",
        "Replayed",
        "TooOld",
        "CountReceived",
        "TooOld",
        "Replayed",
    ] == kinds


def test_adverts_and_telegrams_have_orders_of_their_own() -> None:
    """The same counter in an advert and in a telegram makes neither a replay."""
    gate = _gate()
    assert isinstance(gate.receive(heard(7, 5, 9_000)), TelegramReceived)
    assert isinstance(gate.receive(_count(7, 9_000)), CountReceived)
    assert isinstance(gate.receive(_count(7, 3)), collector.TooOld)
    replayed = gate.receive(_count(7, 9_000))
    assert isinstance(replayed, collector.Replayed)
    assert replayed.is_advert


def test_recording_is_refused_for_ever() -> None:
    """An advert replayed a day later, after a restart, or with a counter below 100 is refused."""
    connection, keys = sqlite3.connect(":memory:"), MemoryKeystore()
    first = Collector(connection, keys, at(0))
    first.pair(record(address=ADDRESS), KEY, at(0))
    early, state = _count(7, 60), _advert(_sealed(state_objects(61, 9, 0, None), 61))

    def kinds(to: Collector, seconds: float, *frames: ReceivedFrame) -> list[str]:
        told = [to.receive(frame, at(seconds)) for frame in frames]
        return [type(events[0]).__name__ for events in told]

    assert ["CountReceived", "StateReceived"] == kinds(first, 5, early, state)
    assert ["Replayed", "Replayed"] == kinds(first, 86_400, early, state)
    again = Collector(connection, keys, at(90_000))
    assert ["Replayed", "Replayed"] == kinds(again, 90_000, early, state)
    assert ["CountReceived"] == kinds(again, 90_001, _count(9, 6_000))
    third = Collector(connection, keys, at(99_000))
    assert ["TooOld", "Replayed"] == kinds(third, 99_000, early, state)
    assert ADDRESS == third.unit(SERIAL).address


def test_adverts_move_the_register() -> None:
    """A count that an advert tells is in the register at once, and once."""
    told = Collector(sqlite3.connect(":memory:"), MemoryKeystore(), at(0))
    told.pair(record(address=ADDRESS, base_count=100), KEY, at(0))
    for count, counter, register in ((107, 60, 7), (107, 60, 7), (112, 64, 12), (109, 62, 12)):
        told.receive(_count(count, counter), at(counter))
        assert register == told.register(SERIAL)
    told.receive(_advert(_sealed(state_objects(66, 9, 0, None), 66)), at(66))
    assert 12 == told.register(SERIAL)


@given(st.binary(max_size=40))
@settings(max_examples=100, deadline=None)
def test_noise_is_refused(data: bytes) -> None:
    """No service data at all raise anything."""
    assert isinstance(_gate().receive(_advert(data)), Refusal)


def test_address_is_one_units() -> None:
    """Two units cannot advertise from one address, and an address has six bytes."""
    with pytest.raises(UnitRecordError):
        record(address=b"12345")
    two = [FleetUnit(record(serial=serial, address=ADDRESS)) for serial in ("00000001", "00000002")]
    with pytest.raises(UnitPairedError, match="c0:ff:ee:12:34:56"):
        Fleet(two)
