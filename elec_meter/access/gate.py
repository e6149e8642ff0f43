"""The gate that FLAG, DLMS and the panel share: who is let in on which port, and what is logged."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final, TypeAlias

import msgspec

from elec_meter.access.errors import (
    CommandMacError,
    LevelLockedError,
    SignOnRefusedError,
    VerifierError,
)
from elec_meter.access.lockouts import Lock, Lockouts
from elec_meter.access.policy import Level
from elec_meter.access.signon import (
    KEY_BYTES,
    SALT_BYTES,
    client_key,
    command_key,
    command_mac,
    proven_key,
    stored_key,
)
from elec_meter.errors import NotAllowedError, StorageError
from elec_meter.events import EventCode
from shared.timegrid import from_unix_s, unix_s

PASSWORD_LEVELS: Final = (Level.READER, Level.INSTALLER, Level.SUPPLIER)
"""The levels that a password leads to; the factory's takes the calibration link."""

PUBLISHED_PASSWORDS: Final = {
    Level.READER: "reader",
    Level.INSTALLER: "installer",
    Level.SUPPLIER: "supplier",
}
"""The demo's alone: everybody knows them. A running meter takes none of them, at any level."""

GATE_KEY: Final = "access"
"""Under which storage keeps what `Gate.packed` gives."""

_REFUSED: Final = "the sign-on was refused"

Log: TypeAlias = Callable[[EventCode, str, datetime], None]
"""Takes an entry of the event log: what it is, a sentence, when."""


class _Saved(msgspec.Struct, frozen=True):
    salt: bytes
    keys: dict[int, bytes]
    locks: dict[str, dict[int, Lock]]


class SignedOn:
    """Somebody who was let in.

    Args:
        level: what they may do.
        port: where they are.
        key: the key of their commands' MACs; None for who sent a clear password.
    """

    def __init__(self, level: Level, port: str, key: bytes | None) -> None:
        self.level = level
        self.port = port
        self._key = key
        self._number = 0

    @property
    def author(self) -> str:
        """Who gives an order, for the event log."""
        return f"level {int(self.level)} at {self.port}"

    def check_mac(self, command: bytes, mac: bytes, place: int = 0) -> None:
        """Take a command with its MAC; each number is taken once.

        Args:
            command: up to the MAC, with the ETX or EOT that ends it.
            mac: what it came with.
            place: the blocks of the same value that came before.

        Raises:
            CommandMacError: it is wrong.
        """
        expected = b""
        if self._key is not None:
            expected = command_mac(self._key, self._number, place, command)
        if not expected or not hmac.compare_digest(expected, mac):
            raise CommandMacError("the MAC of the command is wrong")
        self._number += 1


UNPROVED_LOG_S: Final = 900
"""For so long after an entry for a sign-on without a key its port and level get no other."""


