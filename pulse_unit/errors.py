"""What the firmware reports about itself; bytes from outside end in `shared.wire.errors`."""


class UnitError(ValueError):
    """Root of the tree."""


class ConfigError(UnitError):
    """The configuration describes no possible unit.

    Example scenarios: a pulse weight of zero; pulses faster than a reed can close; a telegram
    period of a second.
    """


class StoreError(UnitError):
    """The non-volatile memory did not take a value: it is not persisted.

    Example scenarios: a worn page; a write that reads back otherwise.
    """


class StoreCorrupt(UnitError):  # noqa: N818  it says what the store is
    """The store has been in use and nothing whole is left in it: counters would start again.

    Example scenarios: the image of another part; a page erased by other software.
    """
