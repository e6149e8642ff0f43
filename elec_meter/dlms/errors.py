"""What DLMS refuses: the peer's faults, and ours."""

from __future__ import annotations

from elec_meter.errors import MeterError


class DlmsError(MeterError):
    """Root of the tree: something cannot be said or understood in DLMS/COSEM."""


class EncodingError(DlmsError):
    """The program asked for bytes that the standard has no room for. Nothing was sent.

    Example scenarios: 256 as an unsigned 8-bit number; a system title of seven bytes; an
    information field that is longer than was negotiated.
    """


class CountersSpentError(EncodingError):
    """The meter has sent with every invocation counter of a key: only another key helps.

    Example scenario: four thousand million answers to one client.
    """


class CredentialError(DlmsError):
    """Somebody gave a client keys or a password that it cannot have. It has what it had.

    Example scenarios: a key of 31 hexadecimal digits; the demo's keys; an encryption key that is
    the authentication key, too.
    """


class PeerError(DlmsError):
    """Root of what the other side did wrong; it is answered with a refusal."""


class MalformedError(PeerError):
    """The bytes are not what they should be.

    Example scenarios: an unknown tag; a checksum that does not fit; bytes behind the end.
    """


class TruncatedError(MalformedError):
    """The bytes end inside a value; more of them could complete it.

    Example scenarios: half a number; a string that is shorter than its length says.
    """


class TooLargeError(PeerError):
    """What was said exceeds a stated limit.

    Example scenarios: arrays in arrays without end; a length of four gigabytes.
    """


class NotSupportedError(PeerError):
    """It is well-formed, and this meter has no use for it.

    Example scenarios: short-name services; a security suite with elliptic curves; compression.
    """


class CipheringError(PeerError):
    """The protection of a message does not hold; nothing of it was used.

    Example scenarios: another key; a changed byte; a message in clear where a key is demanded.
    """


class ReplayError(CipheringError):
    """An invocation counter that does not rise: the message is old, or somebody else's.

    Example scenarios: a recorded request is sent again; a client lost its counter.

    Args:
        lowest: the lowest counter that would be taken; there is none beyond 32 bits.
    """

    def __init__(self, lowest: int) -> None:
        super().__init__(f"the invocation counter must be at least {lowest}")
        self.lowest = lowest
