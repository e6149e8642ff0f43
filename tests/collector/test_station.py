from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from collector import Keystore, KeystoreError, UnitPairedError, UnitUnknownError
from collector.certificate import certificate_html
from collector.dial import DialReading
from collector.errors import (
    DirectoryError,
    DirectoryInUseError,
    IndexLowerError,
    PairingError,
    StorageFailedError,
)
from collector.events import KeyMissing, TelegramReceived
from collector.pairing import PairingSession
from collector.particulars import PairingPlan
from collector.segments import channel_segments, register_l
from collector.station import Station
from collector.storage.directory import APPLICATION_ID, DataDirectory
from elec_meter import Storage
from elec_meter.storage import schema
from shared.exact_json import exact_json
from shared.label import UnitLabel
from tests.collector.bench import BEGIN_MS, LABEL, MPRN, Bench, meter
from tests.collector.frames import KEY, SERIAL

OTHER = UnitLabel("00000002", bytes(range(16)), "654321")


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[DataDirectory]:
    """An open data directory."""
    with DataDirectory.open(tmp_path / "home") as opened:
        yield opened


@pytest.fixture
def bench() -> Bench:
    """A unit that has counted before."""
    bench = Bench()
    bench.turn(5)
    bench.step(lambda *_: None, 60)
    return bench


def through(bench: Bench, station: Station, seconds: int = 1000) -> list[object]:
    """Let time pass; what is heard goes to the station."""
    events: list[object] = []
    bench.step(lambda frame, at: events.extend(station.receive([frame], at)), seconds)
    return events


def paired(bench: Bench, station: Station, dial: str = "01234.567", **how: object) -> dict:
    """Pair the bench's unit."""
    label = how.pop("label", LABEL)
    exchanges = how.get("exchanges")
    pairing = PairingSession(station.plan(PairingPlan(), exchanges=exchanges))
    bench.pair(pairing, meter(dial, **how.pop("meter", {})), label)
    return station.commit(pairing.outcome(), bench.now, installer="Ada", **how)


def volume_l(station: Station, channel: str = "gas") -> Fraction:
    """The channel's register."""
    segments = channel_segments(station.pairings.segments(), channel)
    return register_l(segments, station.collector.register)


def test_a_pairing_is_committed_with_its_certificate(
    directory: DataDirectory, bench: Bench
) -> None:
    """Unit, key, meter, dial and certificate are there after a restart, and pulses count on."""
    station = Station(directory, bench.now)
    document = paired(bench, station)
    assert 30 == volume_l(station)  # the test burn is consumption
    bench.turn(4)
    events = through(bench, station)
    assert any(isinstance(event, TelegramReceived) for event in events)
    assert 70 == volume_l(station)
    again = Station(directory, bench.now)
    assert 70 == volume_l(again)
    segment = again.open_segments()[SERIAL]
    assert (MPRN, "G4 A 123", "1234.637 m3") == (
        segment.mprn,
        segment.meter_serial,
        str(segment.dial_at(again.collector.register(SERIAL))),
    )
    assert KEY == Keystore.open(directory.path).get(SERIAL)
    assert [document] == again.pairings.certificates()


def test_what_a_certificate_says(directory: DataDirectory, bench: Bench) -> None:
    """Unit, meter, index, signal, time and installer, as JSON with exact numbers."""
    document = json.loads(exact_json(paired(bench, Station(directory, bench.now))))
    assert (1, "pairing", "Ada", "gas") == tuple(
        document[name] for name in ("certificate", "kind", "installer", "channel")
    )
    assert {"mprn": MPRN, "serial": "G4 A 123", "pulse_weight_l": 10, "max_flow_l_h": 6000} == (
        document["meter"]
    )
    index = document["index"]
    assert ("1234.567 m3", 1234567, 5, 1234567) == (
        index["dial"],
        index["litres"],
        index["count"],
        index["dial_offset_l"],
    )
    assert {"pulses": 3, "expected": "1234.597 m3"} == document["test_burn"]
    assert "virtual" == document["signal"]["bearer"]
    assert -105 <= document["signal"]["rssi_dbm"] <= -45
    assert document["settings"]["configured"] is True
    assert document["replaces"] is None


def test_the_certificate_is_a_page_to_print(directory: DataDirectory, bench: Bench) -> None:
    """One HTML file without scripts, whatever was typed is text in it."""
    station = Station(directory, bench.now)
    pairing = PairingSession(station.plan(PairingPlan()))
    bench.pair(pairing)
    document = station.commit(pairing.outcome(), bench.now, installer="<b>Ada & co</b>")
    page = certificate_html(document)
    assert "&lt;b&gt;Ada &amp; co&lt;/b&gt;" in page
    for said in (MPRN, "G4 A 123", SERIAL, "1234.567 m3", "1234.597 m3", "dBm"):
        assert said in page
    assert "<script" not in page


