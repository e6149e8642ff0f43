"""The keys that clients have now, once a head end has changed them (IEC 62056-5-3, 5.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import IntEnum
from hashlib import sha256
from typing import NamedTuple

import msgspec

from elec_meter.dlms.ciphering import Keys, Protection
from elec_meter.dlms.clients import ClientRule
from elec_meter.dlms.errors import EncodingError
from elec_meter.dlms.kept import read_kept


class KeyId(IntEnum):
    """Which key a wrapped one is to take the place of (IEC 62056-6-2, 4.4.7.3.3)."""

    ENCRYPTION = 0
    AUTHENTICATION = 2
    MASTER = 3


class Secret(NamedTuple):
    """What one client has now.

    Attributes:
        keys: EK and AK.
        master: KEK.
        protection: the least that its APDUs must have.
        must_cipher: whether it has to cipher them all.
    """

    keys: Keys
    master: bytes
    protection: Protection
    must_cipher: bool

    def __repr__(self) -> str:
        return "<Secret>"

    @classmethod
    def of(cls, rule: ClientRule) -> Secret:
        """What a rule gives its client.

        Raises:
            EncodingError: nothing.
        """
        if rule.keys is None:
            raise EncodingError(f"DLMS client {rule.sap} has no keys")
        return cls(rule.keys, rule.master, rule.protection, rule.must_cipher)


class _Saved(msgspec.Struct, frozen=True):
    """As it is kept; `given` tells the keys that were changed from others, and is no key."""

    given: str
    encryption: str
    authentication: str
    master: str
    protection: int
    must_cipher: bool


class Keyring:
    """What has become of the keys that a meter's clients were given.

    Changed keys take the place of the given ones as long as those stay as they were: whoever gives
    a client others means those.

    Args:
        saved: what was kept; empty for nothing.
        keep: makes a change durable before it is in force; it raises where it cannot.

    Raises:
        MalformedError: `saved` is damaged.
    """

    def __init__(self, saved: bytes = b"", keep: Callable[[bytes], None] = lambda _: None) -> None:
        self._keep = keep
        self._saved = read_kept(saved, dict[str, _Saved], lambda _, each: _secret(each), "keys")

    def __repr__(self) -> str:
        return f"<Keyring of {len(self._saved)}>"

    def of(self, rule: ClientRule) -> ClientRule:
        """A rule with the keys that are in force."""
        saved = self._saved.get(str(rule.sap))
        if saved is None or rule.keys is None or saved.given != _given(rule):
            return rule
        secret = _secret(saved)
        return replace(
            rule,
            keys=secret.keys,
            master=secret.master,
            protection=secret.protection,
            must_cipher=secret.must_cipher,
        )

    def change(self, changed: Mapping[ClientRule, Secret]) -> None:
        """Let clients, each by the rule that it was given, have other secrets: all or none.

        Raises:
            StorageError: it could not be made durable; nothing has changed.
        """
        saved = dict(self._saved)
        for rule, secret in changed.items():
            saved[str(rule.sap)] = _Saved(
                _given(rule),
                secret.keys.encryption.hex(),
                secret.keys.authentication.hex(),
                secret.master.hex(),
                int(secret.protection),
                secret.must_cipher,
            )
        self._replace(saved)

    def forget(self, sap: int) -> None:
        """Let a client have what it was given, whatever became of that; errors as for `change`."""
        saved = {name: each for name, each in self._saved.items() if name != str(sap)}
        if len(saved) < len(self._saved):
            self._replace(saved)

    def _replace(self, saved: dict[str, _Saved]) -> None:
        self._keep(msgspec.json.encode(saved))
        self._saved = saved


def _given(rule: ClientRule) -> str:
    assert rule.keys is not None
    return sha256(b"dlms keys" + b"".join((*rule.keys, rule.master))).hexdigest()[:32]


def _secret(saved: _Saved) -> Secret:
    parts = map(bytes.fromhex, (saved.encryption, saved.authentication, saved.master))
    encryption, authentication, master = parts
    protection = Protection(saved.protection)
    return Secret(Keys(encryption, authentication), master, protection, saved.must_cipher)
