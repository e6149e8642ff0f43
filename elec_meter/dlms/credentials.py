"""What the clients of a running meter were given: keys, a password, and who may use them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from elec_meter.dlms.acse import CHALLENGE_MAX
from elec_meter.dlms.ciphering import KEY_SIZE, TITLE_SIZE, Keys
from elec_meter.dlms.clients import (
    ClientRule,
    management_client,
    public_client,
    reader_client,
)
from elec_meter.dlms.errors import CredentialError
from elec_meter.dlms.kept import read_kept

PUBLIC, READER, MANAGEMENT = "public", "reader", "management"
KEYED_CLIENTS: Final = (READER, MANAGEMENT)
"""The clients that are given something."""

PASSWORD_MIN: Final = 8

PUBLISHED_PASSWORD: Final = b"halfhourly"
PUBLISHED_KEYS: Final = Keys(
    encryption=bytes.fromhex("000102030405060708090A0B0C0D0E0F"),
    authentication=bytes.fromhex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"),
)
PUBLISHED_MASTER: Final = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
"""The demo's alone: everybody knows them."""

_PUBLISHED: Final = frozenset({*PUBLISHED_KEYS, PUBLISHED_MASTER})


class GivenCredentials(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client is given, each in hexadecimal; empty for what it is not.

    Attributes:
        password: for low level security.
        encryption: EK.
        authentication: AK.
        master: KEK; without it the keys cannot be changed over DLMS.
        title: the one system title that may use the keys; without it any may.
    """

    password: str = ""
    encryption: str = ""
    authentication: str = ""
    master: str = ""
    title: str = ""

    def __repr__(self) -> str:
        return "<GivenCredentials>"


def given_from(fields: Mapping[str, str]) -> GivenCredentials:
    """What a client is given, by the names of `GivenCredentials`.

    Raises:
        CredentialError: something that nobody is given.
    """
    try:
        return msgspec.convert(dict(fields), GivenCredentials)
    except msgspec.ValidationError:
        names = ", ".join(each.name for each in msgspec.structs.fields(GivenCredentials))
        raise CredentialError(f"a DLMS client is given {names}") from None


class Credentials:
    """The credentials of a data directory.

    Args:
        saved: what was kept; empty for nothing.
        keep: makes a change durable before it is in force; it raises where it cannot.

    Raises:
        MalformedError: `saved` is damaged.
    """

    def __init__(self, saved: bytes = b"", keep: Callable[[bytes], None] = lambda _: None) -> None:
        self._keep = keep
        self._given = read_kept(saved, dict[str, GivenCredentials], _require_sizes, "credentials")

    def __repr__(self) -> str:
        return f"<Credentials of {', '.join(self._given) or 'nobody'}>"

    def give(self, client: str, given: GivenCredentials) -> ClientRule:
        """Let a client have this from now on; return what it has to do then.

        Keys come all at once, and replace KEK and title, too; without keys the client has those
        that it had. So with the password.

        Raises:
            CredentialError: no such client, something of another size, what everybody knows, or two
                keys that are the same.
            StorageError: it could not be made durable; nothing has changed.
        """
        _require_sizes(client, given)
        _require_secret(client, given)
        before = self._given.get(client, GivenCredentials())
        if not given.encryption:
            given = msgspec.structs.replace(before, password=given.password)
        elif not given.password:
            given = msgspec.structs.replace(given, password=before.password)
        rule, saved = _rule(client, given), {**self._given, client: given}
        self._keep(msgspec.json.encode(saved))
        self._given = saved
        return rule

    def has(self, client: str) -> bool:
        """Whether a client has what it takes to associate."""
        given = self._given.get(client)
        if client == PUBLIC:
            return True
        if given is None:
            return False
        return bool(given.encryption or (client == READER and given.password))

    def rule(self, client: str) -> ClientRule:
        """What a client has to do.

        Raises:
            CredentialError: it was given nothing.
        """
        if not self.has(client):
            raise CredentialError(f"the DLMS client {client} has neither keys nor a password")
        return _rule(client, self._given.get(client, GivenCredentials()))


def _rule(client: str, given: GivenCredentials) -> ClientRule:
    if client == PUBLIC:
        return public_client()
    parts = (given.encryption, given.authentication, given.master, given.title, given.password)
    encryption, authentication, master, title, password = map(bytes.fromhex, parts)
    keys = Keys(encryption, authentication) if encryption else None
    if client == READER:
        return reader_client(password, keys, master, title)
    assert keys is not None  # the management has nothing else
    return management_client(keys, master, title)


def _require_sizes(client: str, given: GivenCredentials) -> None:
    """Refuse what no client can have been given.

    Raises:
        CredentialError: it is something else.
    """
    if client not in KEYED_CLIENTS:
        raise CredentialError(f"the DLMS clients that have keys are {' and '.join(KEYED_CLIENTS)}")
    sizes = {"EK": (given.encryption, KEY_SIZE), "AK": (given.authentication, KEY_SIZE)}
    if given.master:
        sizes["KEK"] = given.master, KEY_SIZE
    if given.title:
        sizes["system title"] = given.title, TITLE_SIZE
    if client == READER and not (given.encryption or given.authentication or given.master):
        sizes.clear()  # a password alone will do
    for name, (text, size) in sizes.items():
        if len(_octets(name, text)) != size:
            raise CredentialError(f"a DLMS {name} has {2 * size} hexadecimal digits")
    _octets("password", given.password)


def _require_secret(client: str, given: GivenCredentials) -> None:
    """Refuse what everybody knows, or could guess.

    Raises:
        CredentialError: it is no secret.
    """
    keys = [
        bytes.fromhex(each)
        for each in (given.encryption, given.authentication, given.master)
        if each
    ]
    if _PUBLISHED & set(keys):
        raise CredentialError("a DLMS key of the demo is no key: everybody knows it")
    if len(set(keys)) < len(keys):
        raise CredentialError("the DLMS keys of a client are different ones")
    if not (keys or given.password):
        raise CredentialError(f"the DLMS client {client} is given neither keys nor a password")
    password = bytes.fromhex(given.password)
    if given.password and not PASSWORD_MIN <= len(password) <= CHALLENGE_MAX:
        raise CredentialError(f"a DLMS password has {PASSWORD_MIN} to {CHALLENGE_MAX} bytes")
    if password == PUBLISHED_PASSWORD:
        raise CredentialError("the demo's DLMS password is none: everybody knows it")
    if password and client != READER:
        raise CredentialError(f"the DLMS client {client} has no password")


def _octets(name: str, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise CredentialError(f"a DLMS {name} is written in hexadecimal") from None
