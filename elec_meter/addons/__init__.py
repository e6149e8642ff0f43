"""Add-on modules: each gets power and a FLAG line, and nothing else of the meter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shared.lazy

if TYPE_CHECKING:
    from elec_meter.addons.checking import check_addons, check_settings, listen_addresses_of
    from elec_meter.addons.errors import AddonError, LineRefusedError
    from elec_meter.addons.line import MeterLine
    from elec_meter.addons.modules import CHECKS, GROUP, Check, Module, require_module
    from elec_meter.addons.readings import Reading, Readings
    from elec_meter.addons.settings import Settings
    from elec_meter.addons.slot import News, Slots, Surroundings

__all__ = [
    "CHECKS",
    "GROUP",
    "AddonError",
    "Check",
    "LineRefusedError",
    "MeterLine",
    "Module",
    "News",
    "Reading",
    "Readings",
    "Settings",
    "Slots",
    "Surroundings",
    "check_addons",
    "check_settings",
    "listen_addresses_of",
    "require_module",
]

__getattr__, __dir__ = shared.lazy.loader(
    __name__,
    {
        "checking": "check_addons check_settings listen_addresses_of",
        "errors": "AddonError LineRefusedError",
        "line": "MeterLine",
        "modules": "CHECKS GROUP Check Module require_module",
        "readings": "Reading Readings",
        "settings": "Settings",
        "slot": "News Slots Surroundings",
    },
)
