"""Protection of APDUs with AES-GCM-128, security suite 0 (IEC 62056-5-3, 5 and 7.5).

A ciphered APDU is a tag, for the general forms the sender's system title, and content: the security
control byte, the invocation counter, and what is protected.
"""

from __future__ import annotations

from enum import Enum, IntFlag
from hmac import compare_digest
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR, GCM

from elec_meter.dlms.cursor import Cursor, encode_length, encode_octets
from elec_meter.dlms.errors import (
    CipheringError,
    EncodingError,
    MalformedError,
    NotSupportedError,
)

KEY_SIZE: Final = 16
TITLE_SIZE: Final = 8
TAG_SIZE: Final = 12
COUNTER_MAX: Final = 0xFFFF_FFFF
CONTENT_MAX: Final = 65_536

GENERAL_GLOBAL: Final = 0xDB
GENERAL_DEDICATED: Final = 0xDC

_COUNTER_SIZE: Final = 4
_HEAD_SIZE: Final = 1 + _COUNTER_SIZE
_SUITE_MASK: Final = 0x0F
_BROADCAST: Final = 0x40
_COMPRESSED: Final = 0x80
# Tags of APDUs in clear, and of the same ciphered with the global and with a dedicated key.
_GLOBAL: Final = {
    0x01: 0x21,
    0x08: 0x28,
    0x0E: 0x2E,
    0xC0: 0xC8,
    0xC1: 0xC9,
    0xC3: 0xCB,
    0xC4: 0xCC,
    0xC5: 0xCD,
    0xC7: 0xCF,
}
_DEDICATED: Final = {
    0xC0: 0xD0,
    0xC1: 0xD1,
    0xC3: 0xD3,
    0xC4: 0xD4,
    0xC5: 0xD5,
    0xC7: 0xD7,
}


class Protection(IntFlag):
    """What is done to an APDU; the values are bits of the security control byte."""

    NONE = 0x00
    AUTHENTICATED = 0x10
    ENCRYPTED = 0x20
    BOTH = 0x30


class Ciphering(Enum):
    """How a ciphered APDU looks."""

    GLOBAL = "service-specific, global key"
    DEDICATED = "service-specific, dedicated key"
    GENERAL_GLOBAL = "general, global key"
    GENERAL_DEDICATED = "general, dedicated key"

    @property
    def is_general(self) -> bool:
        """Whether the sender's title is said, and any APDU may be within."""
        return self in (Ciphering.GENERAL_GLOBAL, Ciphering.GENERAL_DEDICATED)

    @property
    def is_dedicated(self) -> bool:
        """Whether the key is that of one association."""
        return self in (Ciphering.DEDICATED, Ciphering.GENERAL_DEDICATED)


_FORMS: Final = {
    **dict.fromkeys(_GLOBAL.values(), Ciphering.GLOBAL),
    **dict.fromkeys(_DEDICATED.values(), Ciphering.DEDICATED),
    GENERAL_GLOBAL: Ciphering.GENERAL_GLOBAL,
    GENERAL_DEDICATED: Ciphering.GENERAL_DEDICATED,
}


class Keys(NamedTuple):
    """The global unicast encryption key (or a dedicated one), and the authentication key.

    Attributes:
        encryption: EK, 16 bytes.
        authentication: AK, 16 bytes.
    """

    encryption: bytes
    authentication: bytes

    def __repr__(self) -> str:
        return "<Keys>"


class Ciphered(NamedTuple):
    """A ciphered APDU, not opened yet.

    Attributes:
        form: how it looks.
        tag: its first byte.
        title: the sender's, as it says; always empty in the service-specific forms.
        protection: what was done to it.
        counter: the invocation counter.
        content: what is protected; behind it the authentication tag, if there is one.
    """

    form: Ciphering
    tag: int
    title: bytes
    protection: Protection
    counter: int
    content: bytes

    def to_bytes(self) -> bytes:
        """The APDU."""
        head = bytes((self.tag,))
        if self.form.is_general:
            head += encode_octets(self.title)
        inner = bytes((self.protection,)) + self.counter.to_bytes(_COUNTER_SIZE, "big")
        return head + encode_octets(inner + self.content)


def is_ciphered(tag: int) -> bool:
    """Whether an APDU that begins so is a ciphered one."""
    return tag in _FORMS


def decode_ciphered(data: bytes) -> Ciphered:
    """The ciphered APDU that these bytes are.

    Raises:
        MalformedError: they are none.
        TooLargeError: it exceeds a limit.
        NotSupportedError: another suite, a broadcast key, compression.
    """
    cursor = Cursor(data)
    tag = cursor.byte()
    form = _FORMS.get(tag)
    if form is None:
        raise NotSupportedError(f"{tag:02X} begins no ciphered APDU")
    title = cursor.octets(TITLE_SIZE) if form.is_general else b""
    if len(title) not in (0, TITLE_SIZE):
        raise MalformedError(f"a system title has {TITLE_SIZE} bytes, not {len(title)}")
    inner = Cursor(cursor.octets(CONTENT_MAX))
    cursor.finish()
    control, counter = inner.byte(), inner.unsigned(_COUNTER_SIZE)
    if control & (_SUITE_MASK | _BROADCAST | _COMPRESSED):
        raise NotSupportedError(f"a security control of {control:02X} is not supported")
    return Ciphered(form, tag, title, Protection(control), counter, inner.rest())


