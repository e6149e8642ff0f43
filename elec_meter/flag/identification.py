"""Who the meter is on a FLAG line (IEC 62056-21, 6.3.1 and 6.3.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from elec_meter.config.base import MANUFACTURER_FORM, PRODUCT_FORM
from elec_meter.errors import ConfigError
from elec_meter.flag.framing import CR_LF

# "\2" offers mode E (Annex B). It is also what a widespread client needs to see: without a field of
# that form it takes the product's first character for it.
_ENHANCED: Final = r"\2"
_BAUD_19200: Final = "6"
# Digits and the letters A to I would promise another mode (6.3.14, items 9 and 13c).
_NO_BAUD: Final = "-"


class Identification:
    r"""The identification message `/HHY6\2HALFHOURLY CR LF`, and the addresses.

    Args:
        manufacturer: three letters; a small third one promises a reaction time of 20 ms.
        product: 1 to 14 printable characters without `/`, `!` and `\`.
        addresses: a request must name one of them if it names anything; an empty one is none.

    Attributes:
        baud: the character of the fastest speed that is offered.
        message: of modes C and E.
        message_of_mode_a: which offers no speed.
        is_quick: whether the meter answers within 20 ms instead of 200 ms.

    Raises:
        ConfigError: not of that form.
    """

    def __init__(self, manufacturer: str, product: str, addresses: Iterable[str]) -> None:
        if not re.fullmatch(MANUFACTURER_FORM, manufacturer) or not re.fullmatch(
            PRODUCT_FORM, product
        ):
            raise ConfigError(f"{manufacturer!r} and {product!r} make no FLAG identification")
        self.baud = _BAUD_19200
        self.message = f"/{manufacturer}{self.baud}{_ENHANCED}{product}".encode("ascii") + CR_LF
        self.message_of_mode_a = f"/{manufacturer}{_NO_BAUD}{product}".encode("ascii") + CR_LF
        self.is_quick = manufacturer[-1].islower()
        self._addresses = {each.lstrip("0") for each in addresses if each}

    def is_called_by(self, address: str) -> bool:
        """Whether a request with this address is for this meter; leading zeros do not count."""
        return not address or address.lstrip("0") in self._addresses
