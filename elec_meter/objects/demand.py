"""Objects of maximum demand: any time, by rate, in daily windows, the three highest, and now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final, TypeAlias

from elec_meter.clock import from_unix_us
from elec_meter.ledger import DemandState, Peak, RowStatus
from elec_meter.ledger.demand import HIGHEST
from elec_meter.objects.classes.base import CosemObject, Scalar
from elec_meter.objects.classes.data import Data
from elec_meter.objects.classes.demand_register import DemandRegister, DemandSource
from elec_meter.objects.classes.extended_register import ExtendedRegister
from elec_meter.objects.classes.register import Register, ScalerUnit
from elec_meter.objects.classes.units import Unit
from elec_meter.objects.electricity import ACTIVE, EnergyChannel
from elec_meter.objects.sources import Sources
from shared.timegrid import from_unix_s

_W: Final = ScalerUnit(0, Unit.WATT)
# A maker's groups E (IEC 62056-6-1, 7.4).
_WINDOW_E: Final = 128
_HIGHEST_E: Final = 160

PeakOf: TypeAlias = Callable[[DemandState], Peak | None]


def demand_objects(sources: Sources) -> Iterator[CosemObject]:
    """Demand of import and export, and its resets."""
    for channel in ACTIVE:
        yield from _maxima(sources, channel)
        yield _running(sources, channel)
    now = sources.now
    yield Data("1-0:0.1.0", "Demand resets", now, lambda _: sources.ledger.demand.book.resets)
    yield Data("1-0:0.1.2", "Last demand reset", now, lambda _: _reset_at(sources))


def _maxima(sources: Sources, channel: EnergyChannel) -> Iterator[Register]:
    name, c, title, _ = channel

    def maximum(e: int, what: str, of: PeakOf) -> ExtendedRegister:
        def peak() -> Peak | None:
            return of(sources.ledger.demand_of(name))

        return ExtendedRegister(
            f"1-0:{c}.6.{e}",
            f"{title} maximum demand{what}",
            sources.now,
            lambda _: power_w(peak()),
            _W,
            status=lambda _: None,
            capture_time=lambda _: ends_at(peak()),
        )

    yield maximum(0, "", lambda state: state.maximum)
    for rate in range(1, len(sources.ledger.rates(name)) + 1):
        yield maximum(rate, f" of rate {rate}", of_rate(rate))
    for window in range(1, len(sources.config.demand.windows) + 1):
        yield maximum(_WINDOW_E + window, f" of window {window}", _of_window(window))
    for rank in range(1, HIGHEST + 1):
        yield maximum(_HIGHEST_E + rank, f", number {rank} of the highest", _of_rank(rank))
    yield Register(
        f"1-0:{c}.2.0",
        f"{title} cumulative maximum demand",
        sources.now,
        lambda _: sources.ledger.demand_of(name).cumulative_w,
        _W,
        modulus=sources.config.modulus_wh,
    )


def _running(sources: Sources, channel: EnergyChannel) -> DemandRegister:
    name = channel.name

    def last(_: datetime) -> Peak | None:
        return sources.ledger.demand_of(name).last

    def current_w(now: datetime) -> int | None:
        time_s, status = sources.time_s(now), _status(sources, now)
        return None if time_s is None or status else sources.ledger.demand.running_w(name, time_s)

    demand = DemandSource(
        current=current_w,
        last=lambda now: power_w(last(now)),
        status=lambda now: _status(sources, now),
        capture_time=lambda now: ends_at(last(now)),
        start_time=lambda now: _begun_at(sources, now),
        period_s=lambda _: sources.ledger.demand.step_s,
        periods=lambda _: sources.ledger.demand.period_s // sources.ledger.demand.step_s,
    )
    return DemandRegister(
        f"1-0:{channel.c}.4.0", f"{channel.title} demand", sources.now, demand, _W
    )


def power_w(peak: Peak | None) -> int | None:
    """The power of a maximum."""
    return None if peak is None else peak.power_w


def ends_at(peak: Peak | None) -> datetime | None:
    """When the period of a maximum ended."""
    return None if peak is None else from_unix_s(peak.end_s)


def of_rate(rate: int) -> PeakOf:
    """Gives the maximum of a rate."""
    return lambda state: _place(state.rates, rate)


def _of_window(window: int) -> PeakOf:
    return lambda state: _place(state.windows, window)


def _of_rank(rank: int) -> PeakOf:
    return lambda state: _place(state.highest, rank)


def _place(peaks: list[Peak] | list[Peak | None], number: int) -> Peak | None:
    return peaks[number - 1] if number <= len(peaks) else None


def _begun_at(sources: Sources, now: datetime) -> datetime | None:
    time_s = sources.time_s(now)
    return None if time_s is None else from_unix_s(sources.ledger.demand.begun_s(time_s))


def _status(sources: Sources, now: datetime) -> int:
    """Status of the period under way, bits as those of rows; 0 is one that can be a maximum."""
    time_s = sources.time_s(now)
    if time_s is None:
        return int(RowStatus.CLOCK_INVALID)
    return int(RowStatus.DATA_NOT_VALID) if sources.ledger.demand.is_disturbed(time_s) else 0


def _reset_at(sources: Sources) -> Scalar:
    """By the meter's time; None before the first reset, or where the time was not known."""
    reset_us = sources.ledger.demand.book.reset_us
    return None if reset_us is None else sources.clock.read(from_unix_us(reset_us))
