"""The edge of the FLAG port, and what every port asks for before it is opened."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from elec_meter.access import PASSWORD_LEVELS, Gate
from elec_meter.errors import MeterError
from elec_meter.ports import SerialDevice, lapse_of, parse_address, server_tls

from .base import Edge, Host


class CredentialsMissingError(MeterError):
    """A port is not opened, because nobody was given what lets them in: there are no defaults.

    Example scenarios: the first start of a meter whose levels have no passwords yet; a directory
    in which the demo ran.
    """


def require_passwords(gate: Gate, port: str, data_dir: Path) -> None:
    """Refuse a port of which a level has no password, or one that everybody knows.

    Raises:
        CredentialsMissingError: with the command that sets it.
    """
    for is_wrong, what in (
        (lambda level: level not in gate.levels, "no password"),
        (gate.is_published, "the demo's password, which everybody knows"),
    ):
        wrong = [str(int(level)) for level in PASSWORD_LEVELS if is_wrong(level)]
        if wrong:
            listed = " and ".join(filter(None, [", ".join(wrong[:-1]), wrong[-1]]))
            which = f"level {listed} has" if len(wrong) == 1 else f"levels {listed} have"
            raise CredentialsMissingError(
                f"the {port} port is not opened, because {which} {what}:"
                f" `elec-meter control password {wrong[0]} --data {data_dir}` sets"
                f" that of level {wrong[0]}"
            )


def tls_of(host: Host, certificate: str | None, key: str | None) -> ssl.SSLContext | None:
    """What encrypts the connections of a port; None where the file names no certificate.

    Raises:
        CertificateError: the files are no certificate and its key.
    """
    if certificate is None or key is None:
        return None
    context = server_tls(host.path(certificate), host.path(key))
    lapse = lapse_of(host.path(certificate), host.now())
    if lapse is not None:
        host.tell(lapse)
    return context


class FlagEdge(Edge):
    """FLAG on TCP and on the optical port."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        config = host.config.flag
        assert config is not None  # the edge is there because its table is
        self._arguments: dict[str, Any] = {}
        if config.listen is not None:
            self._arguments["flag"] = parse_address(config.listen)
        self._arguments["tls"] = tls_of(host, config.certificate, config.key)
        if config.optical is not None:
            self._arguments["optical"] = SerialDevice.parse(host.device(config.optical))

    def require(self, gate: Gate) -> None:
        """See `Edge.require`."""
        require_passwords(gate, "FLAG", self.host.data_dir)

    def arguments(self) -> dict[str, Any]:
        """See `Edge.arguments`."""
        return self._arguments
