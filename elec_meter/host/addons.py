"""The edge of the add-on modules that this computer brings beside those of the document."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from elec_meter.addons import check_addons, listen_addresses_of
from elec_meter.config import HostConfig, MeterConfig
from elec_meter.config.address import shares_port
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
        refuse_shared_ports(host.config, config)
    except ConfigError as error:
        host.tell(str(error))


def refuse_shared_ports(host: HostConfig | None, config: MeterConfig) -> None:
    """Refuse a module that would listen where something else does.

    Args:
        host: the table `[host]`; None without one.
        config: the meter's document.

    Raises:
        ConfigError: with the path of the module, and both names.
    """
    listeners = [] if host is None else host.listeners
    rows = [("host", f"host.{name}", address) for name, address in listeners]
    further = () if host is None else host.addons or ()
    for where, addons in (("addons", config.addons), ("host.addons", further)):
        for number, addon in enumerate(addons):
            path, name = f"{where}[{number}].settings", f"the add-on {addon.name}"
            rows += [(path, name, address) for address in listen_addresses_of(addon)]
    for (_, other, taken), (path, name, address) in combinations(rows, 2):
        if shares_port(address, taken):
            raise ConfigError(f"{path}: {name} and {other} would both listen on {address}")