class Gate:
    """Verifiers and lock-outs of a meter.

    What it decides is durable only with the next checkpoint, and is told to nobody before.

    Args:
        serial: gives the meter's serial number.
        log: takes the entries for sign-ons, failures and lock-outs.
        saved: what `packed` gave once; None for a meter without passwords.

    Raises:
        StorageError: what was saved is damaged.
    """

    def __init__(self, serial: Callable[[], str], log: Log, saved: bytes | None = None) -> None:
        self._serial = serial
        self._log = log
        self._salt = b""
        self._keys: dict[int, bytes] = {}
        self._lockouts = Lockouts()
        self._unproved_s: dict[tuple[str, Level], int] = {}
        if saved is not None:
            try:
                state = msgspec.msgpack.decode(saved, type=_Saved)
            except msgspec.MsgspecError as error:
                raise StorageError(f"the passwords' verifiers are damaged: {error}") from None
            self._salt, self._keys = state.salt, state.keys
            self._lockouts = Lockouts(state.locks)

    @property
    def salt(self) -> bytes:
        """What passwords are salted with; empty until the first is set."""
        return self._salt

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels that have a password."""
        return tuple(level for level in PASSWORD_LEVELS if level in self._keys)

    def is_published(self, level: Level) -> bool:
        """Whether a level has a password of the demo.

        It takes as long as a sign-on for each of them, the first time.
        """
        return level in self._keys and self._keys[level] in _published_keys(self._salt, level)

    def packed(self) -> bytes:
        """To be kept beside the ledger. No password is in it, nor what lets anybody in."""
        return msgspec.msgpack.encode(_Saved(self._salt, self._keys, self._lockouts.locks))

    def sign_on(
        self, port: str, level: Level, proof: bytes, seed: bytes, now: datetime
    ) -> SignedOn:
        """Let in who proves to know a level's password.

        Args:
            port: where they are, such as `FLAG TCP`.
            level: which one.
            proof: 32 bytes.
            seed: what they were given; it must not be given again.
            now: the host's UTC.

        Raises:
            LevelLockedError: the level is locked here.
            SignOnRefusedError: the proof is wrong.
        """
        self._require_open(port, level, now)
        stored, serial = self._keys.get(level), self._serial()
        if stored is None or len(proof) != KEY_BYTES:
            raise self._failure(port, level, now)
        client = proven_key(stored, proof, serial, level, seed)
        if client is None:
            raise self._failure(port, level, now)
        return self._success(port, level, command_key(client, serial, level, seed), now)

    def sign_on_clear(
        self, port: str, password: str, levels: Sequence[Level], now: datetime
    ) -> SignedOn:
        """Let in who sends a password in clear, at the highest of some levels that it belongs to.

        A password does not say which level it is meant for. A wrong one counts against the lowest
        of those that were tried alone: guessing locks them one after the other, from below, and
        three guesses do not keep everybody out.

        Raises:
            LevelLockedError: all of the levels are locked here.
            SignOnRefusedError: it is none of theirs, or there are no such levels.
        """
        at_s = unix_s(now)
        held = [level for level in levels if level in self._keys]
        tried = [
            level for level in held if self._lockouts.locked_until_s(port, level, at_s) is None
        ]
        if held and not tried:
            self._require_open(port, max(held), now)
        for level in sorted(tried, reverse=True):
            client = client_key(password, self._salt, level)
            if hmac.compare_digest(stored_key(client), self._keys[level]):
                return self._success(port, level, None, now)
        if not tried:
            self._log(EventCode.SIGN_ON_FAILED, f"a sign-on in clear was refused at {port}", now)
            raise SignOnRefusedError(_REFUSED)
        raise self._failure(port, min(tried), now)

    def is_locked(self, port: str, level: Level, now: datetime) -> bool:
        """Whether nobody is let in at a level there now."""
        return self._lockouts.locked_until_s(port, level, unix_s(now)) is not None

    def failed(self, port: str, level: Level, now: datetime) -> None:
        """Somebody failed there who was asked by another protocol."""
        self._failure(port, level, now)

    def unproved(self, port: str, level: Level, now: datetime) -> None:
        """Somebody there had not the key that another protocol asks for.

        A key is not found by trying, so this locks nobody out who has it; and whoever floods the
        meter so fills no log: one entry is made in `UNPROVED_LOG_S`.
        """
        at_s, logged_s = unix_s(now), self._unproved_s.get((port, level))
        if logged_s is None or not 0 <= at_s - logged_s < UNPROVED_LOG_S:
            self._unproved_s[port, level] = at_s
            text = f"a sign-on to level {int(level)} without its key failed at {port}"
            self._log(EventCode.SIGN_ON_FAILED, text, now)

    def succeeded(self, port: str, level: Level, now: datetime) -> None:
        """Somebody was let in there by another protocol."""
        self._success(port, level, None, now)

    def set_verifier(
        self,
        of: Level,
        salt: bytes,
        key: bytes,
        now: datetime,
        *,
        level: Level = Level.FACTORY,
        author: str = "the program",
    ) -> None:
        """Change a level's password; whoever changes it sends salt and SK, never the password.

        The first one brings the salt, and all further ones are made with it.

        Raises:
            NotAllowedError: who changes it is below that level, or below level 2.
            VerifierError: another salt, or no key.
        """
        self._require_settable(of, salt, key, level)
        self._salt, self._keys[of] = salt, key
        text = f"the password of level {int(of)} was changed by {author}"
        self._log(EventCode.PASSWORD_CHANGED, text, now)

    def change_verifier(
        self,
        of: Level,
        salt: bytes,
        key: bytes,
        now: datetime,
        *,
        level: Level = Level.FACTORY,
        author: str = "the program",
    ) -> None:
        """As `set_verifier`, by an order: a password that everybody knows is refused.

        Raises:
            NotAllowedError: as there.
            VerifierError: as there, or it is one of `PUBLISHED_PASSWORDS`.
        """
        self._require_settable(of, salt, key, level)
        if key in _published_keys(salt, of):
            raise VerifierError("this is a password of the demo, which everybody knows")
        self.set_verifier(of, salt, key, now, level=level, author=author)

    def set_password(self, of: Level, password: str, salt: bytes, now: datetime) -> None:
        """As `set_verifier`, of who has the password; the meter's salt is used if it has one."""
        salt = self._salt or salt
        self.set_verifier(of, salt, stored_key(client_key(password, salt, of)), now)

    def _require_settable(self, of: Level, salt: bytes, key: bytes, level: Level) -> None:
        needed = max(of, Level.INSTALLER)
        if level < needed:
            raise NotAllowedError(
                f"level {int(level)} may not change the password of level {int(of)}:"
                f" that takes level {int(needed)}"
            )
        if of not in PASSWORD_LEVELS:
            raise VerifierError(f"level {int(of)} has no password")
        if len(salt) != SALT_BYTES or len(key) != KEY_BYTES:
            raise VerifierError(
                f"a verifier has a salt of {SALT_BYTES} bytes and a key of {KEY_BYTES}"
            )
        if self._keys and salt != self._salt:
            raise VerifierError("the password was made with another salt than the meter's")

    def _require_open(self, port: str, level: Level, now: datetime) -> None:
        until_s = self._lockouts.locked_until_s(port, level, unix_s(now))
        if until_s is not None:
            raise LevelLockedError(
                f"level {int(level)} is locked at {port} until"
                f" {from_unix_s(until_s):%Y-%m-%d %H:%M:%S} UTC"
            )

    def _success(self, port: str, level: Level, key: bytes | None, now: datetime) -> SignedOn:
        self._lockouts.succeeded(port, level)
        self._log(EventCode.SIGNED_ON, f"level {int(level)} signed on at {port}", now)
        return SignedOn(level, port, key)

    def _failure(self, port: str, level: Level, now: datetime) -> SignOnRefusedError:
        until_s = self._lockouts.failed(port, level, unix_s(now))
        text = f"a sign-on to level {int(level)} failed at {port}"
        self._log(EventCode.SIGN_ON_FAILED, text, now)
        if until_s is not None:
            until = f"{from_unix_s(until_s):%Y-%m-%d %H:%M:%S} UTC"
            text = f"level {int(level)} is locked at {port} until {until}"
            self._log(EventCode.LEVEL_LOCKED, text, now)
        return SignOnRefusedError(_REFUSED)


@lru_cache(maxsize=2 * len(PASSWORD_LEVELS))
def _published_keys(salt: bytes, level: Level) -> frozenset[bytes]:
    """SK of every published password, as it would be at a level."""
    return frozenset(
        stored_key(client_key(password, salt, level)) for password in PUBLISHED_PASSWORDS.values()
    )
