"""The add-on modules in the meter's slot, and what they may read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta

from .base import Document, Name, ObisText, Printable, refuse_repeated, require_obis

if TYPE_CHECKING:
    from .schema import MeterConfig

_BEFORE: Final = ("0-0:1.0.0", "1-0:0.0.0", "1-0:0.2.0", "0-0:96.14.0")
_OF_THE_MOMENT: Final = (
    "1-0:1.7.0",
    "1-0:2.7.0",
    "1-0:16.7.0",
    "1-0:32.7.0",
    "1-0:31.7.0",
    "1-0:13.7.0",
    "1-0:14.7.0",
)


class AddonSetting(Document, frozen=True):
    """A setting of a module, which alone knows what it means.

    Everybody who may read this document sees it: a secret stands in a file that a setting names.
    """

    name: Name
    value: Annotated[Printable, Meta(max_length=256)]


class AddonConfig(Document, frozen=True):
    """A module in the slot. It gets power and a FLAG line at level 1, and nothing else.

    Attributes:
        name: what the event log and the FLAG line call it.
        module: the module, such as `mqtt` or `p1`; another package's by its entry point.
        budget_ma: milliamperes at 5 V that it may draw for longer than a moment.
        readout: what its FLAG line reads out, in order; without any, what the shipped modules show.
        settings: what it is told when it starts.
    """

    name: Name
    module: Name
    budget_ma: Annotated[int, Meta(ge=1, le=2_000)] = 100
    readout: Annotated[tuple[ObisText, ...], Meta(max_length=512)] = ()
    settings: Annotated[tuple[AddonSetting, ...], Meta(max_length=64)] = ()

    def __post_init__(self) -> None:
        for code in self.readout:
            require_obis(code)
        refuse_repeated("readout entry", list(self.readout))
        refuse_repeated("setting", [setting.name for setting in self.settings])


def addon_readout(config: MeterConfig, addon: AddonConfig) -> tuple[str, ...]:
    """The OBIS codes of a module's readout: its own, or what the shipped modules show.

    Args:
        config: the meter that it is in.
        addon: the module.
    """
    if addon.readout:
        return addon.readout
    codes = [*_BEFORE]
    for c, calendar in ((1, config.tariff.import_), (2, config.tariff.export)):
        codes += [f"1-0:{c}.8.{rate}" for rate in range(calendar.rates + 1)]
    codes += _OF_THE_MOMENT
    for unit in config.gas_units:
        codes += [f"0-{unit.number}:{rest}" for rest in ("96.1.0", "24.2.1", "96.6.6", "97.97.0")]
    return tuple(codes)
