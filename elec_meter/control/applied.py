"""Which orders were carried out under a key, and what was replied: the same key applies once."""

from __future__ import annotations

import hashlib
from typing import Any, Final, NamedTuple

import msgspec

from elec_meter.errors import ControlError, StorageError

from .requests import Request, encode_request

MOST_KEYS: Final = 256
"""The oldest keys are forgotten when there are more."""


class _Applied(NamedTuple):
    digest: bytes
    reply: dict[str, Any]


class AppliedOrders:
    """Keys with their replies, oldest first.

    Args:
        saved: what `packed` gave once; None for none.

    Raises:
        StorageError: it is something else.
    """

    def __init__(self, saved: bytes | None = None) -> None:
        self._applied: dict[str, _Applied] = {}
        if saved is not None:
            try:
                self._applied = msgspec.msgpack.decode(saved, type=dict[str, _Applied])
            except msgspec.MsgspecError as error:
                raise StorageError(f"the keys of earlier orders are damaged: {error}") from None
        self._packed = msgspec.msgpack.encode(self._applied)

    def reply(self, order: Request) -> dict[str, Any] | None:
        """What was replied to the order when it was carried out; None if it was not.

        Raises:
            ControlError: its key was another order's.
        """
        applied = None if order.key is None else self._applied.get(order.key)
        if applied is None:
            return None
        if applied.digest != _digest(order):
            raise ControlError(f"the key {order.key!r} was used for another order")
        return applied.reply

    def keep(self, order: Request, reply: dict[str, Any]) -> None:
        """The order was carried out."""
        if order.key is None:
            return
        self._applied[order.key] = _Applied(_digest(order), reply)
        for key in list(self._applied)[:-MOST_KEYS]:
            del self._applied[key]
        self._packed = msgspec.msgpack.encode(self._applied)

    def packed(self) -> bytes:
        """To be kept."""
        return self._packed


def _digest(order: Request) -> bytes:
    return hashlib.sha256(encode_request(order)).digest()[:16]
