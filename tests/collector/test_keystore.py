"""Keys: for their owner's eyes, whole or not at all, and never shown."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from collector import Keystore, KeystoreError, MemoryKeystore
from tests.collector.frames import KEY, SERIAL


def test_keys_come_back(tmp_path: Path) -> None:
    """What was put is there when the directory is opened again, and what was removed is not."""
    keystore = Keystore.open(tmp_path)
    keystore.put(SERIAL, KEY)
    keystore.put("00000002", bytes(16))
    keystore.remove("00000002")
    again = Keystore.open(tmp_path)
    assert KEY == again.get(SERIAL)
    assert again.get("00000002") is None


def test_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The file has mode 0600 whatever the umask; one that others can read is refused."""
    mask = os.umask(0)
    try:
        Keystore.open(tmp_path).put(SERIAL, KEY)
    finally:
        os.umask(mask)
    path = tmp_path / "keys.json"
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    path.chmod(0o640)
    with pytest.raises(KeystoreError, match="chmod 600"):
        Keystore.open(tmp_path)


def test_file_is_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If writing fails, the old keys are in the file and in force, and nothing else is there."""
    keystore = Keystore.open(tmp_path)
    keystore.put(SERIAL, KEY)

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(KeystoreError, match="No space left"):
        keystore.put("00000002", bytes(16))
    assert keystore.get("00000002") is None
    assert [tmp_path / "keys.json"] == list(tmp_path.iterdir())
    assert [SERIAL] == list(json.loads((tmp_path / "keys.json").read_text()))


def test_keystore_is_whole_however_it_is_made(tmp_path: Path) -> None:
    """By its file or by its directory: keys are kept in the same place."""
    Keystore(tmp_path / "keys.json").put(SERIAL, KEY)
    assert KEY == Keystore.open(tmp_path).get(SERIAL)


def test_rest_of_a_killed_process_is_no_obstacle(tmp_path: Path) -> None:
    """A half-written new file is overwritten."""
    (tmp_path / "keys.json.new").write_text("{")
    Keystore.open(tmp_path).put(SERIAL, KEY)
    assert KEY == Keystore.open(tmp_path).get(SERIAL)


@pytest.mark.parametrize(
    "text", ["", "[]", "[" * 9999, '{"00000001": 5}', '{"00000001": "0F0E"}', '{"1": "']
)
def test_other_files_are_refused_unquoted(tmp_path: Path, text: str) -> None:
    """What is not a keystore is an error that quotes nothing of it."""
    path = tmp_path / "keys.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeystoreError) as caught:
        Keystore.open(tmp_path)
    assert "0F0E" not in str(caught.value)


def test_keys_are_checked_and_never_shown() -> None:
    """A key of another length is refused; neither the error nor the repr shows one."""
    keystore = MemoryKeystore({SERIAL: KEY})
    assert KEY.hex() not in repr(keystore).lower()
    with pytest.raises(KeystoreError) as caught:
        keystore.put(SERIAL, KEY[:15])
    assert KEY[:15].hex() not in str(caught.value)
    with pytest.raises(KeystoreError):
        keystore.put("1", KEY)
