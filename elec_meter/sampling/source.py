"""What every source of samples offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from elec_meter.sampling.errors import SamplingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from elec_meter.sampling.block import SampleBlock


class SampleStream(ABC):
    """Samples in the order in which they are taken, once.

    Attributes:
        rate_hz: Samples per second.
        anchor_utc: When sample 0 of the stream is taken.
    """

    rate_hz: int
    anchor_utc: datetime

    @abstractmethod
    def blocks(self, samples: int) -> Iterator[SampleBlock]:
        """Blocks of at most `samples` each; one that does not follow the last stands after a gap.

        Raises:
            SamplingError: For blocks of nothing.
            SourceLostError: As soon as there are no more samples, and there should be.
        """


class SampleSource(SampleStream):
    """A stream of samples that can be read in any cut.

    Attributes:
        end_sample: Where the stream ends (exclusive), or None if it never does.
    """

    end_sample: int | None = None

    @abstractmethod
    def block(self, first_sample: int, count: int) -> SampleBlock:
        """The samples `first_sample` to `first_sample + count - 1`.

        Raises:
            SamplingError: Where the stream has no such samples.
        """

    def blocks(self, samples: int, first_sample: int = 0) -> Iterator[SampleBlock]:
        """Blocks of `samples` each from `first_sample` on; the last one may be shorter."""
        if samples < 1:
            raise SamplingError(f"a block has at least one sample, not {samples}")
        while self.end_sample is None or first_sample < self.end_sample:
            count = samples
            if self.end_sample is not None:
                count = min(count, self.end_sample - first_sample)
            yield self.block(first_sample, count)
            first_sample += count
