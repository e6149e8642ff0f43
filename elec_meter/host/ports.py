"""The edge of the FLAG port, and what every port asks for before it is opened."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, Final

from elec_meter.access import Gate, Level
from elec_meter.errors import MeterError
from elec_meter.ports import SerialDevice, parse_address

from .base import Edge, Host

_LEVELS: Final = (Level.READER, Level.INSTALLER, Level.SUPPLIER)


class CredentialsMissingError(MeterError):
    """A port is not opened, because nobody was given what lets them in: there are no defaults.

    Example scenarios: the first start of a meter whose levels have no passwords yet.
    """


class CertificateError(MeterError):
    """A port cannot be encrypted with the files that are named.

    Example scenarios: a file that does not exist; a key that belongs to another certificate; a key
    with a passphrase.
    """


def require_passwords(gate: Gate, port: str, data_dir: Path) -> None:
    """Refuse a port of which a level has no password.

    Raises:
        CredentialsMissingError: with the command that sets it.
    """
    missing = [level for level in _LEVELS if level not in gate.levels]
    if missing:
        numbers = [str(int(level)) for level in missing]
        listed = " and ".join(filter(None, [", ".join(numbers[:-1]), numbers[-1]]))
        which = f"level {listed} has" if len(numbers) == 1 else f"levels {listed} have"
        raise CredentialsMissingError(
            f"the {port} port is not opened, because {which} no password:"
            f" `elec-meter control password {numbers[0]} --data {data_dir}` sets"
            f" that of level {numbers[0]}"
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
