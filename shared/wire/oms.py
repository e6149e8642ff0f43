"""Opening messages: OMS security modes 0, 5, 7 and 10 (EN 13757-7, OMS Vol. 2), enciphered links.

Mode 7 (profile B) is what our units send: AES-CBC under a key derived for each message counter and
an 8-byte CMAC over everything from the transport layer on. Mode 5 (profile A) has no MAC and no
counter; mode 0 is plain text; a link layer may be enciphered as a whole (AES-CTR). Mode 10 (profile
D) is AES-CCM under a key derived likewise. These are opened for other makers' meters only.
"""

from shared.crypto.block import BLOCK, BlockCipher
from shared.crypto.ccm import ccm_open
from shared.crypto.cmac import cmac, same_mac
from shared.crypto.modes import cbc_decrypt, ctr
from shared.wire.address import MANUFACTURER, MEDIUM_GAS, VERSION
from shared.wire.cursor import Cursor
from shared.wire.errors import (
    BadCrc,
    BadKey,
    BadMac,
    KeyNeeded,
    Malformed,
    Truncated,
    Unsupported,
)
from shared.wire.header import (
    MODE_5,
    MODE_10,
    MODE_NONE,
    ExtendedLink,
    Header,
    check_payload,
    parse_header,
    parse_layers,
)
from shared.wire.seal import (
    CHECK,
    DERIVE_ENCRYPTION,
    DERIVE_MAC,
    KDF_A,
    MCL_COUNTER_IN_MAC,
    MCL_LENGTH_IN_MAC,
    MODE_7,
    derived_key,
    seal_telegram,
)

__all__ = [
    "MANUFACTURER",
    "MEDIUM_GAS",
    "VERSION",
    "Header",
    "Message",
    "open_message",
    "open_telegram",
    "parse_header",
    "seal_telegram",
]


_AUTHENTIC = ("mode7", "mode10")
_ALL_ENCIPHERED = 0xFF
_OTHER_MODES = {
    2: "DES",
    3: "DES",
    8: "AES-CTR",
    9: "AES-GCM",
    13: "a TLS session, which only the gateway that opened it can read",
}


class Message:
    """An opened message: its header and what it says.

    `security` is "none", "mode5", "mode7", "mode10" or "link", see `is_authentic`. `records` are
    the data records' bytes, fillers included (`shared.wire.records`); where `header.is_compact` or
    `header.is_format`, what `shared.wire.compact` makes such of.
    """

    __slots__ = ("header", "message_counter", "records", "security")

    def __init__(
        self, header: Header, security: str, message_counter: "int | None", records: bytes
    ) -> None:
        self.header = header
        self.security = security
        self.message_counter = message_counter
        self.records = records

    @property
    def is_authentic(self) -> bool:
        """Whether a MAC proves all of it, its message counter included."""
        return self.security in _AUTHENTIC

    @property
    def manufacturer(self) -> str:
        """The meter's maker: three letters."""
        return self.header.manufacturer

    @property
    def serial(self) -> str:
        """The meter's identification number: eight digits."""
        return self.header.serial

    @property
    def version(self) -> int:
        """The meter's version byte."""
        return self.header.version

    @property
    def medium(self) -> int:
        """The device type byte: 3 is gas."""
        return self.header.medium

    @property
    def access_number(self) -> "int | None":
        """The transmission's number, modulo 256; None without a transport header."""
        return self.header.access_number

    @property
    def status(self) -> int:
        """The transport header's status byte (EN 13757-7, 7.5.6)."""
        return self.header.status


def open_telegram(aes: "type[BlockCipher]", link: bytes, key: "bytes | None") -> Message:
    """Return what a radio link frame (without CRCs) says.

    Args:
        aes: the AES block class of a backend.
        link: the frame, from its L field on.
        key: the sender's 16-byte key, None if there is none.

    Raises:
        KeyNeeded: if it is enciphered and ``key`` is None.
        BadMac: if it is not authentic.
        BadKey: if mode 5 deciphers to nonsense.
        WireError: if its layers are cut short, meaningless or not spoken here.
    """
    return open_message(aes, parse_header(link), key)


def open_message(aes: "type[BlockCipher]", header: Header, key: "bytes | None") -> Message:
    """Return what the message of a parsed ``header``, radio or wired, says.

    Raises:
        WireError: as `open_telegram`.
    """
    if header.ell is not None and header.ell.sealed is not None:
        return _open_link(aes, header, header.ell, key)
    if header.mode == MODE_7:
        return _open_mode_7(aes, header, key)
    if header.mode == MODE_10:
        return _open_mode_10(aes, header, key)
    if header.afl is not None and header.afl.mac is not None:
        raise Unsupported("a MAC outside security mode 7 cannot be verified")
    if header.mode == MODE_NONE or (header.mode == MODE_5 and header.blocks == 0):
        return Message(header, "none", None, header.body)
    if header.mode == MODE_5:
        return _open_mode_5(aes, header, key)
    known = _OTHER_MODES.get(header.mode)
    raise Unsupported(
        "security mode %d%s is not spoken here" % (header.mode, " (%s)" % known if known else "")
    )


