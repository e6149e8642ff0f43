"""What access refuses."""

from __future__ import annotations

from elec_meter.errors import MeterError


class AccessError(MeterError):
    """Root of the tree: whoever asks is not let in."""


class SignOnRefusedError(AccessError):
    """The proof or the password is wrong; it counts towards a lock-out.

    Example scenarios: a mistyped password; a proof of an earlier seed, recorded and sent again; a
    level for which the meter has no password.
    """


class LevelLockedError(AccessError):
    """The level is locked on this port for a while; what was sent was not looked at.

    Example scenarios: somebody tried three passwords.
    """


class VerifierError(AccessError):
    """A new password cannot be taken as it was sent; the old one stays.

    Example scenarios: it was made with another salt than the meter's; a level that has none; a
    password of the demo; one letter.
    """


class CommandMacError(AccessError):
    """A command's MAC is missing where it must be, or is wrong; nothing was done.

    Example scenarios: a write at level 3 over a network without TLS; a command that was changed on
    its way, or recorded and sent again.
    """
