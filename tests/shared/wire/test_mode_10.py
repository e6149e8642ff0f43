"""Security mode 10 (OMS profile D, AES-CCM): a published telegram, and what must not pass."""

import pytest

from shared.crypto.backend_cryptography import AesBlock
from shared.crypto.ccm import ccm_seal
from shared.wire.errors import BadMac, KeyNeeded, Truncated, Unsupported, WireError
from shared.wire.oms import open_telegram, parse_header
from shared.wire.records import parse_records
from shared.wire.seal import DERIVE_ENCRYPTION, derived_key

# A Kamstrup water meter's, behind an extended link layer: pull request 2085 of wmbusmeters
TELEGRAM = bytes.fromhex(
    "4544372c060382533c168c20307a3010ff2a10018c570e006da7632471f42b0a3ceccd461353573ed02b87118bc5ffe9"
    "82f7f00a0274543bc51938f8b9c8bb8928114d60788a"
)
KEY = bytes.fromhex("bf902dd6dfadafe83e4ae6832b5fa14c")
RECORDS = bytes.fromhex(
    "046d1c2a2f3c04150000000002ff25010406ff1bffffffffffff446d0020213c441500000000"
)
TRANSPORT = 13  # where its CI field is
SEALED = TRANSPORT + 11


def sealed(
    records: bytes, counter: int, key: bytes = KEY, configuration: bytes = b"\xff\x2a\x10\x01"
) -> bytes:
    """A telegram of the same meter, as the meter would seal it."""
    address = TELEGRAM[2:10]
    told = counter.to_bytes(4, "little")
    header = b"\x7a\x31\x10" + configuration
    message_key = derived_key(AesBlock, key, DERIVE_ENCRYPTION, told, address[2:6])
    nonce = address + bytes(1) + counter.to_bytes(4, "big")
    body = ccm_seal(AesBlock, message_key, nonce, records, header, 8)
    link = TELEGRAM[1:TRANSPORT] + header + told + body
    return bytes([len(link)]) + link


def test_published_telegram_opens() -> None:
    """It is authentic, has its message counter, and says what the other program reports."""
    opened = open_telegram(AesBlock, TELEGRAM, KEY)
    assert ("mode10", True, 939_916) == (
        opened.security,
        opened.is_authentic,
        opened.message_counter,
    )
    assert RECORDS == opened.records
    assert ("KAW", "53820306", 0x16) == (opened.manufacturer, opened.serial, opened.medium)
    assert 6 == len(parse_records(opened.records))


def test_sealed_as_the_meter_does() -> None:
    """The same records under the same counter are the same bytes but for the access number."""
    again = bytearray(sealed(RECORDS, 939_916))
    assert again[SEALED:-8] == TELEGRAM[SEALED:-8]
    assert RECORDS == open_telegram(AesBlock, bytes(again), KEY).records


def test_no_bit_of_the_message_can_be_changed() -> None:
    """Every changed bit from the transport layer on, and of the address, is refused."""
    for place in (*range(2, 10), *range(TRANSPORT, len(TELEGRAM))):
        for bit in range(8):
            changed = bytearray(TELEGRAM)
            changed[place] ^= 1 << bit
            try:
                opened = open_telegram(AesBlock, bytes(changed), KEY)
            except WireError:
                continue
            assert not opened.is_authentic, (place, bit)


def test_a_wrong_key_is_told_from_none() -> None:
    """Either way nothing is read."""
    with pytest.raises(BadMac):
        open_telegram(AesBlock, TELEGRAM, bytes(16))
    with pytest.raises(KeyNeeded):
        open_telegram(AesBlock, TELEGRAM, None)


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ("052a1001", "a part in plain text"),
        ("ff2a1002", "a MAC of a length"),
        ("ff2a2001", "key derivation"),
        ("ff2a5001", "a key that it names itself"),
        ("ff0a1001", "without a message counter"),
        ("ff6a1001", "for other content"),
    ],
)
def test_what_is_not_spoken_is_refused_in_a_sentence(configuration: str, said: str) -> None:
    """A configuration that means something else is never taken for this one."""
    with pytest.raises(Unsupported, match=said):
        open_telegram(AesBlock, sealed(RECORDS, 1, configuration=bytes.fromhex(configuration)), KEY)


def test_a_length_that_is_the_messages_is_as_good_as_all() -> None:
    """Both say that nothing is in plain text."""
    told = sealed(RECORDS, 7, configuration=bytes([len(RECORDS)]) + b"\x2a\x10\x01")
    assert RECORDS == open_telegram(AesBlock, told, KEY).records


def test_a_message_without_room_for_its_mac_is_truncated() -> None:
    """Seven bytes are no MAC."""
    short = TELEGRAM[1 : SEALED + 7]
    with pytest.raises(Truncated):
        open_telegram(AesBlock, bytes([len(short)]) + short, KEY)


@pytest.mark.parametrize(
    ("mode", "said"), [(2, "DES"), (8, "AES-CTR"), (9, "AES-GCM"), (13, "TLS"), (4, "mode 4 is")]
)
def test_other_modes_are_named_and_refused(mode: int, said: str) -> None:
    """Nothing of them is read."""
    link = TELEGRAM[1:10] + b"\x7a\x01\x00" + bytes([0x20, mode]) + bytes(32)
    telegram = bytes([len(link)]) + link
    assert mode == parse_header(telegram).mode
    with pytest.raises(Unsupported, match=said):
        open_telegram(AesBlock, telegram, KEY)
