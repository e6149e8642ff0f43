"""The keys that a Bluetooth stack keeps of its peers, in a file of the board."""

import json
import os
from binascii import hexlify, unhexlify

BOND_FILE = "bonds.json"
SECRETS_MAX = 12  # two or three for each peer; the oldest go first


class BondFile:
    """Secrets by kind and key, both of which the stack alone understands.

    Attributes:
        is_changed: whether `save` has something to do.
    """

    def __init__(self, path: str = BOND_FILE) -> None:
        self._path = path
        self._secrets: "list[tuple[int, bytes, bytes]]" = []
        self.is_changed = False
        try:
            with open(path) as file:
                for kind, key, value in json.load(file):
                    self._secrets.append((kind, unhexlify(key), unhexlify(value)))
        except (OSError, ValueError, TypeError):
            self._secrets = []  # whoever was paired pairs again

    def get(self, kind: int, index: int, key: "bytes | None") -> "bytes | None":
        """Return the secret of a key; without a key, the one with that index of its kind."""
        for known, known_key, value in self._secrets:
            if known != kind:
                continue
            if key is not None and known_key == bytes(key):
                return value
            if key is None:
                if not index:
                    return value
                index -= 1
        return None

    def put(self, kind: int, key: bytes, value: "bytes | None") -> bool:
        """Keep a secret, or forget it if ``value`` is None; return whether there was one then."""
        kept = [secret for secret in self._secrets if secret[:2] != (kind, bytes(key))]
        found = len(kept) < len(self._secrets)
        if value is not None:
            kept.append((kind, bytes(key), bytes(value)))
            found = True
        self._secrets = kept[-SECRETS_MAX:]
        self.is_changed = True
        return found

    def save(self) -> None:
        """Write the file: the old one or the new one is there, whatever power does."""
        self.is_changed = False
        told = [
            (kind, hexlify(key).decode(), hexlify(value).decode())
            for kind, key, value in self._secrets
        ]
        fresh = self._path + ".new"
        try:
            with open(fresh, "w") as file:
                json.dump(told, file)
            os.rename(fresh, self._path)
        except OSError:
            pass  # a full file system costs a pairing, not a count
