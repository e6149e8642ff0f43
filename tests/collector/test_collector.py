"""The collector as a whole, on a database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import collector
from collector import (
    Collector,
    MemoryKeystore,
    PulseHalfHour,
    PulseStatus,
    Readings,
    ReceivedFrame,
    UnitPairedError,
    UnitUnknownError,
)
from shared.crypto.backend_cryptography import AesBlock
from shared.timegrid import HALF_HOUR_S
from shared.wire.command import open_command
from shared.wire.telegram import FLAG_LOW_BATTERY, FLAG_TAMPER
from tests.collector.frames import KEY, SERIAL, at, heard, received, record, sealed, telegram
from tests.collector.world import START_S, PaperUnit


def _collector(connection: sqlite3.Connection | None = None, **changes: object) -> Collector:
    fresh = Collector(connection or sqlite3.connect(":memory:"), MemoryKeystore(), at(0))
    fresh.pair(record(**changes), KEY, at(0))
    return fresh


def _again(connection: sqlite3.Connection, seconds: float) -> Collector:
    return Collector(connection, MemoryKeystore({SERIAL: KEY}), at(seconds))


def _kinds(events: Iterable[object]) -> list[str]:
    return [type(event).__name__ for event in events]


def _rows(source: Readings, seconds: float) -> list[PulseHalfHour]:
    return source.half_hours(SERIAL, START_S, START_S + int(seconds) // 1800 * 1800)


def _life(seed: int, days: float = 1.5) -> list[ReceivedFrame]:
    """A day and a half of a unit in phase, with gas every few minutes."""
    step_ms = 97_000 + seed * 13_000
    start_ms = START_S * 1000
    unit = PaperUnit(
        range(start_ms, start_ms + int(days * 86_400_000), step_ms),
        drift_ppm=40,
        boot_ms=start_ms - 3_600_000,
    )
    frames = []
    for sent_s in range(300, int(days * 86_400), 900):
        said = unit.telegram(start_ms + sent_s * 1000)
        frames.append(received(sealed(said, unit.counter), sent_s + 0.5))
        if sent_s % 86_400 == 300:
            unit.set_phase(start_ms + sent_s * 1000, sent_s * 1000 % 1_800_000)
    return frames


_LIFE = _life(1)


def _play(connection: sqlite3.Connection, frames: Sequence[ReceivedFrame]) -> Collector:
    col = _collector(connection)
    for frame in frames:
        col.receive(frame, frame.received_utc)
    return col


def test_reading_advances_the_register_on_receipt() -> None:
    """An accepted telegram is an event, and its pulses are in the register at once."""
    col = _collector(base_count=3)
    assert ["TelegramReceived"] == _kinds(col.receive(heard(10, 60, 1), at(60)))
    assert 7 == col.register(SERIAL)
    assert (SERIAL,) == col.serials


def test_refusal_is_told_and_counted() -> None:
    """A refusal is an event and a count, and moves nothing else."""
    col = _collector()
    col.receive(heard(4, 60, 1), at(60))
    assert ["Replayed"] == _kinds(col.receive(heard(4, 60, 1), at(61)))
    forged = received(sealed(telegram(9), 2, key=bytes(16)), 62)
    assert ["BadMac"] == _kinds(col.receive(forged, at(62)))
    assert {"Replayed": 1, "BadMac": 1} == col.state(SERIAL).refusals
    assert 4 == col.register(SERIAL)


def test_remarks_tell_of_the_unit() -> None:
    """Tamper, battery, reset, rollback and impossible flow are told once, beside the reading."""
    col = _collector()
    told = [
        col.receive(heard(4, 60, 1, error_flags=FLAG_TAMPER), at(60)),
        col.receive(heard(4, 70, 2, error_flags=FLAG_TAMPER | FLAG_LOW_BATTERY), at(70)),
        col.receive(heard(3, 80, 3, reset_counter=2), at(80)),
        col.receive(heard(900, 90, 4, reset_counter=2), at(90)),
    ]
    assert [
        ["TamperSeen"],
        ["LowBattery"],
        ["CountRolledBack", "UnitReset"],
        ["ImplausibleFlow"],
    ] == [_kinds(events[1:]) for events in told]
    assert 4 + 897 == col.register(SERIAL)


@pytest.mark.parametrize("placeholder", [0, (1 << 32) - 1])
def test_placeholder_moves_no_register(placeholder: int) -> None:
    """Zero or all ones 100 s after a count half the cycle away are no data, and no wrap."""
    base = (1 << 31) + 10
    connection = sqlite3.connect(":memory:")
    col = _collector(connection, base_count=base)
    for counter, count in enumerate((base, placeholder, base + 2), start=1):
        seconds = 100 * counter
        col.receive(heard(count, seconds, counter), at(seconds))
        assert 2 * (counter == 3) == col.register(SERIAL)
        col = _again(connection, seconds)
    col.handle_timer(at(4 * 86_400))
    assert col.refold(SERIAL) == _rows(col, 4 * 86_400)
    assert 2 == col.final_pulses(SERIAL)


_BOOTS = [(65_534, 10, 100), (65_535, 11, 356), (0, 12, 612), (0, 13, 613), (1, 14, 900)]


def test_reset_counter_wraps() -> None:
    """Message counters go on rising where the 16 bits of the boot wrap: nothing is refused."""
    connection = sqlite3.connect(":memory:")
    col = _collector(connection)
    frames = [
        heard(count, 60 + place * 10, counter, reset_counter=boot, uptime_s=5 + place)
        for place, (boot, count, counter) in enumerate(_BOOTS)
    ]
    for place, frame in enumerate(frames):
        expected = ["TelegramReceived"] + ["UnitReset"] * (place in (1, 2, 4))
        assert expected == _kinds(col.receive(frame, frame.received_utc))
        assert ["Replayed"] == _kinds(col.receive(frame, frame.received_utc))
        assert _BOOTS[place][1] == col.register(SERIAL)
        col = _again(connection, 60 + place * 10)
    for frame in frames:
        assert ["Replayed"] == _kinds(col.receive(frame, at(200)))
    late = heard(13, 200, 620, reset_counter=0, uptime_s=90)
    assert ["TelegramReceived"] == _kinds(col.receive(late, at(200)))
    assert 14 == col.register(SERIAL)


def test_silence_is_told_once_and_timed() -> None:
    """Past twice the period, at the time announced; being heard ends it, and a day tells anew."""
    col = _collector()
    col.receive(heard(4, 60, 1), at(60))
    timer = col.next_timer()
    assert timer is not None
    assert 1860 <= (timer - at(0)).total_seconds() < 1861
    assert [] == col.handle_timer(at(1860))
    assert ["UnitSilent"] == _kinds(col.handle_timer(timer))
    assert [] == col.handle_timer(at(4000))
    assert col.state(SERIAL).is_silent
    col.receive(heard(4, 5000, 2), at(5000))
    assert not col.state(SERIAL).is_silent
    assert [] == col.handle_timer(at(9000))
    assert col.state(SERIAL).is_silent
    timer = col.next_timer()
    assert timer is not None
    assert 5000 + 86_400 <= (timer - at(0)).total_seconds() < 5001 + 86_400
    assert ["UnitSilent"] == _kinds(col.handle_timer(timer))


def test_nobody_is_silent_while_nobody_listens() -> None:
    """A silence runs from when the collector is there again, also after a change of the pairing."""
    connection = sqlite3.connect(":memory:")
    col = _collector(connection)
    col.receive(heard(4, 60, 1), at(60))
    col = _again(connection, 9000)
    col.amend(record(max_flow_l_h=5000), at(9001))
    assert [] == col.handle_timer(at(9000 + 1800))
    assert not col.state(SERIAL).is_silent
    timer = col.next_timer()
    assert timer is not None
    assert 9000 + 1800 <= (timer - at(0)).total_seconds() < 9000 + 1801
    assert ["UnitSilent"] == _kinds(col.handle_timer(timer))


def test_rows_become_final_at_the_announced_time() -> None:
    """A row that nothing measured becomes final by the timer, 48 hours after its end."""
    col = _collector()
    col.receive(heard(4, 60, 1), at(60))
    col.handle_timer(at(2000))
    timer = col.next_timer()
    assert timer is not None
    assert at(HALF_HOUR_S + 48 * 3600) < timer < at(HALF_HOUR_S + 48 * 3600 + 1)
    col.handle_timer(timer)
    assert START_S + HALF_HOUR_S == col.final_through_s(SERIAL)
    assert 4 == col.final_pulses(SERIAL)


def test_phase_is_set_at_pairing_after_an_hour_and_daily() -> None:
    """A unit that listens is told the phase when it is due, with a counter that rises."""
    col = _collector()
    told = {}
    last = None
    for counter, seconds in enumerate(range(60, 200_000, 900)):
        grid_age_s = seconds % 1800  # it did as it was told
        col.receive(heard(4, seconds, counter, grid_count=4, grid_age_s=grid_age_s), at(seconds))
        for serial, data in col.replies(at(seconds)):
            assert SERIAL == serial
            command = open_command(AesBlock, KEY, data, last)
            last = command.counter
            told[seconds] = command.number
    assert [60, 3660, 90_060, 176_460] == list(told)
    assert [60_000, 60_000, 60_000, 60_000] == list(told.values())
    assert [] == col.replies(at(200_000))


def test_phase_is_set_again_when_it_is_off() -> None:
    """A grid that surely is more than a second off, or a new boot, is told at once."""
    col = _collector()
    for counter, seconds, age_s, boot, expected in [
        (1, 3600, 0, 1, 1),
        (2, 3660, 60, 1, 0),
        (3, 3720, 110, 1, 1),
        (4, 3780, 180, 1, 0),
        (5, 3840, 240, 2, 1),
    ]:
        frame = heard(4, seconds, counter, grid_count=4, grid_age_s=age_s, reset_counter=boot)
        col.receive(frame, at(seconds))
        assert expected == len(col.replies(at(seconds)))


def test_who_does_not_listen_is_told_nothing() -> None:
    """A frame from a file or a store has no reply window."""
    col = _collector()
    said = sealed(telegram(4), 1)
    col.receive(received(said, 60, two_way=False), at(60))
    assert [] == col.replies(at(60))


def test_unknown_serial_is_refused() -> None:
    """Reading a unit that is not paired is an error; pairing one twice is another."""
    col = _collector()
    with pytest.raises(UnitUnknownError):
        col.register("00000009")
    with pytest.raises(UnitPairedError):
        col.pair(record(), KEY, at(5))


def test_keys_are_nowhere_in_the_database(tmp_path: Path) -> None:
    """Neither key nor anything that contains it is in journal, units or events."""
    connection = sqlite3.connect(tmp_path / "meter.sqlite")
    col = _collector(connection)
    events = col.receive(heard(4, 60, 1), at(60))
    connection.commit()
    data = (tmp_path / "meter.sqlite").read_bytes()
    assert KEY not in data
    assert KEY.hex() not in data.decode("latin-1").lower()
    assert KEY.hex() not in f"{events!r} {col.state(SERIAL)!r}".lower()


def test_life_is_measured() -> None:
    """A unit in phase that is always heard gives measured rows which add up to its register."""
    col = _play(sqlite3.connect(":memory:"), _LIFE)
    rows = [row for row in _rows(col, 1.5 * 86_400) if row.final]
    assert 60 < len(rows)
    assert {0} == {int(row.status) for row in rows[1:]}
    assert sum(row.pulses or 0 for row in rows) == col.final_pulses(SERIAL)
    assert col.final_pulses(SERIAL) <= col.register(SERIAL)


@given(st.lists(st.integers(1, len(_LIFE) - 1), max_size=4), st.data())
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
def test_restart_changes_nothing(restarts: list[int], data: st.DataObject) -> None:
    """Built again on its database at any point, even without derived rows, it goes on exactly."""
    connection = sqlite3.connect(":memory:")
    col = _collector(connection)
    for place, frame in enumerate(_LIFE):
        if place in restarts:
            before = _rows(col, 2 * 86_400)
            if data.draw(st.booleans()):
                connection.execute("DELETE FROM collector_boundary")
                connection.execute("DELETE FROM collector_flag")
            seconds = (frame.received_utc - at(0)).total_seconds()
            col = _again(connection, seconds)
            assert before == _rows(col, 2 * 86_400)
            assert before == _rows(Readings(connection), 2 * 86_400)
        col.receive(frame, frame.received_utc)
    refolded = col.refold(SERIAL)
    assert refolded == _rows(col, 2 * 86_400)[: len(refolded)]
    assert 60 < len(refolded)


@given(st.data())
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_disorder_and_repetition_give_the_same_register(data: st.DataObject) -> None:
    """The same telegrams, shuffled and repeated, are the same register, once each."""
    frames = _LIFE[:20]
    shuffled = data.draw(st.permutations([*frames, *frames[::3]]))
    col = _collector()
    accepted = 0
    for frame in shuffled:
        last = max(shuffled, key=lambda other: other.received_utc).received_utc
        accepted += "TelegramReceived" in _kinds(col.receive(frame, last))
    assert len(frames) == accepted
    assert _play(sqlite3.connect(":memory:"), frames).register(SERIAL) == col.register(SERIAL)


def test_reading_needs_no_writing(tmp_path: Path) -> None:
    """On a read-only database everything can be read, refolded too; without tables there is none.

    The rows that are derived are read where they are kept, and folded again where they are not.
    """
    path = tmp_path / "meter.sqlite"
    connection = sqlite3.connect(path)
    expected = _rows(_play(connection, _LIFE[:40]), 30_000)
    connection.commit()
    only_reading = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    assert expected == _rows(Readings(only_reading), 30_000)
    connection.execute("DELETE FROM collector_boundary")
    connection.commit()
    readings = Readings(sqlite3.connect(f"file:{path}?mode=ro", uri=True))
    assert expected == _rows(readings, 30_000)
    assert expected[:10] == readings.refold(SERIAL)[:10]
    assert () == Readings(sqlite3.connect(":memory:")).serials


def test_second_way_tells_when_the_first_did_not() -> None:
    """A telegram from a store is dated by its copy that came over the air, and its row measured."""
    col = _collector()
    for counter, seconds in enumerate((900, 2700)):
        data = sealed(telegram(4, seconds + 1000), counter)
        col.receive(received(data, seconds, None), at(seconds))
    assert [None] == [row.pulses for row in _rows(col, 1800)]
    assert ["Replayed"] == _kinds(col.receive(received(data, 2700.5), at(2700.5)))
    assert [PulseHalfHour(START_S, 4, PulseStatus.MEASURED, True)] == _rows(col, 1800)


def test_half_hours_are_asked_for_by_their_start() -> None:
    """Rows that start within the range come, none before the pairing; later ones are pending."""
    col = _play(sqlite3.connect(":memory:"), _LIFE[:10])
    rows = col.half_hours(SERIAL, START_S - 9999, START_S + 3601)
    assert [START_S, START_S + 1800, START_S + 3600] == [row.start_s for row in rows]
    assert [] == col.half_hours(SERIAL, START_S + 10, START_S + 1800)
    future = col.half_hours(SERIAL, START_S + 86_400, START_S + 90_000)
    assert [None, None] == [row.pulses for row in future]


def test_power_up_seals_and_begins_an_epoch() -> None:
    """After a long outage what can no longer be known is final at once, and clocks begin anew."""
    connection = sqlite3.connect(":memory:")
    _play(connection, _LIFE[:10])
    epoch = collector.Journal(connection).epoch
    col = _again(connection, 5 * 86_400)
    assert START_S + 3 * 86_400 - HALF_HOUR_S == col.final_through_s(SERIAL)
    assert epoch + 1 == collector.Journal(connection).epoch
    assert [] == col.handle_timer(at(5 * 86_400))
    timer = col.next_timer()
    assert timer is not None
    assert at(5 * 86_400) < timer
    assert ["UnitSilent"] == _kinds(col.handle_timer(at(5 * 86_400 + 1801)))


def test_years_of_silence_are_one_run() -> None:
    """Five years off are a row of the database, whatever is read of them and comes after them."""
    connection = sqlite3.connect(":memory:")
    col = _collector(connection)
    col.receive(heard(4, 900, 1), at(900))
    years_s = 5 * 365 * 86_400
    col = _again(connection, years_s)
    assert connection.execute("SELECT count(*) FROM collector_boundary").fetchone()[0] < 5
    assert col.refold(SERIAL) == _rows(col, years_s)
    part = col.half_hours(SERIAL, START_S + 86_400, START_S + 2 * 86_400)
    assert col.refold(SERIAL)[48:96] == part
    for counter, seconds in enumerate((years_s + 900, years_s + 3 * 86_400, years_s + 9e5), 2):
        through_s = col.final_through_s(SERIAL)
        col = _again(connection, seconds)
        assert through_s <= col.final_through_s(SERIAL)
        col.receive(heard(50 * counter, seconds, counter), at(seconds))
        assert col.refold(SERIAL) == _rows(col, seconds)
