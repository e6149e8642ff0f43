from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from elec_meter.ports import CertificateError, server_tls
from tests.certificates import of_version_8, self_signed

LAST_LINE = b"-----END CERTIFICATE-----\n"


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
    whole = pair.certificate.read_bytes()
    (folder / "newer.pem").write_text(of_version_8(whole.decode()))
    (folder / "half.pem").write_bytes(whole + whole[:300])
    (folder / "junk.pem").write_bytes(whole + whole.splitlines()[0] + b"\nAAAA\n" + LAST_LINE)
    (folder / "long.pem").write_bytes(whole + bytes(1 << 20))
    os.mkfifo(folder / "pipe.pem")
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
        ("folder", "key", r"folder\.pem is no file$"),
        ("certificate", "missing", r"missing\.pem cannot be read: no such file"),
        ("key", "key", r"key\.pem holds no certificate in PEM$"),
        ("nothing", "key", r"nothing\.pem holds no certificate in PEM$"),
        ("torn", "key", r"torn\.pem holds no certificate in PEM$"),
        ("newer", "key", r"newer\.pem holds no certificate in PEM$"),
        ("half", "key", r"after the first in \S+half\.pem is cut off or damaged$"),
        ("junk", "key", r"after the first in \S+junk\.pem is cut off or damaged$"),
        ("pipe", "key", r"pipe\.pem is no file$"),
        ("certificate", "pipe", r"pipe\.pem is no file$"),
        ("long", "key", r"long\.pem is too long to hold a certificate or a key$"),
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


@pytest.mark.parametrize("has_memory", [True, False])
def test_a_key_lies_nowhere(
    has_memory: bool, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in memory alone or, where files have names, in one that its owner reads; it is gone."""
    named, modes = [], []
    make = tempfile.NamedTemporaryFile

    def seen() -> Any:
        file = make(dir=tmp_path)
        named.append(file.name)
        modes.append(os.fstat(file.fileno()).st_mode & 0o777)
        return file

    def forbidden(_name: str) -> int:
        raise PermissionError

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", seen)
    if not has_memory:
        monkeypatch.setattr(os, "memfd_create", forbidden)
    server_tls(files / "certificate.pem", files / "key.pem")
    assert [] == list(tmp_path.iterdir())
    assert (0 if has_memory else 2) == len(named)
    assert {0o600} >= set(modes)