def test_no_key_in_listings_certificates_or_database(
    directory: DataDirectory, bench: Bench
) -> None:
    """Only the keystore has it, and only its owner reads that."""
    station = Station(directory, bench.now)
    document = paired(bench, station)
    through(bench, station)
    shown = certificate_html(document) + exact_json(document) + repr(station.open_segments())
    assert KEY.hex() not in shown.lower()
    directory.close()
    for path in directory.path.iterdir():
        content = path.read_bytes()
        assert (path.name == "keys.json") is (KEY.hex().encode() in content.lower()), path.name
        assert KEY not in content
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_unpairing_keeps_what_was_counted(directory: DataDirectory, bench: Bench) -> None:
    """The channel's register stands still, the key is gone, and nothing more is taken."""
    station = Station(directory, bench.now)
    paired(bench, station)
    document = station.unpair(
        SERIAL, bench.now, installer="Ada", dial=DialReading.parse("1234.599")
    )
    assert (2, "unpairing", "1234.597 m3", "1234.599 m3") == (
        document["certificate"],
        document["kind"],
        document["replaces"]["final_index"],
        document["replaces"]["dial_read"],
    )
    assert "1234.597 m3" in certificate_html(document)
    assert Keystore.open(directory.path).get(SERIAL) is None
    bench.turn(9)
    events = through(bench, station)
    assert {KeyMissing} == {type(event) for event in events}
    assert 30 == volume_l(station)
    with pytest.raises(UnitUnknownError):
        station.unpair(SERIAL, bench.now)


def test_a_unit_that_is_paired_again(directory: DataDirectory, bench: Bench) -> None:
    """What it counted in between is nobody's consumption, and a meter's dial may not go back."""
    station = Station(directory, bench.now)
    paired(bench, station)
    station.unpair(SERIAL, bench.now)
    bench.turn(9)
    through(bench, station)
    station = Station(directory, bench.now)
    with pytest.raises(IndexLowerError):
        paired(bench, station, "1234.500")
    document = paired(bench, station, "1234.700")
    assert 60 == volume_l(station)
    bench.turn(1)
    bench.press()
    through(bench, station)
    assert 70 == volume_l(station)
    assert "1234.74" in str(
        station.open_segments()[SERIAL].dial_at(station.collector.register(SERIAL))
    )
    assert 1234700 - 30 == document["index"]["dial_offset_l"]


def test_a_unit_is_exchanged(directory: DataDirectory, bench: Bench) -> None:
    """Old final index, new first: the register goes on, and what nobody counted is told."""
    station = Station(directory, bench.now)
    paired(bench, station)
    fresh = Bench(OTHER.serial, OTHER.key, at_ms=bench.now_ms)
    with pytest.raises(PairingError, match="00000001 feeds the channel gas"):
        station.plan(PairingPlan())
    document = paired(fresh, station, "1234.617", label=OTHER, exchanges=SERIAL)
    assert "exchange" == document["kind"]
    assert {"unit": SERIAL, "pulses": 3, "final_index": "1234.597 m3"}.items() <= (
        document["replaces"].items()
    )
    assert 20 == document["index"]["unmetered_l"]
    assert 60 == volume_l(station)
    assert {OTHER.serial} == set(station.open_segments())
    assert Keystore.open(directory.path).get(SERIAL) is None
    assert OTHER.key == Keystore.open(directory.path).get(OTHER.serial)
    bench.turn(9)  # the old one, in a drawer
    through(bench, station)
    assert 60 == volume_l(station)
    fresh.turn(2)
    through(fresh, station)
    assert 80 == volume_l(station)


def test_a_meter_is_exchanged(directory: DataDirectory, bench: Bench) -> None:
    """The same unit goes on with another weight from the count at which its new dial was read."""
    station = Station(directory, bench.now)
    paired(bench, station)
    new = {"meter_serial": "E6 V 9", "weight": "1 ft3", "dial_unit": "100ft3"}
    document = paired(bench, station, "0012.3", exchanges=SERIAL, meter=new)
    assert "E6 V 9" == document["meter"]["serial"]
    assert 0 == document["index"]["unmetered_l"]
    cubic_foot = Fraction("28.316846592")
    assert 30 + 3 * cubic_foot == volume_l(station)
    bench.turn(2)
    through(bench, station)
    assert 30 + 5 * cubic_foot == volume_l(station)
    assert "12.350 100ft3" == str(
        station.open_segments()[SERIAL].dial_at(station.collector.register(SERIAL))
    )


def test_an_exchange_of_nobody_is_refused(directory: DataDirectory, bench: Bench) -> None:
    """A serial that is not paired, before anything is asked."""
    with pytest.raises(UnitUnknownError):
        Station(directory, bench.now).plan(PairingPlan(), exchanges="00000009")


def test_a_paired_unit_is_not_paired_to_another_channel(
    directory: DataDirectory, bench: Bench
) -> None:
    """One unit has one meter."""
    station = Station(directory, bench.now)
    paired(bench, station)
    pairing = PairingSession(station.plan(PairingPlan(channel="gas 2")))
    with pytest.raises(UnitPairedError):
        pairing.give_identity(LABEL.serial, LABEL.key, bench.now)


