"""Objects of billing: the registers as they were at the ends of billing periods and of days."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

from elec_meter.ledger import DEPTHS, DemandState, Kind, Snapshot, order_taken
from elec_meter.objects.classes.base import CosemObject, Scalar
from elec_meter.objects.classes.data import Data
from elec_meter.objects.classes.profile_generic import CaptureObject, ProfileGeneric, ProfileSource
from elec_meter.objects.cost import cost_between
from elec_meter.objects.demand import PeakOf, ends_at, of_rate, power_w
from elec_meter.objects.electricity import ACTIVE, ENERGY_CHANNELS
from elec_meter.objects.gas import Volume
from elec_meter.objects.profiles import CLOCK_COLUMN, Bounds
from elec_meter.objects.sources import Sources
from shared.obis import Obis
from shared.timegrid import DAY_S, from_unix_s

_REASON: Final = "0-0:128.1.0"
_NOTHING: Final = DemandState()
_DATA, _REGISTER, _EXTENDED = 1, 3, 4
_VALUE, _CAPTURE_TIME = 2, 5


class _Entry(NamedTuple):
    """A snapshot, and what gives the costs before it: only the billing profile asks."""

    snapshot: Snapshot
    cost_before: Callable[[], dict[str, list[int]] | None]


class _Column(NamedTuple):
    captured: CaptureObject
    of: Callable[[_Entry], Scalar]


def billing_objects(sources: Sources) -> Iterator[CosemObject]:
    """Billing and daily profile, and what is known of the last end of a billing period."""
    now, ledger = sources.now, sources.ledger
    yield Data("0-0:0.1.0", "Billing periods ended", now, lambda _: ledger.billing_ends)
    yield Data("0-0:0.1.1", "Billing periods kept", now, lambda _: len(ledger.snapshots("billing")))
    yield Data("0-0:0.1.2", "Last end of a billing period", now, lambda _: _ended_at(sources))
    yield Data(_REASON, "Why the last billing period ended", now, lambda _: _reason(sources))
    registers = [*_energies(sources), *_volumes(sources)]
    billed = [*registers, *_maxima(sources), *_costs(sources), _reason_column()]
    yield _profile("0-0:98.1.0", "Billing profile", sources, "billing", billed)
    yield _profile("1-0:99.2.0", "Daily profile", sources, "daily", registers)


class _Snapshots(ProfileSource):
    """Snapshots of one kind, the newest as many as the depth; each midnight of a run is a row."""

    def __init__(self, sources: Sources, kind: Kind, columns: Sequence[_Column]) -> None:
        self._ledger = sources.ledger
        self._kind: Kind = kind
        self._columns = columns

    def rows(self, from_utc: datetime | None, to_utc: datetime | None) -> list[tuple[Scalar, ...]]:
        bounds = Bounds.of(from_utc, to_utc)
        newest = islice(self._newest_first(bounds), DEPTHS[self._kind])
        return list(newest)[::-1]

    def count(self) -> int:
        spans_s = self._ledger.snapshot_spans_s(self._kind)
        return min(DEPTHS[self._kind], sum(len(self._instants(*each)) for each in spans_s))

    def _newest_first(self, bounds: Bounds) -> Iterator[tuple[Scalar, ...]]:
        ledger, kind = self._ledger, self._kind
        ends = ledger.snapshots("billing")
        for snapshot in reversed(ledger.snapshots_between(kind, bounds.from_s, bounds.to_s)):
            before = partial(cost_before, snapshot, ends, ledger.billing_ends)
            entry = _Entry(snapshot, before)
            values = tuple(column.of(entry) for column in self._columns)
            for at_s in reversed(self._instants(snapshot.at_s, snapshot.through_s)):
                if at_s in bounds:
                    yield (from_unix_s(at_s), *values)

    def _instants(self, at_s: int, through_s: int) -> range:
        return range(at_s, (at_s if self._kind == "billing" else through_s) + 1, DAY_S)


def _profile(
    obis: str, name: str, sources: Sources, kind: Kind, columns: Sequence[_Column]
) -> ProfileGeneric:
    return ProfileGeneric(
        obis,
        name,
        sources.now,
        (CLOCK_COLUMN, *(column.captured for column in columns)),
        _Snapshots(sources, kind, columns),
        period_s=lambda: DAY_S if kind == "daily" else 0,
        depth=DEPTHS[kind],
    )


def _energies(sources: Sources) -> Iterator[_Column]:
    modulus = sources.config.modulus_wh
    for channel in ENERGY_CHANNELS:
        rates = len(sources.ledger.rates(channel.name)) if channel in ACTIVE else 0
        for e in range(rates + 1):
            yield _Column(
                _captured(_REGISTER, f"1-0:{channel.c}.8.{e}"), _energy(channel.name, e, modulus)
            )


def _volumes(sources: Sources) -> Iterator[_Column]:
    for unit in sources.config.gas_units:
        volume = Volume.of(unit)
        for place in range(len(sources.ledger.rates(unit.channel)) + 1):
            class_id = _REGISTER if place else _EXTENDED
            yield _Column(
                _captured(class_id, f"0-{unit.number}:24.2.{1 + place}"),
                _volume(unit.channel, place, volume),
            )


def _maxima(sources: Sources) -> Iterator[_Column]:
    for channel in ACTIVE:
        peaks: list[PeakOf] = [lambda state: state.maximum]
        peaks += [of_rate(1 + n) for n in range(len(sources.ledger.rates(channel.name)))]
        for e, of in enumerate(peaks):
            code = f"1-0:{channel.c}.6.{e}"
            yield _Column(_captured(_EXTENDED, code), _power(channel.name, of))
            yield _Column(_captured(_EXTENDED, code, _CAPTURE_TIME), _ended(channel.name, of))


def _costs(sources: Sources) -> Iterator[_Column]:
    """The cost of the period that each snapshot ends."""
    for order, channel in enumerate(ACTIVE):
        is_priced = sources.config.tariff.calendar(channel.name).prices is not None
        yield _Column(
            _captured(_REGISTER, f"0-0:128.{20 + order}.2"),
            _cost(channel.name, is_priced=is_priced),
        )


def _reason_column() -> _Column:
    return _Column(_captured(_DATA, _REASON), lambda entry: entry.snapshot.reason)


def _captured(class_id: int, code: str, attribute: int = _VALUE) -> CaptureObject:
    return CaptureObject(class_id, Obis.parse(code), attribute)


def _energy(channel: str, place: int, modulus: int) -> Callable[[_Entry], Scalar]:
    def of(entry: _Entry) -> Scalar:
        number = _number(entry.snapshot.energy.get(channel), place)
        return None if number is None else number % modulus

    return of


def _volume(channel: str, place: int, volume: Volume) -> Callable[[_Entry], Scalar]:
    def of(entry: _Entry) -> Scalar:
        pulses = _number(entry.snapshot.pulses.get(channel), place)
        return None if pulses is None else pulses * volume.raw_per_pulse % volume.modulus

    return of


def _power(channel: str, peak: PeakOf) -> Callable[[_Entry], Scalar]:
    return lambda entry: power_w(peak(entry.snapshot.demand.get(channel, _NOTHING)))


def _ended(channel: str, peak: PeakOf) -> Callable[[_Entry], Scalar]:
    return lambda entry: ends_at(peak(entry.snapshot.demand.get(channel, _NOTHING)))


def _cost(channel: str, *, is_priced: bool) -> Callable[[_Entry], Scalar]:
    return lambda entry: cost_of_period(
        entry.snapshot, entry.cost_before(), channel, is_priced=is_priced
    )


def cost_of_period(
    snapshot: Snapshot, before: dict[str, list[int]] | None, channel: str, *, is_priced: bool
) -> int | None:
    """Cost of the period that a snapshot ends, in millionths of a penny.

    Args:
        snapshot: the end of the period.
        before: what all had cost at its beginning; None when that is not kept any more.
        channel: an energy channel.
        is_priced: whether it has prices now; without any, nothing is no cost.

    Returns:
        None when it is not known: energy without a price, or a beginning that is not kept.
    """
    after = snapshot.cost.get(channel)
    if before is None or after is None:
        return None
    cost_up = cost_between(before.get(channel, [0, 0, 0]), after)
    return cost_up if cost_up or is_priced else None


def cost_before(
    snapshot: Snapshot, entries: Sequence[Snapshot], ends: int
) -> dict[str, list[int]] | None:
    """What all had cost when the period that a snapshot ends began.

    Args:
        snapshot: the end of the period.
        entries: the snapshots of ends of billing periods that are kept.
        ends: how many periods have ended since ever.

    Returns:
        By channel; nothing for the first period, None when its beginning is not kept any more.
    """
    earlier = [each for each in entries if order_taken(each) < order_taken(snapshot)]
    if earlier:
        return _last(earlier).cost
    return {} if ends <= len(entries) else None


def _number(numbers: list[int] | None, place: int) -> int | None:
    return None if numbers is None or place >= len(numbers) else numbers[place]


def _ended_at(sources: Sources) -> Scalar:
    kept = sources.ledger.snapshots("billing")
    return from_unix_s(_last(kept).through_s) if kept else None


def _reason(sources: Sources) -> Scalar:
    kept = sources.ledger.snapshots("billing")
    return _last(kept).reason if kept else None


def _last(snapshots: Sequence[Snapshot]) -> Snapshot:
    """The one that was taken last; where the clock was set back, not that of the latest instant."""
    return max(snapshots, key=order_taken)
