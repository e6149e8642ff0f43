"""The gate for security mode 10 and for format frames of other makers' meters."""

from __future__ import annotations

import sqlite3

import pytest

import collector
from collector import Collector, CountReceived, Ingest, MemoryKeystore, ReceivedFrame
from collector.fleet import Fleet, FleetUnit
from shared.wire.crc import crc_en13757
from shared.wire.records import heads_of
from shared.wire.seal import link_address
from shared.wire.wmbus import frame_a
from tests.collector.frames import at, received, record
from tests.shared.wire.test_compact import OTHER, compacted
from tests.shared.wire.test_mode_10 import KEY, TELEGRAM, sealed

KAMSTRUP = "53820306"
METER = "12345678"


def meter(**changes: object) -> collector.UnitRecord:
    """The mode 10 meter, as it is paired."""
    fixed: dict[str, object] = {
        "serial": KAMSTRUP,
        "manufacturer": "KAW",
        "medium": 0x16,
        "selector": "volume",
    }
    return record(**(fixed | changes))


def water(litres: int, counter: int) -> ReceivedFrame:
    """A telegram with a volume, in hundreds of litres as that meter sends them."""
    records = b"\x04\x15" + (litres // 100).to_bytes(4, "little")
    return received(frame_a(sealed(records, counter)), counter)


def test_mode_10_proves_what_it_says() -> None:
    """A meter of profile D needs no permission to prove nothing, and its counter is its order."""
    gate = Ingest(Fleet([FleetUnit(meter())]), MemoryKeystore({KAMSTRUP: KEY}))
    outcome = gate.receive(water(1_200, 1_000_000))
    assert isinstance(outcome, CountReceived)
    assert (120, True, (0, 1_000_000)) == (outcome.count, outcome.is_authentic, outcome.key)
    assert isinstance(gate.receive(received(TELEGRAM, 5)), collector.NoCount)  # zero after more
    missing = Ingest(Fleet([FleetUnit(meter())]), MemoryKeystore())
    assert isinstance(missing.receive(received(TELEGRAM, 5)), collector.KeyMissing)


def test_mode_10_is_replayed_in_vain() -> None:
    """A day later, after a restart, and with a counter below 100."""
    connection, keys = sqlite3.connect(":memory:"), MemoryKeystore()
    first = Collector(connection, keys, at(0))
    first.pair(meter(), KEY, at(0))
    early = water(100, 60)

    def kind(to: Collector, frame: ReceivedFrame, seconds: float) -> str:
        return type(to.receive(frame, at(seconds))[0]).__name__

    assert "CountReceived" == kind(first, early, 60)
    assert "Replayed" == kind(first, early, 86_460)
    again = Collector(connection, keys, at(90_000))
    assert "Replayed" == kind(again, early, 90_000)
    assert "CountReceived" == kind(again, water(200, 6_000), 90_001)
    third = Collector(connection, keys, at(99_000))
    assert "TooOld" == kind(third, water(300, 61), 99_000)
    assert 20 == third.register(KAMSTRUP)


@pytest.mark.parametrize("bit", range(0, 8 * len(TELEGRAM), 3))
def test_mode_10_with_a_changed_bit_is_no_reading(bit: int) -> None:
    """Whatever is changed, the count stays unread."""
    frame = bytearray(sealed(b"\x04\x15\x0c\x00\x00\x00", 1_000_000))
    if bit // 8 >= len(frame) or bit // 8 == 1 or 10 <= bit // 8 < 13:
        return  # link layer fields that no MAC covers, and that say nothing of a count
    frame[bit // 8] ^= 1 << bit % 8
    gate = Ingest(Fleet([FleetUnit(meter())]), MemoryKeystore({KAMSTRUP: KEY}))
    assert not isinstance(gate.receive(received(bytes(frame), 5)), CountReceived)


def plain(ci: int, content: bytes) -> bytes:
    """A message without a transport header, behind an extended link layer."""
    link = b"\x44" + link_address(METER, "ELS", 1, 3) + b"\x8c\x20\x01" + bytes([ci]) + content
    return bytes([len(link)]) + link


def test_compact_frames_are_read_once_their_format_was_told() -> None:
    """A format frame alone teaches as much as a full frame does, and is no reading itself."""
    unit = meter(
        serial=METER, manufacturer="ELS", medium=3, allow_unauthenticated=True, selector="0c13"
    )
    gate = Ingest(Fleet([FleetUnit(unit)]), MemoryKeystore())
    compact = received(plain(0x79, compacted(OTHER)), 1)
    assert isinstance(gate.receive(compact), collector.UnsupportedFrame)
    heads = heads_of(OTHER)
    told = crc_en13757(heads).to_bytes(2, "little") + heads
    outcome = gate.receive(received(plain(0x69, told), 2))
    assert isinstance(outcome, collector.NoCount)
    assert "the frame tells a format and no count" == outcome.reason
    outcome = gate.receive(compact)
    assert isinstance(outcome, CountReceived)
    assert 1_020_304 // 10 == outcome.count
