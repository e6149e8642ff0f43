from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from elec_meter.errors import (
    CorruptError,
    DirectoryInUseError,
    NewerSchemaError,
    NotADataDirectoryError,
    StorageError,
)
from elec_meter.ledger import Ledger
from elec_meter.storage import DATABASE_NAME, Storage, schema
from elec_meter.storage.connection import CACHE_KIB
from tests.elec_meter.ledger.meters import MIDNIGHT_S, powered_ledger
from tests.elec_meter.storage.files import fingerprint

HOLDER = """
import sys
from elec_meter.storage import Storage
storage = Storage.open(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


def data_directory(tmp_path: Path) -> Path:
    """A directory with a little data, closed."""
    directory = tmp_path / "data"
    with Storage.open(directory) as storage:
        ledger = powered_ledger()
        for n in range(5000):
            ledger.book("import", n, MIDNIGHT_S + n * 1800)
        storage.checkpoint(ledger, MIDNIGHT_S + 5000 * 1800)
    return directory


def one_sentence(error: BaseException) -> str:
    """The message of an error that a user will read."""
    text = str(error)
    assert text
    assert "\n" not in text
    return text


def test_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    """A new data directory and its database can be read by nobody else."""
    directory = tmp_path / "a" / "b"
    Storage.open(directory).close()
    assert 0o700 == stat.S_IMODE(directory.stat().st_mode)
    assert 0o600 == stat.S_IMODE((directory / DATABASE_NAME).stat().st_mode)


def test_commits_are_synchronous(tmp_path: Path) -> None:
    """The database is in WAL mode and every commit waits for the disk."""
    with Storage.open(tmp_path) as storage:
        pragma = storage.connection.execute
        assert ("wal", 2) == (
            pragma("PRAGMA journal_mode").fetchone()[0],
            pragma("PRAGMA synchronous").fetchone()[0],
        )


def test_pages_in_memory_have_a_limit(tmp_path: Path) -> None:
    """SQLite keeps half a mebibyte of pages, however long the meter runs."""
    with Storage.open(tmp_path) as storage:
        (size,) = storage.connection.execute("PRAGMA cache_size").fetchone()
    assert -CACHE_KIB == size
    assert CACHE_KIB <= 512


def test_second_writer_is_refused(tmp_path: Path) -> None:
    """While a directory is open another writer is told which, and by whom it is used."""
    with Storage.open(tmp_path):
        with pytest.raises(DirectoryInUseError) as refusal:
            Storage.open(tmp_path)
        assert str(tmp_path) in one_sentence(refusal.value)
    Storage.open(tmp_path).close()


def test_writer_in_another_process_is_refused_until_it_is_killed(tmp_path: Path) -> None:
    """The lock is another process's for as long as it lives, and no longer."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert "open\n" == holder.stdout.readline()
        with pytest.raises(DirectoryInUseError, match=f"process {holder.pid}"):
            Storage.open(tmp_path)
        Storage.open(tmp_path, read_only=True).close()
        holder.kill()
        holder.wait()
    Storage.open(tmp_path).close()


def test_reader_sees_one_moment(tmp_path: Path) -> None:
    """A reader is neither stopped by a writer nor shown what is committed after it came."""
    with Storage.open(tmp_path) as storage:
        ledger = powered_ledger()
        ledger.book("import", 5, MIDNIGHT_S)
        storage.checkpoint(ledger, MIDNIGHT_S)
        with Storage.open(tmp_path, read_only=True) as reader:
            ledger.book("import", 7, MIDNIGHT_S)
            storage.checkpoint(ledger, MIDNIGHT_S)
            assert 5 == Ledger(ledger.config, reader.load()).total("import")
        with Storage.open(tmp_path, read_only=True) as reader:
            assert 12 == Ledger(ledger.config, reader.load()).total("import")


def test_reader_writes_nothing(tmp_path: Path) -> None:
    """Whatever would change a directory that is open for reading is an error."""
    directory = data_directory(tmp_path)
    before = fingerprint(directory)[DATABASE_NAME]
    with Storage.open(directory, read_only=True) as reader:
        with pytest.raises(StorageError):
            reader.put_state("key", b"")
        with pytest.raises(StorageError):
            reader.checkpoint(powered_ledger(), MIDNIGHT_S)
        with pytest.raises(StorageError):
            reader.commit()
    assert before == fingerprint(directory)[DATABASE_NAME]


def test_reading_needs_a_data_directory(tmp_path: Path) -> None:
    """Where nothing was written there is nothing to read, and nothing is made."""
    for directory in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(NotADataDirectoryError) as refusal:
            Storage.open(directory, read_only=True)
        assert str(directory) in one_sentence(refusal.value)
    assert [] == list(tmp_path.iterdir())


