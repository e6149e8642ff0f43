"""COSEM class 1: a value without a unit (IEC 62056-6-2, 4.3.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import ClassVar

from elec_meter.objects.base import CosemObject, Now, Scalar


class Data(CosemObject):
    """A value without a unit: an identification, a status word, a number of a rate."""

    class_id: ClassVar[int] = 1

    def __init__(
        self, obis: str, name: str, now: Now, source: Callable[[datetime], Scalar]
    ) -> None:
        super().__init__(obis, name, now)
        self._source = source

    def _readers(self) -> Mapping[int, Callable[[datetime], object]]:
        return {2: self._source}
