"""Sealing a unit's telegram: security mode 7 (EN 13757-7, OMS Vol. 2, profile B).

AES-CBC under a key derived for each message counter, and an 8-byte CMAC over everything from the
transport layer on. This half is what a unit's memory holds; `shared.wire.oms` opens, and
`shared.wire.seal_mode_5` seals in profile A for tests and tools.
"""

from shared.crypto.block import BLOCK, BlockCipher
from shared.crypto.cmac import cmac
from shared.crypto.modes import cbc_encrypt
from shared.wire.address import (
    MANUFACTURER,
    MEDIUM_GAS,
    VERSION,
    manufacturer_code,
    serial_bytes,
)
from shared.wire.errors import Malformed

BLOCKS_MAX = 13  # with the layers around them the most that an L field can count
RECORDS_MAX = BLOCKS_MAX * BLOCK - 2

CI_SHORT = 0x7A
CI_AFL = 0x90
MODE_7 = 7
KDF_A = 0x10

# AFL fragmentation control (EN 13757-7, 6.3.3) and message control
FCL_HAS_MCL = 0x2000
FCL_HAS_COUNTER = 0x0800
FCL_HAS_MAC = 0x0400
MCL_LENGTH_IN_MAC = 0x40
MCL_COUNTER_IN_MAC = 0x20
MCL_CMAC_8 = 0x05

CHECK = b"\x2f\x2f"  # what enciphered text begins with
DERIVE_ENCRYPTION = 0x00  # from the meter; a gateway's own keys would be 0x10 and 0x11
DERIVE_MAC = 0x01

# C fields of what a meter sends of its own accord (EN 13757-4, 11.5.2)
SEND_NO_REPLY = 0x44
SEND_INSTALLATION = 0x46  # an installer has asked for it; no MAC covers this field

_FILLER = 0x2F


def seal_telegram(
    aes: "type[BlockCipher]",
    key: bytes,
    serial: str,
    records: bytes,
    message_counter: int,
    access_number: int,
    status: int = 0,
    *,
    manufacturer: str = MANUFACTURER,
    version: int = VERSION,
    medium: int = MEDIUM_GAS,
    control: int = SEND_NO_REPLY,
) -> bytes:
    """Return a unit's telegram in security mode 7: a link frame without CRCs.

    Args:
        aes: the AES block class of a backend.
        key: the unit's 16-byte key.
        serial: eight digits.
        records: data records, at most `RECORDS_MAX` bytes.
        message_counter: 32 bits, never used twice under one key.
        access_number: 8 bits, one more with each transmission.
        status: the status byte.
        manufacturer: three letters.
        version: of the unit.
        medium: the device type.
        control: the C field, `SEND_NO_REPLY` or `SEND_INSTALLATION`.

    Raises:
        Malformed: for a serial, manufacturer, counter or length that a telegram cannot have.
    """
    if len(records) > RECORDS_MAX:
        raise Malformed("%d bytes of records do not fit a telegram" % len(records))
    if not 0 <= message_counter <= 0xFFFFFFFF:
        raise Malformed("a message counter has 32 bits: %d" % message_counter)
    content = filled(records)
    blocks = len(content) // BLOCK
    identity = serial_bytes(serial)
    counter = message_counter.to_bytes(4, "little")
    configuration = (MODE_7 << 8) | (blocks << 4)
    message = bytes([CI_SHORT, access_number & 0xFF, status])
    message += configuration.to_bytes(2, "little") + bytes([KDF_A])
    message += cbc_encrypt(
        aes(derived_key(aes, key, DERIVE_ENCRYPTION, counter, identity)), content
    )
    message_control = bytes([MCL_COUNTER_IN_MAC | MCL_CMAC_8])
    mac_key = derived_key(aes, key, DERIVE_MAC, counter, identity)
    mac = cmac(aes, mac_key, message_control + counter + message)[:8]
    fragmentation = FCL_HAS_MCL | FCL_HAS_COUNTER | FCL_HAS_MAC
    afl = fragmentation.to_bytes(2, "little") + message_control + counter + mac
    link = bytes([control]) + link_address(serial, manufacturer, version, medium)
    link += bytes([CI_AFL, len(afl)]) + afl + message
    return bytes([len(link)]) + link


def filled(records: bytes) -> bytes:
    """Return what is enciphered of ``records``: check bytes first, fillers up to whole blocks."""
    content = CHECK + records
    return content + bytes([_FILLER]) * (-len(content) % BLOCK)


def link_address(serial: str, manufacturer: str, version: int, medium: int) -> bytes:
    """Return a meter's address on the link: eight bytes.

    Raises:
        Malformed: for a serial or manufacturer that no meter has.
    """
    code = manufacturer_code(manufacturer).to_bytes(2, "little")
    return code + serial_bytes(serial) + bytes([version, medium])


def derived_key(
    aes: "type[BlockCipher]", key: bytes, use: int, counter: bytes, identity: bytes
) -> bytes:
    """Return the key for one ``use`` of one message (EN 13757-7, key derivation function A).

    ``counter`` and ``identity`` are the four bytes each as they are sent.
    """
    return cmac(aes, key, bytes([use]) + counter + identity + b"\x07" * 7)
