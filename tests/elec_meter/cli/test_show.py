"""What `elec-meter show` prints of a data directory."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from collector import UnitRecord
from elec_meter import Meter, MeterConfig, Storage
from elec_meter.config import GasUnitConfig
from shared.units import PULSE_1_FT3
from tests.collector.frames import KEY, SERIAL, START, at, heard
from tests.elec_meter.cli.commands import succeeding


def test_cubic_feet_keep_their_digits(tmp_path: Path) -> None:
    """2,999,276 ft3 are 84930.038379067392 m3, to the last digit: more than a float holds."""
    config = MeterConfig(gas_units=(GasUnitConfig(serial=SERIAL, pulse_weight="1 ft3"),))
    unit = UnitRecord(
        serial=SERIAL, channel="gas", paired_utc=START, base_count=0, weight=PULSE_1_FT3
    )
    with Storage.open(tmp_path) as storage:
        meter = Meter(config, storage, START)
        meter.pair(unit, KEY, START)
        meter.receive_frame(heard(2_999_276, 60, 1), at(60))
        meter.checkpoint()
    printed = succeeding("show", "registers", "--data", tmp_path, "--json")
    values = {row["obis"]: row["value"] for row in json.loads(printed, parse_float=Decimal)}
    assert Decimal("84930.038379067392") == values["0-1:24.2.1"]
    assert '"value": 84930.038379067392,' in printed
