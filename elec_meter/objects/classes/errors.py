"""What the directory refuses."""

from elec_meter.errors import MeterError


class ObjectsError(MeterError):
    """Root of the tree: something that the directory does not have or cannot give."""


class UnknownObjectError(ObjectsError, LookupError):
    """There is no object of that name.

    Example scenarios: a rate that the tariff does not use; a gas channel without a unit; a code
    that is no OBIS code at all.
    """


class NoSuchAttributeError(ObjectsError, LookupError):
    """The object has no such attribute, or it is not the single value that was asked for.

    Example scenarios: the capture time of a plain register; a profile's buffer on one line.
    """


class UnitMismatchError(ObjectsError):
    """A quantity was asked for in a unit that measures something else.

    Example scenarios: a voltage in kWh; litres of a register in m3.
    """


class NotWritableError(ObjectsError):
    """The attribute can be read and not written, or the method is the meter's alone.

    Example scenarios: a register; the serial number; the scripts that put a rate in force.
    """


class NoSuchMethodError(ObjectsError, LookupError):
    """The object has no such method.

    Example scenarios: resetting a register, which none can.
    """


class ValueNotTakenError(ObjectsError):
    """What was to be written, or given to a method, is nothing that it takes. Nothing was done.

    Example scenario: a text where a time belongs.
    """


class NoSuchEntryError(ValueNotTakenError, LookupError):
    """A number that is one, and that nothing of the object has.

    Example scenarios: a script that the table does not have; a special day that is not there.
    """
