"""Opening and releasing an association: AARQ, AARE, RLRQ, RLRE in BER (IEC 62056-5-3, 7.2)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

from elec_meter.dlms.cursor import Cursor, encode_octets
from elec_meter.dlms.errors import EncodingError, MalformedError

AARQ: Final = 0x60
AARE: Final = 0x61
RLRQ: Final = 0x62
RLRE: Final = 0x63

INFORMATION_MAX: Final = 4_096
"""Bytes of an APDU within user-information."""

CHALLENGE_MAX: Final = 64
"""Bytes of a password or a challenge."""

# joint-iso-ccitt(2) country(16) country-name(756) identified-organization(5) DLMS-UA(8), then
# application-context(1) or authentication-mechanism(2), then the number.
_NAME: Final = bytes.fromhex("60857405 08")
_CONTEXT_BRANCH, _MECHANISM_BRANCH = 1, 2
_OBJECT_IDENTIFIER, _OCTET_STRING, _INTEGER = 0x06, 0x04, 0x02
_CONTEXT, _RESULT, _DIAGNOSTIC = 0xA1, 0xA2, 0xA3
_CALLING_TITLE, _RESPONDING_TITLE = 0xA6, 0xA4
_CALLING_REQUIREMENTS, _RESPONDER_REQUIREMENTS = 0x8A, 0x88
_CALLING_MECHANISM, _RESPONDER_MECHANISM = 0x8B, 0x89
_CALLING_VALUE, _RESPONDING_VALUE = 0xAC, 0xAA
_INFORMATION, _REASON = 0xBE, 0x80
_CHARACTERS, _BITS = 0x80, 0x81
_AUTHENTICATION: Final = bytes.fromhex("0780")
_SERVICE_USER, _SERVICE_PROVIDER = 0xA1, 0xA2
_TITLE_MAX: Final = 32


class Context(IntEnum):
    """Application contexts with logical names."""

    PLAIN = 1
    CIPHERED = 3


class Mechanism(IntEnum):
    """How one proves who one is."""

    LOWEST = 0
    """Not at all."""
    LOW = 1
    """A password in clear."""
    HIGH_GMAC = 5
    """Both answer each other's challenge with a GMAC."""


class Result(IntEnum):
    """How an association request ended."""

    ACCEPTED = 0
    REJECTED_PERMANENT = 1
    REJECTED_TRANSIENT = 2


class Diagnostic(IntEnum):
    """Why, as the application says (acse-service-user)."""

    NULL = 0
    NO_REASON = 1
    CONTEXT_NOT_SUPPORTED = 2
    CALLING_TITLE_NOT_RECOGNISED = 3
    MECHANISM_NOT_RECOGNISED = 11
    MECHANISM_REQUIRED = 12
    AUTHENTICATION_FAILURE = 13
    AUTHENTICATION_REQUIRED = 14


class AssociationRequest(NamedTuple):
    """AARQ: a client would like to talk.

    Attributes:
        context: the application context's number; 2 and 4 are those with short names.
        information: the InitiateRequest, in clear or ciphered.
        mechanism: the authentication mechanism's number; None where none is named.
        secret: password or challenge.
        title: the client's system title; empty if it says none.
    """

    context: int
    information: bytes
    mechanism: int | None = None
    secret: bytes = b""
    title: bytes = b""

    def to_bytes(self) -> bytes:
        """The APDU."""
        content = _tagged(_CONTEXT, _name(_CONTEXT_BRANCH, self.context))
        if self.title:
            content += _tagged(_CALLING_TITLE, _tagged(_OCTET_STRING, self.title))
        if self.mechanism is not None:
            name = _name(_MECHANISM_BRANCH, self.mechanism)[2:]
            content += _tagged(_CALLING_REQUIREMENTS, _AUTHENTICATION)
            content += _tagged(_CALLING_MECHANISM, name)
            content += _tagged(_CALLING_VALUE, _tagged(_CHARACTERS, self.secret))
        content += _tagged(_INFORMATION, _tagged(_OCTET_STRING, self.information))
        return _tagged(AARQ, content)


