"""Certificates: what encrypts a port, checked before anything listens."""

from __future__ import annotations

import ssl
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
    _require_pair(certificate, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Asked for a passphrase, it would wait for somebody at a terminal.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        reason = str(getattr(error, "reason", None) or error).replace("_", " ").lower()
        raise CertificateError(f"{certificate} and {key} cannot encrypt a port: {reason}") from None
    return context


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
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    shown, secret = _read(certificate), _read(key)
    try:
        public = x509.load_pem_x509_certificate(shown).public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateError(f"{certificate} holds no certificate in PEM") from None
    try:
        own = serialization.load_pem_private_key(secret, None).public_key()
    except TypeError:
        raise CertificateError(
            f"the key in {key} has a passphrase, and nobody is there to give it"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateError(f"{key} holds no private key in PEM") from None
    if own != public:
        raise CertificateError(f"the key in {key} is not that of the certificate {certificate}")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CertificateError(f"{file} cannot be read: {reason}") from None
