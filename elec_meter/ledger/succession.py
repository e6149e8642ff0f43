"""A channel's pulse units, one after the other, as one source of half-hours.

A channel's register is what all of them counted: those that were taken off the gas meter, up to
their end, and the one that is on it now. So it goes on through an exchange, and never falls.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple, Protocol, TypeAlias

from shared.timegrid import HALF_HOUR_S, half_hour_ceiling_s, half_hour_floor_s, unix_s

from .walk import HalfHourOfPulses, PulseRun, Run, runs_of

_FOR_EVER_S: Final = 1 << 42

_Runs: TypeAlias = Callable[[str, int, int], Iterable[PulseRun]]


class UnitPairing(Protocol):
    """A pairing as the collector keeps it."""

    @property
    def channel(self) -> str:
        """The channel that it was paired to."""

    @property
    def paired_utc(self) -> datetime:
        """From when on its pulses count."""


class PulseSource(Protocol):
    """The part of `collector.Collector` that the ledger reads. All times are the host's."""

    @property
    def serials(self) -> Collection[str]:
        """The units that were ever paired."""

    def unit(self, serial: str) -> UnitPairing:
        """A unit's pairing."""

    def ended_utc(self, serial: str) -> datetime | None:
        """When a unit was taken off its gas meter; None while it is on it."""

    def heard_utc(self, serial: str) -> datetime:
        """When a unit was heard last; when it was paired, if it never was."""

    def register(self, serial: str) -> int:
        """Pulses received since the pairing, up to the end."""

    def final_through_s(self, serial: str) -> int:
        """Half-hours that end here or earlier are final."""

    def half_hours(self, serial: str, from_s: int, to_s: int) -> Sequence[HalfHourOfPulses]:
        """Half-hours that start in `[from_s, to_s)`, in order of time."""

    def runs(self, serial: str, from_s: int, to_s: int) -> Iterable[PulseRun]:
        """The same; those without pulses that are alike come as one."""

    def refold(self, serial: str) -> Sequence[HalfHourOfPulses]:
        """All half-hours, from the whole journal and nothing else."""


class ChannelHalfHour(NamedTuple):
    """A plain `HalfHourOfPulses`."""

    start_s: int
    pulses: int | None
    status: int
    final: bool


class _Service(NamedTuple):
    """A unit's time on the gas meter; instants in UNIX seconds, edges those of half-hours.

    Attributes:
        serial: the unit.
        first_s: the edge from which its half-hours count.
        last_s: the edge from which they do not any more; None while it is there.
        paired_s: from when on its pulses count.
        heard_s: when it was heard last.
        ended_s: when it was taken off, rounded up; None while it is there.
    """

    serial: str
    first_s: int
    last_s: int | None
    paired_s: int
    heard_s: int
    ended_s: int | None


