"""What the meter believes the time is: a crystal that drifts, is corrected, set, and lost.

The host's UTC never falls; the meter's time is a piecewise straight function of it. All of it is
exact in integers, so that a boundary of the meter's time has one instant of the host's.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from itertools import pairwise
from typing import Final

from elec_meter.config import ClockConfig
from elec_meter.errors import ClockError, TimeRunsBackwardsError
from shared.timegrid import EPOCH, from_unix_s, require_utc

from .stretches import GAIN_UNIT, Dating, Piece, Stretch

__all__ = [
    "ADJUST_MAX_S",
    "SECOND_US",
    "Clock",
    "Dating",
    "Piece",
    "Stretch",
    "Synchronisation",
    "from_unix_us",
    "refuse_backwards",
    "unix_us",
]

SECOND_US: Final = 1_000_000
ADJUST_MAX_S: Final = 450
"""More than 7.5 minutes are no adjustment: at 5 s in a half-hour they would take two days."""

_SLEW_GAIN: Final = GAIN_UNIT // 360
"""5 s in 1800 s: the fastest that an adjustment may run."""
_SLEW_STEP_US: Final = 360 * SECOND_US
_DISCIPLINE_AFTER_US: Final = 86_400 * SECOND_US
"""Within a day, a second's difference says too little about a crystal."""
_GAIN_PER_PPM: Final = GAIN_UNIT // 10**6
_DISCIPLINE_MAX: Final = 100 * _GAIN_PER_PPM
_REFERENCE_C: Final = 25
_HOUR_US: Final = 3_600 * SECOND_US
_LAST_US: Final = SECOND_US - 1
_MICROSECOND: Final = timedelta(microseconds=1)
_BEFORE_ALL_US: Final = -(1 << 62)
_AFTER_ALL_US: Final = 1 << 62


class Synchronisation(IntEnum):
    """What became of a head end's time.

    It was close and the difference is being worked off; or it was further away, and the caller may
    set the clock, or may not.
    """

    ADJUSTED = 0
    SET = 1
    REFUSED = 2


