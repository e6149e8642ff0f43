"""What a real Home Assistant makes of the meter; test_home_assistant.py is the short form.

How to try it stands at the end of docs/home-assistant.md. Written with 2026.11.
"""

from __future__ import annotations

import asyncio
import getpass
import io
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from elec_meter.addons.home_assistant import entities
from elec_meter.cli.export_forms import write_home_assistant
from elec_meter.config import AddonConfig, AddonSetting
from tests.elec_meter.addons.broker import Broker, broker, free_port, needs_mosquitto
from tests.elec_meter.addons.reading_out import read_out
from tests.elec_meter.addons.real_home import RealHome, needs_home_assistant, real_home
from tests.elec_meter.addons.test_documentation import HOME, blocks
from tests.elec_meter.addons.test_mqtt import living, mqtt_module
from tests.elec_meter.addons.test_slot import Meter
from tests.elec_meter.cli.test_export_forms import METER, rows_from

pytestmark = [pytest.mark.slow, needs_mosquitto, needs_home_assistant]

PREFIX: Final = "halfhourly_00000001_"
LONGEST_S: Final = 120.0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RealHome, Broker]]:
    """One Home Assistant that listens to a broker."""
    directory = tmp_path_factory.mktemp("broker")
    with broker(directory) as at, real_home(tmp_path_factory.mktemp("home")) as home:
        answers = {"broker": "127.0.0.1", "port": at.port, "protocol": "5", "transport": "tcp"}
        home.set_up("mqtt", {**answers, "set_client_cert": False, "set_ca_cert": "off"})
        yield home, at


def wait_for(condition: Callable[[], Any]) -> Any:
    """What it gives, once that is something."""
    give_up_s = time.monotonic() + LONGEST_S
    while time.monotonic() < give_up_s:
        if found := condition():
            return found
        time.sleep(0.2)
    raise AssertionError("it did not come")


def watched(addon: AddonConfig, look: Callable[[Meter], None]) -> None:
    """Look on, from another thread, while a meter with the module lives."""

    async def talk(meter: Meter) -> None:
        await asyncio.to_thread(look, meter)

    living(addon, talk, LONGEST_S)


def is_shown(state: str, value: Decimal | str | None) -> bool:
    """Whether Home Assistant's state is the meter's value."""
    if isinstance(value, Decimal):
        return state not in ("unknown", "unavailable") and Decimal(state) == value
    return state == ("unavailable" if value is None else value.lower())


def test_every_value_becomes_an_entity(place: tuple[RealHome, Broker]) -> None:
    """With its value, nothing to complain of, and unavailable when the meter has gone."""
    home, at = place

    def are_shown(meter: Meter) -> bool:
        shown = home.states(PREFIX)
        told = entities(read_out(meter.meter))
        names = {entity: f"{entity.component}.{PREFIX}{entity.key}" for entity in told}
        return set(names.values()) == shown.keys() and all(
            is_shown(shown[names[entity]]["state"], value)
            and shown[names[entity]]["attributes"].get("unit_of_measurement") == entity.unit
            and shown[names[entity]]["attributes"]["device_class"] == entity.device_class
            for entity, value in told.items()
        )

    def look(meter: Meter) -> None:
        wait_for(lambda: are_shown(meter))
        meter.meter.live = None
        wait_for(lambda: are_shown(meter))
        assert "unavailable" == home.states(PREFIX)[f"sensor.{PREFIX}power"]["state"]
        devices = {each["name"]: each for each in home.command("config/device_registry/list")}
        behind = devices["Gas meter of 00000001"]["via_device_id"]
        assert devices["Electricity meter 00000001"]["id"] == behind
        assert {} == home.command("recorder/validate_statistics")
        prefer_the_meter(home)
        assert [] == home.complaints("mqtt", "components.sensor", "recorder", PREFIX)

    watched(mqtt_module(f"mqtt://127.0.0.1:{at.port}"), look)

    def is_gone() -> bool:
        shown = home.states(PREFIX).items()  # and what Home Assistant itself makes of the price
        states = {each["state"] for name, each in shown if not name.endswith("_cost")}
        return states == {"unavailable"}

    wait_for(is_gone)


def prefer_the_meter(home: RealHome) -> None:
    """Make it the Energy dashboard's, which misses statistics of its own at most so early."""
    grid = {
        "type": "grid",
        "stat_energy_from": f"sensor.{PREFIX}import",
        "stat_energy_to": f"sensor.{PREFIX}export",
        "number_energy_price": 0.25,
        "cost_adjustment_day": 0.0,
    }
    gas = {"type": "gas", "stat_energy_from": f"sensor.{PREFIX}gas"}
    home.command("energy/save_prefs", energy_sources=[grid, gas], device_consumption=[])
    found = home.command("energy/validate")["energy_sources"]
    assert {issue["type"] for each in found for issue in each} <= {"statistics_not_defined"}


def test_the_past_is_taken_over(
    place: tuple[RealHome, Broker], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The registers as they are, what was used from 0 on, and twice is once."""
    home, _ = place
    file = io.StringIO()
    rows = rows_from([(100, 0), (200, 0), (300, 0), (400, 0), (500, 0)])
    write_home_assistant(lambda: iter(rows), file, METER)
    path = tmp_path / "statistics.json"
    path.write_text(file.getvalue(), encoding="utf-8")
    (program,) = blocks(HOME, "python")
    monkeypatch.setattr(getpass, "getpass", lambda _: home.token)
    monkeypatch.setattr(sys, "argv", ["send_statistics.py", home.url, str(path)])
    statistic = "halfhourly:meter_00000001_import"

    def hours() -> list[tuple[float, float]]:
        told = home.command(
            "recorder/statistics_during_period",
            start_time="2025-01-01T00:00:00Z",
            period="hour",
            statistic_ids=[statistic],
            types=["state", "change"],
        ).get(statistic, [])
        return [(each["state"], round(each["change"], 6)) for each in told]

    for _ in range(2):
        exec(compile(program, "home-assistant.md", "exec"), {})
        wait_for(lambda: hours() == [(1.1, 0.0), (1.6, 0.5), (2.5, 0.9)])
    listed = {each["statistic_id"] for each in home.command("recorder/list_statistic_ids")}
    assert {statistic, "halfhourly:meter_00000001_gas"} <= listed
    assert [] == home.complaints("import_statistics", "halfhourly:")


def test_p1_is_read(place: tuple[RealHome, Broker]) -> None:
    """By the integration DSMR, over the network: both rates, production and gas."""
    home, _ = place
    at = f"127.0.0.1:{free_port()}"
    settings = (AddonSetting(name="listen", value=at),)
    p1 = AddonConfig(name="p1", module="p1", budget_ma=2_000, settings=settings)

    def look(meter: Meter) -> None:
        wait_for(lambda: meter.said)
        home.set_up("dsmr", {"port": f"socket://{at}", "dsmr_version": "5"})
        expected = {
            "sensor.electricity_meter_energy_consumption_tarif_1": "123.456",
            "sensor.electricity_meter_energy_consumption_tarif_2": "0.007",
            "sensor.electricity_meter_energy_production_tarif_1": "0.012",
            "sensor.electricity_meter_power_consumption": "0.291",
            "sensor.gas_meter_gas_consumption": "12.34",
        }
        wait_for(lambda: expected.keys() <= home.states("_meter_").keys())
        shown = home.states("_meter_")
        assert expected == {name: shown[name]["state"] for name in expected}

    watched(p1, look)
