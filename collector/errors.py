"""What the collector's callers may have to catch; what the air brings is refused with an event."""


class CollectorError(ValueError):
    """Root of the tree."""


class UnitUnknownError(CollectorError):
    """A serial that is not paired.

    Example scenarios: a register is asked for after its unit was unpaired; a mistyped serial.
    """


class UnitPairedError(CollectorError):
    """A serial that is paired already.

    Example scenarios: the pairing is repeated after it was committed; two channels name one unit.
    """


class UnitRecordError(CollectorError):
    """A pairing that cannot be.

    Example scenarios: a serial of seven digits; a base count above 32 bits; a period of no time.
    """


class KeystoreError(CollectorError):
    """The keys cannot be used as they are.

    Example scenarios: `keys.json` is readable by others; it is not JSON; a key of 15 bytes. The
    message never shows a key.
    """


class ReplayFileError(CollectorError):
    """A file of recorded telegrams that cannot be read; the message names the line.

    Example scenarios: a line without a time; an odd number of hexadecimal digits.
    """


class BearerClosedError(CollectorError):
    """The bearer was closed and can carry nothing more.

    Example scenarios: a reply is sent after the radio stick was given back.
    """


class OneWayBearerError(CollectorError):
    """The bearer has no way back to the unit.

    Example scenarios: a reply to a telegram that was read from a file.
    """


class BearerSettingError(CollectorError):
    """A bearer cannot be made like this; no device has been touched.

    Example scenarios: a radio stick of an unknown kind; a slave with the address 251.
    """


class BearerLostError(CollectorError):
    """A bearer's device is missing or has broken away; its text is the sentence that is reported.

    Raised and caught at the device: `Bearer.take_reports` tells of it, and the bearer tries again.

    Example scenarios: a stick that was unplugged; no Bluetooth adapter; a gateway that is off; a
    serial port that another program holds.
    """


class PairingError(CollectorError):
    """A step of a pairing that was refused; what was given before stays given.

    Example scenarios: a channel that another unit feeds; a serial of a meter with a line break.
    """


class MprnError(PairingError):
    """What was given is no meter point reference number, or not twice the same.

    Example scenarios: a mistyped digit; the supplier's account number; two that differ.
    """


class DialError(PairingError):
    """A text that is no reading of a dial.

    Example scenarios: a comma for a point; a reading below zero.
    """


class IndexLowerError(DialError):
    """A dial that shows less than it did before.

    Example scenarios: two digits changed places; a red digit was read as a black one; the dial has
    turned over, which has to be said.
    """


class PairingStepError(PairingError):
    """A step that is not the next one.

    Example scenarios: a meter's particulars before its unit was heard; a step after the end.
    """


class PairingGivenUpError(PairingStepError):
    """A step of a pairing that is not under way any more: no step of it will do.

    Example scenarios: an installer at the panel gave it up and began another one; nobody took a
    step of it for an hour.
    """


class DirectoryError(CollectorError):
    """A data directory that cannot be used.

    Example scenarios: it holds another program's database; it is a file; it cannot be written.
    """


class DirectoryInUseError(DirectoryError):
    """Another process writes in the data directory.

    Example scenarios: `collector run` is running there; so is an electricity meter.
    """


class StorageFailedError(CollectorError):
    """Nothing of what was to be kept is durable; it may be tried again.

    Example scenarios: the disk is full; another program has locked the database.
    """


class CalorificValueError(CollectorError):
    """A calorific value that no gas has, or a day for which none is known.

    Example scenarios: 11.2 (kWh for MJ); energy is asked for from before the first value.
    """


class OrderError(CollectorError):
    """An order that is none, or that nobody takes.

    Example scenarios: a request without a name; a serial that is a list; an electricity meter runs
    in the directory and takes no orders for units.
    """