class Succession:
    """The units of a channel.

    Those that have ended are the channel's for ever; of the others only the configured one is.

    Args:
        source: the collector.
        channel: the channel.
        serial: the unit that the configuration names.
        interpolated: the status bit of half-hours in which no unit may have counted: from the last
            that was heard of a unit, or the first of the next if that was earlier, to the moment in
            which the next took its place.
    """

    def __init__(
        self, source: PulseSource, channel: str, serial: str, *, interpolated: int
    ) -> None:
        self._source = source
        self._channel = channel
        self._serial = serial
        self._interpolated = interpolated

    @property
    def serials(self) -> list[str]:
        """The units, in the order in which they came."""
        source = self._source
        found = [each for each in source.serials if self._has(each)]
        return sorted(found, key=lambda serial: (source.unit(serial).paired_utc, serial))

    @property
    def is_paired(self) -> bool:
        """Whether a unit is on the gas meter now."""
        source, serial = self._source, self._serial
        return serial in source.serials and source.ended_utc(serial) is None

    @property
    def register(self) -> int:
        """Pulses of all units."""
        return sum(map(self._source.register, self.serials))

    @property
    def begun_s(self) -> int | None:
        """Where the first half-hour begins; None before the first pairing."""
        serials = self.serials
        return self._service(serials[0]).first_s if serials else None

    @property
    def final_through_s(self) -> int | None:
        """Half-hours that end here or earlier are final; None before the first pairing.

        The last half-hour of a unit that has ended is final with the one before it: what is told of
        it is its end. After the end it holds nobody up.
        """
        through_s = None
        for serial in self.serials:
            service, through_s = self._service(serial), self._source.final_through_s(serial)
            if service.last_s is None or through_s < service.last_s - HALF_HOUR_S:
                return through_s
            through_s = min(through_s, service.last_s)
        return through_s

    def runs(self, from_s: int, to_s: int) -> Iterator[Run]:
        """Half-hours that start in `[from_s, to_s)`, in order of time; silences come as one."""
        return self._merged(from_s, to_s, self._source.runs)

    def half_hours(self, from_s: int, to_s: int) -> list[ChannelHalfHour]:
        """The same, each by itself; none before the first pairing, and none after the last end."""
        return list(_apart(self._merged(from_s, to_s, self._source.runs)))

    def refold(self) -> list[ChannelHalfHour]:
        """All half-hours, from the whole journal and nothing else."""
        folded = {serial: self._source.refold(serial) for serial in self.serials}
        begun_s = self.begun_s
        if begun_s is None:
            return []

        def journalled(serial: str, from_s: int, to_s: int) -> Iterator[Run]:
            return runs_of(each for each in folded[serial] if from_s <= each.start_s < to_s)

        return list(_apart(self._merged(begun_s, _FOR_EVER_S, journalled)))

    def _has(self, serial: str) -> bool:
        if serial == self._serial:
            return True
        has_ended = self._source.ended_utc(serial) is not None
        return has_ended and self._source.unit(serial).channel == self._channel

    def _service(self, serial: str) -> _Service:
        paired_s = unix_s(self._source.unit(serial).paired_utc)
        heard_s = unix_s(self._source.heard_utc(serial))
        ended_utc = self._source.ended_utc(serial)
        first_s = half_hour_floor_s(paired_s)
        if ended_utc is None:
            return _Service(serial, first_s, None, paired_s, heard_s, None)
        ended_s = unix_s(ended_utc) + (ended_utc.microsecond > 0)
        # Every unit has a half-hour of its own, however soon it went.
        last_s = max(half_hour_ceiling_s(ended_s), first_s + HALF_HOUR_S)
        return _Service(serial, first_s, last_s, paired_s, heard_s, ended_s)

    def _merged(self, from_s: int, to_s: int, runs: _Runs) -> Iterator[Run]:
        """The runs of all units, added up where one follows the other within a half-hour."""
        services = [self._service(serial) for serial in self.serials]
        gaps = list(_gaps(services))
        from_s, to_s = half_hour_ceiling_s(from_s), half_hour_ceiling_s(to_s)
        edges_s = {each.first_s for each in services}
        edges_s |= {each.last_s for each in services if each.last_s is not None}
        edges_s |= {at_s for gap_s in gaps for at_s in gap_s}
        inside_s = sorted(at_s for at_s in edges_s if from_s < at_s < to_s)
        for start_s, end_s in pairwise([from_s, *inside_s, to_s]):
            is_doubted = any(first_s <= start_s < last_s for first_s, last_s in gaps)
            status = self._interpolated if is_doubted else 0
            serving = [each for each in services if _serves(each, start_s)]
            columns = [self._runs_of(each, start_s, end_s, status, runs) for each in serving]
            if len(columns) == 1:
                yield from columns[0]
            elif columns:
                yield from map(_sum, zip(*map(_singles, columns), strict=False))
            elif services and services[0].first_s <= start_s < services[-1].first_s:
                yield Run(start_s, end_s, 0, self._interpolated, True)

    def _runs_of(
        self, service: _Service, from_s: int, to_s: int, status: int, runs: _Runs
    ) -> Iterator[Run]:
        for run in runs(service.serial, from_s, to_s):
            is_final = run.final or (
                service.last_s is not None
                and run.start_s == service.last_s - HALF_HOUR_S
                and run.start_s <= self._source.final_through_s(service.serial)
            )
            yield Run(run.start_s, run.end_s, run.pulses, int(run.status) | status, is_final)


def _serves(service: _Service, at_s: int) -> bool:
    return service.first_s <= at_s and (service.last_s is None or at_s < service.last_s)


def _gaps(services: Sequence[_Service]) -> Iterator[tuple[int, int]]:
    """The half-hours in which no unit may have counted: the start of the first, and their end."""
    for service, following in zip(services, [*services[1:], None], strict=False):
        if service.ended_s is None:
            continue
        from_s, to_s = service.heard_s, _FOR_EVER_S
        if following is not None:
            from_s = min(from_s, following.paired_s)
            to_s = max(service.ended_s, following.paired_s)
        yield half_hour_floor_s(from_s), half_hour_ceiling_s(to_s)


def _apart(runs: Iterable[Run]) -> Iterator[ChannelHalfHour]:
    for run in runs:
        for start_s in range(run.start_s, run.end_s, HALF_HOUR_S):
            yield ChannelHalfHour(start_s, run.pulses, run.status, run.final)


def _singles(runs: Iterable[Run]) -> Iterator[Run]:
    for each in _apart(runs):
        yield Run(each.start_s, each.start_s + HALF_HOUR_S, *each[1:])


def _sum(runs: tuple[Run, ...]) -> Run:
    """One half-hour of several units."""
    status, pulses = 0, 0
    for run in runs:
        status |= run.status
        pulses += run.pulses or 0
    is_known = all(run.pulses is not None for run in runs)
    is_final = all(run.final for run in runs)
    return runs[0]._replace(pulses=pulses if is_known else None, status=status, final=is_final)
