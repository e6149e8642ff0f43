"""Memories that lose power in the middle of an operation."""

from __future__ import annotations

import random
from collections.abc import Iterator

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


class RecordingNvm(MemoryNvm):
    """Remembers what it held before each operation and would hold after it.

    The memory is then cut at any of them without running anything again. `note` is kept with each:
    what a witness had seen by then.
    """

    def __init__(self, image: bytes, page_size: int = 512, write_size: int = 8) -> None:
        super().__init__(len(image) // page_size, page_size, write_size)
        self.image[:] = image
        self.cuts: list[Cut] = []
        self.note: object = None

    def write(self, address: int, data: bytes | bytearray) -> None:
        """Write, and remember."""
        before = bytes(self.image)
        super().write(address, data)
        self.cuts.append(Cut(before, bytes(self.image), address, len(data), self.note))

    def erase(self, page: int) -> None:
        """Erase, and remember."""
        before = bytes(self.image)
        super().erase(page)
        self.cuts.append(
            Cut(before, bytes(self.image), page * self.page_size, self.page_size, self.note)
        )


class Cut:
    """A loss of power in one operation."""

    def __init__(
        self, before: bytes, after: bytes, address: int, length: int, note: object
    ) -> None:
        self.before = before
        self.after = after
        self.note = note
        self._address = address
        self.length = length

    def images(self, seed: int, torn: int = 3) -> Iterator[tuple[str, bytes]]:
        """What the memory may hold: nothing of the operation, parts of it, or all of it."""
        yield "not done", self.before
        start, end = self._address, self._address + self.length
        for number in range(torn):
            rng = random.Random(f"{seed}/{number}")
            # Few, half or most of the bits that change have changed.
            masks = [rng.randbytes(self.length) for _ in range(2)]
            chosen = int.from_bytes(masks[0], "big")
            other = int.from_bytes(masks[1], "big")
            chosen = (chosen, chosen & other, chosen | other)[number % 3]
            old = int.from_bytes(self.before[start:end], "big")
            new = int.from_bytes(self.after[start:end], "big")
            torn_bytes = (old ^ ((old ^ new) & chosen)).to_bytes(self.length, "big")
            yield f"torn {number}", self.before[:start] + torn_bytes + self.before[end:]
        yield "done", self.after


class StuckNvm(MemoryNvm):
    """A memory that stops taking writes for a while."""

    stuck = False

    def write(self, address: int, data: bytes | bytearray) -> None:
        """Write, or leave the bytes as they are."""
        if not self.stuck:
            super().write(address, data)
