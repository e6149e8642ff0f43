"""Messages of OMS: published telegrams open, ours open, changed ones do not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.crypto.backend_cryptography import AesBlock
from shared.wire.errors import (
    BadKey,
    BadMac,
    KeyNeeded,
    Malformed,
    Truncated,
    Unsupported,
    WireError,
)
from shared.wire.header import parse_wired_header
from shared.wire.oms import Message, open_message, open_telegram, parse_header
from shared.wire.seal import (
    BLOCKS_MAX,
    DERIVE_ENCRYPTION,
    DERIVE_MAC,
    RECORDS_MAX,
    SEND_INSTALLATION,
    SEND_NO_REPLY,
    derived_key,
    seal_telegram,
)
from shared.wire.seal_mode_5 import RECORDS_MAX_MODE_5, seal_telegram_mode_5
from tests.shared.wire.samples import GAS_KEY, GAS_LINK
from tests.shared.wire.strategies import COUNTERS, KEYS, SERIALS, damaged

GAS_RECORDS = bytes.fromhex("0c1427048502046d32371f1502fd170000")
KEY_B = bytes(range(16))

# CEN/TR 17167, F.3: the sample gas meter behind a radio adapter, ELL, AFL, security mode 7
MODE_7 = bytes.fromhex(
    "53082448443322110337"
    "8e80753a63665544330a31"
    "900f002c25b30a0000af5d74df73a600d9"
    "7278563412931533037500200710"
    "9058475f4bc91df878b80a1b0f98b629024aac727942bfc549233c0140829b93"
)
# OMS Vol. 2, Annex N: the same meter with a radio of its own, a short header behind the ELL
INTEGRATED = bytes.fromhex(
    "43449315785634123303"
    "8c2075"
    "900f002c25b30a000021924d4f2fb66e01"
    "7a750020071090"
    "58475f4bc91df878b80a1b0f98b629024aac727942bfc549233c0140829b93"
)
# OMS Vol. 2, Annex N.5.3: a heat cost allocator, ELL, first block enciphered, the rest plain
PARTLY = bytes.fromhex(
    "304493444433221155378c00757288776655934455080004100500"
    "dfe2a782146d1513581cd2f83f39040cfd1078563412"
)
# A Kamstrup meter whose link layer is enciphered: public test telegram of wmbusmeters
LINK = bytes.fromhex(
    "2a442d2c998734761b168d2091d37cac21e1d68cdaffcd3dc452bd802913ff7b1706ca9e355d6c2701cc24"
)
LINK_KEY = bytes.fromhex("28f64a24988064a079aa2c807d6102ae")
# A Diehl meter with a long header, mode 5 and the maker's published key: wmbusmeters again
HYDRUS = bytes.fromhex(
    "6644242328001081640e7266567464a51170071f0050052c411a08674048dd6ba82a0df79ffd401309179a893a1be3"
    "ce8edc50c2a45cd7afec3b4ce765820be8056c124a17416c3722985ffff7fceb7094901ab3a16294b511b9a740c9f9"
    "911352b42a72fb3b0c"
)
HYDRUS_KEY = bytes.fromhex("51728910e66d83f851728910e66d83f8")


def sealed(records: bytes = GAS_RECORDS, counter: int = 7) -> bytes:
    """A telegram of unit 00000001."""
    return seal_telegram(AesBlock, KEY_B, "00000001", records, counter, counter, 0x20)


def opened(link: bytes, key: bytes | None) -> Message:
    """The opened telegram."""
    return open_telegram(AesBlock, link, key)


def test_mode_5_example() -> None:
    """The annex's profile A telegram says what is printed there."""
    message = opened(GAS_LINK, GAS_KEY)
    assert ("ELS", "12345678", 51, 3) == (
        message.manufacturer,
        message.serial,
        message.version,
        message.medium,
    )
    assert ("mode5", 0x2A, 0) == (message.security, message.access_number, message.status)
    assert GAS_RECORDS == message.records.rstrip(b"\x2f")
    assert message.message_counter is None


def test_mode_7_example() -> None:
    """The technical report's mode 7 telegram opens; its session keys are those printed."""
    message = opened(MODE_7, KEY_B)
    assert ("ELS", "12345678", "mode7", 2739) == (
        message.manufacturer,
        message.serial,
        message.security,
        message.message_counter,
    )
    assert GAS_RECORDS == message.records.rstrip(b"\x2f")
    place = (KEY_B, DERIVE_ENCRYPTION, bytes.fromhex("b30a0000"), bytes.fromhex("78563412"))
    assert "eccf39d475d730b8284fdfdc1995d52f" == derived_key(AesBlock, *place).hex()
    place = (KEY_B, DERIVE_MAC, *place[2:])
    assert "c9cd19ff5a9aad5a6bbda13bd2c4c7ad" == derived_key(AesBlock, *place).hex()


