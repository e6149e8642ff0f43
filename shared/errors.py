"""What `shared` refuses; `shared.wire` and `shared.crypto` have trees of their own."""


class SharedError(ValueError):
    """Root of the tree: a value that `shared` cannot accept."""


class TimegridError(SharedError):
    """An instant, a half-hour or a settlement name that does not exist.

    Example scenarios: a naive datetime; a half-hour starting at 12:07; period 49 of a day that has
    48; an instant beyond the calendar's last year.
    """


class UnitsError(SharedError):
    """A quantity that is not exact or not possible.

    Example scenarios: a float where a register is computed; a pulse weight of zero; `Null` where a
    number of kWh stands in a file.
    """


class ObisError(SharedError):
    """Not an OBIS code.

    Example scenarios: a value group above 255; five groups in the dotted form; a logical name of
    seven bytes.
    """


class LabelError(SharedError):
    """A unit's label that cannot be read. The message never shows the key or the passkey."""


class LabelMalformedError(LabelError):
    """The text has not the shape of a label.

    Example scenarios: another product's QR code; a key of 31 digits; a letter O typed for a zero.
    """


class LabelCheckError(LabelError):
    """The shape is right and a check character is not: something was misread or mistyped.

    Example scenarios: two digits of the serial swapped; one digit of the key wrong.
    """
