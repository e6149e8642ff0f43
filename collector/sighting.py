"""From which Bluetooth address a unit advertises: no advert names its sender, a key finds it."""

from __future__ import annotations

from typing import Final

from shared.wire.errors import WireError

from .bearers.base import ReceivedFrame

_SENDERS_MAX: Final = 1_000
_ATTEMPTS: Final = 3


class Sighting:
    """Tries a unit's key on adverts until one opens.

    Args:
        key: the unit's; None for one that enciphers nothing, and is never seen.

    Attributes:
        address: six bytes, first byte first; None until the unit was seen.
        base_advert: the highest counter of its adverts so far; None until then.
    """

    def __init__(self, key: bytes | None) -> None:
        self.address: bytes | None = None
        self.base_advert: int | None = None
        self._key = key
        self._tried: dict[bytes, int] = {}

    def see(self, frame: ReceivedFrame) -> None:
        """Take a frame, of whomever. A sender whose adverts do not open is soon passed over."""
        address = frame.address
        if self._key is None or address is None or self.address not in (None, address):
            return
        if self.address is None:
            if len(self._tried) >= _SENDERS_MAX or self._tried.get(address, 0) >= _ATTEMPTS:
                return
            self._tried[address] = self._tried.get(address, 0) + 1
        from shared.crypto.backend_cryptography import AesBlock
        from shared.wire.advert import advert_key
        from shared.wire.bthome import open_advert

        try:
            key = advert_key(AesBlock, self._key, address)
            advert = open_advert(AesBlock, frame.data, address, key)
        except WireError:
            return
        if advert.counter is not None:  # a plain one proves nothing
            self.address = address
            self.base_advert = max(advert.counter, self.base_advert or 0)
