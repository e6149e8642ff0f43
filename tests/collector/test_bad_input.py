"""Bad input of every kind that no other test of its own has: bits, replays, and a torn journal."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from collector import (
    Collector,
    Fleet,
    FleetUnit,
    Ingest,
    MemoryKeystore,
    ReceivedFrame,
    Refusal,
    TelegramReceived,
)
from collector.decode import decode_advert, decode_telegram
from collector.pairing import PairingSession
from collector.particulars import PairingPlan
from collector.station import Station
from collector.storage.directory import DATABASE_NAME, DataDirectory
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.advert import advert_key, count_objects, seal_advert
from shared.wire.errors import WireError
from shared.wire.wmbus import LINK_HEADER, unframe
from tests.collector.bench import Bench, meter
from tests.collector.frames import KEY, SERIAL, at, heard, received, record, sealed, telegram

ADDRESS = bytes.fromhex("C0FFEE123456")
SAID = telegram(4_321, 90_000, grid_count=4_300, grid_age_s=600, increments=(3, 0, 250))
SENDER = range(2, LINK_HEADER)
# What no MAC covers and no reading is in: the C field, a bit of the maker's code that is in none of
# its letters, the version, and the number of the only fragment.
UNCOVERED = (1, 3, 8, 12)


def gate() -> Ingest:
    """For the tests' unit, which advertises too."""
    unit = FleetUnit(record(address=ADDRESS))
    return Ingest(Fleet([unit]), MemoryKeystore({SERIAL: KEY}))


def flipped(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The data with each of its bits turned, and the byte in which that is."""
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        yield bit // 8, bytes(changed)


def advert(count: int, counter: int, seconds: float) -> ReceivedFrame:
    """An advert with a count."""
    key = advert_key(AesBlock, KEY, ADDRESS)
    data = seal_advert(AesBlock, key, ADDRESS, count_objects(counter & 255, count, None), counter)
    return replace(received(data, seconds, 60), address=ADDRESS)


@pytest.mark.parametrize("has_crcs", [True, False])
def test_no_turned_bit_of_a_telegram_yields_another_value(*, has_crcs: bool) -> None:
    """With its CRCs every turned bit is refused; without, the MAC refuses all that it covers."""
    data = sealed(SAID, 7) if has_crcs else unframe(sealed(SAID, 7))
    for place, changed in flipped(data):
        outcome = gate().receive(received(changed, 5))
        if place in UNCOVERED and not has_crcs and isinstance(outcome, TelegramReceived):
            assert (SAID, 7) == (outcome.telegram, outcome.counter)
            continue
        assert isinstance(outcome, Refusal), place


def test_no_turned_bit_of_a_telegram_is_decoded_as_another_value() -> None:
    """Whoever sends may be another's name where no MAC covers it; what is said never is."""
    data = unframe(sealed(SAID, 7))
    records = decode_telegram(data, KEY)["records"]
    for place, changed in flipped(data):
        if place in UNCOVERED or place in SENDER:
            with suppress(WireError):
                assert records == decode_telegram(changed, KEY)["records"]
            continue
        with pytest.raises(WireError):
            decode_telegram(changed, KEY)


def test_no_turned_bit_of_an_advert_yields_a_value() -> None:
    """Whichever it is, of the objects, the counter, the MAC or the information byte."""
    frame = advert(4_321, 77, 5)
    for place, changed in flipped(frame.data):
        outcome = gate().receive(replace(frame, data=changed))
        assert isinstance(outcome, Refusal), place
    for place, changed in flipped(ADDRESS):
        outcome = gate().receive(replace(frame, address=changed))
        assert isinstance(outcome, Refusal), place
        with pytest.raises(WireError):
            decode_advert(frame.data, changed, KEY)


def test_a_telegram_of_a_unit_is_replayed_in_vain() -> None:
    """A day later, after a restart of the collector, and with a message counter below 100."""
    connection, keys = sqlite3.connect(":memory:"), MemoryKeystore()
    first = Collector(connection, keys, at(0))
    first.pair(record(), KEY, at(0))

    def kind(to: Collector, frame: ReceivedFrame, seconds: float) -> str:
        again = replace(frame, received_utc=at(seconds))
        return type(to.receive(again, at(seconds))[0]).__name__

    early, other = heard(3, 10, 60), heard(4, 20, 61)
    assert "TelegramReceived" == kind(first, early, 10)
    assert "Replayed" == kind(first, early, 86_410)
    again = Collector(connection, keys, at(90_000))
    assert "Replayed" == kind(again, early, 90_000)
    assert "TelegramReceived" == kind(again, heard(9, 90_010, 6_000), 90_010)
    third = Collector(connection, keys, at(99_000))
    assert ["Replayed", "TooOld"] == [kind(third, frame, 99_000) for frame in (early, other)]
    assert 9 == third.register(SERIAL)


def tear(home: Path, scratch: Path, log: bytes) -> Path:
    """A directory as a power cut would leave it, with so much of the database's log."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    for name in (DATABASE_NAME, "keys.json"):
        shutil.copy(home / name, scratch / name)
    (scratch / f"{DATABASE_NAME}-wal").write_bytes(log)
    return scratch


def test_a_torn_journal_keeps_what_was_told(tmp_path: Path) -> None:
    """Wherever its log ends, or is garbage from there on, the register is one that was told."""
    home, bench = tmp_path / "home", Bench()
    told: list[tuple[int, int]] = []
    with DataDirectory.open(home) as directory:
        directory.connection.execute("PRAGMA wal_autocheckpoint = 0")
        station = Station(directory, bench.now)
        pairing = PairingSession(station.plan(PairingPlan(test_pulses=0)))
        bench.pair(pairing, meter())
        station.commit(pairing.outcome(), bench.now)
        directory.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for _ in range(3):
            bench.turn(7)
            bench.step(lambda frame, when: station.receive([frame], when), 900)
            log = (home / f"{DATABASE_NAME}-wal").stat().st_size
            told.append((log, station.collector.register(SERIAL)))
        whole = (home / f"{DATABASE_NAME}-wal").read_bytes()
        shutil.copytree(home, tmp_path / "kept")
    assert sorted({register for _, register in told}) == [register for _, register in told]
    rng = random.Random(8)
    ends = {size for size, _ in told} | {rng.randrange(len(whole)) for _ in range(40)}
    for end in sorted(ends):
        for tail in (b"", rng.randbytes(5_000)):
            torn = tear(tmp_path / "kept", tmp_path / "torn", whole[:end] + tail)
            durable = max((register for size, register in told if size <= end), default=0)
            with DataDirectory.open(torn) as directory:
                again = Station(directory, bench.now)
                assert durable <= again.collector.register(SERIAL) <= told[-1][1]
            with closing(sqlite3.connect(torn / DATABASE_NAME)) as connection:
                assert "ok" == connection.execute("PRAGMA integrity_check").fetchone()[0]
