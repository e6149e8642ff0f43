from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from collector import UnitRecord
from elec_meter import Meter, Storage, at_rest
from elec_meter.access import Level
from elec_meter.config import (
    DisplayConfig,
    MeterConfig,
    PassiveTariff,
    PricesConfig,
    demo_config,
)
from elec_meter.errors import ConfigError, NotADataDirectoryError, NotAllowedError
from elec_meter.events import EventCode
from elec_meter.ledger.audit import imbalances

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=3)
DEMO = demo_config()
DEARER = replace(
    DEMO,
    tariff=replace(
        DEMO.tariff,
        import_=replace(
            DEMO.tariff.import_, prices=PricesConfig(rate_p_kwh=(Decimal(30), Decimal(10)))
        ),
    ),
)
BARE = replace(DEMO, display=DisplayConfig())


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where a meter ran for an hour, its gas unit paired."""
    with Storage.open(tmp_path) as storage:
        meter = Meter(DEMO, storage, NOON)
        unit = UnitRecord(serial="00000001", channel="gas", paired_utc=NOON, base_count=0)
        meter.pair(unit, bytes(16), NOON)
        end = NOON + timedelta(hours=1)
        meter.receive_energy("import", 500 * 3_600_000, NOON, end, end)
        meter.handle_timer(end)
        meter.checkpoint()
    return tmp_path


def restarted(storage: Storage, now: datetime = LATER) -> Meter:
    """A meter as demo and replay start it."""
    meter = Meter(storage.load_config() or DEMO, storage, now)
    meter.checkpoint()
    return meter


def test_it_comes_into_force_at_the_next_start(directory: Path) -> None:
    """Written, durable and not in force; then in force, as one version, with its event."""
    with Storage.open(directory) as storage:
        assert (2, ["display"]) == at_rest.apply_config(storage, BARE)
    with Storage.open(directory) as storage:
        assert (1, 2) == (storage.config_in_force, storage.config_number)
        meter = restarted(storage)
        assert (BARE, 2) == (meter.config, meter.config_version)
        assert (2, 2) == (storage.config_in_force, storage.config_number)
        texts = [each.text for each in storage.events() if each.code == 47]
        assert [
            "configuration 2 was written by the command line for the next start: display",
            "configuration 2 came into force: display",
        ] == texts
        assert "the command line" == storage.config_history()[0].author
        assert 2 == restarted(storage).config_version
        assert 2 == storage.config_number


def test_a_tariff_ends_the_billing_period_when_it_comes_into_force(directory: Path) -> None:
    """The outage was the old tariff's; one snapshot, at the start, and the books balance."""
    with Storage.open(directory) as storage:
        at_rest.apply_config(storage, DEARER)
    with Storage.open(directory) as storage:
        meter = restarted(storage)
        last = meter.ledger.snapshots("billing")[-1]
        assert (LATER, "tariff change") == (datetime.fromtimestamp(last.at_s, UTC), last.reason)
        assert [] == imbalances(meter.ledger)
        before = len(meter.ledger.snapshots("billing"))
    with Storage.open(directory) as storage:
        assert before == len(restarted(storage).ledger.snapshots("billing"))


def test_of_several_the_last_counts(directory: Path) -> None:
    """Each is a change of the one before, and going back before the start leaves all as it was."""
    with Storage.open(directory) as storage:
        at_rest.apply_config(storage, BARE)
        assert (3, ["tariff", "display"]) == at_rest.apply_config(storage, DEARER)
        assert (3, []) == at_rest.apply_config(storage, DEARER)
        assert (4, ["tariff"]) == at_rest.roll_back(storage, 1)
        assert 1 == storage.config_in_force
    with Storage.open(directory) as storage:
        meter = restarted(storage)
        assert (DEMO, 1) == (meter.config, meter.config_version)
        assert EventCode.BILLING_ENDED not in {each.code for each in storage.events()}


def test_a_start_with_another_configuration_still_counts(directory: Path) -> None:
    """A program that brings its own puts it in force over what was written."""
    with Storage.open(directory) as storage:
        at_rest.apply_config(storage, BARE)
        meter = Meter(DEARER, storage, LATER)
        meter.checkpoint()
        assert (DEARER, 3) == (meter.config, meter.config_version)
        assert 3 == storage.config_in_force == storage.config_number


REFUSED = {
    "paired": (
        MeterConfig(serial=DEMO.serial),
        "00000001 is paired to gas; it cannot be taken away",
    ),
    "weighed anew": (
        replace(DEMO, gas_units=(replace(DEMO.gas_units[0], pulse_weight="1 m3"),)),
        "pulse_weight: gas counts pulses of 0.01 m3; its register would leap",
    ),
    "numbered anew": (
        replace(
            DEMO,
            display=DisplayConfig(),
            flag=replace(DEMO.flag, readout=()),
            gas_units=(replace(DEMO.gas_units[0], number=3),),
        ),
        "number: the register of gas is that of 0-1:24.2.1",
    ),
    "hidden": (
        replace(DEMO, display=replace(DEMO.display, scroll=DEMO.display.scroll[1:])),
        "1.8.0",
    ),
    "passive": (
        replace(
            DEMO,
            display=DisplayConfig(),
            passive=PassiveTariff(activate=LATER, tariff=MeterConfig().tariff),
        ),
        "once the passive tariff is active, the FLAG readout cannot show 1-0:1.8.2",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_running_meters_checks_hold(name: str, directory: Path) -> None:
    """What it would refuse is refused, and nothing is written."""
    config, reason = REFUSED[name]
    with Storage.open(directory) as storage:
        with pytest.raises(ConfigError, match=reason):
            at_rest.apply_config(storage, config)
        with pytest.raises(ConfigError, match="there is no configuration 9"):
            at_rest.roll_back(storage, 9)
        assert 1 == storage.config_number


def test_a_weight_may_be_written_in_other_words(directory: Path) -> None:
    """10 l are 0.01 m3: a paired unit's register stays what it is."""
    with Storage.open(directory) as storage:
        other = replace(DEMO, gas_units=(replace(DEMO.gas_units[0], pulse_weight="10 l"),))
        assert (2, ["gas_units"]) == at_rest.apply_config(storage, other)


def test_levels_hold(directory: Path) -> None:
    """A supplier may not change the serial number of a meter that is off either."""
    with Storage.open(directory) as storage, pytest.raises(NotAllowedError, match="serial"):
        at_rest.apply_config(storage, replace(DEMO, serial="00000002"), level=Level.SUPPLIER)


def test_where_no_meter_was_there_is_nothing_to_change(tmp_path: Path) -> None:
    """An empty directory is not made into a meter."""
    with Storage.open(tmp_path) as storage, pytest.raises(NotADataDirectoryError):
        at_rest.apply_config(storage, DEMO)
