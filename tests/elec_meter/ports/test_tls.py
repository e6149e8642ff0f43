from __future__ import annotations

from pathlib import Path

import pytest

from elec_meter.ports import CertificateError, server_tls
from tests.certificates import self_signed


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pairs of a key and a certificate, one of them in pieces, and what is neither."""
    folder = tmp_path_factory.mktemp("files")
    pair, other = self_signed(folder, "certificate"), self_signed(folder, "another")
    locked = self_signed(folder, "secret", b"secret")
    pair.both.rename(folder / "both.pem")
    pair.key.rename(folder / "key.pem")
    other.both.rename(folder / "other.pem")
    locked.key.rename(folder / "locked.pem")
    (folder / "nothing.pem").write_text("nothing")
    (folder / "torn.pem").write_bytes(pair.certificate.read_bytes()[:127])
    (folder / "folder.pem").mkdir()
    return folder


@pytest.mark.parametrize(
    ("certificate", "key"), [("both", "both"), ("certificate", "key"), ("both", "key")]
)
def test_a_certificate_and_its_key_encrypt(certificate: str, key: str, files: Path) -> None:
    """In one file or in two."""
    assert server_tls(files / f"{certificate}.pem", files / f"{key}.pem").get_ciphers()


@pytest.mark.parametrize(
    ("certificate", "key", "sentence"),
    [
        ("missing", "key", r"missing\.pem cannot be read: no such file or directory$"),
        ("folder", "key", r"folder\.pem cannot be read: is a directory$"),
        ("certificate", "missing", r"missing\.pem cannot be read: no such file"),
        ("key", "key", r"key\.pem holds no certificate in PEM$"),
        ("nothing", "key", r"nothing\.pem holds no certificate in PEM$"),
        ("torn", "key", r"torn\.pem holds no certificate in PEM$"),
        ("certificate", "certificate", r"certificate\.pem holds no private key in PEM$"),
        ("certificate", "nothing", r"nothing\.pem holds no private key in PEM$"),
        ("certificate", "locked", r"the key in \S+locked\.pem has a passphrase, and nobody"),
        ("both", "other", r"the key in \S+other\.pem is not that of the certificate \S+both\.pem$"),
    ],
)
def test_what_cannot_encrypt_is_named(
    certificate: str, key: str, sentence: str, files: Path
) -> None:
    """One plain sentence says which file is wrong, and how."""
    with pytest.raises(CertificateError, match=sentence):
        server_tls(files / f"{certificate}.pem", files / f"{key}.pem")