def test_examples_are_sealed_bit_for_bit() -> None:
    """Profile A and profile B give the bytes that the annex prints, its link extension aside."""
    meter = {"manufacturer": "ELS", "version": 0x33}
    assert GAS_LINK == seal_telegram_mode_5(
        AesBlock, GAS_KEY, "12345678", GAS_RECORDS, 0x2A, **meter
    )
    assert GAS_RECORDS == opened(INTEGRATED, KEY_B).records.rstrip(b"\x2f")
    link = seal_telegram(AesBlock, KEY_B, "12345678", GAS_RECORDS, 2739, 0x75, **meter)
    extension = INTEGRATED[10:13]
    assert INTEGRATED == bytes([link[0] + 3]) + link[1:10] + extension + link[10:]


@given(KEYS, SERIALS, st.binary(max_size=RECORDS_MAX_MODE_5), st.integers(0, 255))
@settings(max_examples=50, deadline=None)
def test_mode_5_round_trip(key: bytes, serial: str, records: bytes, number: int) -> None:
    """Any telegram in mode 5 opens with all it was sealed with, and is no longer than a frame."""
    link = seal_telegram_mode_5(AesBlock, key, serial, records, number, number, version=9, medium=7)
    message = opened(link, key)
    assert ("HHY", serial, 9, 7, "mode5", None) == (
        message.manufacturer,
        message.serial,
        message.version,
        message.medium,
        message.security,
        message.message_counter,
    )
    assert (number, number) == (message.access_number, message.status)
    assert records == message.records[: len(records)]
    assert b"" == message.records[len(records) :].strip(b"\x2f")
    assert len(link) <= 255


def test_control_field_tells_an_installation_telegram() -> None:
    """In both modes the C field is what was asked for, and all else is as it was."""
    assert (0x44, 0x46) == (SEND_NO_REPLY, SEND_INSTALLATION)
    usual = sealed()
    asked = seal_telegram(
        AesBlock, KEY_B, "00000001", GAS_RECORDS, 7, 7, 0x20, control=SEND_INSTALLATION
    )
    assert usual[:1] + b"\x46" + usual[2:] == asked
    asked = seal_telegram_mode_5(AesBlock, KEY_B, "00000001", b"", 1, control=SEND_INSTALLATION)
    assert SEND_INSTALLATION == parse_header(asked).control


def test_partly_enciphered_example() -> None:
    """Blocks beyond those enciphered are taken as they are."""
    message = opened(PARTLY, KEY_B)
    assert ("QDS", "55667788", 4) == (message.manufacturer, message.serial, message.status)
    assert "0b6e341200426cfe044b6e5634020cfd1078563412" == message.records.hex()


def test_long_header_behind_a_radio_module() -> None:
    """Where meter and radio have addresses of their own, the key is the meter's."""
    message = opened(HYDRUS, HYDRUS_KEY)
    assert ("DME", "64745666", 112, 7) == (
        message.manufacturer,
        message.serial,
        message.version,
        message.medium,
    )
    assert "0374111a000c1391721300" == message.records[:11].hex()


def test_enciphered_link_layer() -> None:
    """An AES-CTR link layer opens with its key; without, or with another, it says so."""
    message = opened(LINK, LINK_KEY)
    assert ("KAM", "76348799", "link") == (message.manufacturer, message.serial, message.security)
    assert "02ff2071000413081900004413081900 00615b7f616713".replace(" ", "") == (
        message.records.hex()
    )
    with pytest.raises(KeyNeeded):
        opened(LINK, None)
    with pytest.raises(BadKey):
        opened(LINK, GAS_KEY)


def test_plain_link_layer_is_checked() -> None:
    """A link layer in clear is skipped if its CRC is right."""
    plain = bytes.fromhex("8d20910000 0000") + bytes.fromhex("78041308190000")
    from shared.wire.crc import crc_en13757

    body = plain[:7] + crc_en13757(plain[7:]).to_bytes(2, "little") + plain[7:]
    link = bytes([9 + len(body)]) + LINK[1:10] + body
    message = opened(link, None)
    assert ("none", 0x91, "041308190000") == (
        message.security,
        message.access_number,
        message.records.hex(),
    )
    with pytest.raises(WireError):
        opened(link[:-1] + b"\x01", None)