def foreign_database(path: Path) -> None:
    """Another program's database."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE songs (title TEXT)")
    connection.commit()
    connection.close()


def picture(path: Path) -> None:
    """No database at all."""
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(5000))


def shorter_than_a_header(path: Path) -> None:
    """The beginning of a database."""
    path.write_bytes(b"SQLite format 3\0")


@pytest.mark.parametrize("read_only", [False, True], ids=["write", "read"])
@pytest.mark.parametrize("make", [foreign_database, picture, shorter_than_a_header])
def test_foreign_file_is_refused_untouched(tmp_path: Path, make, read_only: bool) -> None:
    """A file that is not ours is named and left as it is, and nothing appears beside it."""
    make(tmp_path / DATABASE_NAME)
    before = fingerprint(tmp_path)
    with pytest.raises(NotADataDirectoryError) as refusal:
        Storage.open(tmp_path, read_only=read_only)
    assert DATABASE_NAME in one_sentence(refusal.value)
    assert before == fingerprint(tmp_path)


def test_file_in_the_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    """A path that is a file is no data directory."""
    path = tmp_path / "file"
    path.write_text("text")
    with pytest.raises(NotADataDirectoryError) as refusal:
        Storage.open(path)
    assert str(path) in one_sentence(refusal.value)
    assert "text" == path.read_text()


@pytest.mark.parametrize("read_only", [False, True], ids=["write", "read"])
def test_later_version_is_refused_untouched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_only: bool
) -> None:
    """A directory that a later version migrated is left as it is."""
    directory = data_directory(tmp_path)
    later = (*schema.MIGRATIONS, ("ALTER TABLE ledger_row ADD COLUMN reactive INTEGER",))
    with monkeypatch.context() as patched:
        patched.setattr("elec_meter.storage.schema.MIGRATIONS", later)
        patched.setattr("elec_meter.storage.database.MIGRATIONS", later)
        Storage.open(directory).close()
    before = fingerprint(directory)
    with pytest.raises(NewerSchemaError) as refusal:
        Storage.open(directory, read_only=read_only)
    assert f"schema {len(later)}" in one_sentence(refusal.value)
    assert before == fingerprint(directory)


def test_earlier_version_is_migrated_with_its_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening to write brings a directory up to the newest version; reading asks for that."""
    directory = data_directory(tmp_path)
    later = (*schema.MIGRATIONS, ("ALTER TABLE ledger_row ADD COLUMN reactive INTEGER",))
    monkeypatch.setattr("elec_meter.storage.schema.MIGRATIONS", later)
    monkeypatch.setattr("elec_meter.storage.database.MIGRATIONS", later)
    with pytest.raises(StorageError, match=f"earlier version {len(later) - 1}"):
        Storage.open(directory, read_only=True)
    with Storage.open(directory) as storage:
        assert 5000 == len(storage.load().rows)
        assert (len(later),) == storage.connection.execute("PRAGMA user_version").fetchone()
    Storage.open(directory, read_only=True).close()


def cut(path: Path) -> None:
    """The end is missing."""
    path.write_bytes(path.read_bytes()[:-20_000])


def scribbled(path: Path) -> None:
    """Something wrote over the middle."""
    content = bytearray(path.read_bytes())
    content[8192:12_288] = b"\xa5" * 4096
    path.write_bytes(content)


def seen_by_reader(directory: Path) -> bool:
    """Whether a reader finds a damage, at the latest when it looks for one."""
    try:
        with Storage.open(directory, read_only=True) as reader:
            return bool(reader.faults())
    except CorruptError:
        return True


@pytest.mark.parametrize("damage", [cut, scribbled])
def test_damaged_file_is_refused_untouched(tmp_path: Path, damage) -> None:
    """A damaged database is not written to, and a reader can tell that it is damaged."""
    directory = data_directory(tmp_path)
    damage(directory / DATABASE_NAME)
    before = fingerprint(directory)
    with pytest.raises(CorruptError) as refusal:
        Storage.open(directory)
    assert DATABASE_NAME in one_sentence(refusal.value)
    assert before == fingerprint(directory)
    assert seen_by_reader(directory)
    assert before[DATABASE_NAME] == fingerprint(directory)[DATABASE_NAME]


def test_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """A path below a file is an error in one sentence."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError) as refusal:
        Storage.open(tmp_path / "file" / "data")
    assert "cannot be opened" in one_sentence(refusal.value)
