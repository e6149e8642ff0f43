"""Certificates: what encrypts a port, checked before anything listens."""

from __future__ import annotations

import hashlib
import os
import ssl
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from elec_meter.errors import MeterError

_PEM_BYTES_MAX: Final = 1 << 20


class CertificateError(MeterError):
    """A port cannot be encrypted with the files that are named.

    Example scenarios: a file that does not exist; a key that belongs to another certificate; a key
    with a passphrase.
    """


class _UnreadableError(CertificateError):
    """What a file holds cannot be had here and now, which may be no fault of it."""


def server_tls(certificate: Path, key: Path) -> ssl.SSLContext:
    """What encrypts the connections of a port: TLS 1.2 and later.

    Args:
        certificate: PEM, with those of the authorities between it and a known one after it.
        key: PEM; the same file may hold both.

    Raises:
        CertificateError: the files are no certificate and its key.
    """
    return _loaded(certificate, key, *_read_both(certificate, key))[0]


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
        self._served: bytes | None = None
        self._found: bytes | None = None
        self._seen: bytes | str | None = None
        self.renew()
        # It holds no certificate: each connection is given those that fitted last. A context that
        # is loaded again keeps one beside another of each kind of key, and half of what is wrong.
        self.context = _empty()
        self.context.sni_callback = self._give

    def __str__(self) -> str:
        return f"the certificate {self._certificate}"

    def renew(self) -> bool:
        """Read the files again; where they hold something else, new connections have that.

        It is taken at the second look that finds it: a chain that is being written and ends behind
        one of its certificates cannot be told from a whole one.

        Returns:
            Whether it was taken.

        Raises:
            CertificateError: what is there is no certificate and its key, as between the writing of
                the one and of the other. Connections go on as before; it is told once.
        """
        before, self._found = self._found, None
        found = None
        try:
            shown, secret = _read_both(self._certificate, self._key)
            found = hashlib.sha256(shown).digest() + hashlib.sha256(secret).digest()
            self._found = found
            if found in (self._seen, self._served):
                self._seen = found
                return False
            if self._served is not None and found != before:
                return False
            self._current, self._dates = _loaded(self._certificate, self._key, shown, secret)
        except CertificateError as error:
            # What may pass by itself is tried again each time, anything else once it is other.
            seen = str(error) if isinstance(error, _UnreadableError) or found is None else found
            if seen == self._seen:
                return False
            self._seen = seen
            raise
        self._seen = self._served = found
        return True

    def lapse(self, now: datetime) -> str | None:
        """As `lapse_of`, of the certificate that new connections have."""
        return _lapse(self._certificate, self._dates, now)

    def _give(self, connection: ssl.SSLObject, _name: str | None, _asked: ssl.SSLContext) -> None:
        """Called in each handshake, also where the client names no server."""
        connection.context = self._current


def check_tls(certificate: Path, key: Path) -> list[str]:
    """As `server_tls`, of files that may be another computer's: what is not here is no fault.

    Returns:
        A sentence for each file that cannot be looked into here.

    Raises:
        CertificateError: what is here is no certificate and its key.
    """
    found, absent = {}, {}
    for file in (certificate, key):
        try:
            found[file] = _read(file)
        except _UnreadableError as error:
            absent[file] = str(error)
    if not absent:
        _loaded(certificate, key, found[certificate], found[key])
    elif certificate in found:
        _leaf(found[certificate], certificate)
    elif key in found:
        _public_half(found[key], key)
    return list(absent.values())


def lapse_of(certificate: Path, now: datetime) -> str | None:
    """What is to be said of a certificate's time; None while it is valid.

    It is no reason to refuse: what is measured goes on, and this computer's own clock may be wrong.

    Args:
        certificate: PEM, as `server_tls` took it.
        now: the host's UTC.

    Raises:
        CertificateError: it is none any more.
    """
    return _lapse(certificate, _leaf(_read(certificate), certificate).dates, now)


class _Dates(NamedTuple):
    begin_utc: datetime
    end_utc: datetime


class _Leaf(NamedTuple):
    public_key: object
    dates: _Dates


