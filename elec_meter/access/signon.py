"""The sign-on: how who knows a password proves it, and what the meter keeps instead of it.

As in SCRAM (RFC 5802), what is kept lets nobody in, and what is sent works once:

    K = scrypt(password, salt | level), CK = HMAC(K, "Client Key"), SK = SHA-256(CK) is kept
    proof = CK xor HMAC(SK, "HHY1" | serial | level | seed)

The level is one byte, the serial its ASCII digits, the seed the meter's and used once.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from elec_meter.access.policy import Level

SEED_BYTES: Final = 16
SALT_BYTES: Final = 16
KEY_BYTES: Final = 32
MAC_BYTES: Final = 8
COST_LOG2: Final = 14
"""The N of scrypt is two to this power; r is 8 and p is 1."""

_MEMORY_BYTES: Final = 64 << 20
_PROOF_OF: Final = b"HHY1"
_COMMANDS_OF: Final = b"HHY1 commands"


def client_key(password: str, salt: bytes, level: Level) -> bytes:
    """CK: what a password gives; it takes a few hundredths of a second and 16 MiB on purpose."""
    key = hashlib.scrypt(
        password.encode(),
        salt=salt + bytes((level,)),
        n=1 << COST_LOG2,
        r=8,
        p=1,
        dklen=KEY_BYTES,
        maxmem=_MEMORY_BYTES,
    )
    return _hmac(key, b"Client Key")


def stored_key(client: bytes) -> bytes:
    """SK: what the meter keeps of a client key."""
    return hashlib.sha256(client).digest()


def proof(client: bytes, serial: str, level: Level, seed: bytes) -> bytes:
    """What whoever has the client key sends."""
    return _xor(client, _signature(stored_key(client), serial, level, seed))


def proven_key(stored: bytes, sent: bytes, serial: str, level: Level, seed: bytes) -> bytes | None:
    """The client key of whoever sent a proof; None if it proves nothing."""
    client = _xor(sent, _signature(stored, serial, level, seed))
    return client if hmac.compare_digest(stored_key(client), stored) else None


def command_key(client: bytes, serial: str, level: Level, seed: bytes) -> bytes:
    """The key of the commands of one session: who overhears the sign-on cannot know it."""
    return _hmac(client, _COMMANDS_OF + serial.encode() + bytes((level,)) + seed)


def command_mac(key: bytes, number: int, place: int, command: bytes) -> bytes:
    """The MAC of one of a session's commands.

    Args:
        key: of the session's commands.
        number: the session's commands with a MAC that there were before.
        place: the blocks of the same value that there were before.
        command: up to its MAC, with the ETX or EOT that ends it.
    """
    counted = number.to_bytes(4, "big") + place.to_bytes(4, "big")
    return _hmac(key, counted + command)[:MAC_BYTES]


def _signature(stored: bytes, serial: str, level: Level, seed: bytes) -> bytes:
    return _hmac(stored, _PROOF_OF + serial.encode() + bytes((level,)) + seed)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
