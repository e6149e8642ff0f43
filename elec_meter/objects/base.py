"""What every object of the directory is: a name, a class and numbered attributes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import ClassVar, TypeAlias

from elec_meter.objects.errors import NoSuchAttributeError
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

    @abstractmethod
    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        """Attribute number to how it is read, without attribute 1."""