def _lapse(certificate: Path, dates: _Dates, now: datetime) -> str | None:
    if now > dates.end_utc:
        when = f"ended on {dates.end_utc:%Y-%m-%d}"
    elif now < dates.begin_utc:
        when = f"begins on {dates.begin_utc:%Y-%m-%d}"
    else:
        return None
    return f"the certificate {certificate} {when}: whoever connects is warned or refuses it"


def _empty() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _loaded(
    certificate: Path, key: Path, shown: bytes, secret: bytes
) -> tuple[ssl.SSLContext, _Dates]:
    """A new context from what the two files held, and when that is valid.

    Raises:
        CertificateError: with the file that is wrong, in words: OpenSSL has a line of its source.
    """
    leaf = _leaf(shown, certificate)
    if leaf.public_key != _public_half(secret, key):
        raise CertificateError(f"the key in {key} is not that of the certificate {certificate}")
    context = _empty()
    try:
        with _as_file(shown) as chain_path, _as_file(secret) as key_path:
            # Asked for a passphrase, it would wait for somebody at a terminal.
            context.load_cert_chain(chain_path, key_path, password="")
    except ssl.SSLError as error:
        if error.library in ("PEM", "ASN1"):  # the first and the key were read above
            sentence = f"a certificate after the first in {certificate} is cut off or damaged"
            raise CertificateError(sentence) from None
        reason = str(error.reason or error).replace("_", " ").lower()
        raise CertificateError(f"{certificate} and {key} cannot encrypt a port: {reason}") from None
    except OSError as error:
        raise _UnreadableError(f"{certificate} cannot be taken: {_reason(error)}") from None
    return context, leaf.dates


def _leaf(shown: bytes, certificate: Path) -> _Leaf:
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(shown)
        dates = _Dates(found.not_valid_before_utc, found.not_valid_after_utc)
        return _Leaf(found.public_key(), dates)
    except Exception:  # noqa: BLE001 - one of a version that there is not raises no ValueError
        raise CertificateError(f"{certificate} holds no certificate in PEM") from None


def _public_half(secret: bytes, key: Path) -> object:
    from cryptography.hazmat.primitives import serialization

    try:
        return serialization.load_pem_private_key(secret, None).public_key()
    except TypeError:
        raise CertificateError(
            f"the key in {key} has a passphrase, and nobody is there to give it"
        ) from None
    except Exception:  # noqa: BLE001 - as for a certificate
        raise CertificateError(f"{key} holds no private key in PEM") from None


@contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """A path that leads to these bytes for now: OpenSSL takes a chain from nothing else.

    They may be a key's: nobody else can read them, and where the system has files without a name
    they are in memory alone.
    """
    with _nameless() or tempfile.NamedTemporaryFile() as file:  # the latter of mode 0600
        file.write(content)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}" if isinstance(file.name, int) else file.name


def _nameless() -> BinaryIO | None:
    """A file in memory alone, which /proc shows to this process; None where there is none."""
    if not hasattr(os, "memfd_create") or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.fdopen(os.memfd_create("pem"), "wb")
    except OSError:  # forbidden, as a service may be
        return None


def _read_both(certificate: Path, key: Path) -> tuple[bytes, bytes]:
    shown = _read(certificate)
    return shown, shown if key == certificate else _read(key)


def _read(file: Path) -> bytes:
    """What a file holds, without waiting: a pipe without a writer would be waited for for ever.

    Raises:
        _UnreadableError: it cannot be read.
        CertificateError: it is no file, or too long to be one of these.
    """
    try:
        with open(file, "rb", opener=_at_once) as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise CertificateError(f"{file} is no file")
            content = opened.read(_PEM_BYTES_MAX + 1)
    except IsADirectoryError:
        raise CertificateError(f"{file} is no file") from None
    except OSError as error:
        raise _UnreadableError(f"{file} cannot be read: {_reason(error)}") from None
    if len(content) > _PEM_BYTES_MAX:
        raise CertificateError(f"{file} is too long to hold a certificate or a key")
    return content


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)
