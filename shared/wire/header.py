"""The layers between link and records: extended link, authentication, transport.

EN 13757-4 (ELL, CI 8C to 8F), EN 13757-7 (AFL, CI 90; transport headers 72, 7A, 78). A header is
read without any key, so that a receiver can look the key up by what it says.
"""

from shared.wire.address import manufacturer_letters, serial_text
from shared.wire.crc import crc_en13757
from shared.wire.cursor import Cursor
from shared.wire.errors import BadCrc, Malformed, Truncated, Unsupported
from shared.wire.seal import (
    CI_AFL,
    CI_SHORT,
    FCL_HAS_COUNTER,
    FCL_HAS_MAC,
    FCL_HAS_MCL,
    MODE_7,
)
from shared.wire.wmbus import LINK_HEADER

CI_LONG = 0x72
CI_NONE = 0x78
# The same headers before a compact frame (EN 13757-7, Table 2)
CI_COMPACT_LONG = 0x73
CI_COMPACT_NONE = 0x79
CI_COMPACT_SHORT = 0x7B
# ... and before a format frame, which tells what compact frames leave out
CI_FORMAT_NONE = 0x69
CI_FORMAT_SHORT = 0x6A
CI_FORMAT_LONG = 0x6B
CI_ELL = (0x8C, 0x8D, 0x8E, 0x8F)

MODE_NONE = 0
MODE_5 = 5
MODE_10 = 10

_LONG_HEADERS = (CI_LONG, CI_COMPACT_LONG, CI_FORMAT_LONG)
_SHORT_HEADERS = (CI_SHORT, CI_COMPACT_SHORT, CI_FORMAT_SHORT)
_NO_HEADERS = (CI_NONE, CI_COMPACT_NONE, CI_FORMAT_NONE)

# AFL fragmentation control (EN 13757-7, 6.3.3), beside the fields that we send ourselves
_FCL_MORE_FRAGMENTS = 0x4000
_FCL_HAS_LENGTH = 0x1000
_FCL_HAS_KEY_INFO = 0x0200
_FCL_RESERVED = 0x8100

# Where old wired meters have a signature that they leave blank
_NO_CONFIGURATION = 0xFFFF

# Security mode 10: what its configuration says beside the mode (OMS Vol. 2, profile D)
_COUNTER_SENT = 0x2000
_CONTENT = 0xC000
_CFE_KEY_VERSION = 0x40
_TAG_SIZES = {1: 8}

_MAC_LENGTHS = {3: 2, 4: 4, 5: 8, 6: 12, 7: 16}


class Header:
    """Who sends a message and how it is protected; built by `parse_header`.

    `manufacturer` (three letters), `serial` (eight digits), `version` and `medium` name the meter:
    from the transport layer where it has an address of its own, else from the link. `address` is
    these eight bytes as sent (manufacturer, serial, version, medium). In security mode 10 `counter`
    is the message counter and `covered` the header as its MAC covers it.
    """

    __slots__ = (
        "access_number",
        "address",
        "afl",
        "blocks",
        "body",
        "ci",
        "configuration",
        "control",
        "counter",
        "covered",
        "ell",
        "kdf",
        "link_address",
        "message",
        "mode",
        "status",
        "tag_size",
    )

    def __init__(self, control: int, link_address: bytes) -> None:
        self.control = control
        self.link_address = link_address
        self.address = link_address
        self.ell: "ExtendedLink | None" = None
        self.afl: "Authentication | None" = None
        self.ci = CI_NONE
        self.access_number: "int | None" = None
        self.status = 0
        self.configuration = 0
        self.mode = MODE_NONE
        self.blocks = 0
        self.kdf = 0
        self.counter: "int | None" = None
        self.covered = b""
        self.tag_size = 0
        self.message = b""  # from the transport layer's CI on: what a MAC covers
        self.body = b""  # after the transport header

    @property
    def is_compact(self) -> bool:
        """Whether it is in front of a compact frame: see `shared.wire.compact`."""
        return self.ci in (CI_COMPACT_LONG, CI_COMPACT_NONE, CI_COMPACT_SHORT)

    @property
    def is_format(self) -> bool:
        """Whether it is in front of a format frame: see `shared.wire.compact`."""
        return self.ci in (CI_FORMAT_LONG, CI_FORMAT_NONE, CI_FORMAT_SHORT)

    @property
    def manufacturer(self) -> str:
        """Three letters (EN 13757-7, the FLAG association's list)."""
        return manufacturer_letters(int.from_bytes(self.address[:2], "little"))

    @property
    def serial(self) -> str:
        """Eight digits; hexadecimal ones where a maker sends such."""
        return serial_text(self.address[2:6])

    @property
    def version(self) -> int:
        """The meter's version byte."""
        return self.address[6]

    @property
    def medium(self) -> int:
        """The device type byte: 3 is gas."""
        return self.address[7]


class ExtendedLink:
    """The extended link layer: `session` is None for CI 8C and 8E.

    `sealed` is what it enciphers, the layers above included, else None.
    """

    __slots__ = ("access_number", "control", "sealed", "session")

    def __init__(self, control: int, access_number: int) -> None:
        self.control = control
        self.access_number = access_number
        self.session: "int | None" = None
        self.sealed: "bytes | None" = None


class Authentication:
    """The authentication and fragmentation layer; absent fields are None."""

    __slots__ = ("counter", "length", "mac", "message_control")

    def __init__(self) -> None:
        self.message_control: "int | None" = None
        self.counter: "int | None" = None
        self.mac: "bytes | None" = None
        self.length: "int | None" = None


