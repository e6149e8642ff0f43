"""The edge of the web panel."""

from __future__ import annotations

from typing import Any

from elec_meter.access import Gate
from elec_meter.config import HostConfig, PanelHost
from elec_meter.panel import require_closed, require_installed
from elec_meter.ports import parse_address
from elec_meter.runtime import PanelPlace

from .base import Host
from .ports import PortEdge, require_passwords


class PanelEdge(PortEdge):
    """The web panel. Whoever looks is at a computer, and not taken for a person at the meter.

    Where the house does not exist, and no line of a chip may lead to one, there is no other button.

    Raises:
        PanelMissingError: the `panel` extra is not installed.
        PanelExposedError: it would be open to a network in clear.
        CertificateError: its files are no certificate and its key.
    """

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        config = host.config.panel
        assert config is not None  # the edge is there because its table is
        require_installed()
        name, port = parse_address(config.listen)
        tls = self.encrypt(config.certificate, config.key)
        require_closed_as_told(config)
        self._place = PanelPlace(
            host=name,
            port=port,
            tls=tls,
            is_insecure=config.insecure,
            names=config.names,
            is_at_meter=_is_imaginary(host.config),
        )

    def require(self, gate: Gate) -> None:
        """See `Edge.require`."""
        require_passwords(gate, "panel", self.host.data_dir)

    def arguments(self) -> dict[str, Any]:
        """See `Edge.arguments`."""
        return {"panel": self._place}


def require_closed_as_told(config: PanelHost) -> None:
    """Refuse a panel that its table would open to a network in clear.

    Raises:
        PanelExposedError: it would.
    """
    require_closed(
        parse_address(config.listen)[0],
        is_encrypted=config.certificate is not None,
        is_insecure=config.insecure,
        consent="insecure = true",
    )


def _is_imaginary(config: HostConfig) -> bool:
    is_wired = config.terminals is not None and config.terminals.chip is not None
    return config.mains.synthetic_w is not None and not is_wired
