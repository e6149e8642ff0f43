from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from elec_meter import Meter
from elec_meter.config import CalendarConfig, PricesConfig
from elec_meter.events import EventCode
from elec_meter.storage import Storage
from shared.timegrid import from_unix_s
from tests.elec_meter.ledger.meters import meter_config
from tests.elec_meter.storage.crash import (
    Crash,
    Scenario,
    Served,
    check,
    crashes,
    registers,
    survived,
    tell_commits,
)
from tests.elec_meter.storage.house import House
from tests.elec_meter.storage.metered import MeteredHouse


def house(commits: int, steps: int, log_pages: int = 1000) -> Scenario:
    """A house that lives for so many commits, of so many steps each, with a word in the log.

    The log is copied into the database when it has so many pages.
    """

    def scenario(storage: Storage, served: Served) -> None:
        storage.connection.execute(f"PRAGMA wal_autocheckpoint = {log_pages}")
        lived = House(storage)
        for number in range(commits):
            for _ in range(steps):
                lived.step()
            text = f"commit {number}"
            storage.record_event(EventCode.POWER_UP, text, from_unix_s(lived.now_s))
            lived.checkpoint()
            served(registers(lived.ledger))

    return scenario


def busy(rounds: int) -> Scenario:
    """A whole meter whose clock, configuration and billing are meddled with all the time."""

    def scenario(storage: Storage, served: Served) -> None:
        tell_commits(storage, served)
        house = MeteredHouse(storage, config=replace(meter_config(depth_days=1), checkpoint_s=600))
        for number in range(rounds):
            house.live(4)
            orders = _orders(house.meter, number)
            orders[number % len(orders)](house.now)

    return scenario


def _orders(meter: Meter, number: int) -> list[Callable[[datetime], object]]:
    """What may be ordered, each committed once."""
    hour, sign = timedelta(hours=1), 1 if number % 2 else -1

    def retariff(now: datetime) -> None:
        rates = 1 + number % 3
        prices = PricesConfig(rate_p_kwh=(Decimal(number),) * rates)
        calendar = CalendarConfig(rates=rates, prices=prices)
        tariff = replace(meter.config.tariff, import_=calendar)
        meter.apply_config(replace(meter.config, tariff=tariff), now)

    return [
        lambda now: meter.set_clock(now + sign * 7 * hour + hour / 4, now),
        meter.end_billing,
        retariff,
        meter.lose_clock,
        meter.supply_lost,
        lambda now: meter.set_clock(now, now),
        lambda now: meter.adjust_clock(sign * 9, now),
        lambda now: meter.set_clock(now + sign * 40 * hour, now),
    ]


def lived_and_crashed(directory: Path, scenario: Scenario) -> list[str]:
    """Every crash of a scenario, all survived: during what each was."""
    scratch = directory / "scratch"
    scratch.mkdir()
    return survived(crashes(directory / "data", scenario), scratch)


def test_a_crash_at_any_operation_loses_nothing_that_was_served(tmp_path: Path) -> None:
    """Whatever of a commit reached the disk: it opens, balances, and no register fell."""
    during = lived_and_crashed(tmp_path, house(commits=20, steps=2))
    assert len(during) > 300
    assert any("COMMIT" in each for each in during)


def test_a_crash_while_the_log_is_copied_loses_nothing(tmp_path: Path) -> None:
    """A database that is half-way through taking over its log is whole together with it."""
    during = lived_and_crashed(tmp_path, house(commits=6, steps=3, log_pages=30))
    assert any("COMMIT, its database copied" in each for each in during)


def test_a_crash_at_any_operation_of_a_busy_meter(tmp_path: Path) -> None:
    """Clock set and lost, tariffs, billing, spells: each is there whole, or not at all."""
    during = lived_and_crashed(tmp_path, busy(rounds=9))
    assert len(during) > 300


@pytest.mark.slow
def test_a_crash_at_any_operation_of_a_busy_meters_day(tmp_path: Path) -> None:
    """The same for longer."""
    lived_and_crashed(tmp_path, busy(rounds=60))


@pytest.mark.slow
def test_a_crash_at_any_operation_of_two_days(tmp_path: Path) -> None:
    """The same over evictions, many copies of the log and 200 commits."""
    lived_and_crashed(tmp_path, house(commits=200, steps=3, log_pages=100))


def test_what_is_half_committed_would_be_found(tmp_path: Path) -> None:
    """The check is none if it lets values pass that were never served together."""
    crash = next(
        each for each in crashes(tmp_path / "data", house(2, 6)) if each.before != each.after
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    check(crash, scratch)
    wrong = {name: value + 1 for name, value in crash.after.items()}
    with pytest.raises(AssertionError, match="is neither"):
        check(Crash(crash.files, "a test", wrong, wrong), scratch)
