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
    """Each keeps four, without the oldest of its most frequent kind, and counts all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_table, "MAX_EVENTS", 4)
        storage = Storage.in_memory()
        wanted: dict[Log, list[tuple[int, EventCode]]] = {log: [] for log in Log}
        for number, code in enumerate(codes, 1):
            storage.record_event(code, f"event {number}", AT)
            listed = wanted[log_of(code)]
            listed.append((number, code))
            if len(listed) > 4:
                kinds = [kind for _, kind in listed]
                frequent = max(kinds, key=lambda kind: (kinds.count(kind), kind))
                del listed[kinds.index(frequent)]
        for log in Log:
            # By their texts: where the newest leaves, the next one has its number.
            texts = [f"event {number}" for number, _ in wanted[log]]
            assert texts == [event.text for event in storage.events(log=log)]
            assert len(texts) == storage.event_count(log)
        assert {code: codes.count(code) for code in set(codes)} == storage.event_totals()


@pytest.mark.parametrize(
    ("flood", "kept"),
    [
        (EventCode.RELAY_BOOSTED, EventCode.CONTACTOR_OPENED_REMOTELY),
        (EventCode.LIMIT_EXCEEDED, EventCode.CONTACTOR_CLOSED_BY_HAND),
        (EventCode.ORDER_REFUSED, EventCode.SIGN_ON_FAILED),
        (EventCode.SIGNED_ON, EventCode.PASSWORD_CHANGED),
        (EventCode.CLOCK_ADJUSTED, EventCode.CONFIGURATION_CHANGED),
    ],
)
def test_nobody_can_flood_a_log(
    flood: EventCode, kept: EventCode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a level 1 may do often leaves what others did, through a restart too."""
    monkeypatch.setattr(event_table, "MAX_EVENTS", 6)
    for begin in (0, 10):
        with Storage.open(tmp_path) as storage:
            if not begin:
                storage.record_event(kept, "what it was about", AT)
            for number in range(begin, begin + 10):
                storage.record_event(flood, f"{number}", AT)
            storage.commit()
            expected = ["what it was about", *(str(n) for n in range(begin + 5, begin + 10))]
            assert expected == [each.text for each in storage.events(log=log_of(flood))]


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


def test_what_is_about_a_unit_is_found(tmp_path: Path) -> None:
    """By log and bounds, after a restart too; what is about nothing, or another unit, is not."""
    told = [
        (EventCode.UNIT_PAIRED, "00000001"),
        (EventCode.UNIT_TAMPERED, "00000001"),
        (EventCode.UNIT_SILENT, "00004711"),
        (EventCode.BEARER_LOST, None),
        (EventCode.UNIT_RESET, "00000001"),
    ]
    with Storage.open(tmp_path / "home") as storage:
        for code, subject in told:
            storage.record_event(code, "unit 00000001", AT, subject=subject)
        storage.commit()
    with Storage.open(tmp_path / "home") as storage:
        assert [subject for _, subject in told] == [each.subject for each in storage.events()]
        found = storage.events(log=Log.M_BUS, subject="00000001")
        assert [EventCode.UNIT_PAIRED, EventCode.UNIT_RESET] == [each.code for each in found]
        counts = [storage.event_count(log, "00000001") for log in (Log.M_BUS, Log.TAMPER, None)]
        assert [2, 1, 3] == counts
        assert [found[-1]] == storage.events(newest=1, subject="00000001")


def test_an_event_is_text_that_can_be_printed() -> None:
    """What a terminal would obey is left out, other letters than ours are not."""
    storage = Storage.in_memory()
    storage.record_event(EventCode.ADDON_STOPPED, "caf\xe9 \x1b[31mred\x07\n\x9b2J\u202eend", AT)
    assert "caf\xe9 [31mred2Jend" == storage.events()[0].text
