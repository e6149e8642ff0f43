"""A real home's bills, beside a computation over the file alone (Low Carbon London, CC BY 4.0)."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from elec_meter import Meter, MeterConfig, Storage
from elec_meter.config import (
    ECONOMY_7_UTC,
    CalendarConfig,
    PricesConfig,
    TariffConfig,
)
from elec_meter.config.base import TimeBase
from elec_meter.ledger import DemandState, Peak, bills, imbalances, running_bill

HOMES = Path(__file__).parents[3] / "shared" / "data" / "lcl" / "two_homes.csv"
LONDON = ZoneInfo("Europe/London")
HALF_HOUR = timedelta(minutes=30)
PENCE = {1: Decimal("24.53"), 2: Decimal("9.24")}
STANDING_P = Decimal("41.5")

pytestmark = pytest.mark.skipif(not HOMES.exists(), reason="needs Low Carbon London's extract")


BILLED = [
    ("MAC000010", "utc"),
    ("MAC004391", "local"),
    pytest.param("MAC000010", "local", marks=pytest.mark.slow),
    pytest.param("MAC004391", "utc", marks=pytest.mark.slow),
]


class Line(NamedTuple):
    """A half-hour of the file: its exact energy, and the whole Wh that are complete with it."""

    start: datetime
    kwh: Decimal
    wh: int
    rate: int

    @property
    def local_day(self) -> date:
        """The British day in which it begins."""
        return self.start.astimezone(LONDON).date()

    @property
    def peak(self) -> tuple[int, int]:
        """Its power in W and its end, as maximum demand has it."""
        return int(2000 * self.kwh), int((self.start + HALF_HOUR).timestamp())


def lines_of(home: str, zone: ZoneInfo | None) -> list[Line]:
    """A home's half-hours; Economy 7 is 00:30 to 07:30 by the clock of a zone, or by UTC."""
    found, reached_wh = [], Decimal(0)
    with HOMES.open(newline="") as file:
        for name, stamp, kwh in csv.reader(file):
            if name != home:
                continue
            start = datetime.strptime(stamp[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
            energy_kwh = Decimal(kwh.strip())
            before_wh, reached_wh = int(reached_wh), reached_wh + energy_kwh * 1000
            wh = int(reached_wh) - before_wh
            wall = f"{start.astimezone(zone or UTC):%H:%M}"
            found.append(Line(start, energy_kwh, wh, 2 if "00:30" <= wall < "07:30" else 1))
    return found


def wh_by_rate(lines: Iterable[Line]) -> tuple[int, int]:
    """The energy of each rate."""
    counted = {1: 0, 2: 0}
    for line in lines:
        counted[line.rate] += line.wh
    return counted[1], counted[2]


def millionths(pence: Decimal) -> int:
    """Pence in millionths of a penny, exactly."""
    scaled = pence * 10**6
    assert scaled == int(scaled)
    return int(scaled)


def energy_cost(lines: list[Line]) -> int:
    """What energy costs, in millionths of a penny."""
    return millionths(sum((line.wh * PENCE[line.rate] / 1000 for line in lines), start=Decimal(0)))


def standing_charge(lines: list[Line]) -> int:
    """The charge of every British day that has a half-hour, in millionths of a penny."""
    return millionths(STANDING_P * len({line.local_day for line in lines}))


def peaks(lines: list[Line]) -> list[tuple[int, int]]:
    """The highest first, of equals the earlier."""
    return sorted((line.peak for line in lines), key=lambda peak: (-peak[0], peak[1]))


def metered(lines: list[Line], time_base: TimeBase) -> Meter:
    """A meter that lived through the file."""
    prices = PricesConfig(rate_p_kwh=(PENCE[1], PENCE[2]), standing_p_day=STANDING_P)
    economy_7 = CalendarConfig(
        time_base=time_base, rates=2, switches=ECONOMY_7_UTC.switches, prices=prices
    )
    config = MeterConfig(tariff=TariffConfig(import_=economy_7))
    meter = Meter(config, Storage.in_memory(), lines[0].start)
    for line in lines:
        end = line.start + HALF_HOUR
        energy_mj = line.kwh * 3_600_000_000
        assert energy_mj == int(energy_mj)
        meter.receive_energy("import", int(energy_mj), line.start, end, end)
        if end.hour == 0:
            meter.handle_timer(end)
    return meter


def assert_demand(lines: list[Line], demand: DemandState | None) -> None:
    """Maximum demand, that of each rate and the three highest are those of the lines."""
    assert demand is not None
    assert Peak(*peaks(lines)[0]) == demand.maximum
    assert [Peak(*each) for each in peaks(lines)[:3]] == demand.highest
    by_rate = [[line for line in lines if line.rate == rate] for rate in (1, 2)]
    assert [Peak(*peaks(each)[0]) for each in by_rate] == demand.rates


@pytest.mark.parametrize(("home", "time_base"), BILLED)
def test_fourteen_monthly_bills_are_those_of_the_file(home: str, time_base: TimeBase) -> None:
    """Wh of each rate, costs to a millionth of a penny, and maxima; the last month still runs."""
    lines = lines_of(home, LONDON if time_base == "local" else None)
    months = defaultdict[tuple[int, int], list[Line]](list)
    for line in lines:
        months[line.local_day.year, line.local_day.month].append(line)
    meter = metered(lines, time_base)
    billed, running = bills(meter.ledger), running_bill(meter.ledger)
    assert running is not None
    assert (14, 13, None) == (len(months), len(billed), running.end_s)
    ends_s = [each[-1].peak[1] for each in months.values()][:-1]
    assert ends_s == [bill.end_s for bill in billed]
    for month, bill in zip(months.values(), [*billed, running], strict=True):
        assert int(month[0].start.timestamp()) == bill.start_s
        part = bill.energy["import"]
        assert wh_by_rate(month) == part.rates
        assert energy_cost(month) == part.energy_up
        assert standing_charge(month) == part.standing_up
        assert energy_cost(month) + standing_charge(month) == part.total_up
        assert 0 == part.unpriced
        assert_demand(month, part.demand)
    assert wh_by_rate(lines) == tuple(meter.ledger.rates("import"))
    assert [] == imbalances(meter.ledger)


@pytest.mark.parametrize(("home", "time_base"), BILLED)
def test_a_snapshot_of_every_midnight_is_the_files_sum(home: str, time_base: TimeBase) -> None:
    """At 00:00 UTC of every day, register, rates and cost are the sums of the lines before it."""
    lines = lines_of(home, LONDON if time_base == "local" else None)
    meter = metered(lines, time_base)
    expected, reached, cost_p = [], {1: 0, 2: 0}, Decimal(0)
    for line in lines:
        reached[line.rate] += line.wh
        cost_p += line.wh * PENCE[line.rate] / 1000
        end = line.start + HALF_HOUR
        if f"{end:%H:%M}" == "00:00":
            total = reached[1] + reached[2]
            expected.append((end.timestamp(), [total, reached[1], reached[2]], millionths(cost_p)))
    assert expected == [
        (each.at_s, each.energy["import"], each.cost["import"][0])
        for each in meter.ledger.snapshots("daily")
    ]
