"""The units' keys: in memory, or in `keys.json` of a data directory."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final, Self

from shared import private_file
from shared.quoting import quoted
from shared.wire.address import is_serial

from .errors import KeystoreError

KEY_BYTES: Final = 16
_FILE: Final = "keys.json"
_KEY: Final = re.compile(r"[0-9A-Fa-f]{32}", re.ASCII)


class MemoryKeystore:
    """Keys by serial, for tests and for the length of a process.

    Args:
        keys: to begin with.
    """

    def __init__(self, keys: dict[str, bytes] | None = None) -> None:
        self._keys: dict[str, bytes] = {}
        for serial, key in (keys or {}).items():
            self._keys[serial] = _checked(serial, key)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._keys)} keys)"

    @property
    def serials(self) -> list[str]:
        """The units whose keys there are."""
        return sorted(self._keys)

    def get(self, serial: str) -> bytes | None:
        """The unit's key; None if there is none."""
        return self._keys.get(serial)

    def put(self, serial: str, key: bytes) -> None:
        """Keep a unit's key, in the place of any earlier one.

        Raises:
            KeystoreError: it is no key of 16 bytes, or it could not be kept.
        """
        self._replace({**self._keys, serial: _checked(serial, key)})

    def remove(self, serial: str) -> None:
        """Forget a unit's key, if there is one.

        Raises:
            KeystoreError: it could not be forgotten.
        """
        self._replace({other: key for other, key in self._keys.items() if other != serial})

    def _replace(self, keys: dict[str, bytes]) -> None:
        self._keys = keys


class Keystore(MemoryKeystore):
    """Keys in a file that its owner alone can read; every change is durable when it returns.

    Args:
        path: the file; there is none before the first key.

    Raises:
        KeystoreError: the file is not a keystore, or not for its owner's eyes alone.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(_loaded(path))
        self._path = path

    @classmethod
    def open(cls, directory: Path) -> Self:
        """The keystore of a data directory.

        Raises:
            KeystoreError: the file is not a keystore, or not for its owner's eyes alone.
        """
        return cls(directory / _FILE)

    def _replace(self, keys: dict[str, bytes]) -> None:
        text = json.dumps({serial: keys[serial].hex() for serial in sorted(keys)}, indent=1)
        try:
            private_file.replace(self._path, text.encode() + b"\n")
        except OSError as error:
            raise KeystoreError(f"{self._path} cannot be written: {error.strerror}") from None
        super()._replace(keys)


def _checked(serial: str, key: bytes) -> bytes:
    if not is_serial(serial):
        raise KeystoreError(f"a serial has 8 digits, unlike {quoted(serial)}")
    if len(key) != KEY_BYTES:
        raise KeystoreError(f"the key of {serial} has {len(key)} bytes, not {KEY_BYTES}")
    return bytes(key)


def _loaded(path: Path) -> dict[str, bytes]:
    try:
        if path.stat().st_mode & 0o077:
            raise KeystoreError(f"{path} can be read by others: chmod 600 it")
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise KeystoreError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, KeystoreError):
            raise
        # The decoder's message and context would quote the file.
        raise KeystoreError(f"{path} is not a keystore") from None
    is_keystore = isinstance(document, dict) and all(
        isinstance(key, str) and _KEY.fullmatch(key) for key in document.values()
    )
    if not is_keystore:
        raise KeystoreError(f"{path} is not a keystore")
    return {serial: bytes.fromhex(key) for serial, key in document.items()}
