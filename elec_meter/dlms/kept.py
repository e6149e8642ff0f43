"""What is kept of each DLMS client and is secret: read back, or refused without being quoted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from elec_meter.dlms.errors import MalformedError

_Entry = TypeVar("_Entry")


def read_kept(
    saved: bytes,
    form: type[dict[str, _Entry]],
    require: Callable[[str, _Entry], object],
    name: str,
) -> dict[str, _Entry]:
    """Read what was kept, by client.

    Args:
        saved: JSON; empty for nothing.
        form: what it is read as.
        require: raises `ValueError` for a client and an entry that cannot have been kept.
        name: what is kept, for the sentence of the error.

    Raises:
        MalformedError: `saved` is damaged.
    """
    if not saved:
        return {}
    try:
        kept = msgspec.json.decode(saved, type=form)
        for client, each in kept.items():
            require(client, each)
    except (msgspec.MsgspecError, ValueError):
        # What is wrong with it would quote it.
        raise MalformedError(f"the DLMS {name} that were kept are damaged") from None
    return kept
