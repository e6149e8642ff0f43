"""Secrets of the meter beside its database: a file for its owner's eyes alone."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from elec_meter.errors import StorageError
from shared import private_file

DLMS_KEYS_NAME: Final = "dlms-keys.json"
"""Keys that a head end changed."""

DLMS_CLIENTS_NAME: Final = "dlms-clients.json"
"""Keys and passwords that clients were given."""


class SecretFile:
    """A small file of mode 0600; every change is durable when it returns.

    Args:
        directory: the data directory.
        name: of the file in it.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self._path = directory / name

    def read(self) -> bytes:
        """What it holds; nothing while it is not there.

        Raises:
            StorageError: others can read it too, or it cannot be read.
        """
        try:
            return private_file.read(self._path)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise StorageError(f"{self._path} cannot be read: {error.strerror}") from None

    def replace(self, content: bytes) -> None:
        """Hold this from now on.

        Raises:
            StorageError: it cannot be written, and holds what it held.
        """
        try:
            private_file.replace(self._path, content)
        except OSError as error:
            raise StorageError(f"{self._path} cannot be written: {error.strerror}") from None
