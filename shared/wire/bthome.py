"""Opening BTHome v2: measurements in Bluetooth adverts, plain or enciphered (AES-CCM).

Service data of UUID FCD2: an information byte, objects in ascending order of their numbers, and if
enciphered a counter and a MAC of four bytes each. `shared.wire.advert` seals.
"""

from shared.crypto.block import BlockCipher
from shared.crypto.ccm import ccm_open
from shared.wire.advert import (
    BTHOME_UUID,
    COUNTER_LENGTH,
    ENCRYPTED,
    MAC_LENGTH,
    VERSION,
    advert_key,
    advert_nonce,
    seal_advert,
)
from shared.wire.bthome_objects import OBJECTS, TEXT_OBJECTS
from shared.wire.cursor import Cursor
from shared.wire.errors import BadMac, KeyNeeded, Malformed, Truncated, Unsupported

__all__ = [
    "BTHOME_UUID",
    "Advert",
    "Measurement",
    "advert_key",
    "open_advert",
    "parse_objects",
    "seal_advert",
]

_HAS_MAC_ADDRESS = 0x02


class Measurement:
    """One object: `value` times ten to `exponent` is in `unit` ("" where there is none).

    `value` is a whole number, or text for texts and raw data (as hexadecimal digits).
    """

    __slots__ = ("exponent", "number", "quantity", "unit", "value")

    def __init__(
        self, number: int, quantity: str, value: "int | str", exponent: int, unit: str
    ) -> None:
        self.number = number
        self.quantity = quantity
        self.value = value
        self.exponent = exponent
        self.unit = unit

    def __repr__(self) -> str:
        return "Measurement(%s, %r, %d, %r)" % (
            self.quantity,
            self.value,
            self.exponent,
            self.unit,
        )


class Advert:
    """An opened advert: `security` is "none" or "ccm", `counter` its counter or None."""

    __slots__ = ("counter", "measurements", "security")

    def __init__(
        self, security: str, counter: "int | None", measurements: "list[Measurement]"
    ) -> None:
        self.security = security
        self.counter = counter
        self.measurements = measurements


def open_advert(
    aes: "type[BlockCipher]", service_data: bytes, address: bytes, key: "bytes | None"
) -> Advert:
    """Return what an advert says.

    Args:
        aes: the AES block class of a backend.
        service_data: from the information byte on.
        address: the sender's Bluetooth address, six bytes, first byte first.
        key: 16 bytes (see `advert_key`), None if there is none.

    Raises:
        KeyNeeded: if it is enciphered and ``key`` is None.
        BadMac: if it is not authentic.
        Truncated: if it ends within an object.
        Unsupported: for another version or an unknown object.
    """
    cursor = Cursor(service_data)
    information = cursor.u8()
    if information >> 5 != VERSION:
        raise Unsupported("BTHome version %d is not spoken here" % (information >> 5))
    if information & _HAS_MAC_ADDRESS:
        cursor.take(6)
    if not information & ENCRYPTED:
        return Advert("none", None, parse_objects(cursor.rest()))
    if cursor.remaining < COUNTER_LENGTH + MAC_LENGTH:
        raise Truncated("an enciphered advert ends in a counter and a MAC")
    sealed = cursor.take(cursor.remaining - COUNTER_LENGTH - MAC_LENGTH)
    counter = cursor.take(COUNTER_LENGTH)
    if key is None:
        raise KeyNeeded("the advert is enciphered and no key was given")
    nonce = advert_nonce(address, information, counter)
    objects = ccm_open(aes, key, nonce, sealed + cursor.rest(), b"", MAC_LENGTH)
    if objects is None:
        raise BadMac("the MAC is not the one of this advert and key")
    return Advert("ccm", int.from_bytes(counter, "little"), parse_objects(objects))


def advert_security(service_data: bytes) -> str:
    """Return what protects an advert, as its first byte says: "none" or "ccm".

    Raises:
        Truncated: if it is empty.
        Unsupported: for another version.
    """
    information = Cursor(service_data).u8()
    if information >> 5 != VERSION:
        raise Unsupported("BTHome version %d is not spoken here" % (information >> 5))
    return "ccm" if information & ENCRYPTED else "none"


def parse_objects(data: bytes) -> "list[Measurement]":
    """Return the measurements in ``data``.

    Raises:
        Truncated: if it ends within an object.
        Unsupported: for an unknown object, whose length nobody knows.
    """
    cursor = Cursor(data)
    measurements = []
    while cursor.remaining:
        number = cursor.u8()
        if number in TEXT_OBJECTS:
            content = cursor.take(cursor.u8())
            measurements.append(
                Measurement(number, TEXT_OBJECTS[number], _text(number, content), 0, "")
            )
            continue
        known = OBJECTS.get(number)
        if known is None:
            raise Unsupported("BTHome object %02X is unknown" % number)
        quantity, unit, size, signed, exponent, factor = known
        value = int.from_bytes(cursor.take(size), "little")
        if signed and value >> (8 * size - 1):
            value -= 1 << 8 * size
        measurements.append(Measurement(number, quantity, value * factor, exponent, unit))
    return measurements


def _text(number: int, content: bytes) -> str:
    if number == 0x54:
        return content.hex()
    try:
        return content.decode()
    except UnicodeError:
        pass  # raised below: MicroPython chains no exceptions
    raise Malformed("a text that is not UTF-8")
