"""What a unit advertises: encrypted BTHome v2 service data in legacy Bluetooth advertising.

Two adverts in turn, for all that is said does not fit one: the count and the state. This half is
what a unit's memory holds; `shared.wire.bthome` opens, and knows every object.
"""

from shared.crypto.block import BlockCipher
from shared.crypto.ccm import ccm_seal
from shared.crypto.cmac import cmac
from shared.wire.errors import Malformed
from shared.wire.telegram import FLAG_LOW_BATTERY, FLAG_MAGNET, FLAG_TAMPER

BTHOME_UUID = b"\xd2\xfc"  # as sent, low byte first
VERSION = 2
ENCRYPTED = 0x01
MAC_LENGTH = 4
COUNTER_LENGTH = 4

ADVERTISING_MAX = 31
SERVICE_DATA_MAX = 24  # what the flags, and the head of the service data, leave of the 31 bytes

AGE_UNKNOWN_MS = 0xFFFFFF
AGE_MAX_MS = AGE_UNKNOWN_MS - 1  # that or longer: 4 h 39 min

_INFORMATION = 0x45  # version 2, at irregular intervals, encrypted
_FLAGS = b"\x02\x01\x06"  # to be discovered by anybody, no classic Bluetooth
_SERVICE_DATA = 0x16
_PACKET_ID = 0x00
_BATTERY = 0x01
_BATTERY_LOW = 0x15
_TAMPER = 0x2B
_COUNT = 0x3E
_DURATION = 0x42
_GAS = 0x4C


def count_objects(packet_id: int, count: int, last_pulse_age_s: "int | None") -> bytes:
    """Return the objects `00 3E 42`: packet id, count and the age of the last pulse.

    Args:
        packet_id: one more for each new advert; its low 8 bits are sent.
        count: modulo 2^32, 32 bits.
        last_pulse_age_s: sent in ms, `AGE_MAX_MS` at most; None, not known, as `AGE_UNKNOWN_MS`.

    Raises:
        Malformed: for a count or an age that its object cannot hold.
    """
    if not 0 <= count <= 0xFFFFFFFF:
        raise Malformed("a count has 32 bits: %d" % count)
    age_ms = AGE_UNKNOWN_MS
    if last_pulse_age_s is not None:
        if last_pulse_age_s < 0:
            raise Malformed("an age is not below zero: %d" % last_pulse_age_s)
        age_ms = min(last_pulse_age_s * 1000, AGE_MAX_MS)
    objects = bytes([_PACKET_ID, packet_id & 0xFF, _COUNT]) + count.to_bytes(4, "little")
    return objects + bytes([_DURATION]) + age_ms.to_bytes(3, "little")


def state_objects(
    packet_id: int, battery_percent: int, error_flags: int, volume_l: "int | None"
) -> bytes:
    """Return the objects `00 01 15 2B 4C`: packet id, battery, battery low, tamper and gas.

    Args:
        packet_id: one more for each new advert; its low 8 bits are sent.
        battery_percent: what is left, 0 to 100.
        error_flags: of the unit's telegrams; a magnet is tampering as an open loop is.
        volume_l: the dial in litres; None, or below zero or beyond 32 bits, is not sent.

    Raises:
        Malformed: for a battery that is no percentage.
    """
    if not 0 <= battery_percent <= 100:
        raise Malformed("a battery has 0 to 100 %%, not %d" % battery_percent)
    is_low = 1 if error_flags & FLAG_LOW_BATTERY else 0
    is_tampered = 1 if error_flags & (FLAG_TAMPER | FLAG_MAGNET) else 0
    objects = bytes([_PACKET_ID, packet_id & 0xFF, _BATTERY, battery_percent])
    objects += bytes([_BATTERY_LOW, is_low, _TAMPER, is_tampered])
    if volume_l is not None and 0 <= volume_l <= 0xFFFFFFFF:
        objects += bytes([_GAS]) + volume_l.to_bytes(4, "little")
    return objects


def advertising_data(service_data: bytes) -> bytes:
    """Return the whole data of a legacy advertisement: flags, then BTHome's ``service_data``.

    Raises:
        Malformed: if it has more than `SERVICE_DATA_MAX` bytes.
    """
    if len(service_data) > SERVICE_DATA_MAX:
        raise Malformed("%d bytes do not fit a legacy advertisement" % len(service_data))
    head = bytes([1 + len(BTHOME_UUID) + len(service_data), _SERVICE_DATA])
    return _FLAGS + head + BTHOME_UUID + service_data


def advert_key(aes: "type[BlockCipher]", key: bytes, address: bytes) -> bytes:
    """Return the key of a unit's adverts, from the unit's ``key`` and its six-byte ``address``."""
    return cmac(aes, key, b"BTHome v2" + address)


def seal_advert(
    aes: "type[BlockCipher]",
    key: bytes,
    address: bytes,
    objects: bytes,
    counter: int,
    information: int = _INFORMATION,
) -> bytes:
    """Return the service data, information byte first, of enciphered ``objects``.

    Args:
        aes: the AES block class of a backend.
        key: of the adverts, 16 bytes.
        address: the sender's Bluetooth address, six bytes, first byte first.
        objects: numbers and values, ascending.
        counter: 32 bits, never used twice under one key and never falling: readers drop an
            advert whose counter is below the last one's.
        information: version, trigger and encryption bits; 45 is version 2, at irregular intervals.

    Raises:
        Malformed: if ``information`` does not say version 2 and enciphered, or the counter is
            used up.
    """
    if information >> 5 != VERSION or not information & ENCRYPTED:
        raise Malformed("an information byte of %02X is not for a sealed advert" % information)
    if not 0 <= counter <= 0xFFFFFFFF:
        raise Malformed("an advert's counter has 32 bits: %d" % counter)
    count = counter.to_bytes(COUNTER_LENGTH, "little")
    nonce = advert_nonce(address, information, count)
    sealed = ccm_seal(aes, key, nonce, objects, b"", MAC_LENGTH)
    return bytes([information]) + sealed[:-MAC_LENGTH] + count + sealed[-MAC_LENGTH:]


def advert_nonce(address: bytes, information: int, counter: bytes) -> bytes:
    """Return the nonce of one advert: address, UUID, information byte and counter as sent.

    Raises:
        Malformed: for an address of another length than six bytes.
    """
    if len(address) != 6:
        raise Malformed("a Bluetooth address has 6 bytes, not %d" % len(address))
    return bytes(address) + BTHOME_UUID + bytes([information]) + counter
