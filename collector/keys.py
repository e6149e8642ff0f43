"""What the collector asks of a keystore."""

from __future__ import annotations

from typing import Protocol


class Keys(Protocol):
    """The units' keys by serial; `Keystore` and `MemoryKeystore` are such."""

    def get(self, serial: str) -> bytes | None:
        """The unit's key; None if there is none."""

    def put(self, serial: str, key: bytes) -> None:
        """Keep a unit's key, in the place of any earlier one.

        Raises:
            KeystoreError: it is no key of 16 bytes, or it could not be kept.
        """

    def remove(self, serial: str) -> None:
        """Forget a unit's key, if there is one.

        Raises:
            KeystoreError: it could not be forgotten.
        """
