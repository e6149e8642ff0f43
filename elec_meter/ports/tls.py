"""Certificates: what encrypts a port, checked before anything listens."""

from __future__ import annotations

import ssl
import stat
from datetime import datetime
from pathlib import Path

from elec_meter.errors import MeterError


class CertificateError(MeterError):
    """A port cannot be encrypted with the files that are named.

    Example scenarios: a file that does not exist; a key that belongs to another certificate; a key
    with a passphrase.
    """


def server_tls(certificate: Path, key: Path) -> ssl.SSLContext:
    """What encrypts the connections of a port: TLS 1.2 and later.

    Args:
        certificate: PEM, with those of the authorities between it and a known one after it.
        key: PEM; the same file may hold both.

    Raises:
        CertificateError: the files are no certificate and its key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, certificate, key)
    return context


class RenewedTls:
    """What encrypts a port, with the certificate that its files have now.

    Args:
        certificate: as of `server_tls`.
        key: likewise.

    Attributes:
        context: encrypts the port's connections, for as long as it is open.

    Raises:
        CertificateError: the files are no certificate and its key.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate, self._key = certificate, key
        self._seen = self._marks()
        self.context = server_tls(certificate, key)

    def __str__(self) -> str:
        return f"the certificate {self._certificate}"

    def renew(self) -> bool:
        """Read the files again if others are there; new connections have what they hold.

        Returns:
            Whether others were there.

        Raises:
            CertificateError: what is there is no certificate and its key, as between the writing of
                the one and of the other. Connections go on as before; it is told once.
        """
        seen = self._marks()
        if seen == self._seen:
            return False
        self._seen = seen
        _load(self.context, self._certificate, self._key)
        return True

    def lapse(self, now: datetime) -> str | None:
        """See `lapse_of`."""
        return lapse_of(self._certificate, now)

    def _marks(self) -> list[tuple[int, int, int] | None]:
        """By which it is known that a file is another, or is written anew."""
        return [_mark(file) for file in (self._certificate, self._key)]


def _mark(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    _require_pair(certificate, key)
    try:
        # Asked for a passphrase, it would wait for somebody at a terminal.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        reason = str(getattr(error, "reason", None) or error).replace("_", " ").lower()
        raise CertificateError(f"{certificate} and {key} cannot encrypt a port: {reason}") from None


def check_tls(certificate: Path, key: Path) -> list[str]:
    """As `server_tls`, of files that may be another computer's: what is not here is no fault.

    Returns:
        A sentence for each file that cannot be looked into here.

    Raises:
        CertificateError: what is here is no certificate and its key.
    """
    absent = {}
    for file in (certificate, key):
        try:
            # What is no file, such as a pipe without a writer, would be waited for without end.
            if not stat.S_ISREG(file.stat().st_mode):
                raise CertificateError(f"{file} is no file")
            file.open("rb").close()
        except OSError as error:
            absent[file] = _unreadable(file, error)
    if not absent:
        server_tls(certificate, key)
    elif certificate not in absent:
        _public_key(certificate)
    elif key not in absent:
        _own_key(key)
    return list(absent.values())


def lapse_of(certificate: Path, now: datetime) -> str | None:
    """What is to be said of a certificate's time; None while it is valid.

    It is no reason to refuse: what is measured goes on, and this computer's own clock may be wrong.

    Args:
        certificate: PEM, as `server_tls` took it.
        now: the host's UTC.
    """
    from cryptography import x509

    first = x509.load_pem_x509_certificate(_read(certificate))
    if now > first.not_valid_after_utc:
        when = f"ended on {first.not_valid_after_utc:%Y-%m-%d}"
    elif now < first.not_valid_before_utc:
        when = f"begins on {first.not_valid_before_utc:%Y-%m-%d}"
    else:
        return None
    return f"the certificate {certificate} {when}: whoever connects is warned or refuses it"


def _require_pair(certificate: Path, key: Path) -> None:
    """Say in words what OpenSSL would say with a line of its source.

    Raises:
        CertificateError: with the file that is wrong.
    """
    if _public_key(certificate) != _own_key(key):
        raise CertificateError(f"the key in {key} is not that of the certificate {certificate}")


def _public_key(certificate: Path) -> object:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    shown = _read(certificate)
    try:
        return x509.load_pem_x509_certificate(shown).public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateError(f"{certificate} holds no certificate in PEM") from None


def _own_key(key: Path) -> object:
    """The public half of a private key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    secret = _read(key)
    try:
        return serialization.load_pem_private_key(secret, None).public_key()
    except TypeError:
        raise CertificateError(
            f"the key in {key} has a passphrase, and nobody is there to give it"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateError(f"{key} holds no private key in PEM") from None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CertificateError(_unreadable(file, error)) from None


def _unreadable(file: Path, error: OSError) -> str:
    reason = (error.strerror or str(error)).lower()
    return f"{file} cannot be read: {reason}"
