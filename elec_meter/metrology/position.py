"""Where a stream of blocks stands: what continues it, what comes after a gap, what repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from elec_meter.metrology.errors import RepeatedBlockError
from shared.timegrid import EPOCH

if TYPE_CHECKING:
    from datetime import datetime


class Arrival(NamedTuple):
    """What a block is to its stream.

    Attributes:
        is_gap: It stands after a gap.
        begins: It continues nothing: it is the first, or stands after a gap.
        is_dated: It dates sample 0 otherwise than what came before.
    """

    is_gap: bool
    begins: bool
    is_dated: bool


class StreamPosition:
    """Follows one stream of blocks.

    Attributes:
        anchor_utc: When sample 0 was taken, by the last block.
    """

    def __init__(self) -> None:
        self.anchor_utc = EPOCH
        self._expected: int | None = None

    @property
    def next_sample(self) -> int:
        """The sample that a block must start with to continue the stream."""
        return self._expected or 0

    def arrival(self, first_sample: int, anchor_utc: datetime) -> Arrival:
        """What a block that starts with this sample would be; nothing changes.

        Raises:
            RepeatedBlockError: For one that starts before the end of the last one. With another
                date for sample 0 it is a new stream's, and no repetition.
        """
        is_first, is_dated = self._expected is None, anchor_utc != self.anchor_utc
        is_gap = not is_first and first_sample != self._expected
        if is_gap and not is_dated and first_sample < self.next_sample:
            raise RepeatedBlockError(
                f"the block starts at sample {first_sample}, but all before "
                f"{self.next_sample} are measured"
            )
        return Arrival(is_gap=is_gap, begins=is_first or is_gap, is_dated=is_dated)

    def advance(self, end_sample: int, anchor_utc: datetime) -> None:
        """A block was measured; the next one continues it with `end_sample`."""
        self._expected, self.anchor_utc = end_sample, anchor_utc
