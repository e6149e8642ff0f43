"""The collector and what is told of a count beside telegrams."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import accumulate

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector import Collector, MemoryKeystore, PulseHalfHour, Readings
from tests.collector.frames import KEY, SERIAL, at, heard, key, record
from tests.collector.world import START_S


def _collector(connection: sqlite3.Connection | None = None) -> Collector:
    fresh = Collector(connection or sqlite3.connect(":memory:"), MemoryKeystore(), at(0))
    fresh.pair(record(), KEY, at(0))
    return fresh


def _again(connection: sqlite3.Connection, seconds: float) -> Collector:
    return Collector(connection, MemoryKeystore({SERIAL: KEY}), at(seconds))


def _kinds(events: Iterable[object]) -> list[str]:
    return [type(event).__name__ for event in events]


def _rows(source: Readings, seconds: float) -> list[PulseHalfHour]:
    return source.half_hours(SERIAL, START_S, START_S + int(seconds) // 1800 * 1800)


def test_count_without_a_clock_advances_the_register() -> None:
    """Adverts and telegrams of one unit are one register, whichever is further, each taken once."""
    connection = sqlite3.connect(":memory:")
    col = _collector(connection)
    assert [] == col.receive_count(SERIAL, key(1, boot=0), 4, at(60), 30, at(60))
    assert [] == col.receive_count(SERIAL, key(1, boot=0), 9, at(61), 30, at(61))
    col.receive(heard(3, 70, 1), at(70))
    assert 4 == col.register(SERIAL)
    rolled = col.receive_count(SERIAL, key(2, boot=0), 2, at(80), 30, at(80))
    assert ["CountRolledBack"] == _kinds(rolled)
    assert ["ImplausibleFlow"] == _kinds(
        col.receive_count(SERIAL, key(3, boot=0), 900, at(90), 30, at(90))
    )
    assert 902 == col.register(SERIAL)
    assert 902 == _again(connection, 100).register(SERIAL)
    assert 902 == Readings(connection).register(SERIAL)


def test_unit_that_only_advertises_is_not_silent() -> None:
    """Being heard without a telegram is being heard."""
    col = _collector()
    col.receive_count(SERIAL, key(1, boot=0), 4, at(1500), 30, at(1500))
    assert [] == col.handle_timer(at(3000))
    assert ["UnitSilent"] == _kinds(col.handle_timer(at(3302)))


def test_log_fills_a_silence() -> None:
    """After 30 days without a word the log that is read then measures every half-hour."""
    connection = sqlite3.connect(":memory:")
    col = Collector(connection, MemoryKeystore(), at(0))
    col.pair(record(is_log_readable=True), KEY, at(0))
    col.receive(heard(3, 100, 1, grid_count=0, grid_age_s=100), at(100))
    month_s = 30 * 86_400
    assert col.log_gap(SERIAL) is None
    col.handle_timer(at(month_s))
    col.receive(heard(1500, month_s + 100, 2), at(month_s + 100))
    assert col.log_gap(SERIAL) is not None
    log = [(1, 1000 + 1800 * place, 3 + place) for place in range(1, 1441)]
    col.receive_log(SERIAL, log[:700], at(month_s + 101))
    assert (1, 1000 + 1800 * 699) < (col.log_gap(SERIAL) or (0, 0))
    col = _again(connection, month_s + 101)
    col.receive_log(SERIAL, log, at(month_s + 102))
    col.receive_log(SERIAL, log, at(month_s + 103))
    assert col.log_gap(SERIAL) is None
    rows = _rows(col, month_s)
    assert [4, *[1] * 1438] == [row.pulses for row in rows[:1439]]
    assert rows == _rows(_again(connection, month_s + 104), month_s)
    assert rows == col.refold(SERIAL)[: len(rows)]


def test_register_of_a_unit_that_was_taken_off_stands() -> None:
    """Its last count stands, what it tells afterwards moves nothing, and nobody waits for it."""
    connection = sqlite3.connect(":memory:")
    col = _collector(connection)
    col.receive(heard(4, 60, 1), at(60))
    col.end(SERIAL, 7, at(100))
    assert 7 == col.register(SERIAL)
    col.receive(heard(12, 2000, 2), at(2000))
    col.end(SERIAL, 30, at(2100))
    assert 7 == col.register(SERIAL)
    assert [] == col.handle_timer(at(90_000))
    rows = _rows(col, 10_000)
    assert [7, 0, 0] == [row.pulses for row in rows[:3]]
    assert rows == _rows(_again(connection, 90_000), 10_000)
    assert rows == col.refold(SERIAL)[: len(rows)]
    replaced = _collector()
    replaced.receive(heard(9, 60, 1), at(60))
    replaced.end(SERIAL, 5, at(100))
    assert 9 == replaced.register(SERIAL)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_order_of_all_kinds_is_one_register(turned: list[int], data: st.DataObject) -> None:
    """Telegrams, adverts and logs, in any order, with any delay, each once or often: one sum."""
    base = (1 << 32) - 30
    receipts: list[Callable[[Collector, float], object]] = []
    for place, total in enumerate(accumulate(turned), 1):
        count, sent_s, advert = (base + total) % (1 << 32), 900 * place, key(place, boot=0)
        frame = heard(count, sent_s, place)
        tick = (1, sent_s + 1000, count)
        receipts += [
            lambda col, s, f=frame: col.receive(replace(f, received_utc=at(s)), at(s)),
            lambda col, s, c=count, k=advert: col.receive_count(SERIAL, k, c, at(s), 60, at(s)),
            lambda col, s, t=tick: col.receive_log(SERIAL, [t], at(s)),
        ]
    again = data.draw(st.lists(st.sampled_from(receipts), max_size=6))
    col = Collector(sqlite3.connect(":memory:"), MemoryKeystore(), at(0))
    col.pair(record(base_count=base, is_log_readable=True), KEY, at(0))
    now_s = 900.0 * len(turned)
    for receive in data.draw(st.permutations(receipts + again)):
        now_s += data.draw(st.sampled_from([0.001, 1, 4000]))
        receive(col, now_s)
    assert sum(turned) == col.register(SERIAL)
    col.handle_timer(at(now_s))
    rows = _rows(col, now_s)
    assert sum(row.pulses or 0 for row in rows) <= sum(turned)
    assert rows == col.refold(SERIAL)[: len(rows)]
