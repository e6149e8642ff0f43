"""Rate registers, divided into the blocks of a block tariff."""

from __future__ import annotations

from collections.abc import Sequence

from elec_meter.tariff import split

from .state import RatesState


class RateRegisters:
    """Registers that only ever grow: a quantity goes to a rate, and in it to a block.

    Args:
        rates: how many rates there are; registers of earlier ones are kept.
        bounds: by rate, the bounds between its blocks; no bounds are one block.
        state: as it was saved.
    """

    __slots__ = ("blocks", "bounds", "rates", "used")

    def __init__(
        self, rates: int, bounds: Sequence[tuple[int, ...]], state: RatesState | None = None
    ) -> None:
        state = RatesState() if state is None else state
        self.rates = list(state.rates)
        self.blocks = [list(blocks) for blocks in state.blocks]
        self.used = list(state.used)
        self.configure(rates, bounds)

    def configure(self, rates: int, bounds: Sequence[tuple[int, ...]]) -> None:
        """Have these rates and blocks from now on; no register is ever taken away."""
        missing = rates - len(self.rates)
        self.rates += [0] * missing
        self.blocks += [[self.rates[n]] for n in range(len(self.blocks), len(self.rates))]
        self.used += [0] * (len(self.rates) - len(self.used))
        self.bounds = tuple(bounds) + ((),) * (len(self.rates) - len(bounds))
        for blocks, bound in zip(self.blocks, self.bounds, strict=True):
            blocks.extend([0] * (len(bound) + 1 - len(blocks)))

    def book(self, quantity: int, rate: int) -> list[tuple[int, int]]:
        """Add to a rate, from 1; return the parts that its blocks got, (block from 1, part)."""
        place = rate - 1
        self.rates[place] += quantity
        blocks, bounds = self.blocks[place], self.bounds[place]
        if not bounds:
            blocks[0] += quantity
            return [(1, quantity)]
        parts = split(bounds, self.used[place], quantity)
        self.used[place] += quantity
        for block, part in parts:
            blocks[block - 1] += part
        return parts

    def begin_block_period(self) -> None:
        """The next quantity of every rate goes to its first block."""
        for place, bound in enumerate(self.bounds):
            if bound and self.used[place]:
                self.used[place] = 0

    def state(self) -> RatesState:
        """A copy to keep."""
        return RatesState(list(self.rates), [list(each) for each in self.blocks], list(self.used))
