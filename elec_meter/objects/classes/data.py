"""COSEM class 1: a value without a unit (IEC 62056-6-2, 4.3.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar

from elec_meter.objects.classes.base import CosemObject, Now, Scalar
from elec_meter.objects.classes.entry import Entry


class Data(CosemObject):
    """A value without a unit: an identification, a status word, a number of a rate.

    Args:
        obis: the logical name.
        name: for people.
        now: the host's UTC for reads without an instant.
        source: the value at an instant.
        entry: what can be written; None for a value that cannot be.
    """

    class_id: ClassVar[int] = 1

    def __init__(
        self,
        obis: str,
        name: str,
        now: Now,
        source: Callable[[datetime], Scalar],
        *,
        entry: Entry | None = None,
    ) -> None:
        super().__init__(obis, name, now)
        self._source = source
        self._entry = entry

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        return {2: self._source}

    def _writers(self) -> Mapping[int, Entry]:
        return {} if self._entry is None else {2: self._entry}
