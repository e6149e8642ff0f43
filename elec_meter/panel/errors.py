"""What the panel refuses."""

from __future__ import annotations

from elec_meter.errors import MeterError


class PanelError(MeterError):
    """Root of the tree: the panel cannot do what was asked."""


class PanelMissingError(PanelError):
    """There is no web panel, because what it is made with is not installed.

    Example scenarios: the package was installed without its `panel` extra.
    """


class PanelExposedError(PanelError):
    """The panel would be open to a network without being encrypted; it was not opened.

    Example scenarios: `--panel 0.0.0.0:8062` without a certificate and without `--insecure`.
    """


class PanelRequestError(PanelError):
    """A request to the panel makes no sense.

    Example scenarios: a date of `2026-02-30`; a body that is no JSON object, or too long.
    """


class NotSignedOnError(PanelError):
    """It takes somebody who signed on, at a level that may do it.

    Example scenarios: the session ended after a quarter of an hour; half-hours are asked for from
    another computer.
    """


class ForgeryError(PanelError):
    """A request to change something did not come from the panel's own page.

    Example scenarios: a page of another site in the same browser; a program that does not send the
    session's token along.
    """


class PanelPortError(PanelError):
    """The panel cannot listen there.

    Example scenarios: another program does already; the host is another computer's.
    """
