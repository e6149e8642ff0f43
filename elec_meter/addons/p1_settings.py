"""What the module `p1` is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self
from zoneinfo import ZoneInfo

from elec_meter.addons.errors import SettingError
from elec_meter.addons.settings import Address, Settings

INTERVAL_S: Final = 1
"""As DSMR 5 has it; readers of DSMR 4 expect ten."""

ZONE: Final = "Europe/Amsterdam"
"""Readers take a telegram's times for those of Amsterdam, whatever the house's are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class P1Settings:
    """What the module was told; `of` checks it.

    Attributes:
        listen: where displays connect; None for nowhere.
        serial: the device to which telegrams go; empty for none.
        interval_s: seconds between telegrams.
        zone: of the times.
    """

    listen: Address | None
    serial: str
    interval_s: int
    zone: ZoneInfo

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The settings, checked together.

        Raises:
            SettingError: one is wrong, or there is nowhere for telegrams to go.
        """
        told = cls(
            listen=settings.address("listen"),
            serial=settings.text("serial"),
            interval_s=settings.number("interval_s", INTERVAL_S, 1, 60),
            zone=settings.zone("zone", ZONE),
        )
        settings.require_no_more()
        if told.listen is None and not told.serial:
            raise SettingError("p1 needs the setting listen or serial")
        return told
