"""Who may talk to the meter, and how each of them proves it (IEC 62056-5-3, 4.5 and 5)."""

from __future__ import annotations

from dataclasses import dataclass, field

from elec_meter.dlms.acse import CHALLENGE_MAX
from elec_meter.dlms.ciphering import KEY_SIZE, TITLE_SIZE, Keys, Protection
from elec_meter.dlms.policy import Level
from elec_meter.errors import ConfigError

_SAP_MAX = 0x7F


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRule:
    """What one client, known by its service access point, has to do and may do then.

    Attributes:
        sap: 1 to 127; 16 is the public client.
        level: what it may do once it is associated.
        is_open: whether it need not prove anything.
        password: for low level security; empty where that is not allowed.
        keys: for high level security and ciphering; None where that is not possible.
        master: wraps new keys; empty where they cannot be changed.
        protection: what its ciphered APDUs must have.
        must_cipher: whether it has to cipher them all.
        title: the one system title that may use the keys; empty for any.

    Raises:
        ConfigError: it could never associate, or a key, password or title is of another size.
    """

    sap: int
    level: Level
    is_open: bool = False
    password: bytes = field(default=b"", repr=False)
    keys: Keys | None = None
    master: bytes = field(default=b"", repr=False)
    protection: Protection = Protection.AUTHENTICATED
    must_cipher: bool = False
    title: bytes = b""

    def __post_init__(self) -> None:
        if not 1 <= self.sap <= _SAP_MAX:
            raise ConfigError(f"a DLMS client is numbered 1 to {_SAP_MAX}, not {self.sap}")
        if self.keys is not None and any(len(key) != KEY_SIZE for key in self.keys):
            raise ConfigError(f"a DLMS key has {KEY_SIZE} bytes")
        if self.master and (self.keys is None or len(self.master) != KEY_SIZE):
            raise ConfigError(f"a DLMS master key has {KEY_SIZE} bytes, and keys to wrap")
        if self.title and (self.keys is None or len(self.title) != TITLE_SIZE):
            raise ConfigError(f"a DLMS system title has {TITLE_SIZE} bytes, and keys to use")
        if len(self.password) > CHALLENGE_MAX:
            raise ConfigError(f"a DLMS password has at most {CHALLENGE_MAX} bytes")
        if self.must_cipher and self.keys is None:
            raise ConfigError(f"DLMS client {self.sap} has to cipher and has no keys")
        if not (self.is_open or self.password or self.keys):
            raise ConfigError(f"DLMS client {self.sap} has no way to associate")


def public_client() -> ClientRule:
    """Client 16: clock, identity, the registers of a bill."""
    return ClientRule(sap=16, level=Level.PUBLIC, is_open=True)


def reader_client(
    password: bytes, keys: Keys | None, master: bytes = b"", title: bytes = b""
) -> ClientRule:
    """Client 32: everything that can be read, by password or by key."""
    return ClientRule(
        sap=32, level=Level.READER, password=password, keys=keys, master=master, title=title
    )


def management_client(keys: Keys, master: bytes = b"", title: bytes = b"") -> ClientRule:
    """Client 1: everything, by key, authenticated and encrypted; it changes keys, too."""
    return ClientRule(
        sap=1,
        level=Level.SUPPLIER,
        keys=keys,
        master=master,
        title=title,
        protection=Protection.BOTH,
        must_cipher=True,
    )
