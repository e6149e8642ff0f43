from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pytest

from collector import Collector, MemoryKeystore
from elec_meter.ledger import Ledger, ProfileRow, RowStatus
from elec_meter.storage import DATABASE_NAME, Storage, schema
from elec_meter.storage.connection import RepeatingConnection
from elec_meter.storage.database import open_for_writing
from shared.timegrid import from_unix_s
from tests.elec_meter.storage.house import audited

HERE = Path(__file__).parent
SQL = HERE / "version_1.sql"
"""A database that version 1 wrote: a day and a half, a depth of one day, five hours of outage."""
EXPECTED = json.loads((HERE / "version_1.json").read_text())
"""What that version read from it."""


def version_1(directory: Path) -> Path:
    """A directory as version 1 left it."""
    directory.mkdir(exist_ok=True)
    with closing(sqlite3.connect(directory / DATABASE_NAME)) as connection:
        connection.executescript(SQL.read_text())
        connection.execute("PRAGMA journal_mode = WAL")
    return directory


def read(storage: Storage) -> dict[str, Any]:
    """What a version reads from a directory."""
    config, durable_s = storage.load_config(), storage.load().durable_s
    assert config is not None
    assert durable_s is not None
    source = Collector(storage.connection, MemoryKeystore(), from_unix_s(durable_s))
    ledger = Ledger(config, storage.load(), source)
    return {
        "totals": {channel: ledger.total(channel) for channel in EXPECTED["totals"]},
        "rates": {channel: ledger.rates(channel) for channel in EXPECTED["rates"]},
        "aged": {channel: ledger.aged(channel) for channel in EXPECTED["aged"]},
        "rows": [
            [row.start_s, *_known(row), int(row.status), *row.channel_status.values()]
            for row in ledger.rows(0, 1 << 40)
        ],
    }


def _known(row: ProfileRow) -> list[int | None]:
    """What a version without reactive energy knew of a row."""
    return [delta for key, delta in row.deltas.items() if not key.endswith("_varh")]


def expected() -> dict[str, Any]:
    """What `read` must give."""
    return {name: EXPECTED[name] for name in ("totals", "rates", "aged", "rows")}


def test_version_1_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Registers, rates, rows, the outage, events and states survive every migration."""
    directory = version_1(tmp_path / "data")
    with Storage.open(directory) as storage:
        assert expected() == read(storage)
        events = [[e.number, e.at, e.code, e.text] for e in storage.events()]
        assert b"\x00\xffstate" == storage.get_state("small")
    assert [] == audited(directory)
    assert events == [
        [number, datetime.fromisoformat(at), code, text]
        for number, at, code, text in EXPECTED["events"]
    ]
    assert any(row[4] == RowStatus.POWER_DOWN for row in EXPECTED["rows"])


@pytest.mark.parametrize(
    ("code", "text", "subject"),
    [
        (105, "unit 00000001 was paired to gas", "00000001"),
        (213, "a telegram of unit 00004711 was refused: of unit 00000001", "00004711"),
        (216, "12 entries were read of the log of unit 00000001", "00000001"),
        (217, "00000001 log refused: it ends too early", "00000001"),
        (103, "unit 00000001: tampering", "00000001"),
        (213, "a telegram of a unit was refused: 00000001", None),
        (100, "unit 000000012 was last heard", None),
        (213, "a telegram of unit ABCDEFGH was refused", None),
        (230, "the clock was adjusted by unit 00000001", None),
    ],
)
def test_events_of_earlier_versions_are_about_what_they_name(
    tmp_path: Path, code: int, text: str, subject: str | None
) -> None:
    """The sentence is read once, when the database is brought up."""
    directory = version_1(tmp_path / "data")
    with closing(sqlite3.connect(directory / DATABASE_NAME)) as connection, connection:
        connection.execute("INSERT INTO meter_event VALUES (99, 0, ?, ?)", (code, text))
    with Storage.open(directory) as storage:
        event = next(event for event in storage.events() if event.number == 99)
    assert (text, subject) == (event.text, event.subject)


JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
"""Written last: from then on the journal counts."""

Files = dict[str, bytes]


class Look(NamedTuple):
    """The disk before a statement."""

    statement: str
    files: Files


class Watched(RepeatingConnection):
    """A connection that looks at the disk before every statement."""

    path: ClassVar[Path]
    looks: ClassVar[list[Look]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.set_trace_callback(lambda statement: self.looks.append(Look(statement, files())))


def files() -> Files:
    """The database and the journals beside it."""
    return {
        ending: path.read_bytes()
        for ending in ("", "-wal", "-journal")
        if (path := Path(f"{Watched.path}{ending}")).exists()
    }


def crashes(directory: Path) -> Iterator[Look]:
    """What a power cut could leave of the opening of a directory, migrations and all."""
    Watched.path, Watched.looks = directory / DATABASE_NAME, []
    open_for_writing(Watched.path, Watched).close()
    Watched.looks.append(Look("closed", files()))
    for look, following in pairwise(Watched.looks):
        yield look
        if look.statement == "COMMIT":
            yield from half_committed(look.files, following.files)
    yield Watched.looks[-1]


def half_committed(now: Files, later: Files) -> Iterator[Look]:
    """A commit's own steps: the journal is made whole, then the database is written."""
    journal = bytearray(now["-journal"])
    yield Look("COMMIT, half a journal", {**now, "-journal": bytes(journal[: len(journal) // 2])})
    journal[:12] = JOURNAL_MAGIC + b"\xff" * 4  # as many pages as there are
    page = 4096
    for cut in range(0, len(later[""]) + page, page):
        for torn in (cut, cut + page // 3):
            database = later[""][:torn] + now[""][torn:]
            yield Look(f"COMMIT at {torn}", {"": database, "-journal": bytes(journal)})


def structure(path: Path) -> tuple[int, list[str]]:
    """The version of a database, after recovery, and its tables."""
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL ORDER BY name")
        return version, [row[0] for row in rows]


def laid(directory: Path, left: Files) -> Path:
    """A directory with the files that a power cut left."""
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir()
    for ending, content in left.items():
        (directory / f"{DATABASE_NAME}{ending}").write_bytes(content)
    return directory


def test_a_power_cut_in_a_migration_leaves_one_version_or_the_next(tmp_path: Path) -> None:
    """At any statement and any page of a commit: never between, and the next opening ends it."""
    directory = version_1(tmp_path / "data")
    structures = [structure(directory / DATABASE_NAME)]
    for through in range(2, len(schema.MIGRATIONS) + 1):
        step = version_1(tmp_path / f"through-{through}")
        with closing(sqlite3.connect(step / DATABASE_NAME, isolation_level=None)) as connection:
            schema.migrate(connection, through)
        structures.append(structure(step / DATABASE_NAME))
    found = list(crashes(directory))
    assert any("COMMIT at" in look.statement for look in found)
    for look in found:
        left = laid(tmp_path / "left", look.files)
        assert structure(left / DATABASE_NAME) in structures, look.statement
        left = laid(tmp_path / "left", look.files)
        with Storage.open(left) as storage:
            assert expected() == read(storage), look.statement


def test_a_power_cut_in_the_first_opening_leaves_an_empty_directory(tmp_path: Path) -> None:
    """Whatever there is of a new database, it is opened as one."""
    (tmp_path / "data").mkdir()
    for look in list(crashes(tmp_path / "data")):
        with Storage.open(laid(tmp_path / "left", look.files)) as storage:
            assert storage.load().closed_s is None, look.statement
            assert [] == storage.faults(), look.statement
