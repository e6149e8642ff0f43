"""What every object of the directory is: a name, a class and numbered attributes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import ClassVar, Final, TypeAlias

from elec_meter.objects.classes.entry import Actions, Entry, Given
from elec_meter.objects.classes.errors import (
    NoSuchAttributeError,
    NoSuchMethodError,
    NotWritableError,
)
from shared.obis import Obis

Scalar: TypeAlias = int | Decimal | str | datetime | date | time | None
"""A value for people; None is "not known", never a stand-in such as 0."""

Now: TypeAlias = Callable[[], datetime]
"""Where an object that is read without an instant gets one: the host's UTC."""


class CosemObject(ABC):
    """An object of the directory (IEC 62056-6-2).

    It stores no value: attributes are computed when read, from the sources it was built with.

    Attributes:
        obis: the logical name.
        name: for people.
    """

    class_id: ClassVar[int]
    value_attribute: ClassVar[int] = 2
    """The attribute that `value` says."""

    def __init__(self, obis: str, name: str, now: Now) -> None:
        self.obis = Obis.parse(obis)
        self.name = name
        self._now = now

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.obis} {self.name}>"

    def __getitem__(self, attribute: int) -> object:
        """An attribute as COSEM has it, now.

        Raises:
            NoSuchAttributeError: the class has none of this number.
        """
        return self.read(attribute, self._now())

    @property
    def attributes(self) -> tuple[int, ...]:
        """The numbers that can be read, 1 (logical name) among them."""
        return (1, *sorted(self._readers()))

    def read(self, attribute: int, now: datetime) -> object:
        """An attribute as COSEM has it: raw numbers, to be scaled by the reader.

        Raises:
            NoSuchAttributeError: the class has none of this number.
        """
        if attribute == 1:
            return self.obis
        reader = self._readers().get(attribute)
        if reader is None:
            raise NoSuchAttributeError(
                f"{self.obis} (class {self.class_id}) has no attribute {attribute}"
            )
        return reader(now)

    @property
    def value(self) -> Scalar:
        """What it says now, for people: scaled and exact, in `unit`; None when unknown."""
        return self.value_at(self._now())

    def value_at(self, now: datetime) -> Scalar:
        """As `value`, at an instant of the host's UTC."""
        return self.present(self.value_attribute, now)

    @property
    def unit(self) -> str:
        """The symbol of `value`'s unit, empty where there is none."""
        return ""

    def present(self, attribute: int, now: datetime) -> Scalar:
        """An attribute for people: what renderings show.

        Raises:
            NoSuchAttributeError: the class has none of this number, or it is no single value.
        """
        value = self.read(attribute, now)
        if value is None or isinstance(value, (int, Decimal, str, date, time)):
            return value
        if isinstance(value, Obis):
            return str(value)
        raise NoSuchAttributeError(f"attribute {attribute} of {self.obis} is no single value")

    @property
    def writable(self) -> tuple[int, ...]:
        """The numbers of the attributes that can be written."""
        return tuple(sorted(self._writers()))

    @property
    def methods(self) -> tuple[int, ...]:
        """The numbers of the methods that can be called."""
        return tuple(sorted(self._methods()))

    def entry(self, attribute: int) -> Entry:
        """What an attribute takes when it is written.

        Raises:
            NoSuchAttributeError: the class has none of this number.
            NotWritableError: it takes nothing.
        """
        entry = self._writers().get(attribute)
        if entry is not None:
            return entry
        if attribute in self.attributes:
            raise NotWritableError(f"attribute {attribute} of {self.obis} cannot be written")
        raise NoSuchAttributeError(
            f"{self.obis} (class {self.class_id}) has no attribute {attribute}"
        )

    def method(self, number: int) -> Entry:
        """What a method takes when it is called.

        Raises:
            NoSuchMethodError: the object has none of this number.
        """
        entry = self._methods().get(number)
        if entry is None:
            raise NoSuchMethodError(f"{self.obis} (class {self.class_id}) has no method {number}")
        return entry

    def write(self, attribute: int, value: Given, actions: Actions) -> None:
        """Write an attribute: whole or not at all, and durable when this returns.

        Raises:
            ObjectsError: as for `entry`.
            ValueNotTakenError: no value of the form that the entry takes.
            MeterError: the meter refused what it would do; nothing was done.
        """
        self.entry(attribute).take(value, actions)

    def invoke(self, number: int, value: Given, actions: Actions) -> None:
        """Call a method; errors as for `write`, `NoSuchMethodError` among them."""
        self.method(number).take(value, actions)

    def _writers(self) -> Mapping[int, Entry]:
        """Attribute number to what it takes; nothing can be written unless a class says so."""
        return _NOTHING

    def _methods(self) -> Mapping[int, Entry]:
        """Method number to what it takes."""
        return _NOTHING

    @abstractmethod
    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        """Attribute number to how it is read, without attribute 1."""


_NOTHING: Final[Mapping[int, Entry]] = {}