class AssociationResponse(NamedTuple):
    """AARE: what became of the request.

    Attributes:
        context: the application context's number.
        result: how it ended.
        diagnostic: why.
        information: InitiateResponse or an error; empty for none.
        mechanism: the authentication mechanism's number; None where none is in use.
        challenge: the server's; empty for none.
        title: the server's system title; empty for none.
        is_provider: whether the diagnostic is the ACSE's own.
    """

    context: int
    result: Result
    diagnostic: int
    information: bytes = b""
    mechanism: int | None = None
    challenge: bytes = b""
    title: bytes = b""
    is_provider: bool = False

    def to_bytes(self) -> bytes:
        """The APDU."""
        diagnostic = _tagged(_INTEGER, bytes((self.diagnostic,)))
        source = _SERVICE_PROVIDER if self.is_provider else _SERVICE_USER
        content = _tagged(_CONTEXT, _name(_CONTEXT_BRANCH, self.context))
        content += _tagged(_RESULT, _tagged(_INTEGER, bytes((self.result,))))
        content += _tagged(_DIAGNOSTIC, _tagged(source, diagnostic))
        if self.title:
            content += _tagged(_RESPONDING_TITLE, _tagged(_OCTET_STRING, self.title))
        if self.mechanism is not None:
            name = _name(_MECHANISM_BRANCH, self.mechanism)[2:]
            content += _tagged(_RESPONDER_REQUIREMENTS, _AUTHENTICATION)
            content += _tagged(_RESPONDER_MECHANISM, name)
            content += _tagged(_RESPONDING_VALUE, _tagged(_CHARACTERS, self.challenge))
        if self.information:
            content += _tagged(_INFORMATION, _tagged(_OCTET_STRING, self.information))
        return _tagged(AARE, content)


class ReleaseRequest(NamedTuple):
    """RLRQ: a client has said all it wanted."""

    reason: int | None = None
    information: bytes = b""

    def to_bytes(self) -> bytes:
        """The APDU."""
        return _release(RLRQ, self.reason, self.information)


class ReleaseResponse(NamedTuple):
    """RLRE: so has the server."""

    reason: int | None = None
    information: bytes = b""

    def to_bytes(self) -> bytes:
        """The APDU."""
        return _release(RLRE, self.reason, self.information)


def association_request_at(cursor: Cursor) -> AssociationRequest:
    """An AARQ behind its tag; what is of no use to a meter is passed over.

    Raises:
        MalformedError: it is none.
        TooLargeError: it exceeds a limit.
    """
    fields = _fields(cursor)
    mechanism = None
    if _CALLING_MECHANISM in fields:
        mechanism = _named(fields[_CALLING_MECHANISM], _MECHANISM_BRANCH)
    return AssociationRequest(
        _named(_inner(fields, _CONTEXT, _OBJECT_IDENTIFIER), _CONTEXT_BRANCH),
        _inner(fields, _INFORMATION, _OCTET_STRING),
        mechanism,
        _secret(fields, _CALLING_VALUE),
        _title(fields, _CALLING_TITLE),
    )


def association_response_at(cursor: Cursor) -> AssociationResponse:
    """An AARE behind its tag; errors as for `association_request_at`."""
    fields = _fields(cursor)
    mechanism = None
    if _RESPONDER_MECHANISM in fields:
        mechanism = _named(fields[_RESPONDER_MECHANISM], _MECHANISM_BRANCH)
    source = Cursor(_required(fields, _DIAGNOSTIC))
    kind = source.byte()
    number = Cursor(source.octets(INFORMATION_MAX))
    source.finish()
    if kind not in (_SERVICE_USER, _SERVICE_PROVIDER):
        raise MalformedError(f"{kind:02X} is no source of a diagnostic")
    number.expect(bytes((_INTEGER,)), "the type of the diagnostic")
    result = _inner(fields, _RESULT, _INTEGER)
    information = b""
    if _INFORMATION in fields:
        information = _inner(fields, _INFORMATION, _OCTET_STRING)
    return AssociationResponse(
        _named(_inner(fields, _CONTEXT, _OBJECT_IDENTIFIER), _CONTEXT_BRANCH),
        _result(result),
        _one(number.octets(1)),
        information,
        mechanism,
        _secret(fields, _RESPONDING_VALUE),
        _title(fields, _RESPONDING_TITLE),
        kind == _SERVICE_PROVIDER,
    )


