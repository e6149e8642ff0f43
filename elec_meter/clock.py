"""What the meter believes the time is."""

from __future__ import annotations

from datetime import datetime

from elec_meter.errors import TimeRunsBackwardsError
from shared.timegrid import require_utc


class Clock:
    """The meter's time as a function of the host's UTC.

    An epoch is a stretch of time over which the clock ran on undisturbed: a power-up begins one.
    Whatever is stamped with epoch and second is ordered for ever.
    """

    def __init__(self) -> None:
        self._epoch = 0
        self._valid = False

    @property
    def valid(self) -> bool:
        """Whether the meter knows the time; False until the first power-up."""
        return self._valid

    @property
    def epoch(self) -> int:
        """Number of the current epoch; 0 before the first power-up."""
        return self._epoch

    def power_up(self, now: datetime, epoch: int, last_durable: datetime | None = None) -> None:
        """Begin an epoch at a power-up.

        Args:
            now: the host's time.
            epoch: its number, one that was never used before; the journal counts them.
            last_durable: the last instant that the data directory knows.

        Raises:
            TimeRunsBackwardsError: `now` is before `last_durable`; the clock stays as it was.
            ValueError: the epoch is not a later one.
        """
        if epoch <= self._epoch:
            raise ValueError(f"epoch {epoch} does not follow {self._epoch}")
        if last_durable is not None and require_utc(now) < last_durable:
            raise TimeRunsBackwardsError(
                f"the last durable instant is {require_utc(last_durable):%Y-%m-%d %H:%M:%S} UTC,"
                f" and the clock says {require_utc(now):%Y-%m-%d %H:%M:%S}"
            )
        self._epoch = epoch
        self._valid = True

    def read(self, now: datetime) -> datetime:
        """The meter's time, in UTC, at the host's time `now`."""
        return require_utc(now)
