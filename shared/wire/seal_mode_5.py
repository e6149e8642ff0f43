"""Sealing in security mode 5 (EN 13757-7, OMS Vol. 2, profile A), as other makers' meters do.

No MAC and no counter: anybody may send such a telegram again. Our units never do; this is for
tests and tools.
"""

from shared.crypto.block import BLOCK, BlockCipher
from shared.crypto.modes import cbc_encrypt
from shared.wire.address import MANUFACTURER, MEDIUM_GAS, VERSION
from shared.wire.errors import Malformed
from shared.wire.seal import CI_SHORT, SEND_NO_REPLY, filled, link_address

RECORDS_MAX_MODE_5 = 15 * BLOCK - 2  # what four bits can count, and an L field too

_MODE_5 = 5
_SYNCHRONOUS = 0x2000  # it leaves at its due instant (EN 13757-4)


def seal_telegram_mode_5(
    aes: "type[BlockCipher]",
    key: bytes,
    serial: str,
    records: bytes,
    access_number: int,
    status: int = 0,
    *,
    manufacturer: str = MANUFACTURER,
    version: int = VERSION,
    medium: int = MEDIUM_GAS,
    control: int = SEND_NO_REPLY,
) -> bytes:
    """Return a meter's telegram in security mode 5: a link frame without CRCs.

    Args:
        aes: the AES block class of a backend.
        key: the meter's 16-byte key.
        serial: eight digits.
        records: data records, at most `RECORDS_MAX_MODE_5` bytes.
        access_number: 8 bits, one more with each transmission; it is in the initial vector.
        status: the status byte.
        manufacturer: three letters.
        version: of the meter.
        medium: the device type.
        control: the C field.

    Raises:
        Malformed: for a serial, manufacturer or length that a telegram cannot have.
    """
    if len(records) > RECORDS_MAX_MODE_5:
        raise Malformed("%d bytes of records do not fit a telegram" % len(records))
    content = filled(records)
    configuration = _SYNCHRONOUS | _MODE_5 << 8 | len(content) // BLOCK << 4
    address = link_address(serial, manufacturer, version, medium)
    access = bytes([access_number & 0xFF])
    link = bytes([control]) + address + bytes([CI_SHORT]) + access + bytes([status])
    link += configuration.to_bytes(2, "little")
    link += cbc_encrypt(aes(key), content, address + access * 8)
    return bytes([len(link)]) + link
