"""From the collector's half-hours to the meter's: the same pulses, by the meter's time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, Protocol

from elec_meter.clock import SECOND_US, Clock, Dating, Stretch
from shared.timegrid import HALF_HOUR_S

HALF_HOUR_US: Final = HALF_HOUR_S * SECOND_US
NEAR_US: Final = 10 * SECOND_US
"""A boundary this near to one of the collector's has its count: no clock is held to be better."""

_FOR_EVER_US: Final = 1 << 62


class HalfHourOfPulses(Protocol):
    """A half-hour as the collector's fold gives it; `pulses` is None while it is pending."""

    @property
    def start_s(self) -> int:
        """UNIX seconds of the host's time."""

    @property
    def pulses(self) -> int | None:
        """How many, or None."""

    @property
    def status(self) -> int:
        """The collector's status byte."""

    @property
    def final(self) -> bool:
        """Whether it will never change."""


class PulseRun(HalfHourOfPulses, Protocol):
    """Successive half-hours that are alike; more than one only where there are no pulses.

    What is said of a half-hour holds for each of them.
    """

    @property
    def end_s(self) -> int:
        """Where the next run begins, UNIX seconds."""


class Run(NamedTuple):
    """A plain `PulseRun`."""

    start_s: int
    end_s: int
    pulses: int | None
    status: int
    final: bool


def runs_of(half_hours: Iterable[HalfHourOfPulses]) -> Iterator[Run]:
    """Half-hours, in order and without a hole, as runs."""
    run: Run | None = None
    for each in half_hours:
        start_s = each.start_s
        one = Run(start_s, start_s + HALF_HOUR_S, each.pulses, int(each.status), each.final)
        if run is not None and one.pulses == 0 and one[2:] == run[2:] and run.end_s == start_s:
            run = run._replace(end_s=one.end_s)
            continue
        if run is not None:
            yield run
        run = one
    if run is not None:
        yield run


class Stay(NamedTuple):
    """A stay of the meter's time in one of its half-hours, by the host's time.

    Where the clock was set there may be several of one half-hour, each only a part of it.
    """

    start_s: int
    from_us: int
    to_us: int
    stretch: Stretch


def stays(clock: Clock, from_us: int) -> Iterator[Stay]:
    """The half-hours that the meter's time goes through from an instant of the host's on.

    They end where the time is not known (yet). An adjustment cuts none.
    """
    stay: Stay | None = None
    before: Stretch | None = None
    for piece in clock.pieces(from_us, _FOR_EVER_US):
        stretch, at_us = piece.stretch, piece.from_us
        runs_on = before is not None and _runs_on(before, stretch)
        before = stretch
        if stretch.dating is Dating.UNKNOWN:
            break
        while at_us < piece.to_us:
            start_us = stretch.meter_at(at_us) // HALF_HOUR_US * HALF_HOUR_US
            end_us = min(piece.to_us, stretch.host_at(start_us + HALF_HOUR_US))
            if stay is not None and runs_on and stay.start_s == start_us // SECOND_US:
                stay = stay._replace(to_us=end_us)
            else:
                if stay is not None:
                    yield stay
                stay = Stay(start_us // SECOND_US, at_us, end_us, stretch)
            runs_on, at_us = False, end_us
    if stay is not None:
        yield stay


def _runs_on(before: Stretch, after: Stretch) -> bool:
    """Whether the time is known in both stretches and was not set in between."""
    is_known = before.dating is after.dating is Dating.KNOWN
    return is_known and before.meter_at(after.from_us) == after.meter_us


def edge_after(clock: Clock, at_us: int) -> int:
    """The end of the stay to which an instant belongs; that instant where the time is unknown."""
    stay = next(stays(clock, at_us), None)
    return at_us if stay is None else stay.to_us


class Counted(NamedTuple):
    """Pulses of a stay, and what is known of them."""

    pulses: int
    status: int


class Walk:
    """Goes along runs of pulses and counts them between any two instants.

    Between the collector's boundaries pulses are placed evenly. What is counted up to an instant
    never depends on the steps in which one got there.

    Args:
        runs: final and pending half-hours, in order, from the one in which `from_us` lies.
        from_us: where it begins, UNIX microseconds.
        ahead: pulses of that half-hour that were counted before it.
        interpolated: the status bit of pulses that were placed.
    """

    def __init__(
        self, runs: Iterable[PulseRun], from_us: int, ahead: int, interpolated: int
    ) -> None:
        self._runs = iter(runs)
        self._run = next(self._runs, None)
        self._at_us = snapped(from_us)
        self._interpolated = interpolated
        self.ahead = ahead

    def silent_until_us(self) -> int:
        """Up to where it is final, and interpolated, that there are no pulses; else here."""
        run = self._current()
        if run is None or run.pulses != 0 or not run.final or not run.status & self._interpolated:
            return self._at_us
        return run.end_s * SECOND_US

    def status(self) -> int:
        """The status of the run in which it is."""
        run = self._current()
        return 0 if run is None else int(run.status)

    def count_to(self, to_us: int) -> Counted | None:
        """The pulses from where it is to an instant; None if some are not final: the end."""
        target_us = snapped(to_us)
        pulses = status = 0
        while self._at_us < target_us:
            run = self._current()
            if run is None or run.pulses is None or not run.final:
                return None
            part, bits = self._step(run, run.pulses, target_us)
            pulses += part
            status |= bits
        return Counted(pulses, status)

    def _step(self, run: PulseRun, of_each: int, target_us: int) -> tuple[int, int]:
        """To the target, or to the end of the half-hour or the quiet run."""
        status = int(run.status)
        if not of_each:
            self._at_us = min(target_us, run.end_s * SECOND_US)
            return 0, status
        start_us = self._at_us - self._at_us % HALF_HOUR_US
        reached_us = min(target_us, start_us + HALF_HOUR_US) - start_us
        counted = of_each * reached_us // HALF_HOUR_US
        pulses = counted - self.ahead
        if reached_us < HALF_HOUR_US or self._at_us > start_us:
            status |= self._interpolated
        self.ahead = counted if reached_us < HALF_HOUR_US else 0
        self._at_us = start_us + reached_us
        return pulses, status

    def _current(self) -> PulseRun | None:
        while self._run is not None and self._run.end_s * SECOND_US <= self._at_us:
            self._run = next(self._runs, None)
        return self._run


def snapped(at_us: int) -> int:
    """The collector's boundary if one is near, else the instant itself."""
    boundary_us = (at_us + HALF_HOUR_US // 2) // HALF_HOUR_US * HALF_HOUR_US
    return boundary_us if abs(at_us - boundary_us) <= NEAR_US else at_us
