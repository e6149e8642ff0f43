"""The soak in its short form: `python -m benchmarks.soak` is the long one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks import soak
from benchmarks.head_end import DlmsReader


def test_a_head_end_misses_nothing(tmp_path: Path) -> None:
    """Five meters, by password, by key and by FLAG, are read each half-hour and given a tariff."""
    figures = asyncio.run(soak.Soak(5, 6, tmp_path).run())
    assert [] == figures["faults"]
    assert (30, 0, 5) == tuple(
        figures[each] for each in ("rows_read", "rows_missed", "reconfigured")
    )
    assert 30 + 5 == figures["sessions"]


def test_a_session_that_breaks_off_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is counted, and costs no half-hour."""
    read, failures = DlmsReader.read, [ConnectionError("the line is down")]

    async def failing(reader: DlmsReader, from_s: int) -> dict[int, int]:
        if failures:
            raise failures.pop()
        return await read(reader, from_s)

    monkeypatch.setattr(DlmsReader, "read", failing)
    figures = asyncio.run(soak.Soak(1, 2, tmp_path).run())
    assert ([], 0, 1) == tuple(
        figures[each] for each in ("faults", "rows_missed", "sessions_broken")
    )


def test_what_is_missed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A head end that got nothing says so of every half-hour."""
    monkeypatch.setattr(DlmsReader, "read", lambda *_: asyncio.sleep(0, {}))
    figures = asyncio.run(soak.Soak(1, 2, tmp_path).run())
    assert 2 == figures["rows_missed"]
    assert "2 half-hours are missing or wrong" in "".join(figures["faults"])
