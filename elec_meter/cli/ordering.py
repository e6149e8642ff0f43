"""How a command reaches a meter: through its socket while it runs, otherwise in its directory."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from elec_meter.errors import (
    ControlError,
    DirectoryInUseError,
    NotADataDirectoryError,
    NotRunningError,
)

if TYPE_CHECKING:
    from elec_meter.control import Request
    from elec_meter.storage import Storage

AtRest: TypeAlias = "Callable[[Storage], dict[str, Any]]"
"""What is done in the directory of a meter that does not run."""


def new_key() -> str:
    """A key that no other order has."""
    return secrets.token_hex(8)


def holds_meter(data_dir: Path) -> bool:
    """Whether a meter lives in a directory, or is expected there."""
    from elec_meter.storage import DATABASE_NAME

    return (data_dir / DATABASE_NAME).is_file()


def order(
    data_dir: Path,
    request: Request,
    at_rest: AtRest | None = None,
    *,
    may_begin: bool = False,
) -> dict[str, Any]:
    """Have a request carried out, and give the reply.

    An order with a key whose reply was lost is sent once more: it is carried out once.

    Args:
        data_dir: where the meter lives.
        request: what is asked of it while it runs.
        at_rest: what is done in the directory of one that does not.
        may_begin: whether the directory may be one in which no meter ever was.

    Raises:
        MeterError: it is refused.
        NotRunningError: it takes a running meter, and none runs.
        DirectoryInUseError: something runs there that takes no orders.
        NotADataDirectoryError: no meter was ever there.
    """
    if not may_begin and not holds_meter(data_dir):
        raise NotADataDirectoryError(f"{data_dir} holds no meter's data")
    reply = _asked(data_dir, request)
    if reply is not None:
        return reply
    try:
        return _at_rest(data_dir, at_rest)
    except DirectoryInUseError as error:
        reply = _asked(data_dir, request)  # it may have started a moment ago
        if reply is None:
            raise DirectoryInUseError(f"{error}, which takes no orders") from None
        return reply


def _asked(data_dir: Path, request: Request) -> dict[str, Any] | None:
    from elec_meter.ports import ask

    try:
        return ask(data_dir, request)
    except ControlError:
        if request.key is None:
            raise
    return ask(data_dir, request)


def _at_rest(data_dir: Path, at_rest: AtRest | None) -> dict[str, Any]:
    if at_rest is None:
        from elec_meter.storage.lock import DirectoryLock

        DirectoryLock(data_dir).release()
        raise NotRunningError(f"no meter runs on {data_dir}, and only a running one can do this")
    from elec_meter.storage import Storage

    with Storage.open(data_dir) as storage:
        return at_rest(storage)
