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


class AttributeRefused(UnitError):  # noqa: N818  it says what became of the attribute
    """A read that is not answered; its argument is the ATT error code.

    Example scenarios: a peer that has not paired; an attribute that is only written; a telegram
    for which no message counter could be persisted.
    """

    @property
    def code(self) -> int:
        """The ATT error code."""
        return int(self.args[0])


class PartLost(UnitError):  # noqa: N818  it says what became of the part
    """A part of the board is missing or has broken away; its text is one sentence.

    Example scenarios: a serial adapter that was unplugged; no Bluetooth controller of that name; a
    line of a chip that another process holds.
    """
