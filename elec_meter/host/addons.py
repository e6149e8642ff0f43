"""The edge of the add-on modules that this computer brings beside those of the document."""

from __future__ import annotations

from typing import Any

from elec_meter.addons import check_addons, places_of
from elec_meter.config import HostConfig, MeterConfig
from elec_meter.config.address import is_same_place
from elec_meter.errors import ConfigError

from .base import Edge, Host


class AddonsEdge(Edge):
    """Modules whose settings are this computer's: its devices, addresses and files of secrets."""

    def arguments(self) -> dict[str, Any]:
        """See `Edge.arguments`."""
        return {"addons": self.host.config.addons, "say": self._say}

    def _say(self, name: str, sentence: str) -> None:
        self.host.tell(f"{name} {sentence}")


def tell_of_addons(host: Host, config: MeterConfig) -> None:
    """Say which modules will not work as they are set up: the meter measures without them.

    Args:
        host: this computer.
        config: what the meter begins with.
    """
    for where, addons in (("addons", config.addons), ("host.addons", host.config.addons or ())):
        try:
            check_addons(addons, where=where)
        except ConfigError as error:
            host.tell(str(error))
    try:
        refuse_shared_places(host.config, config)
    except ConfigError as error:
        host.tell(str(error))


def refuse_shared_places(host: HostConfig | None, config: MeterConfig) -> None:
    """Refuse a module that would listen where something else does.

    Args:
        host: the table `[host]`; None without one.
        config: the meter's document.

    Raises:
        ConfigError: with the path of the module, and both names.
    """
    taken = [] if host is None else [(f"host.{name}", place) for name, place in host.places]
    further = () if host is None else host.addons or ()
    for where, addons in (("addons", config.addons), ("host.addons", further)):
        for number, addon in enumerate(addons):
            for place in places_of(addon):
                for other, their_place in taken:
                    if is_same_place(place, their_place):
                        raise ConfigError(
                            f"{where}[{number}].settings: {addon.name} and {other} would both"
                            f" listen on {place}"
                        )
                taken.append((f"the add-on {addon.name}", place))
