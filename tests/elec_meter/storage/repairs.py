"""Directories to be repaired, and what must hold of them afterwards."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from collector import Collector, MemoryKeystore
from elec_meter.ledger import Ledger
from elec_meter.storage import DATABASE_NAME, Storage
from elec_meter.storage.repair import RepairReport, repair
from shared.timegrid import from_unix_s
from tests.elec_meter.storage.files import fingerprint
from tests.elec_meter.storage.house import House, audited

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
PAGE: Final = 4096


def collector(connection: sqlite3.Connection, now: datetime) -> Collector:
    """As the command makes it."""
    return Collector(connection, MemoryKeystore(), now)


class Sound(NamedTuple):
    """A directory's database before it was damaged."""

    content: bytes
    roots: dict[str, int]
    totals: list[int]
    rates: list[list[int]]
    rows: int

    def __repr__(self) -> str:
        return f"Sound({len(self.content)} bytes, {self.totals})"


def lived(directory: Path) -> Sound:
    """A house of a day and a half, with a depth of one, and what it was."""
    with Storage.open(directory) as storage:
        house = House(storage)
        for _ in range(72):
            for _ in range(6):
                house.step()
            house.checkpoint()
    assert [] == audited(directory)
    path = directory / DATABASE_NAME
    connection = sqlite3.connect(path)
    roots = dict(connection.execute("SELECT name, rootpage FROM sqlite_master"))
    connection.close()
    return Sound(path.read_bytes(), roots, *registers(directory))


def registers(directory: Path) -> tuple[list[int], list[list[int]], int]:
    """Totals and rates of every channel, and how many half-hours there are."""
    with Storage.open(directory) as storage:
        state = storage.load()
        config, durable_s = storage.load_config(), state.durable_s
        assert config is not None
        assert durable_s is not None
        source = Collector(storage.connection, MemoryKeystore(), from_unix_s(durable_s))
        ledger = Ledger(config, state, source)
        return (
            [ledger.total(channel) for channel in ledger.channels],
            [ledger.rates(channel) for channel in ledger.channels],
            ledger.row_count,
        )


def damaged(tmp_path: Path, content: bytes) -> Path:
    """A directory with a database of this content."""
    directory = tmp_path / "data"
    directory.mkdir()
    (directory / DATABASE_NAME).write_bytes(content)
    return directory


def files(directory: Path) -> dict[str, str]:
    """What lies there, but the lock, which means nothing by itself."""
    return {name: each for name, each in fingerprint(directory).items() if name != "lock"}


def without_page(sound: Sound, table: str) -> bytes:
    """The database with a table's first page gone."""
    content, begin = bytearray(sound.content), (sound.roots[table] - 1) * PAGE
    content[begin : begin + PAGE] = bytes(PAGE)
    return bytes(content)


def assert_repaired(directory: Path, sound: Sound) -> RepairReport:
    """It opens, its books balance, and no register fell."""
    report = repair(directory, NOW, collector)
    assert [] == audited(directory)
    totals, rates, _ = registers(directory)
    assert all(was <= now for was, now in zip(sound.totals, totals, strict=True))
    for was, now in zip(sound.rates[:2], rates[:2], strict=True):
        assert all(one <= other for one, other in zip(was, now, strict=True))
    return report
