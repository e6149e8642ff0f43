"""`python -m benchmarks.soak`: a head end and many meters, in one process, through a week.

Every meter is a real runtime with a data directory and ports of its own. It is read each half-hour
over loopback TCP, by DLMS or by FLAG, and given another tariff once. What the head end has at the
end is compared with what the houses drew, and every meter's books are audited.
"""

from __future__ import annotations

import asyncio
import random
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from benchmarks.head_end import (
    CLIENTS,
    SALT,
    DlmsReader,
    FlagReader,
    Traffic,
    flag_key,
)
from elec_meter import Meter, Storage
from elec_meter.access import Level, stored_key
from elec_meter.config import (
    CalendarConfig,
    MeterConfig,
    SwitchConfig,
    TariffConfig,
    part_to_json,
)
from elec_meter.ledger.audit import imbalances
from elec_meter.runtime import Runtime
from shared.timegrid import HALF_HOUR_S, unix_s

BEGIN: Final = datetime(2026, 3, 23, tzinfo=UTC)
"""A week with a change of the clocks."""

HALF_HOUR: Final = timedelta(seconds=HALF_HOUR_S)
FLAG_EVERY: Final = 5
"""Every fifth meter is read by FLAG; of the others every other one by key."""

_MJ_PER_WH: Final = 3_600_000
_SETTLED: Final = timedelta(seconds=5)
_TRIES: Final = 3
_AT_ONCE: Final = 16
"""Sessions that the head end has open at a time."""


@dataclass
class House:
    """A meter, what its house draws, and what the head end knows of it.

    Attributes:
        number: which one.
        runtime: the meter, serving.
        reader: reads it and writes to it.
        reconfigured_at: the half-hour in which it gets another tariff.
        drawn_wh: half-hour's end in UNIX seconds to energy.
        read_wh: the same, as the head end was told.
        reconfigured: how often that was done.
        broken: sessions that broke off.
        failures: what went wrong.
    """

    number: int
    runtime: Runtime
    reader: DlmsReader | FlagReader
    reconfigured_at: int
    drawn_wh: dict[int, int] = field(default_factory=dict)
    read_wh: dict[int, int] = field(default_factory=dict)
    reconfigured: int = 0
    broken: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def draw(self, begin: datetime, energy_wh: int) -> None:
        """Let a half-hour pass."""
        end = begin + HALF_HOUR
        self.runtime.meter.receive_energy("import", energy_wh * _MJ_PER_WH, begin, end, end)
        self.runtime.step()
        self.drawn_wh[unix_s(end)] = energy_wh

    async def visit(self, half_hour: int) -> None:
        """Read what is new since the last reading, and reconfigure when it is time.

        A session that breaks off, as on any line, is tried again.
        """
        for _ in range(_TRIES):
            try:
                await self._session(half_hour)
            except (OSError, EOFError, TimeoutError) as error:
                self.broken.append(f"meter {self.number}, half-hour {half_hour}: {error!r}")
            except AssertionError as error:
                self.failures.append(f"meter {self.number}, half-hour {half_hour}: {error!r}")
                return
            else:
                return

    async def _session(self, half_hour: int) -> None:
        found = await self.reader.read(max(self.read_wh, default=unix_s(BEGIN)) + 1)
        twice = found.keys() & self.read_wh.keys()
        if twice:
            self.failures.append(f"meter {self.number}: {len(twice)} rows came twice")
        self.read_wh |= found
        if half_hour >= self.reconfigured_at and not self.reconfigured:
            await self.reader.write_tariff(tariff_text(self.number))
            self.reconfigured += 1

    def faults(self) -> list[str]:
        """What is wrong at the end."""
        meter, found = self.runtime.meter, list(self.failures)
        if self.read_wh != self.drawn_wh:
            missed = len(self.drawn_wh.keys() - self.read_wh.keys())
            found.append(f"meter {self.number}: {missed} half-hours are missing or wrong")
        if (self.reconfigured, 2) != (1, meter.config_version):
            found.append(f"meter {self.number} was reconfigured {self.reconfigured} times")
        if part_to_json(meter.config, "tariff") != tariff_text(self.number):
            found.append(f"meter {self.number} has another tariff than it was given")
        if sum(self.drawn_wh.values()) != meter.ledger.total("import"):
            found.append(f"meter {self.number} has another sum than its house drew")
        return found + imbalances(meter.ledger)


def tariff_of(number: int) -> TariffConfig:
    """Cheap nights that begin at another minute for each house."""
    at = [f"{number // 60 % 5:02d}:{number % 60:02d}", "07:30"]
    switches = tuple(
        SwitchConfig(at=each, rate=rate) for each, rate in zip(at, (2, 1), strict=True)
    )
    return TariffConfig(import_=CalendarConfig(rates=2, switches=switches))