def release_request_at(cursor: Cursor) -> ReleaseRequest:
    """An RLRQ behind its tag; errors as for `association_request_at`."""
    return ReleaseRequest(*_released(cursor))


def release_response_at(cursor: Cursor) -> ReleaseResponse:
    """An RLRE behind its tag; errors as for `association_request_at`."""
    return ReleaseResponse(*_released(cursor))


def _fields(cursor: Cursor) -> dict[int, bytes]:
    """Tags and contents, in whatever order; none twice."""
    content = Cursor(cursor.octets(INFORMATION_MAX))
    fields: dict[int, bytes] = {}
    while content.remaining:
        tag = content.byte()
        if tag in fields:
            raise MalformedError(f"the field {tag:02X} is there twice")
        fields[tag] = content.octets(INFORMATION_MAX)
    return fields


def _required(fields: dict[int, bytes], tag: int) -> bytes:
    if tag not in fields:
        raise MalformedError(f"the field {tag:02X} is missing")
    return fields[tag]


def _inner(fields: dict[int, bytes], tag: int, kind: int) -> bytes:
    """What a field holds, of one type."""
    cursor = Cursor(_required(fields, tag))
    cursor.expect(bytes((kind,)), f"the type in the field {tag:02X}")
    content = cursor.octets(INFORMATION_MAX)
    cursor.finish()
    return content


def _named(name: bytes, branch: int) -> int:
    """The number of a name below a branch."""
    if len(name) != len(_NAME) + 2 or name[:-1] != _NAME + bytes((branch,)):
        raise MalformedError(f"{name.hex()} is no name of DLMS")
    return name[-1]


def _secret(fields: dict[int, bytes], tag: int) -> bytes:
    if tag not in fields:
        return b""
    cursor = Cursor(fields[tag])
    kind = cursor.byte()
    if kind not in (_CHARACTERS, _BITS):
        raise MalformedError(f"{kind:02X} is no kind of authentication value")
    secret = cursor.octets(CHALLENGE_MAX + 1)
    cursor.finish()
    return secret[1:] if kind == _BITS else secret


def _title(fields: dict[int, bytes], tag: int) -> bytes:
    title = _inner(fields, tag, _OCTET_STRING) if tag in fields else b""
    if len(title) > _TITLE_MAX:
        raise MalformedError(f"a system title has no {len(title)} bytes")
    return title


def _released(cursor: Cursor) -> tuple[int | None, bytes]:
    fields = _fields(cursor)
    reason = _one(fields[_REASON]) if _REASON in fields else None
    information = b""
    if _INFORMATION in fields:
        information = _inner(fields, _INFORMATION, _OCTET_STRING)
    return reason, information


def _one(content: bytes) -> int:
    if len(content) != 1:
        raise MalformedError(f"{content.hex()!r} is not one byte")
    return content[0]


def _result(content: bytes) -> Result:
    try:
        return Result(_one(content))
    except ValueError:
        raise MalformedError(f"{content.hex()} is no result of an association") from None


def _tagged(tag: int, content: bytes) -> bytes:
    return bytes((tag,)) + encode_octets(content)


def _name(branch: int, number: int) -> bytes:
    try:
        return _tagged(_OBJECT_IDENTIFIER, _NAME + bytes((branch, number)))
    except ValueError:
        raise EncodingError(f"no name ends in {number}") from None


def _release(tag: int, reason: int | None, information: bytes) -> bytes:
    content = b"" if reason is None else _tagged(_REASON, bytes((reason,)))
    if information:
        content += _tagged(_INFORMATION, _tagged(_OCTET_STRING, information))
    return _tagged(tag, content)