def test_a_full_disk_at_the_commit_leaves_nothing(directory: DataDirectory, bench: Bench) -> None:
    """No unit, no key, no certificate; with room it is committed after all."""
    station = Station(directory, bench.now)
    pairing = PairingSession(station.plan(PairingPlan()))
    bench.pair(pairing)
    connection = directory.connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    wordy = "A" * 9000  # no page has room for it
    with pytest.raises(StorageFailedError, match="the disk is full"):
        station.commit(pairing.outcome(), bench.now, installer=wordy)
    assert {} == station.open_segments()
    assert Keystore.open(directory.path).get(SERIAL) is None
    assert [] == station.pairings.certificates()
    connection.execute("PRAGMA max_page_count = 1000000")
    document = station.commit(pairing.outcome(), bench.now)
    assert [document] == station.pairings.certificates()
    assert KEY == Keystore.open(directory.path).get(SERIAL)


def test_a_keystore_that_cannot_be_written_leaves_nothing(
    directory: DataDirectory, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database has no unit whose key nobody has."""
    station = Station(directory, bench.now)
    pairing = PairingSession(station.plan(PairingPlan()))
    bench.pair(pairing)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(KeystoreError, match="No space left"):
        station.commit(pairing.outcome(), bench.now)
    monkeypatch.undo()
    assert {} == Station(directory, bench.now).open_segments()
    assert () == Station(directory, bench.now).collector.serials


def test_frames_wait_for_a_locked_database(directory: DataDirectory, bench: Bench) -> None:
    """Nothing is told meanwhile, nothing is lost, and it goes on when the lock is gone."""
    station = Station(directory, bench.now)
    paired(bench, station)
    directory.connection.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(directory.path / "meter.sqlite")
    other.execute("BEGIN IMMEDIATE")
    refused = []

    def hear(frame: object, at: object) -> None:
        try:
            station.receive([frame], at)
        except StorageFailedError as error:
            refused.append(str(error))

    bench.turn(4)
    bench.step(hear, 2000)
    assert refused
    assert all("another program has locked it" in sentence for sentence in refused)
    assert len(refused) == station.waiting
    other.rollback()
    other.close()
    events = station.receive([], bench.now)
    assert len(refused) == len([e for e in events if isinstance(e, TelegramReceived)])
    assert (0, 70) == (station.waiting, volume_l(station))


def test_what_waited_for_days_counts_as_of_when_it_came(
    directory: DataDirectory, bench: Bench
) -> None:
    """Half-hours of more than two days ago are measured by telegrams that the disk takes now."""
    station = Station(directory, bench.now)
    paired(bench, station)
    bench.turn(600)
    bench.step(lambda frame, _: station.hold([frame]), 3 * 86_400)
    station.receive((), bench.now)
    rows = station.collector.half_hours(SERIAL, BEGIN_MS // 1000, BEGIN_MS // 1000 + 2 * 86_400)
    assert 603 == sum(row.pulses for row in rows)
    assert {0} == {int(row.status) for row in rows[1:]}


def test_a_key_that_a_crash_left_behind_goes_at_the_next_start(
    directory: DataDirectory, bench: Bench
) -> None:
    """An unpaired unit has no key, whenever the power went."""
    station = Station(directory, bench.now)
    paired(bench, station)
    station.unpair(SERIAL, bench.now)
    directory.keystore.put(SERIAL, KEY)
    Station(directory, bench.now)
    assert directory.keystore.get(SERIAL) is None


def test_one_writer(directory: DataDirectory) -> None:
    """A second one is refused, by the process that holds it; a reader is not."""
    with pytest.raises(DirectoryInUseError, match=f"in use by process {os.getpid()}"):
        DataDirectory.open(directory.path)
    with DataDirectory.read(directory.path):
        pass
    with DataDirectory.open(directory.path.parent / "other"):
        pass


def test_other_files_are_not_touched(tmp_path: Path) -> None:
    """Another program's database, no database, a file for a directory."""
    foreign = tmp_path / "meter.sqlite"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE theirs (id)")
    connection.close()
    before = foreign.read_bytes()
    with pytest.raises(DirectoryError, match="another program's"):
        DataDirectory.open(tmp_path)
    assert before == foreign.read_bytes()
    with pytest.raises(DirectoryError, match="a file"):
        DataDirectory.open(foreign)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DirectoryError, match="nothing that was collected"):
        DataDirectory.read(tmp_path / "empty")
    foreign.write_text("no database at all, and longer than nothing")
    with pytest.raises(DirectoryError, match="another program's"):
        DataDirectory.read(tmp_path)


def test_a_meter_can_take_over(directory: DataDirectory, bench: Bench) -> None:
    """It opens the same file, adds its tables, and finds the units and their pulses."""
    assert schema.APPLICATION_ID == APPLICATION_ID
    station = Station(directory, bench.now)
    paired(bench, station)
    directory.close()
    with Storage.open(directory.path) as storage:
        from collector import Readings

        assert 3 == Readings(storage.connection).register(SERIAL)
    with DataDirectory.open(directory.path) as again:
        assert 30 == volume_l(Station(again, bench.now))