def parse_header(link: bytes) -> Header:
    """Return the header of a radio link frame (without CRCs, see `shared.wire.wmbus.unframe`).

    Raises:
        WireError: if the layers are cut short, meaningless or of a kind not spoken here.
    """
    if len(link) <= LINK_HEADER or len(link) <= link[0]:
        raise Truncated("%d bytes are no whole link frame" % len(link))
    if len(link) != link[0] + 1:
        raise Malformed("the L field counts %d bytes, %d follow it" % (link[0], len(link) - 1))
    header = Header(link[1], bytes(link[2:LINK_HEADER]))
    parse_layers(header, Cursor(link, LINK_HEADER))
    return header


def parse_wired_header(control: int, user_data: bytes) -> Header:
    """Return the header of a wired message: its C field and what follows the A field.

    Raises:
        WireError: as `parse_header`.
    """
    header = Header(control, bytes(8))
    parse_layers(header, Cursor(user_data))
    if header.configuration == _NO_CONFIGURATION:
        header.mode = MODE_NONE
    return header


def parse_layers(header: Header, cursor: Cursor) -> None:
    """Read the layers from a CI field on into ``header``, up to one that is enciphered.

    Raises:
        WireError: as `parse_header`.
    """
    ci = cursor.u8()
    if ci in CI_ELL:
        _parse_ell(header, cursor, ci)
        if header.ell is not None and header.ell.sealed is not None:
            return
        ci = cursor.u8()
    if ci == CI_AFL:
        ci = _parse_afl(header, cursor)
    header.ci = ci
    header.message = bytes([ci]) + bytes(cursor.data[cursor.position : cursor.end])
    if ci in _LONG_HEADERS or ci in _SHORT_HEADERS:
        _parse_transport(header, cursor)
    elif ci not in _NO_HEADERS:
        raise Unsupported("CI field %02X is not a meter's data" % ci)
    elif header.ell is not None:
        header.access_number = header.ell.access_number
    if header.afl is not None and header.afl.length not in (None, len(header.message)):
        raise Malformed("the authentication layer counts another message length")
    header.body = cursor.rest()


def _parse_ell(header: Header, cursor: Cursor, ci: int) -> None:
    ell = ExtendedLink(cursor.u8(), cursor.u8())
    header.ell = ell
    if ci >= 0x8E:
        cursor.take(8)  # the receiver's address: who is meant, not who speaks
    if not ci & 1:
        return
    ell.session = cursor.u32()
    cipher = ell.session >> 29
    if cipher == 0:
        check_payload(cursor)
    elif cipher == 1 and ci == 0x8D:
        ell.sealed = cursor.rest()
    else:
        raise Unsupported("the extended link layer is enciphered in a way not spoken here")


def check_payload(cursor: Cursor) -> None:
    """Check the CRC in front of an extended link layer's payload.

    Raises:
        BadCrc: if it is not the payload's.
    """
    crc = cursor.u16()
    if crc_en13757(cursor.data[cursor.position : cursor.end]) != crc:
        raise BadCrc("the extended link layer's payload has another CRC")


def _parse_afl(header: Header, cursor: Cursor) -> int:
    length = cursor.u8()
    fields = Cursor(cursor.take(length))
    control = fields.u16()
    if control & _FCL_MORE_FRAGMENTS or control & 0xFF > 1:
        raise Unsupported("the message comes in fragments")
    if control & _FCL_RESERVED:
        raise Unsupported("the authentication layer has fields not spoken here")
    if control & _FCL_HAS_KEY_INFO:
        raise Unsupported("the message is sealed with a key that it names itself")
    afl = Authentication()
    if control & FCL_HAS_MCL:
        afl.message_control = fields.u8()
    if control & FCL_HAS_COUNTER:
        afl.counter = fields.u32()
    if control & FCL_HAS_MAC:
        size = _MAC_LENGTHS.get((afl.message_control or 0) & 0x0F)
        if size is None:
            raise Unsupported("the authentication layer's MAC is no CMAC")
        afl.mac = fields.take(size)
    if control & _FCL_HAS_LENGTH:
        afl.length = fields.u16()
    if fields.remaining:
        raise Malformed("the authentication layer is longer than its fields")
    header.afl = afl
    return cursor.u8()


def _parse_transport(header: Header, cursor: Cursor) -> None:
    start = cursor.position
    if header.ci in _LONG_HEADERS:
        serial = cursor.take(4)
        header.address = cursor.take(2) + serial + cursor.take(2)
    header.access_number = cursor.u8()
    header.status = cursor.u8()
    header.configuration = cursor.u16()
    header.mode = header.configuration >> 8 & 0x1F
    header.blocks = header.configuration >> 4 & 0x0F
    if header.mode == MODE_7:
        header.kdf = cursor.u8()
    elif header.mode == MODE_10:
        _parse_counter(header, cursor, start)


def _parse_counter(header: Header, cursor: Cursor, start: int) -> None:
    """Read what security mode 10 adds: two bytes of configuration, and the message counter."""
    header.kdf = cursor.u8()
    tag = cursor.u8()
    if header.kdf & _CFE_KEY_VERSION:
        raise Unsupported("the message is sealed with a key that it names itself")
    if header.configuration & _CONTENT or not header.configuration & _COUNTER_SENT:
        raise Unsupported("security mode 10 without a message counter, or for other content")
    header.tag_size = _TAG_SIZES.get(tag & 0x0F, 0)
    header.covered = bytes([header.ci]) + bytes(cursor.data[start : cursor.position])
    header.counter = cursor.u32()
