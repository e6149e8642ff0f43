"""Journals forget in turn, a part at a time, once a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from collector import Upkeep

BEGIN = datetime(2026, 1, 12, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Journals:
    """How many parts each unit's journal still has, and who was asked for one."""

    def __init__(self, **parts: int) -> None:
        self.parts = parts
        self.asked: list[str] = []

    def compact(self, serial: str, _now: datetime) -> int | None:
        """Do a part."""
        self.asked.append(serial)
        self.parts[serial] -= 1
        return 0 if self.parts[serial] <= 0 else None


def test_each_is_done_once_a_day_a_part_at_a_time() -> None:
    """The next one has to wait for all parts of the one before, and the next round for a day."""
    journals, upkeep = Journals(a=3, b=1), Upkeep()
    for minute in range(24 * 60 + 2):
        upkeep.go_on(("a", "b"), journals.compact, BEGIN + minute * MINUTE)
    assert ["a", "a", "a", "b", "a", "b"] == journals.asked


def test_a_unit_that_is_gone_is_left_out() -> None:
    """Who is unpaired between two parts holds up nobody."""
    journals, upkeep = Journals(a=3, b=1), Upkeep()
    upkeep.go_on(("a", "b"), journals.compact, BEGIN)
    for _ in range(2):
        upkeep.go_on(("b",), journals.compact, BEGIN + MINUTE)
    assert ["a", "b"] == journals.asked
