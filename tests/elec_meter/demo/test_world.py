"""The simulated house: what it owes to the firmware and the collector at the worst instants."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector import MemoryKeystore
from elec_meter import Meter, Storage, demo_config
from elec_meter.demo.gas import RecordedTurns
from elec_meter.demo.world import UNIT_SERIAL, DemoWorld
from shared.timegrid import unix_ms

START = datetime(2026, 1, 12, 3, tzinfo=UTC)
CLOSING = START + timedelta(minutes=5)


def house(storage: Storage, now: datetime, keys: MemoryKeystore) -> DemoWorld:
    """A house whose gas meter turns once."""
    meter = Meter(demo_config(), storage, now, keystore=keys)
    return DemoWorld(meter, RecordedTurns([unix_ms(CLOSING)]), None, seed=1)


def test_a_pulse_that_a_kill_interrupts_is_turned_again() -> None:
    """A demo that stops while the reed closes counts that pulse once when it goes on."""
    storage, keys = Storage.in_memory(), MemoryKeystore()
    cut = CLOSING + timedelta(milliseconds=50)
    world = house(storage, START, keys)
    for _ in world.advance(cut):
        pass
    assert (1, 0) == (world.turned, world.unit.count)
    world.meter.checkpoint()
    world = house(storage, cut, keys)
    for _ in world.advance(CLOSING + timedelta(hours=1)):
        pass
    assert (1, 1, 1) == (world.turned, world.unit.count, world.meter.ledger.total("gas"))


def test_a_commands_counter_is_durable_before_the_unit_hears_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever opens the directory when a reply is on its way finds its counter used."""
    heard = []
    with Storage.open(tmp_path) as storage:
        world = house(storage, START, MemoryKeystore())

        def hear(command: bytes, _utc_ms: int) -> bool:
            other = sqlite3.connect(tmp_path / "meter.sqlite")
            ((used,),) = other.execute("SELECT command_counter FROM collector_unit").fetchall()
            other.close()
            heard.append((used, int.from_bytes(command[1:5], "little")))
            return True

        monkeypatch.setattr(world.unit, "receive", hear)
        for _ in world.advance(START + timedelta(minutes=1)):
            pass
    assert [(1, 1)] == heard


def test_the_journal_forgets_what_no_half_hour_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo that runs for years keeps no more telegrams than a meter does."""
    world = house(Storage.in_memory(), START, MemoryKeystore())
    asked = []

    def compact(serial: str, now: datetime) -> int:
        asked.append((serial, now))
        return 0

    monkeypatch.setattr(world.meter.collector, "compact_some", compact)
    for _ in world.advance(START + timedelta(minutes=1)):
        pass
    ((serial, at),) = asked
    assert UNIT_SERIAL == serial
    assert START < at
