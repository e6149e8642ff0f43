"""What a FLAG port refuses, and the two digits that say so (docs/flag.md)."""

from __future__ import annotations

from typing import Final

from elec_meter.access import (
    CommandMacError,
    LevelLockedError,
    SignOnRefusedError,
)
from elec_meter.errors import CheckpointFailedError, MeterError, NotAllowedError
from elec_meter.flag.framing import answer_message
from elec_meter.objects import (
    NoSuchAttributeError,
    NoSuchMethodError,
    NotWritableError,
    UnknownObjectError,
)


class FlagRefusalError(MeterError):
    """Root of what only a FLAG port refuses."""


class MalformedCommandError(FlagRefusalError):
    """A command without the form of the standard.

    Example scenarios: an identifier of 17 characters; a value of 129; a parenthesis in a value.
    """


class UnknownCommandError(FlagRefusalError):
    """A command that this port does not have, or not now.

    Example scenarios: E2; a write before a sign-on.
    """


class MacMissingError(FlagRefusalError):
    """A write at level 2 or above came without a MAC over a network that is not encrypted."""


class TooLongError(FlagRefusalError):
    """More was asked for, or sent, than one command may bring.

    Example scenarios: five years of half-hours at once; a document of a megabyte.
    """


class BadValueError(FlagRefusalError):
    """A value that nothing can be made of.

    Example scenarios: a date with 13 months; hexadecimal with an odd number of digits.
    """


# The first that fits counts, so what is special stands before what is general.
_NUMBERS: Final[tuple[tuple[type[MeterError], int], ...]] = (
    (MalformedCommandError, 1),
    (UnknownCommandError, 2),
    (SignOnRefusedError, 3),
    (LevelLockedError, 4),
    (NotAllowedError, 5),
    (UnknownObjectError, 6),
    (NoSuchAttributeError, 6),
    (NoSuchMethodError, 6),
    (NotWritableError, 7),
    (MacMissingError, 9),
    (CommandMacError, 10),
    (TooLongError, 11),
    (CheckpointFailedError, 12),
)
_REFUSED: Final = 8


def refusal_number(error: MeterError) -> int:
    """The number by which a reader knows what was wrong."""
    return next((number for kind, number in _NUMBERS if isinstance(error, kind)), _REFUSED)


def refusal_message(error: MeterError) -> bytes:
    """`STX (ERnn) ETX BCC`."""
    return answer_message([f"(ER{refusal_number(error):02d})"])
