"""COSEM class 7: rows of captured values (IEC 62056-6-2, 4.3.6)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, NamedTuple

from elec_meter.objects.classes.base import CosemObject, Now, Scalar
from shared.obis import Obis


class CaptureObject(NamedTuple):
    """A column: which attribute of which object a row holds."""

    class_id: int
    obis: Obis
    attribute: int


class ProfileSource(ABC):
    """Where a profile's rows are kept."""

    @abstractmethod
    def rows(self, from_utc: datetime | None, to_utc: datetime | None) -> list[tuple[Scalar, ...]]:
        """Rows stamped from `from_utc` to `to_utc`, both included, oldest first; None is no end."""

    @abstractmethod
    def count(self) -> int:
        """How many rows there are."""


class ProfileGeneric(CosemObject):
    """Rows of captured values, oldest first; the first column is the row's time.

    Args:
        obis: the logical name.
        name: for people.
        now: the host's UTC for reads without an instant.
        columns: what a row holds.
        source: where the rows are.
        period_s: gives the capture period; 0 for rows that come with events.
        depth: how many rows are kept at most, padding aside: that takes no room.
    """

    class_id: ClassVar[int] = 7

    def __init__(
        self,
        obis: str,
        name: str,
        now: Now,
        columns: Sequence[CaptureObject],
        source: ProfileSource,
        *,
        period_s: Callable[[], int],
        depth: int,
    ) -> None:
        super().__init__(obis, name, now)
        self.columns = tuple(columns)
        self._source = source
        self._period_s = period_s
        self.depth = depth

    @property
    def period_s(self) -> int:
        """The capture period in seconds that is in force; 0 for rows that come with events."""
        return self._period_s()

    def rows(
        self, from_utc: datetime | None = None, to_utc: datetime | None = None
    ) -> list[tuple[Scalar, ...]]:
        """Selective access by range: rows stamped within it, both ends included."""
        return self._source.rows(from_utc, to_utc)

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        return {
            2: lambda _: self.rows(),
            3: lambda _: self.columns,
            4: lambda _: self.period_s,
            7: lambda _: self._source.count(),
            8: lambda _: max(self.depth, self._source.count()),
        }
