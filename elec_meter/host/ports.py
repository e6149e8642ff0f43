"""The edge of the FLAG port, and what every port asks for before it is opened."""

from __future__ import annotations

import ssl
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from elec_meter.access import PASSWORD_LEVELS, Gate
from elec_meter.errors import MeterError
from elec_meter.ports import CertificateError, RenewedTls, SerialDevice, parse_address

from .base import Edge, Host

_RENEWAL_CHECK_S: Final = 30.0


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


class PortEdge(Edge):
    """An edge that may be encrypted.

    A certificate that is renewed is taken while the port is open.
    """

    _tls: RenewedTls | None = None
    _checked_s: float | None = None

    def encrypt(self, certificate: str | None, key: str | None) -> ssl.SSLContext | None:
        """What encrypts the port's connections; None where the file names no certificate.

        Raises:
            CertificateError: the files are no certificate and its key.
        """
        if certificate is None or key is None:
            return None
        self._tls = RenewedTls(self.host.path(certificate), self.host.path(key))
        self._tell_lapse(self._tls, self.host.now())
        return self._tls.context

    def step(self, now: datetime) -> None:
        """Twice a minute, however the host's clock is set, look for one that was renewed."""
        if self._tls is None:
            return
        at_s = self.host.monotonic_s()
        if self._checked_s is not None and at_s - self._checked_s < _RENEWAL_CHECK_S:
            return
        self._checked_s = at_s
        try:
            if self._tls.renew():
                self.host.tell(f"{self._tls} was renewed, and new connections have it")
                self._tell_lapse(self._tls, now)
        except CertificateError as error:
            self.host.tell(f"{error}; connections have the certificate from before")

    def _tell_lapse(self, tls: RenewedTls, now: datetime) -> None:
        lapse = tls.lapse(now)
        if lapse is not None:
            self.host.tell(lapse)


class FlagEdge(PortEdge):
    """FLAG on TCP and on the optical port."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        config = host.config.flag
        assert config is not None  # the edge is there because its table is
        self._arguments: dict[str, Any] = {}
        if config.listen is not None:
            self._arguments["flag"] = parse_address(config.listen)
        self._arguments["tls"] = self.encrypt(config.certificate, config.key)
        if config.optical is not None:
            self._arguments["optical"] = SerialDevice.parse(host.device(config.optical))

    def require(self, gate: Gate) -> None:
        """See `Edge.require`."""
        require_passwords(gate, "FLAG", self.host.data_dir)

    def arguments(self) -> dict[str, Any]:
        """See `Edge.arguments`."""
        return self._arguments
