"""What bytes from a wire or the air can be refused for.

A decoder of this package ends in a value or in one of these errors. `Truncated` is its "need
more" while bytes still come in; at the end of the input it is an error like the others.
"""

# ruff: noqa: N818  # the names say what the bytes are, as a refusal event and a log line do


class WireError(ValueError):
    """Root of the tree: these bytes are not what they ought to be."""


class Truncated(WireError):
    """The bytes end too early: more are needed.

    Example scenarios: half a frame from a serial line; a length field larger than the frame; a
    record whose value runs past the end.
    """


class BadCrc(WireError):
    """A check sum or CRC is not the one of these bytes.

    Example scenarios: interference on the radio; two meters answering at once on a wired bus.
    """


class BadMac(WireError):
    """The message is not authentic: no one who has this unit's key has sent it like this.

    Example scenarios: a wrong key; a byte changed on the way; a forged telegram; a telegram that
    ought to carry a MAC and has none.
    """


class BadKey(WireError):
    """Deciphering gave no sense, in a mode that has no MAC to tell why.

    Example scenarios: a wrong key for a mode 5 telegram; a damaged mode 5 telegram.
    """


class KeyNeeded(WireError):
    """The message is enciphered and no key was given.

    Example scenarios: a neighbour's meter; a unit that has not been paired.
    """


class Malformed(WireError):
    """The bytes are complete and intact and mean nothing.

    Example scenarios: a start byte that is no start byte; more than ten extension bytes; a
    telegram of ours that lacks its count.
    """


class Unsupported(WireError):
    """The bytes may mean something that this implementation does not speak.

    Example scenarios: security mode 13 (TLS); a fragmented message; the fixed data structure.
    """


class Replayed(WireError):
    """An authentic command that is not newer than the last one.

    Example scenarios: somebody sends a recorded command again; a command overtaken by a later one.
    """
