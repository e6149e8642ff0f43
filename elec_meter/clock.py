"""What the meter believes the time is."""

from __future__ import annotations

from datetime import datetime

from elec_meter.errors import TimeRunsBackwardsError
from shared.timegrid import from_unix_s, require_utc, unix_s


class Clock:
    """The meter's time as a function of the host's UTC.

    An epoch is a stretch of time over which the clock ran on undisturbed: a power-up begins one.
    Whatever is stamped with epoch and second is ordered for ever.

    Args:
        last_durable_s: the last instant that the data directory knows, UNIX seconds in UTC.
    """

    def __init__(self, last_durable_s: int | None = None) -> None:
        self._last_durable_s = last_durable_s
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

    def power_up(self, now: datetime, epoch: int) -> None:
        """Begin an epoch at a power-up.

        Args:
            now: the host's time.
            epoch: its number, one that was never used before; the journal counts them.

        Raises:
            TimeRunsBackwardsError: `now` is before the last durable instant; the time stays
                unknown.
            ValueError: the epoch is not a later one.
        """
        if epoch <= self._epoch:
            raise ValueError(f"epoch {epoch} does not follow {self._epoch}")
        refuse_backwards(self._last_durable_s, unix_s(now))
        self._epoch = epoch
        self._valid = True

    def read(self, now: datetime) -> datetime:
        """The meter's time, in UTC, at the host's time `now`."""
        return require_utc(now)


def refuse_backwards(last_durable_s: int | None, now_s: int) -> None:
    """Refuse to go on at an instant before one that is known to have passed."""
    if last_durable_s is not None and now_s < last_durable_s:
        raise TimeRunsBackwardsError(
            f"the last durable instant is {from_unix_s(last_durable_s):%Y-%m-%d %H:%M:%S} UTC,"
            f" and the clock says {from_unix_s(now_s):%Y-%m-%d %H:%M:%S}"
        )
