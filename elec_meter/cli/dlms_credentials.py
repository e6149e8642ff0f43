"""How the clients of a meter's DLMS port get keys and a password, whether it runs or not."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .ordering import new_key, order

if TYPE_CHECKING:
    from elec_meter.storage import Storage

KEYS: Final = {"encryption": "EK", "authentication": "AK", "master": "KEK"}
"""What the three keys are called where they are entered."""


def drawn_keys() -> dict[str, str]:
    """Keys that nobody has had."""
    return {name: secrets.token_hex(16) for name in KEYS}


def give(data_dir: Path, client: str, given: dict[str, str]) -> None:
    """Let a client have keys or a password from its next association on, or the first start.

    Raises:
        MeterError: as for `order`, or the client cannot have that.
    """
    from elec_meter.at_rest import AUTHOR
    from elec_meter.control import GiveDlmsCredentials
    from elec_meter.dlms.errors import CredentialError
    from elec_meter.dlms_service import give_at_rest

    given = {name: text for name, text in given.items() if text}
    if not given:
        raise CredentialError(f"the DLMS client {client} is given neither keys nor a password")

    def at_rest(storage: Storage) -> dict[str, Any]:
        give_at_rest(storage, client, given, author=AUTHOR, now=datetime.now(UTC))
        return {}

    request = GiveDlmsCredentials(client=client, given=given, key=new_key())
    order(data_dir, request, at_rest, may_begin=True)
