"""How a password reaches a meter: as salt and key, whether it runs or not."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .ordering import new_key, order

if TYPE_CHECKING:
    from elec_meter.storage import Storage


SHORTEST: Final = 8
"""Characters of a password: whoever overhears a sign-on may guess at it in peace."""

_LONGEST: Final = 128


def give_password(data_dir: Path, level: int, password: str) -> None:
    """Let a level have another password, also of a meter that has not run yet.

    Raises:
        MeterError: as for `order`, or it is too short, or cannot be typed everywhere.
    """
    from elec_meter import at_rest
    from elec_meter.access import SALT_BYTES, Level, VerifierError, client_key, stored_key
    from elec_meter.control import ChangePassword, ShowPasswords

    if not SHORTEST <= len(password) <= _LONGEST or not password.isprintable():
        raise VerifierError(
            f"a password has {SHORTEST} to {_LONGEST} characters that can be printed"
        )

    def known(storage: Storage) -> dict[str, Any]:
        return {"salt": at_rest.gate_of(storage).salt.hex()}

    of = Level(level)
    salt = bytes.fromhex(order(data_dir, ShowPasswords(), known, may_begin=True)["salt"])
    salt = salt or secrets.token_bytes(SALT_BYTES)
    key = stored_key(client_key(password, salt, of))

    def change(storage: Storage) -> dict[str, Any]:
        now = datetime.now(UTC)
        at_rest.change_password(storage, of, salt, key, level=Level.SUPPLIER, now=now)
        return {}

    request = ChangePassword(of=level, salt=salt.hex(), stored_key=key.hex(), key=new_key())
    order(data_dir, request, change)
