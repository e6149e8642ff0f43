"""What is refused of a change on its way to a meter; each is a ConfigError of its own kind."""

from elec_meter.errors import ConfigError


class ChangeError(ConfigError):
    """Root of these: a change cannot be applied, and nothing was."""


class ChangeBaseError(ChangeError):
    """The change was made for another document than the one it met.

    Example scenarios: somebody else has changed the meter since; the change was meant for another
    meter; it was applied already.
    """


class ChangeTruncatedError(ChangeError):
    """The change ends before it is complete.

    Example scenarios: a transfer broke off; a part of several is missing.
    """


class ChangeCorruptError(ChangeError):
    """The bytes are no change, or its result is not the one that its sender computed.

    Example scenarios: a bit was flipped on the way; the bytes are something else; a later version
    wrote a field that this one does not know.
    """


class ChangeInvalidError(ChangeError):
    """The change is whole and leads to a document that is refused.

    Example scenarios: its sender allows more rates than this version does.
    """
