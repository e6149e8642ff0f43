"""A memory that loses power in the middle of an operation."""

from __future__ import annotations

import random

from pulse_unit.hal.memory import MemoryNvm


class PowerCut(Exception):  # noqa: N818  it is no error of anybody's
    """The power is gone; what was in RAM is lost."""


class TearingNvm(MemoryNvm):
    """Cuts the power at the n-th operation from now, half done as chance has it.

    A torn write leaves any of its zeros unwritten, a torn erase any of the old zeros behind.
    """

    def __init__(
        self, page_count: int, rng: random.Random, page_size: int = 512, write_size: int = 8
    ) -> None:
        super().__init__(page_count, page_size, write_size)
        self.rng = rng
        self.cut_in: int | None = None

    def write(self, address: int, data: bytes | bytearray) -> None:
        """Write, or tear."""
        if self._is_cut():
            for index, byte in enumerate(data):
                self.image[address + index] &= byte | self._chance()
            raise PowerCut
        super().write(address, data)

    def erase(self, page: int) -> None:
        """Erase, or tear."""
        if self._is_cut():
            for index in range(page * self.page_size, (page + 1) * self.page_size):
                self.image[index] |= self._chance()
            raise PowerCut
        super().erase(page)

    def _is_cut(self) -> bool:
        if self.cut_in is None:
            return False
        self.cut_in -= 1
        if self.cut_in:
            return False
        self.cut_in = None
        # Nothing, all, or each bit by itself.
        self._extent = self.rng.choice([0x00, 0xFF, None])
        return True

    def _chance(self) -> int:
        return self.rng.getrandbits(8) if self._extent is None else self._extent
