"""Another value for each part of the demo's document."""

from __future__ import annotations

import json

from elec_meter.config import RelayConfig, TerminalConfig, config_to_json, demo_config
from elec_meter.config.shape import plain

FACTORYS = ("serial", "modulus_wh", "calibration", "led")
"""The parts that only the factory may change."""


def other_value(name: str) -> object:
    """Another value of a part."""
    value = json.loads(config_to_json(demo_config()))[name]
    others = {
        "serial": "00000002",
        "checkpoint_s": 20,
        "modulus_wh": 10**8,
        "clock": {"sync_limit_s": 20},
        "profile": {"period_min": 15},
        "demand": {"lockout_s": 60},
        "billing": {"day": 7},
        "passive": {"activate": "2027-04-01T00:00:00Z", "tariff": {}},
        "data_channels": [{"name": "v", "number": 2, "object": "1-0:32.7.0", "attribute": 2}],
        "display": {"return_s": 60},
        "flag": {"identification": "A (B) C*"},
        "access": {"clear_levels": [1]},
        "contactor": {"mode": 1},
        "limiter": {"threshold": 9_000},
        "terminals": plain((TerminalConfig(number=1, relay=RelayConfig()),)),
        "switched_load": plain(RelayConfig()),
        "calibration": {"bits": 24, "voltage_pv_per_count": 10**8, "current_pa_per_count": 10**7},
        "alarms": {"quiet": ["tamper"]},
        "supply": {"sag_below_mv": 200_000},
        "led": {"imp_per_kwh": 500},
        "device_ids": ["OPERATOR 7"],
        "push": {"destination": "head.end:4059"},
        "addons": [{"name": "ihd", "module": "p1", "budget_ma": 50, "readout": [], "settings": []}],
    }
    if name == "tariff":
        value["import"]["switches"][1]["at"] = "08:00"
        value["import"]["special_days"] = []
        return value
    if name == "gas_units":
        return [value[0] | {"max_flow_l_h": 5_000}]
    if name == "passive":
        tariff = json.loads(config_to_json(demo_config()))["tariff"]
        return {"activate": "2027-04-01T00:00:00Z", "tariff": tariff}
    other = others[name]
    return value | other if isinstance(value, dict) and isinstance(other, dict) else other