@given(KEYS, SERIALS, st.binary(max_size=RECORDS_MAX), COUNTERS, st.integers(0, 255))
@settings(max_examples=50, deadline=None)
def test_round_trip(key: bytes, serial: str, records: bytes, counter: int, status: int) -> None:
    """Any telegram opens with all it was sealed with, and is no longer than a frame."""
    link = seal_telegram(AesBlock, key, serial, records, counter, counter & 255, status)
    message = opened(link, key)
    assert ("HHY", serial, 1, 3) == (
        message.manufacturer,
        message.serial,
        message.version,
        message.medium,
    )
    assert (counter, counter & 255, status) == (
        message.message_counter,
        message.access_number,
        message.status,
    )
    assert records == message.records[: len(records)]
    assert b"" == message.records[len(records) :].strip(b"\x2f")
    assert len(link) - 1 <= 9 + 17 + 6 + 16 * BLOCKS_MAX <= 255


def test_header_needs_no_key() -> None:
    """Who sent it, and the counter, can be read before any key is known."""
    header = parse_header(sealed())
    assert ("HHY", "00000001", 1, 3, 0x44) == (
        header.manufacturer,
        header.serial,
        header.version,
        header.medium,
        header.control,
    )
    assert header.afl is not None
    assert (7, 7) == (header.mode, header.afl.counter)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_changed_telegram_never_opens(data: st.DataObject) -> None:
    """Turned bits close a telegram, but for those of the link's fields that no MAC covers.

    Those are C, manufacturer, version, medium and the fragment's number: what the telegram then
    says of its unit is compared with the pairing by whoever asked for it.
    """
    link = sealed()
    changed = data.draw(damaged(link))
    try:
        message = opened(changed, KEY_B)
    except WireError:
        return
    uncovered = {1, 2, 3, 8, 9, 12}
    assert {i for i in range(len(link)) if changed[i] != link[i]} <= uncovered
    assert ("mode7", "00000001", 7, GAS_RECORDS) == (
        message.security,
        message.serial,
        message.message_counter,
        message.records.rstrip(b"\x2f"),
    )


@pytest.mark.parametrize("link", [sealed(), GAS_LINK, MODE_7, INTEGRATED, PARTLY, LINK])
def test_every_shorter_telegram_is_refused(link: bytes) -> None:
    """Cut anywhere, a telegram is a `WireError`, with and without its key."""
    for end in range(len(link)):
        for key in (KEY_B, None):
            with pytest.raises(WireError):
                opened(link[:end], key)


def test_wrong_key_and_no_key() -> None:
    """Mode 7 tells a wrong key by its MAC, mode 5 by its first two bytes."""
    with pytest.raises(BadMac):
        opened(sealed(), GAS_KEY)
    with pytest.raises(BadKey):
        opened(GAS_LINK, KEY_B)
    for link in (sealed(), GAS_LINK):
        with pytest.raises(KeyNeeded):
            opened(link, None)


def test_message_already_deciphered_is_plain() -> None:
    """A gateway's mode 5 message in clear opens without a key and says that it is not secured."""
    link = bytes.fromhex("1e44ae4c9956341268077a360010002f2f0413181e0000023b00002f2f2f2f")
    link = link[:13] + b"\x10\x05" + link[15:]
    assert ("none", "0413181e0000023b0000") == (
        opened(link, None).security,
        opened(link, None).records.rstrip(b"\x2f").hex(),
    )


def test_wired_messages() -> None:
    """Long, short and no header on the wire; a signature left blank is no security mode."""
    long = parse_wired_header(8, bytes.fromhex("7278563412931533032a000000") + GAS_RECORDS)
    assert GAS_RECORDS == open_message(AesBlock, long, None).records
    blank = parse_wired_header(8, bytes.fromhex("7278563412931533032a00ffff") + GAS_RECORDS)
    assert "none" == open_message(AesBlock, blank, None).security
    bare = open_message(AesBlock, parse_wired_header(8, b"\x78" + GAS_RECORDS), None)
    assert (None, "00000000", GAS_RECORDS) == (bare.access_number, bare.serial, bare.records)


