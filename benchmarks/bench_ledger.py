"""The ledger's year, side by side with what the database alone costs: bare commits of one row."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector import MemoryKeystore, ReceivedFrame, UnitRecord
from elec_meter import Meter, MeterConfig, Storage
from elec_meter.config import (
    ECONOMY_7_LOCAL,
    CalendarConfig,
    ClockConfig,
    GasUnitConfig,
    PricesConfig,
    ProfileConfig,
    TariffConfig,
)
from elec_meter.config.schema import ENERGY_NAMES
from elec_meter.ledger import Ledger
from elec_meter.ledger.audit import imbalances
from elec_meter.sampling import EnergySeries
from elec_meter.tariff import Calendar, span_at
from elec_meter.testing.unit import FIRST_COUNT, PERIOD_S, SENT_AFTER_S, PaperUnit
from shared.timegrid import DAY_S, HALF_HOUR_S, from_unix_s, unix_s

BEGIN_S = unix_s(datetime(2024, 1, 1, tzinfo=UTC))
HALF_HOURS = 365 * 48
TURN = 7 * 48
LAST_S = BEGIN_S + 425 * DAY_S
OUTAGE_S = 5 * 365 * DAY_S + 700
SERIAL = "00000001"
KEY = bytes(range(16))
BEST_OF = 3

Series = dict[str, NDArray[np.int64]]


@dataclass(frozen=True)
class Cost:
    """Seconds that something took by the wall, and of them by the processor."""

    wall_s: float
    cpu_s: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.wall_s + other.wall_s, self.cpu_s + other.cpu_s)


def rows() -> list[dict[str, Any]]:
    """A year of six channels, what a booking costs, and power-up after five years without."""
    with TemporaryDirectory(prefix="halfhourly-bench-") as name:
        folder = Path(name)
        return [*_year_rows(folder), *_small_rows(), *_outage_rows(folder)]


def live(meter: Meter, prepared: list[Series], numbers: range) -> None:
    """Feed half-hours, second by second in six channels, and commit after each."""
    for number in numbers:
        start_s = BEGIN_S + number * HALF_HOUR_S
        # Neighbouring half-hours differ, and so do the days.
        series = EnergySeries(start_s, prepared[(number * 7 + number // 48) % len(prepared)])
        meter.receive_series(series, from_unix_s(start_s + HALF_HOUR_S))
        meter.checkpoint()


def meter_config(*, gas: bool = False, backup_h: int = 87_660) -> MeterConfig:
    """Economy 7 with prices, demand, reactive energy, and with `gas` a pulse unit."""
    prices = PricesConfig(
        rate_p_kwh=(Decimal("24.53"), Decimal("9.24")), standing_p_day=Decimal("41.5")
    )
    economy_7 = CalendarConfig(
        time_base="local", rates=2, switches=ECONOMY_7_LOCAL.switches, prices=prices
    )
    return MeterConfig(
        clock=ClockConfig(backup_h=backup_h),
        profile=ProfileConfig(reactive=True),
        tariff=TariffConfig(import_=economy_7),
        gas_units=(GasUnitConfig(serial=SERIAL),) if gas else (),
    )


def prepared_half_hours() -> list[Series]:
    """Half-hours of a home with a panel on its roof: whole mJ of every second and channel."""
    random = np.random.default_rng(1)
    half_hours = []
    for level_w in range(60, 4_000, 85):
        load_w = level_w + random.normal(0, level_w / 8, HALF_HOUR_S).cumsum() / 40
        load_w += 2_000 * (random.random(HALF_HOUR_S) < 0.02)
        net_w = load_w - random.choice((0, 0, 0, 1_500))
        lag_var = np.abs(net_w) * 0.3
        halves = (
            net_w.clip(0),
            (-net_w).clip(0),
            lag_var * (net_w >= 0),
            lag_var * (net_w < 0),
            np.full(HALF_HOUR_S, 3.0),
            np.full(HALF_HOUR_S, 5.0),
        )
        series = {
            name: np.rint(power * 1000).astype(np.int64)
            for name, power in zip(ENERGY_NAMES, halves, strict=True)
        }
        half_hours.append(series)
    return half_hours


def _year_rows(folder: Path) -> list[dict[str, Any]]:
    prepared, bare = prepared_half_hours(), _bare_database(folder / "floor.sqlite")
    meter = Meter(meter_config(), Storage.open(folder / "year"), from_unix_s(BEGIN_S))
    floor = spent = Cost(0, 0)
    # Weeks take turns with as many bare commits, so that a busy disk hits both alike.
    for first in range(0, HALF_HOURS, TURN):
        numbers = range(first, min(first + TURN, HALF_HOURS))
        floor += _timed(partial(_commit_bare, bare, numbers))
        spent += _timed(partial(live, meter, prepared, numbers))
    bare.close()
    # Nothing that was measured is left out: a fast benchmark of a wrong ledger says nothing.
    assert meter.ledger.row_count == HALF_HOURS
    assert not imbalances(meter.ledger)
    checkpoint = _checkpoint_bytes(meter, prepared, folder / "year")
    meter.storage.close()
    size = (folder / "year" / "meter.sqlite").stat().st_size
    reopened = Storage.open(folder / "year")
    loaded = _timed(reopened.load)
    reopened.close()
    beside = f"{spent.wall_s / floor.wall_s:.2g} x as many bare commits"
    return [
        _row("a year of six channels, a commit per half-hour", spent.wall_s, "s", beside),
        _row("the same, by the processor", spent.cpu_s, "s", f"{floor.cpu_s:.2g} s bare commits"),
        _row("the same, of one half-hour", spent.wall_s / HALF_HOURS * 1e6, "us"),
        _row("bare commits of one row, as many", floor.wall_s, "s"),
        _row("the database, of a half-hour of six channels", size / HALF_HOURS, "bytes"),
        _row("a checkpoint's part of the write-ahead log", checkpoint, "bytes"),
        _row("reading a year's ledger from the database", loaded.wall_s * 1e3, "ms"),
    ]


def _bare_database(path: Path) -> sqlite3.Connection:
    """A database with the pragmas of `Storage`."""
    connection = sqlite3.connect(path, isolation_level="IMMEDIATE")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE ledger_row (start_s INTEGER PRIMARY KEY, import_wh INTEGER)")
    return connection


def _commit_bare(connection: sqlite3.Connection, numbers: range) -> None:
    """What no ledger can go below: one row a commit."""
    for number in numbers:
        connection.execute("INSERT INTO ledger_row VALUES (?, ?)", (number * HALF_HOUR_S, number))
        connection.commit()


def _checkpoint_bytes(meter: Meter, prepared: list[Series], folder: Path) -> float:
    """What one half-hour more adds to the write-ahead log, the mean of ten."""
    connection = meter.storage.connection
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    end_s = BEGIN_S + HALF_HOURS * HALF_HOUR_S
    for number in range(10):
        series = EnergySeries(end_s, prepared[number])
        end_s = series.end_s
        meter.receive_series(series, from_unix_s(end_s))
        meter.checkpoint()
    size = (folder / "meter.sqlite-wal").stat().st_size
    connection.execute("PRAGMA wal_autocheckpoint = 1000")
    return size / 10


def _small_rows() -> list[dict[str, Any]]:
    ledger = Ledger(meter_config())
    ledger.power_up(BEGIN_S)
    seconds = 20_000

    def book() -> None:
        begin_s = ledger.demand.book.closed_s
        for at_s in range(begin_s, begin_s + seconds):
            ledger.close_through(at_s)
            for name in ENERGY_NAMES:
                ledger.accumulate(name, 2_500_000, at_s)
        ledger.close_through(begin_s + seconds)

    calendar = Calendar.from_config(ECONOMY_7_LOCAL)
    instants_s = range(BEGIN_S, BEGIN_S + 365 * DAY_S, 1_801)

    def look_up() -> None:
        for at_s in instants_s:
            span_at(calendar, at_s)

    booked = min(_timed(book).cpu_s for _ in range(BEST_OF))
    found = min(_timed(look_up).cpu_s for _ in range(BEST_OF))
    return [
        _row("booking one second of six channels", booked / seconds * 1e6, "us"),
        _row("span_at of Economy 7 by local time", found / len(instants_s) * 1e6, "us"),
    ]


def _outage_rows(folder: Path) -> list[dict[str, Any]]:
    """Power-up after five years off, and what is read and heard first, then."""
    table = []
    for backup, backup_h in (("alive", 87_660), ("dead", 24)):
        config, keystore = meter_config(gas=True, backup_h=backup_h), MemoryKeystore()
        unit = _history(folder / backup, config, keystore)
        for name, seconds in _return(folder / backup, config, keystore, unit).items():
            table.append(_row(f"{name} after five years off, backup {backup}", seconds, "s"))
    return table


def _history(folder: Path, config: MeterConfig, keystore: MemoryKeystore) -> PaperUnit:
    """Fourteen months of six channels and of a gas unit that tells every six hours."""
    begin, random = from_unix_s(BEGIN_S), np.random.default_rng(2)
    with Storage.open(folder) as storage:
        meter = Meter(config, storage, begin, keystore=keystore)
        record = UnitRecord(
            serial=SERIAL,
            channel="gas",
            paired_utc=begin,
            base_count=FIRST_COUNT,
            period_s=PERIOD_S,
        )
        meter.pair(record, KEY, begin)
        unit = PaperUnit(SERIAL, KEY, BEGIN_S)
        for start_s in range(BEGIN_S, LAST_S, 6 * 3600):
            energies = random.integers(0, 2_000_000, (len(ENERGY_NAMES), 6 * 3600))
            series = EnergySeries(start_s, dict(zip(ENERGY_NAMES, energies, strict=True)))
            meter.receive_series(series, from_unix_s(series.end_s))
            for boundary_s in range(start_s, series.end_s, HALF_HOUR_S):
                unit.turn(boundary_s, int(random.integers(0, 4)))
            _hear(meter, unit, series.end_s + SENT_AFTER_S)
        meter.checkpoint()
    return unit


def _return(
    folder: Path, config: MeterConfig, keystore: MemoryKeystore, unit: PaperUnit
) -> dict[str, float]:
    """Seconds by the wall of each thing that happens when power comes back."""
    now_s = LAST_S + OUTAGE_S
    meters: list[Meter] = []

    def power_up() -> None:
        storage = Storage.open(folder)
        meters.append(Meter(config, storage, from_unix_s(now_s), keystore=keystore))
        meters[0].checkpoint()

    took_s = {"power-up": _timed(power_up).wall_s}
    meter = meters[0]
    days = {"first": BEGIN_S, "last": LAST_S - DAY_S, "middle": LAST_S + OUTAGE_S // 2}
    for name, from_s in (days | {"newest": now_s - DAY_S}).items():
        took_s[f"a day's rows ({name})"] = _timed(
            partial(lambda at_s: list(meter.ledger.rows(at_s, at_s + DAY_S)), from_s)
        ).wall_s
    heard_s = now_s + DAY_S
    took_s["the unit's first telegram"] = _timed(lambda: _hear(meter, unit, heard_s)).wall_s
    final_s = heard_s + 3 * DAY_S
    took_s["its silence made final"] = _timed(lambda: _hear(meter, unit, final_s)).wall_s
    assert not imbalances(meter.ledger)
    meter.storage.close()
    return took_s


def _hear(meter: Meter, unit: PaperUnit, at_s: int) -> None:
    at = from_unix_s(at_s)
    meter.receive_frame(ReceivedFrame(unit.frame(at_s), at, "paper", 2), at)
    meter.checkpoint()


def _timed(work: Callable[[], object]) -> Cost:
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - wall_s, time.process_time() - cpu_s)


def _row(name: str, value: float, unit: str, beside: str = "") -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "relative_to": beside}
