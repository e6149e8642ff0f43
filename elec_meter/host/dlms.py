"""The edge of DLMS: who may associate, with what the keystore has for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from elec_meter.access import Gate
from elec_meter.dlms import READER, Credentials
from elec_meter.dlms_service import credentials_of
from elec_meter.errors import ConfigError
from elec_meter.ports import parse_address

from .base import Host
from .ports import CredentialsMissingError, PortEdge

if TYPE_CHECKING:
    from pathlib import Path

    from elec_meter.config import HostConfig


class DlmsEdge(PortEdge):
    """DLMS on TCP, and in mode E of the FLAG port."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        config = host.config.dlms
        assert config is not None  # the edge is there because its table is
        require_line(host.config)
        self._clients = config.clients
        self._credentials = credentials_of(host.data_dir)
        self._arguments: dict[str, Any] = {}
        if config.listen is not None:
            self._arguments["dlms"] = parse_address(config.listen)
            self._arguments["dlms_tls"] = self.encrypt(config.certificate, config.key)

    def require(self, gate: Gate) -> None:
        """See `Edge.require`."""
        del gate  # DLMS has credentials of its own
        require_credentials(self._credentials, self._clients, self.host.data_dir)

    def arguments(self) -> dict[str, Any]:
        """See `Edge.arguments`."""
        rules = tuple(map(self._credentials.rule, self._clients))
        return self._arguments | {"dlms_clients": rules}


def require_line(config: HostConfig) -> None:
    """Refuse DLMS that nobody could reach.

    Raises:
        ConfigError: it is for mode E of a port that is not there.
    """
    if config.dlms is not None and config.dlms.listen is None and config.flag is None:
        raise ConfigError("host.dlms: without 'listen' it is for mode E, and there is no FLAG port")


def require_credentials(credentials: Credentials, clients: tuple[str, ...], data_dir: Path) -> None:
    """Refuse clients that were given nothing.

    Raises:
        CredentialsMissingError: with the command that gives it.
    """
    missing = next((each for each in clients if not credentials.has(each)), None)
    if missing is None:
        return
    what = "neither keys nor a password" if missing == READER else "no keys"
    raise CredentialsMissingError(
        f"DLMS is not opened, because its client {missing} has {what}:"
        f" `elec-meter control dlms-keys {missing} --data {data_dir}` gives it keys"
    )