def seal(
    apdu: bytes, form: Ciphering, protection: Protection, keys: Keys, title: bytes, counter: int
) -> bytes:
    """An APDU, ciphered.

    Args:
        apdu: in clear.
        form: how it shall look.
        protection: what is done to it.
        keys: of the form: the encryption key may be a dedicated one.
        title: the sender's.
        counter: never used before with this key and title.

    Raises:
        EncodingError: a key, a title or a counter of another size, or no APDU of this form.
    """
    tags = _DEDICATED if form.is_dedicated else _GLOBAL
    general = GENERAL_DEDICATED if form.is_dedicated else GENERAL_GLOBAL
    tag = general if form.is_general else tags.get(apdu[0])
    if tag is None:
        raise EncodingError(f"{apdu[0]:02X} has no service-specific ciphering")
    content = protect(apdu, protection, keys, title, counter)
    said = title if form.is_general else b""
    return Ciphered(form, tag, said, protection, counter, content).to_bytes()


def unseal(ciphered: Ciphered, keys: Keys, title: bytes) -> bytes:
    """The APDU in clear.

    Args:
        ciphered: as it came.
        keys: of the form.
        title: the sender's.

    Raises:
        CipheringError: it was not protected with these keys by the owner of this title, or its
            tag belongs to another APDU than is within.
    """
    apdu = unprotect(ciphered.content, ciphered.protection, keys, title, ciphered.counter)
    tags = _DEDICATED if ciphered.form.is_dedicated else _GLOBAL
    if not ciphered.form.is_general and tags.get(apdu[0] if apdu else -1) != ciphered.tag:
        raise CipheringError(f"the APDU within is none of those that {ciphered.tag:02X} names")
    return apdu


def overhead(form: Ciphering, protection: Protection, length: int) -> int:
    """Bytes by which ciphering makes an APDU of at most `length` bytes longer."""
    tag = TAG_SIZE if Protection.AUTHENTICATED in protection else 0
    inner = _HEAD_SIZE + tag
    title = 1 + TITLE_SIZE if form.is_general else 0
    return 1 + title + len(encode_length(inner + length)) + inner


def protect(plain: bytes, protection: Protection, keys: Keys, title: bytes, counter: int) -> bytes:
    """Bytes, protected: clear or encrypted, and behind them the tag if they are authenticated.

    Raises:
        EncodingError: a key, a title or a counter of another size.
    """
    iv = _iv(keys, title, counter)
    if protection is Protection.NONE:
        return plain
    if protection is Protection.ENCRYPTED:
        return _stream(plain, keys, iv)
    encryptor = Cipher(AES(keys.encryption), GCM(iv)).encryptor()
    encryptor.authenticate_additional_data(_associated(protection, keys))
    if protection is Protection.AUTHENTICATED:
        encryptor.authenticate_additional_data(plain)
        encryptor.finalize()
        return plain + encryptor.tag[:TAG_SIZE]
    secret = encryptor.update(plain) + encryptor.finalize()
    return secret + encryptor.tag[:TAG_SIZE]


def unprotect(
    content: bytes, protection: Protection, keys: Keys, title: bytes, counter: int
) -> bytes:
    """What `protect` was given.

    Raises:
        CipheringError: something of it was changed.
        EncodingError: as for `protect`.
    """
    iv = _iv(keys, title, counter)
    if protection is Protection.NONE:
        return content
    if protection is Protection.ENCRYPTED:
        return _stream(content, keys, iv)
    secret, tag = content[:-TAG_SIZE], content[-TAG_SIZE:]
    if len(tag) < TAG_SIZE:
        raise CipheringError("an authentication tag is missing")
    decryptor = Cipher(AES(keys.encryption), GCM(iv, tag, TAG_SIZE)).decryptor()
    decryptor.authenticate_additional_data(_associated(protection, keys))
    try:
        if protection is Protection.AUTHENTICATED:
            decryptor.authenticate_additional_data(secret)
            decryptor.finalize()
            return secret
        return decryptor.update(secret) + decryptor.finalize()
    except InvalidTag:
        raise CipheringError("the authentication tag does not fit") from None


def prove(challenge: bytes, keys: Keys, title: bytes, counter: int) -> bytes:
    """The answer to a challenge, HLS mechanism 5: control, counter, GMAC."""
    tag = protect(challenge, Protection.AUTHENTICATED, keys, title, counter)[-TAG_SIZE:]
    control = bytes((Protection.AUTHENTICATED,))
    return control + counter.to_bytes(_COUNTER_SIZE, "big") + tag


def proof_counter(proof: bytes, challenge: bytes, keys: Keys, title: bytes) -> int:
    """The invocation counter of a correct answer to a challenge.

    Raises:
        CipheringError: it is not correct.
    """
    if len(proof) != _HEAD_SIZE + TAG_SIZE or len(title) != TITLE_SIZE:
        raise CipheringError("this is no answer to a challenge")
    counter = int.from_bytes(proof[1:_HEAD_SIZE], "big")
    if not compare_digest(proof, prove(challenge, keys, title, counter)):
        raise CipheringError("the answer to the challenge is wrong")
    return counter


def _associated(protection: Protection, keys: Keys) -> bytes:
    return bytes((protection,)) + keys.authentication


def _iv(keys: Keys, title: bytes, counter: int) -> bytes:
    if any(len(key) != KEY_SIZE for key in keys):
        raise EncodingError(f"a key of suite 0 has {KEY_SIZE} bytes")
    if len(title) != TITLE_SIZE:
        raise EncodingError(f"a system title has {TITLE_SIZE} bytes, not {len(title)}")
    if not 0 <= counter <= COUNTER_MAX:
        raise EncodingError(f"{counter} is no invocation counter")
    return title + counter.to_bytes(_COUNTER_SIZE, "big")


def _stream(data: bytes, keys: Keys, iv: bytes) -> bytes:
    """What GCM does to the data; its first block is spent on the tag."""
    cipher = Cipher(AES(keys.encryption), CTR(iv + bytes.fromhex("00000002"))).encryptor()
    return cipher.update(data) + cipher.finalize()
