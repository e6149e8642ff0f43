from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from shared import private_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of a file that is not there."""
    return tmp_path / "secret"


def test_a_file_is_its_owners_alone(path: Path) -> None:
    """Made or made anew, also where the old one could be read by others."""
    private_file.create(path, b"old")
    assert (b"old", 0o600) == (private_file.read(path), stat.S_IMODE(path.stat().st_mode))
    path.chmod(0o644)
    private_file.replace(path, b"new")
    assert (b"new", 0o600) == (private_file.read(path), stat.S_IMODE(path.stat().st_mode))
    assert [path] == list(path.parent.iterdir())


def test_what_others_can_read_is_not_read(path: Path) -> None:
    """The sentence says what to do."""
    path.write_bytes(b"seen")
    path.chmod(0o640)
    with pytest.raises(PermissionError, match=f"chmod 600 {path}"):
        private_file.read(path)


def test_nothing_is_written_over_by_making(path: Path) -> None:
    """A file that is there stays as it is."""
    private_file.create(path, b"old")
    with pytest.raises(FileExistsError):
        private_file.create(path, b"new")
    assert b"old" == private_file.read(path)


@pytest.mark.parametrize("failing", ["fsync", "rename"])
def test_a_failure_leaves_the_old_file(
    path: Path, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, or a name that cannot be taken: the old file is there, and no other."""
    private_file.create(path, b"old")

    def fails(*_: object) -> None:
        raise OSError("no")

    if failing == "fsync":
        monkeypatch.setattr(os, "fsync", fails)
    else:
        monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OSError, match="no"):
        private_file.replace(path, b"new")
    assert (b"old", [path]) == (path.read_bytes(), list(path.parent.iterdir()))


def test_what_a_killed_process_has_left_is_no_obstacle(path: Path) -> None:
    """Half a new file is begun anew."""
    path.with_name("secret.new").write_bytes(b"ha")
    private_file.replace(path, b"new")
    assert (b"new", [path]) == (private_file.read(path), list(path.parent.iterdir()))


def test_the_folder_is_synchronised_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is not on the disk is lost with the power."""
    kinds: list[bool] = []
    monkeypatch.setattr(os, "fsync", lambda number: kinds.append(is_folder(number)))
    private_file.replace(path, b"new")
    assert [False, True] == kinds


def is_folder(number: int) -> bool:
    """Whether a descriptor is that of a folder."""
    return stat.S_ISDIR(os.fstat(number).st_mode)
