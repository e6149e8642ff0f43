"""Self-signed certificates of somebody on the loopback, for tests of what is encrypted."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

# Between these dates every machine's clock is that runs the tests.
_FIRST: Final = dt.datetime(2016, 1, 1, tzinfo=dt.UTC)
_LAST: Final = dt.datetime(2126, 1, 1, tzinfo=dt.UTC)
_HERE: Final = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
)


class SelfSigned(NamedTuple):
    """Files in PEM.

    Attributes:
        certificate: who trusts it trusts itself to talk to its holder.
        key: of the certificate.
        both: one file with both.
    """

    certificate: Path
    key: Path
    both: Path


def self_signed(
    directory: Path,
    name: str,
    password: bytes = b"",
    begins: dt.datetime | None = None,
    *,
    with_rsa: bool = False,
) -> SelfSigned:
    """A new key, and a certificate for `localhost` and `127.0.0.1` that it has signed.

    Args:
        directory: where the files are written.
        name: of the holder, and the beginning of the files' names.
        password: encrypts the key; empty for not at all.
        begins: when it is valid, for nine days; None for always.
        with_rsa: the key is of RSA, which takes a while; otherwise of an elliptic curve.
    """
    ends = _LAST if begins is None else begins + dt.timedelta(days=9)
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = (
        rsa.generate_private_key(65_537, 2_048)
        if with_rsa
        else ec.generate_private_key(ec.SECP256R1())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins or _FIRST)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName(_HERE), critical=False)
        .sign(key, hashes.SHA256())
    )
    hidden: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        hidden = serialization.BestAvailableEncryption(password)
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    paths = SelfSigned(*(directory / f"{name}.{kind}" for kind in ("pem", "key", "both.pem")))
    paths.certificate.write_bytes(signed.public_bytes(pem))
    paths.key.write_bytes(key.private_bytes(pem, pkcs8, hidden))
    paths.both.write_bytes(paths.key.read_bytes() + paths.certificate.read_bytes())
    return paths


def of_version_8(pem: str) -> str:
    """A certificate as it would be if there were five more versions of them: nobody reads it."""
    third, eighth = b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07"
    return ssl.DER_cert_to_PEM_cert(ssl.PEM_cert_to_DER_cert(pem).replace(third, eighth, 1))
