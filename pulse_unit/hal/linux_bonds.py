"""Who may pair with a Linux board, and the keys of those who have.

Bumble would also pair without a passkey, or by the older protocol that anyone who listens can
break, and takes every key alike. Here only LE Secure Connections with passkey entry gets anywhere
(Core Specification, Vol 3, Part H, 2.3.5.6), and only a key from it is kept or offered.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bumble import smp
from bumble.device import Device
from bumble.keys import JsonKeyStore, PairingKeys
from bumble.pairing import PairingConfig, PairingDelegate

from shared import private_file

_KEY_SIZE = 16
_KEYBOARDS = (smp.IoCapability.KEYBOARD_ONLY, smp.IoCapability.KEYBOARD_DISPLAY)


class _Passkey(int):
    """A passkey that is true even if it is 000000: Bumble takes a false one for none."""

    def __bool__(self) -> bool:
        return True


class _Label(PairingDelegate):
    """A display that shows one passkey for ever: the label."""

    def __init__(self, passkey: str, may_pair: Callable[[], bool]) -> None:
        super().__init__(
            PairingDelegate.IoCapability.DISPLAY_OUTPUT_ONLY,
            PairingDelegate.KeyDistribution.DISTRIBUTE_ENCRYPTION_KEY
            | PairingDelegate.KeyDistribution.DISTRIBUTE_IDENTITY_KEY,
            PairingDelegate.KeyDistribution.DISTRIBUTE_ENCRYPTION_KEY,
            _KEY_SIZE,
        )
        self._passkey = _Passkey(passkey)
        self._may_pair = may_pair

    async def accept(self) -> bool:
        return self._may_pair()

    async def generate_passkey(self) -> int:
        return self._passkey


class _PasskeySession(smp.Session):
    """A responder that goes on only with what a passkey pairing consists of."""

    is_asked = False

    def on_smp_command(self, command: smp.SMP_Command) -> None:
        if isinstance(command, smp.SMP_Pairing_Request_Command):
            if not _asks_for_passkey(command) or self.is_asked:
                self.send_pairing_failed(smp.ErrorCode.AUTHENTICATION_REQUIREMENTS)
                return
            self.is_asked = True
        elif not isinstance(command, smp.SMP_Pairing_Failed_Command) and not self.is_passkey:
            self.send_pairing_failed(smp.ErrorCode.UNSPECIFIED_REASON)
            return
        super().on_smp_command(command)

    @property
    def is_passkey(self) -> bool:
        """Whether a request was accepted, and what it agreed on."""
        return self.sc and self.pairing_method == smp.PairingMethod.PASSKEY and not self.completed

    def get_long_term_key(
        self,
        rand: bytes,  # noqa: ARG002  of the older protocol
        ediv: int,  # noqa: ARG002  of the older protocol
    ) -> bytes | None:
        if not self.sc or self.pairing_method != smp.PairingMethod.PASSKEY:
            return None
        key: bytes | None = getattr(self, "ltk", None)
        return key


def _asks_for_passkey(request: smp.SMP_Pairing_Request_Command) -> bool:
    wanted = smp.AuthReq.SC | smp.AuthReq.BONDING
    return (
        request.auth_req & wanted == wanted
        and request.io_capability in _KEYBOARDS
        and not request.oob_data_flag
        and request.maximum_encryption_key_size >= _KEY_SIZE
    )


def guard_pairing(device: Device, passkey: str, may_pair: Callable[[], bool]) -> None:
    """Let a device pair by this passkey alone, and only when ``may_pair`` says so."""
    config = PairingConfig(sc=True, mitm=True, bonding=True, delegate=_Label(passkey, may_pair))
    device.pairing_config_factory = lambda _connection: config
    device.smp_manager.session_proxy = _PasskeySession


class BondFile(JsonKeyStore):
    """The keys of paired peers, in a file that only its owner reads."""

    def __init__(self, path: Path) -> None:
        super().__init__("peers", str(path))

    async def save(self, db: dict[str, dict[str, dict[str, Any]]]) -> None:
        """Write the file anew, whole or not at all."""
        data = json.dumps(db, sort_keys=True, indent=1).encode()
        private_file.replace(Path(self.filename), data)

    async def update(self, name: str, keys: PairingKeys) -> None:
        """Keep the keys of a peer that has entered the passkey, and no others."""
        if keys.ltk is not None and keys.ltk.authenticated:
            await super().update(name, keys)

    async def get(self, name: str) -> PairingKeys | None:
        """Return the keys of a peer."""
        keys = await super().get(name)
        return keys if keys is not None and keys.ltk and keys.ltk.authenticated else None
