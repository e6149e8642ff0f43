"""What `elec-meter show demand` and `show billing` show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from elec_meter.clock import from_unix_us
from elec_meter.config.tariff import REACTIVE
from elec_meter.ledger import DemandState, Peak, Snapshot, energy_key, pulse_key
from elec_meter.objects.billing import cost_before, cost_of_period
from elec_meter.objects.cost import COST
from shared.timegrid import DAY_S, from_unix_s, iso_utc, settlement_period, unix_s
from shared.units import scaled

from .observed import Observed, Row


def demand(seen: Observed) -> list[Row]:
    """Running and last demand, the maxima since the last reset, and what earlier ones add up to."""
    book = seen.books.demand.book
    reset = None
    if book.reset_us is not None:
        reset = seen.books.clock.read(from_unix_us(book.reset_us))
    common = {"resets": book.resets, "last_reset": None if reset is None else iso_utc(reset)}
    return [
        {
            "channel": channel,
            "quantity": quantity,
            "number": number,
            "power_w": None if peak is None else peak.power_w,
            "period_end": None if peak is None or not peak.end_s else _utc(peak.end_s),
            **common,
        }
        for channel, state in book.channels.items()
        for quantity, number, peak in [
            ("running", None, _running(seen, channel)),
            *_known(state),
            ("cumulative", None, Peak(state.cumulative_w, 0)),
        ]
    ]


def billing(seen: Observed) -> list[Row]:
    """Ends of billing periods and what is counted now; of a day, all its snapshots."""
    ledger = seen.meter.ledger
    entries = ledger.snapshots("billing")
    rows = []
    for snapshot in entries:
        before = cost_before(snapshot, entries, ledger.billing_ends)
        rows.append(_snapshot(seen, "billing", snapshot, before))
    if seen.day is None:
        return [*rows, _open(seen)]
    daily = [
        _snapshot(seen, "daily", snapshot, None) | {"at": _utc(at_s), "through": _utc(at_s)}
        for snapshot in ledger.snapshots("daily")
        for at_s in range(snapshot.at_s, snapshot.through_s + 1, DAY_S)
        if settlement_period(from_unix_s(at_s)).settlement_date == seen.day
    ]
    ended = [
        row
        for snapshot, row in zip(entries, rows, strict=True)
        if settlement_period(from_unix_s(snapshot.at_s)).settlement_date == seen.day
    ]
    return sorted([*ended, *daily], key=lambda row: str(row["at"]))


def _running(seen: Observed, channel: str) -> Peak | None:
    """Demand of the period under way as a maximum that it may become; None if it is not known."""
    demand = seen.books.demand
    if seen.time is None or demand.is_disturbed(at_s := unix_s(seen.time)):
        return None
    return Peak(demand.running_w(channel, at_s), demand.begun_s(at_s) + demand.period_s)


def _known(state: DemandState) -> Iterator[tuple[str, int | None, Peak | None]]:
    yield "last", None, state.last
    yield "maximum", None, state.maximum
    for quantity, peaks in (
        ("rate", state.rates),
        ("window", state.windows),
        ("highest", state.highest),
    ):
        for number, peak in enumerate(peaks, start=1):
            yield quantity, number, peak


def _snapshot(
    seen: Observed, kind: str, snapshot: Snapshot, before: dict[str, list[int]] | None
) -> Row:
    prices = {name: seen.meter.config.tariff.calendar(name).prices for name in ("import", "export")}
    costs_up = {
        name: cost_of_period(snapshot, before, name, is_priced=each is not None)
        for name, each in prices.items()
    }
    return {
        "kind": kind,
        "at": _utc(snapshot.at_s),
        "through": _utc(snapshot.through_s),
        "reason": snapshot.reason,
        **_registers(snapshot.energy, snapshot.pulses),
        **_maxima(snapshot.demand),
        "cost_p": {name: _pence(cost_up) for name, cost_up in costs_up.items()},
    }


def _open(seen: Observed) -> Row:
    """The billing period under way, gas as far as it is final."""
    ledger = seen.meter.ledger
    energy = {name: [ledger.total(name), *ledger.rates(name)] for name in ledger.energy_channels}
    pulses: dict[str, list[int] | None] = {
        name: [ledger.total(name) - ledger.unrated(name), *ledger.rates(name)]
        for name in ledger.channels
        if name not in energy and ledger.total(name)
    }
    objects = seen.meter.objects
    return {
        "kind": "open",
        "at": None if seen.time is None else iso_utc(seen.time),
        "through": None,
        "reason": None,
        **_registers(energy, pulses),
        **_maxima({name: ledger.demand_of(name) for name in ("import", "export")}),
        "cost_p": {
            "import": objects["0-0:128.20.2"].value,
            "export": objects["0-0:128.21.2"].value,
        },
    }


def _registers(
    energy: Mapping[str, Sequence[int]], pulses: Mapping[str, Sequence[int] | None]
) -> Row:
    """Totals by the keys of rows, and rates where there are some; None while gas is pending."""
    counts: dict[str, Sequence[int] | None] = {energy_key(name): n for name, n in energy.items()}
    counts |= {pulse_key(name): n for name, n in pulses.items()}
    return {
        "channels": {key: None if n is None else n[0] for key, n in counts.items()},
        "rates": {
            key: None if n is None else list(n[1:])
            for key, n in counts.items()
            if not key.startswith(REACTIVE)
        },
    }


def _maxima(demand: Mapping[str, DemandState]) -> Row:
    peaks = {
        name: demand[name].maximum if name in demand else None for name in ("import", "export")
    }
    return {
        "maximum_w": {name: None if p is None else p.power_w for name, p in peaks.items()},
        "maximum_end": {name: None if p is None else _utc(p.end_s) for name, p in peaks.items()},
    }


def _pence(cost_up: int | None) -> Decimal | int | None:
    return None if cost_up is None else scaled(cost_up, COST.scaler)


def _utc(at_s: int) -> str:
    return iso_utc(from_unix_s(at_s))
