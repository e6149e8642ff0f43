"""What goes wrong between a meter, its add-on modules and those that they serve."""

from __future__ import annotations

from elec_meter.errors import MeterError


class AddonError(MeterError):
    """An add-on module cannot do its work.

    Example scenarios: the modules are not installed; a setting is misspelt.
    """


class UnknownModuleError(AddonError):
    """There is no module of this name.

    Example scenarios: `mqqt`; its package is not installed.
    """


class SettingError(AddonError):
    """A setting of a module is not what it takes.

    Example scenarios: an interval of `soon`; a time zone that nobody has; a URL without a host.
    """


class LineGarbledError(AddonError):
    """The FLAG line does not say what a readout is.

    Example scenarios: a block whose check character is wrong; noise instead of an identification.
    """


class LineSilentError(AddonError):
    """The FLAG line does not answer, or is gone.

    Example scenarios: the meter has cut the module's power; it stopped; it talks on and on, and
    answers nothing.
    """


class OutletError(AddonError):
    """What a module serves cannot be served there.

    Example scenarios: another program listens on the port; the serial device is not plugged in.
    """


class LineRefusedError(AddonError):
    """The meter will not say what the module asks for.

    Example scenarios: a profile that it does not have; it was given no password yet; its disk is
    full, so that nothing it would say is durable.
    """