class Clock:
    """The meter's time as a function of the host's UTC.

    Args:
        config: the crystal and its backup.
        stretches: what `stretches` gave when it was saved; none before the first power-up.
        last_durable_s: the host's last instant that the data directory knows, UNIX seconds.
    """

    def __init__(
        self,
        config: ClockConfig | None = None,
        stretches: Iterable[Stretch] = (),
        last_durable_s: int | None = None,
    ) -> None:
        self._config = ClockConfig() if config is None else config
        self._stretches = list(stretches)
        self._last_durable_s = last_durable_s
        self._temperature_c: Decimal | None = None
        self._epoch = 0
        self._now_us = self._last_durable_us

    @property
    def valid(self) -> bool:
        """Whether the meter knows the time; False until the first power-up."""
        return bool(self._epoch) and self._at(self._now_us).dating is Dating.KNOWN

    @property
    def now_us(self) -> int:
        """The latest instant of the host's that it was told; any, before the first power-up."""
        return self._now_us if self._stretches else _AFTER_ALL_US

    @property
    def epoch(self) -> int:
        """Number of the current power-up; 0 before the first."""
        return self._epoch

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """Everything that there is to remember, in order."""
        return tuple(self._stretches)

    def configure(self, config: ClockConfig) -> None:
        """Go on with other limits; another drift counts from the next setting on."""
        self._config = config

    def power_up(self, now: datetime, epoch: int) -> None:
        """Power came, the first time or again.

        After an outage longer than its backup the time is unknown, from when power went.

        Args:
            now: the host's time.
            epoch: a number that was never used before and rises; the journal counts them.

        Raises:
            TimeRunsBackwardsError: `now` is before the last durable instant; the time stays
                unknown.
            ValueError: the epoch is not a later one.
        """
        if epoch <= self._epoch:
            raise ValueError(f"epoch {epoch} does not follow {self._epoch}")
        now_us, last_s = unix_us(now), self._last_durable_s
        refuse_backwards(last_s, now_us // SECOND_US)
        if not self._stretches:
            self._stretches.append(Stretch(now_us, now_us, self._crystal_gain))
        elif last_s is not None and now_us - last_s * SECOND_US > self._config.backup_h * _HOUR_US:
            self.lose(from_unix_us(min(now_us, last_s * SECOND_US + _LAST_US)))
        self._epoch = epoch
        self._now_us = now_us

    def tell(self, now: datetime) -> None:
        """Time has come to `now`; it never falls."""
        self._now_us = max(self._now_us, unix_us(now))

    def read(self, now: datetime) -> datetime | None:
        """The meter's time, in UTC, at the host's time `now`; None while it is unknown."""
        now_us = unix_us(now)
        meter_us = self._known_us(now_us)
        if meter_us is None:
            return None
        return require_utc(now) if meter_us == now_us else from_unix_us(meter_us)

    def read_s(self, now: datetime) -> int | None:
        """As `read`, in whole UNIX seconds rounded towards the past."""
        meter_us = self._known_us(unix_us(now))
        return None if meter_us is None else meter_us // SECOND_US

    def known_s(self, host_s: int) -> int | None:
        """The meter's time at a second of the host's; None where it was unknown."""
        meter_us = self._known_us(host_s * SECOND_US)
        return None if meter_us is None else meter_us // SECOND_US

    def last_s(self, host_s: int) -> int:
        """The meter's time at a second of the host's, also where it became known only later.

        Where the clock was set within that second, it is the time after the setting.
        """
        host_us = host_s * SECOND_US
        last = self._at(min(max(self.now_us, host_us), host_us + _LAST_US))
        return last.meter_at(max(host_us, last.from_us)) // SECOND_US

    def runs_on(self, host_us: int) -> bool:
        """Whether the time was known at an instant, and has neither been set nor lost since."""
        first, last = max(0, self._place(host_us)), self._place(self.now_us)
        for before, after in pairwise(self._stretches[first : last + 1]):
            if after.dating is not Dating.KNOWN or before.meter_at(after.from_us) != after.meter_us:
                return False
        return self._at(host_us).dating is Dating.KNOWN

    def next_host(self, meter_s: int, now: datetime) -> datetime | None:
        """When after `now` the meter's time will be `meter_s`; None while it is unknown.

        An instant that has passed gives `now`.
        """
        now_us, meter_us = unix_us(now), meter_s * SECOND_US
        place = self._place(now_us)
        for index in range(place, max(len(self._stretches), place + 1)):
            stretch = self._at(now_us) if index == place else self._stretches[index]
            if stretch.dating is not Dating.KNOWN:
                return None
            host_us = max(now_us, stretch.host_at(meter_us))
            if index + 1 >= len(self._stretches) or host_us < self._stretches[index + 1].from_us:
                return from_unix_us(host_us)
        return None

    def host_us(self, meter_s: int) -> int:
        """The host's instant, UNIX microseconds, of the last time that the meter's was `meter_s`.

        Of an instant that a setting skipped, that of the setting.
        """
        host_us, newer_us = meter_s * SECOND_US, None
        for stretch in reversed(self._stretches):
            if stretch.dating is Dating.UNKNOWN:
                newer_us = stretch.from_us
                continue
            host_us = stretch.host_at(meter_s * SECOND_US)
            if newer_us is not None:
                host_us = min(host_us, newer_us)
            if host_us >= stretch.from_us:
                break
            newer_us = stretch.from_us
        return host_us

    def pieces(self, from_us: int, to_us: int) -> Iterator[Piece]:
        """The host's time from one instant to another, cut where stretches begin."""
        place = self._place(from_us)
        while from_us < to_us:
            later = self._stretches[place + 1 : place + 2]
            end_us = min([to_us, *(each.from_us for each in later)])
            if from_us < end_us:
                yield Piece(from_us, end_us, self._at(from_us))
            from_us, place = max(from_us, end_us), place + 1

    def set(self, new: datetime, now: datetime) -> None:
        """The time is `new` now, whatever it was; an adjustment that is under way ends.

        A spell of invalid clock ends and is dated: what the time had been in it is told by now.
        """
        now_us, new_us = unix_us(now), unix_us(new)
        place, gain = self._place(now_us), self._even_gain
        if place >= 0 and self._stretches[place].dating is Dating.UNKNOWN:
            spell = self._stretches[place]
            meter_us = new_us - (now_us - spell.from_us)
            self._stretches[place] = spell._replace(meter_us=meter_us, dating=Dating.DATED_LATER)
        self._begin(Stretch(now_us, new_us, gain))

    def synchronise(self, utc: datetime, now: datetime, *, may_set: bool) -> Synchronisation:
        """Take a head end's time: correct a small difference slowly, a large one only if allowed.

        What the clock has gained or lost since it last was right also tells of its crystal: half of
        that is believed, so that the next difference is smaller.
        """
        now_us = unix_us(now)
        stretch = self._at(now_us)
        difference_us = unix_us(utc) - stretch.meter_at(now_us)
        limit_us = self._config.sync_limit_s * SECOND_US
        if stretch.dating is Dating.KNOWN and abs(difference_us) <= limit_us:
            gain = self._disciplined_gain(difference_us, now_us)
            self._slew(round(difference_us / SECOND_US), now_us, gain)
            return Synchronisation.ADJUSTED
        if not may_set:
            return Synchronisation.REFUSED
        self.set(utc, now)
        return Synchronisation.SET

    def adjust(self, by_s: int, now: datetime) -> None:
        """Gain `by_s` seconds (lose them if negative) little by little, 5 s in a half-hour.

        It replaces an adjustment that is under way, and 0 ends one.

        Raises:
            ClockError: more than 7.5 minutes, or the time is unknown.
        """
        if abs(by_s) > ADJUST_MAX_S:
            raise ClockError(f"a clock is adjusted by at most {ADJUST_MAX_S} s, not by {by_s} s")
        now_us = unix_us(now)
        stretch = self._at(now_us)
        if stretch.dating is not Dating.KNOWN:
            raise ClockError("a clock that does not know the time cannot be adjusted, only set")
        self._slew(by_s, now_us, self._even_gain)

    def outstanding_s(self, now: datetime) -> int:
        """What is left of an adjustment, in whole seconds, rounded away from nothing."""
        now_us = unix_us(now)
        if not self._stretches or self._stretches[-1].from_us <= now_us:
            return 0
        left_s = -(-(self._stretches[-1].from_us - now_us) // _SLEW_STEP_US)
        return left_s if self._at(now_us).gain > self._stretches[-1].gain else -left_s

    def lose(self, at: datetime) -> None:
        """From this instant on the time is unknown: the backup gave out, or the crystal."""
        at_us = unix_us(at)
        stretch = self._at(at_us)
        if stretch.dating is Dating.KNOWN:
            self._begin(Stretch(at_us, stretch.meter_at(at_us), 0, Dating.UNKNOWN))

    def warm(self, temperature_c: Decimal, now: datetime) -> None:
        """The crystal has this temperature now and from now on: its drift changes."""
        crystal_before = self._crystal_gain
        self._temperature_c = temperature_c
        if self._at(unix_us(now)).dating is Dating.KNOWN:
            gain = self._even_gain + self._crystal_gain - crystal_before
            self._slew(self.outstanding_s(now), unix_us(now), gain)

    def _slew(self, by_s: int, now_us: int, gain: int) -> None:
        """Run evenly at `gain`, once `by_s` seconds have been made up for."""
        start_us = self._at(now_us).meter_at(now_us)
        slew = _SLEW_GAIN if by_s > 0 else -_SLEW_GAIN if by_s < 0 else 0
        self._begin(Stretch(now_us, start_us, gain + slew))
        if by_s:
            end_us = now_us + abs(by_s) * _SLEW_STEP_US
            self._stretches.append(Stretch(end_us, self._stretches[-1].meter_at(end_us), gain))

    def _disciplined_gain(self, difference_us: int, now_us: int) -> int:
        """The gain corrected by half of what it was wrong by since the time was last right."""
        elapsed_us = now_us - self._stretches[-1].from_us if self._stretches else 0
        if elapsed_us < _DISCIPLINE_AFTER_US:
            return self._even_gain
        measured = difference_us * GAIN_UNIT // elapsed_us
        return self._even_gain + max(-_DISCIPLINE_MAX, min(_DISCIPLINE_MAX, measured // 2))

    @property
    def _even_gain(self) -> int:
        """The gain beside any adjustment: the last stretch never is one."""
        if self._stretches and self._stretches[-1].dating is Dating.KNOWN:
            return self._stretches[-1].gain
        return self._crystal_gain

    @property
    def _last_durable_us(self) -> int:
        """The last durable instant: not before what was set within its second."""
        durable_s = self._last_durable_s
        if durable_s is None:
            return _BEFORE_ALL_US
        begun_us = [s.from_us for s in self._stretches if s.from_us // SECOND_US == durable_s]
        return max([durable_s * SECOND_US, *begun_us])

    @property
    def _crystal_gain(self) -> int:
        """The drift of the crystal; a tuning fork is fastest at 25 degrees."""
        config, ppm = self._config, self._config.drift_ppm
        if self._temperature_c is not None:
            ppm -= config.temperature_ppm * (self._temperature_c - _REFERENCE_C) ** 2
        return int(ppm * _GAIN_PER_PPM)

    def _begin(self, stretch: Stretch) -> None:
        """Put a stretch in force; what was planned for later is no longer."""
        while self._stretches and self._stretches[-1].from_us > stretch.from_us:
            self._stretches.pop()
        if self._stretches and self._stretches[-1].from_us == stretch.from_us:
            self._stretches.pop()
        self._stretches.append(stretch)

    def _place(self, host_us: int) -> int:
        return bisect_right(self._stretches, host_us, key=lambda each: each.from_us) - 1

    def _known_us(self, host_us: int) -> int | None:
        stretch = self._at(host_us)
        return stretch.meter_at(host_us) if stretch.dating is Dating.KNOWN else None

    def _at(self, host_us: int) -> Stretch:
        """The stretch of an instant; before the first one, the host's time is the meter's."""
        place = self._place(host_us)
        return self._stretches[place] if place >= 0 else _STEADY


_STEADY: Final = Stretch(0, 0, 0)


def unix_us(instant: datetime) -> int:
    """Microseconds since 1970-01-01 00:00 UTC."""
    return (require_utc(instant) - EPOCH) // _MICROSECOND


def from_unix_us(instant_us: int) -> datetime:
    """The instant in UTC of a number of UNIX microseconds."""
    return from_unix_s(instant_us // SECOND_US) + instant_us % SECOND_US * _MICROSECOND


def refuse_backwards(last_durable_s: int | None, now_s: int) -> None:
    """Refuse to go on at an instant before one that is known to have passed."""
    if last_durable_s is not None and now_s < last_durable_s:
        raise TimeRunsBackwardsError(
            f"the last durable instant is {from_unix_s(last_durable_s):%Y-%m-%d %H:%M:%S} UTC,"
            f" and the clock says {from_unix_s(now_s):%Y-%m-%d %H:%M:%S}"
        )