def _open_link(
    aes: "type[BlockCipher]", header: Header, ell: ExtendedLink, key: "bytes | None"
) -> Message:
    if key is None:
        raise KeyNeeded("the link layer is enciphered and no key was given")
    session = (ell.session or 0).to_bytes(4, "little")
    first = header.link_address + bytes([ell.control]) + session + bytes(3)
    cursor = Cursor(ctr(aes(key), ell.sealed or b"", first))
    is_damaged = False
    try:
        check_payload(cursor)
    except BadCrc:
        is_damaged = True  # raised below: MicroPython chains no exceptions
    if is_damaged:
        raise BadKey("the key does not fit: the deciphered link layer has another CRC")
    inner = Header(header.control, header.link_address)
    parse_layers(inner, cursor)
    message = open_message(aes, inner, key)
    if message.security == "none":
        message.security = "link"
    return message


def _open_mode_5(aes: "type[BlockCipher]", header: Header, key: "bytes | None") -> Message:
    if key is None:
        if header.body[:2] == CHECK:  # some gateways decipher and leave the header as it was
            return Message(header, "none", None, header.body[2:])
        raise KeyNeeded("the message is enciphered (mode 5) and no key was given")
    access_number = header.access_number or 0
    iv = header.address + bytes([access_number]) * 8
    return Message(header, "mode5", None, _deciphered(aes, header, key, iv))


def _open_mode_7(aes: "type[BlockCipher]", header: Header, key: "bytes | None") -> Message:
    if header.kdf & 0x30 != KDF_A:
        raise Unsupported("mode 7 with a key derivation that is not spoken here")
    afl = header.afl
    if afl is None or afl.mac is None or afl.counter is None or afl.message_control is None:
        raise BadMac("mode 7 without MAC and counter cannot be authentic")
    if len(afl.mac) < 8:
        raise Unsupported("a MAC of %d bytes proves too little" % len(afl.mac))
    if not afl.message_control & MCL_COUNTER_IN_MAC:
        raise Unsupported("the MAC does not cover the message counter")
    if key is None:
        raise KeyNeeded("the message is enciphered (mode 7) and no key was given")
    counter = afl.counter.to_bytes(4, "little")
    identity = header.address[2:6]
    covered = bytes([afl.message_control]) + counter
    if afl.message_control & MCL_LENGTH_IN_MAC:
        if afl.length is None:
            raise Malformed("the MAC covers a message length that is not sent")
        covered += afl.length.to_bytes(2, "little")
    mac_key = derived_key(aes, key, DERIVE_MAC, counter, identity)
    expected = cmac(aes, mac_key, covered + header.message)[: len(afl.mac)]
    if not same_mac(expected, afl.mac):
        raise BadMac("the MAC is not the one of this message and key")
    message_key = derived_key(aes, key, DERIVE_ENCRYPTION, counter, identity)
    records = _deciphered(aes, header, message_key, bytes(BLOCK))
    return Message(header, "mode7", afl.counter, records)


def _open_mode_10(aes: "type[BlockCipher]", header: Header, key: "bytes | None") -> Message:
    if header.kdf & 0x30 != KDF_A:
        raise Unsupported("mode 10 with a key derivation that is not spoken here")
    if not header.tag_size:
        raise Unsupported("mode 10 with a MAC of a length that is not spoken here")
    sealed = header.body
    size = len(sealed) - header.tag_size
    if size < 0:
        raise Truncated("a message of %d bytes has no room for its MAC" % len(sealed))
    if header.configuration & 0xFF not in (_ALL_ENCIPHERED, size):
        raise Unsupported("mode 10 with a part in plain text is not spoken here")
    if key is None:
        raise KeyNeeded("the message is enciphered (mode 10) and no key was given")
    counter = header.counter or 0
    identity = header.address[2:6]
    message_key = derived_key(aes, key, DERIVE_ENCRYPTION, counter.to_bytes(4, "little"), identity)
    nonce = header.address + bytes(1) + counter.to_bytes(4, "big")
    records = ccm_open(aes, message_key, nonce, sealed, header.covered, header.tag_size)
    if records is None:
        raise BadMac("the MAC is not the one of this message and key")
    return Message(header, "mode10", counter, records)


def _deciphered(aes: "type[BlockCipher]", header: Header, key: bytes, iv: bytes) -> bytes:
    size = header.blocks * BLOCK
    if size > len(header.body):
        raise Truncated("%d enciphered bytes promised, %d came" % (size, len(header.body)))
    opened = cbc_decrypt(aes(key), header.body[:size], iv)
    if not size:
        return header.body
    if opened[:2] != CHECK:
        raise BadKey("the key does not fit: the deciphered text does not begin with 2F 2F")
    return opened[2:] + header.body[size:]
