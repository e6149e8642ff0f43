"""The edge of the FLAG port, and what every port asks for before it is opened."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from elec_meter.access import PASSWORD_LEVELS, Gate
from elec_meter.errors import MeterError
from elec_meter.ports import SerialDevice, parse_address

from .base import Edge, Host


class CredentialsMissingError(MeterError):
    """A port is not opened, because nobody was given what lets them in: there are no defaults.

    Example scenarios: the first start of a meter whose levels have no passwords yet; a directory
    in which the demo ran.
    """


class CertificateError(MeterError):
    """A port cannot be encrypted with the files that are named.

    Example scenarios: a file that does not exist; a key that belongs to another certificate; a key
    with a passphrase.
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


def server_tls(certificate: Path, key: Path) -> ssl.SSLContext:
    """What encrypts the connections of a port.

    Raises:
        CertificateError: the files are no certificate and its key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # Asked for a passphrase, it would wait for somebody at a terminal.
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        reason = (error.reason or str(error)).replace("_", " ").lower()
        raise CertificateError(
            f"{certificate} and {key} are no certificate and its key: {reason}"
        ) from None
    except OSError as error:
        missing = next((each for each in (certificate, key) if not each.is_file()), key)
        raise CertificateError(f"{missing} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise CertificateError(f"{key} cannot be used: {error}") from None
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
        if config.certificate is not None and config.key is not None:
            self._arguments["tls"] = server_tls(
                host.path(config.certificate), host.path(config.key)
            )
        if config.optical is not None:
            self._arguments["optical"] = SerialDevice.parse(host.device(config.optical))

    def require(self, gate: Gate) -> None:
        """See `Edge.require`."""
        require_passwords(gate, "FLAG", self.host.data_dir)

    def arguments(self) -> dict[str, Any]:
        """See `Edge.arguments`."""
        return self._arguments
