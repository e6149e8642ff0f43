"""Six logs in one table, and counts that outlast what has left."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.events import APART, EventCode, Log, codes_of, log_of
from elec_meter.storage import Storage, event_table

AT = datetime(2026, 4, 1, tzinfo=UTC)


def test_every_code_is_in_one_log() -> None:
    """All that are in none of the others are in the standard one, those of later versions too."""
    apart = [code for log in Log for code in codes_of(log)]
    assert len(apart) == len(set(apart))
    assert set(APART) == set(apart)
    assert () == codes_of(Log.STANDARD)
    assert {Log.STANDARD} == {log_of(code) for code in (*EventCode, 9_999) if code not in apart}
    for log in set(Log) - {Log.STANDARD}:
        assert {log} == {log_of(code) for code in codes_of(log)}


@given(st.lists(st.sampled_from(list(EventCode)), max_size=60))
def test_no_log_can_push_out_another(codes: list[EventCode]) -> None:
    """Each keeps its newest, and counts all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_table, "MAX_EVENTS", 4)
        storage = Storage.in_memory()
        for number, code in enumerate(codes, 1):
            storage.record_event(code, f"event {number}", AT)
        for log in Log:
            wanted = [n for n, code in enumerate(codes, 1) if log_of(code) is log][-4:]
            assert wanted == [event.number for event in storage.events(log=log)]
            assert len(wanted) == storage.event_count(log)
        assert {code: codes.count(code) for code in set(codes)} == storage.event_totals()


def test_counts_survive_a_restart_and_what_has_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three are kept and five are counted; what was not committed never happened."""
    monkeypatch.setattr(event_table, "MAX_EVENTS", 3)
    with Storage.open(tmp_path) as storage:
        for _ in range(5):
            storage.record_event(EventCode.POWER_UP, "", AT)
        storage.commit()
        storage.record_event(EventCode.POWER_UP, "", AT)
    with Storage.open(tmp_path) as storage:
        assert (3, {EventCode.POWER_UP: 5}) == (storage.event_count(), storage.event_totals())
        storage.record_event(EventCode.POWER_UP, "", AT)
        assert {EventCode.POWER_UP: 6} == storage.event_totals()


@pytest.mark.parametrize("damage", [None, b"", b"\xff", b"\x93\x01\x02\x03"])
def test_without_counts_those_of_the_log_are_the_next_best(damage: bytes | None) -> None:
    """A directory of an earlier version has none; one may be damaged."""
    storage = Storage.in_memory()
    for _ in range(2):
        storage.record_event(EventCode.POWER_UP, "", AT)
    storage.record_event(EventCode.UNIT_TAMPERED, "", AT)
    if damage is None:
        storage.connection.execute("DELETE FROM meter_state")
    else:
        storage.put_state("event counts", damage)
    again = Storage(storage.connection)
    assert {EventCode.POWER_UP: 2, EventCode.UNIT_TAMPERED: 1} == again.event_totals()