def with_afl(afl: str, tail: bytes) -> bytes:
    """Our telegram with other authentication fields in front of the transport layer."""
    body = sealed()[1:10] + b"\x90" + bytes([len(bytes.fromhex(afl))]) + bytes.fromhex(afl) + tail
    return bytes([len(body)]) + body


@pytest.mark.parametrize(
    ("afl", "error"),
    [
        ("004c25070000000011223344556677", Unsupported),  # a fragment
        ("022c2507000000" + "00" * 8, Unsupported),  # the second fragment
        ("002e250707000000" + "00" * 8, Unsupported),  # a key named in the message
        ("002c2907000000" + "00" * 8, Unsupported),  # GMAC
        ("002c2407000000" + "00" * 4, Unsupported),  # four bytes of MAC
        ("002c0507000000" + "00" * 8, Unsupported),  # counter outside the MAC
        ("003c6507000000" + "00" * 8 + "0100", Malformed),  # another message length
        ("002c2507000000" + "00" * 9, Malformed),  # more than the fields
        ("002c250700", Truncated),
        ("0000", BadMac),
        ("0024251122334455667788", BadMac),  # no counter
        ("00286507000000", BadMac),  # no MAC
        ("002c6507000000" + "00" * 8, Malformed),  # a length under the MAC that is not sent
    ],
)
def test_odd_authentication_layers(afl: str, error: type[WireError]) -> None:
    """Fragments, other MACs and missing fields are refused by name."""
    with pytest.raises(error):
        opened(with_afl(afl, sealed()[27:]), KEY_B)


def test_message_length_under_the_mac() -> None:
    """Where the MAC covers the message length too, it is the MAC over all of it."""
    from shared.crypto.cmac import cmac

    tail = sealed()[27:]
    counter = (7).to_bytes(4, "little")
    length = len(tail).to_bytes(2, "little")
    mac_key = derived_key(AesBlock, KEY_B, DERIVE_MAC, counter, bytes.fromhex("01000000"))
    mac = cmac(AesBlock, mac_key, b"\x65" + counter + length + tail)[:8]
    link = with_afl("003c65" + counter.hex() + mac.hex() + length.hex(), tail)
    assert GAS_RECORDS == opened(link, KEY_B).records.rstrip(b"\x2f")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({10: b"\x6c"}, Unsupported),  # sets a clock
        ({14: b"\x0d"}, Unsupported),  # TLS
        ({13: b"\x90"}, Truncated),  # nine blocks in a telegram of two
    ],
)
def test_odd_transport_layers(change: dict[int, bytes], error: type[WireError]) -> None:
    """Other message types and modes, and blocks that are not there."""
    link = bytearray(GAS_LINK)
    for position, value in change.items():
        link[position : position + 1] = value
    with pytest.raises(error):
        opened(bytes(link), GAS_KEY)


def test_mac_without_mode_7_is_not_trusted() -> None:
    """A MAC in front of plain text is refused: no key is agreed for it."""
    with pytest.raises(Unsupported, match="outside"):
        opened(with_afl("002c2507000000" + "00" * 8, b"\x7a\x01\x00\x00\x00"), KEY_B)


def test_what_cannot_be_sealed() -> None:
    """Too many records, a counter used up, or a serial or manufacturer that no telegram has."""
    for counter in (-1, 1 << 32):
        with pytest.raises(Malformed, match="32 bits"):
            sealed(counter=counter)
    with pytest.raises(Malformed, match="fit"):
        sealed(bytes(RECORDS_MAX + 1))
    with pytest.raises(Malformed, match="fit"):
        seal_telegram_mode_5(AesBlock, KEY_B, "00000001", bytes(RECORDS_MAX_MODE_5 + 1), 1)
    for serial in ("1234567", "1234567a", "123456789"):
        with pytest.raises(Malformed, match="8 digits"):
            seal_telegram(AesBlock, KEY_B, serial, b"", 1, 1)
    for letters in ("HH", "hhy", "HHYY"):
        with pytest.raises(Malformed, match="three letters"):
            seal_telegram(AesBlock, KEY_B, "00000001", b"", 1, 1, manufacturer=letters)


@given(st.binary(min_size=1, max_size=120))
@settings(max_examples=150)
def test_any_bytes_open_or_give_a_typed_error(tail: bytes) -> None:
    """Whatever follows an address, nothing but `WireError` leaves the parser."""
    link = bytes([9 + len(tail)]) + GAS_LINK[1:10] + tail
    for key in (None, GAS_KEY):
        try:
            opened(link, key)
        except WireError:
            continue