def tariff_text(number: int) -> str:
    """The same as it is written."""
    return part_to_json(MeterConfig(tariff=tariff_of(number)), "tariff")


class Soak:
    """Meters and a head end, at an instant that only rises.

    Args:
        meters: how many.
        half_hours: how long.
        folder: where their data directories are made.
        seed: of loads, and of when each is reconfigured.
    """

    def __init__(self, meters: int, half_hours: int, folder: Path, seed: int = 8) -> None:
        self._meters = meters
        self._half_hours = half_hours
        self._folder = folder
        self._rng = random.Random(seed)
        self._now = BEGIN
        self.traffic = Traffic()

    async def run(self, tell: Callable[[int], None] = lambda _: None) -> dict[str, Any]:
        """Live through it; figures, and `faults` in sentences."""
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        async with AsyncExitStack() as stack:
            storages = stack.enter_context(ExitStack())
            houses = [await self._house(stack, storages, each) for each in range(self._meters)]
            for half_hour in range(self._half_hours):
                begin, self._now = self._now, BEGIN + (half_hour + 1) * HALF_HOUR
                for house in houses:
                    house.draw(begin, self._rng.randrange(1_500))
                self._now += _SETTLED
                await _all([partial(house.visit, half_hour) for house in houses])
                self._now -= _SETTLED
                tell(half_hour + 1)
                if houses[-1].runtime.stopping.is_set():  # the last one has the signals
                    raise KeyboardInterrupt
            faults = [fault for house in houses for fault in house.faults()]
            figures = self._figures(houses)
        return figures | {
            "wall_s": round(time.perf_counter() - wall_s, 1),
            "cpu_s": round(time.process_time() - cpu_s, 1),
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
            "faults": faults,
        }

    async def _house(self, stack: AsyncExitStack, storages: ExitStack, number: int) -> House:
        storage = storages.enter_context(Storage.open(self._folder / f"{number:04d}"))
        meter = Meter(MeterConfig(serial=f"{number:08d}", checkpoint_s=1_800), storage, BEGIN)
        runtime = Runtime(
            meter,
            lambda: self._now,
            flag=("127.0.0.1", 0),
            dlms=("127.0.0.1", 0),
            dlms_clients=CLIENTS,
        )
        for level in (Level.READER, Level.SUPPLIER):
            runtime.gate.set_verifier(level, SALT, stored_key(flag_key(level)), BEGIN)
        await stack.enter_async_context(runtime)
        reader: DlmsReader | FlagReader
        if number % FLAG_EVERY == FLAG_EVERY - 1:
            reader = FlagReader(runtime.ports["FLAG"], meter.config.serial, self.traffic)
        else:
            reader = DlmsReader(
                runtime.ports["DLMS"], number, self.traffic, is_keyed=number % 2 > 0
            )
        return House(number, runtime, reader, self._rng.randrange(self._half_hours))

    def _figures(self, houses: Sequence[House]) -> dict[str, Any]:
        expected = sum(len(house.drawn_wh) for house in houses)
        read = sum(
            house.read_wh.get(at_s) == energy_wh
            for house in houses
            for at_s, energy_wh in house.drawn_wh.items()
        )
        return {
            "meters": len(houses),
            "half_hours": self._half_hours,
            "rows_read": read,
            "rows_missed": expected - read,
            "sessions": self.traffic.sessions,
            "sessions_broken": sum(len(house.broken) for house in houses),
            "bytes_to_meters": self.traffic.sent,
            "bytes_from_meters": self.traffic.received,
            "reconfigured": sum(house.reconfigured for house in houses),
        }


async def _all(visits: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """All of them, some at a time: who is asked for more than it can do breaks off others."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(visit: Callable[[], Awaitable[None]]) -> None:
        async with free:
            await visit()

    await asyncio.gather(*map(one, visits))


@click.command()
@click.option("--meters", type=click.IntRange(1), default=200, show_default=True)
@click.option("--half-hours", type=click.IntRange(1), default=336, show_default=True)
@click.option("--seed", type=int, default=8, show_default=True)
def main(meters: int, half_hours: int, seed: int) -> None:
    """Soak METERS meters; exits with 1 if anything was missed."""
    files = 16 * meters + 256
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(files, hard), hard))

    def tell(done: int) -> None:
        if done % 48 == 0:
            click.echo(f"{done // 48} days", err=True)

    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(Soak(meters, half_hours, Path(folder), seed).run(tell))
    faults = figures.pop("faults")
    for name, value in figures.items():
        click.echo(f"{name:<18} {value:>14,}")
    for fault in faults[:20]:
        click.echo(fault, err=True)
    if faults:
        raise click.ClickException(f"{len(faults)} faults.")


if __name__ == "__main__":
    main()
