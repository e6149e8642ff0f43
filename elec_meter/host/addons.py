"""The edge of the add-on modules that this computer brings beside those of the document."""

from __future__ import annotations

from typing import Any

from elec_meter.addons import check_addons
from elec_meter.config import MeterConfig
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
