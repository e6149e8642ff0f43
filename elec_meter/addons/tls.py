"""The certificates and keys that a module's settings name."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from elec_meter.addons.errors import SettingError
from elec_meter.addons.settings import Settings

_PEM_LIMIT: Final = 1 << 20
_CERTIFICATE: Final = b"CERTIFICATE-----"
_KEY: Final = b"PRIVATE KEY-----"
_ENCRYPTED: Final = b"ENCRYPTED"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Files in PEM; `of` has looked into each that is here.

    Attributes:
        authority: certificates of who has signed the other side's; None for those that the system
            knows.
        certificate: the module's own; None for none.
        key: of it; None where it is in the same file.
    """

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those of the settings `ca_file`, `certificate_file` and `key_file`.

        Raises:
            SettingError: one cannot be read or holds something else, or they do not belong
                together.
        """
        if settings.text("key_file") and not settings.text("certificate_file"):
            raise SettingError("the setting key_file needs certificate_file, whose key it is")
        files = cls(*(settings.file(f"{name}_file") for name in ("ca", "certificate", "key")))
        if files.authority is not None:
            _require("ca_file", files.authority, _CERTIFICATE, "no certificate in PEM")
        if files.key is not None:
            _require("key_file", files.key, _KEY, "no key in PEM")
        if files.certificate is not None:
            _require("certificate_file", files.certificate, _CERTIFICATE, "no certificate in PEM")
            if not settings.text("key_file"):
                what = "no key, and there is no setting key_file"
                _require("certificate_file", files.certificate, _KEY, what)
        can_load = files.key is not None or not settings.text("key_file")
        files._load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), with_own=can_load)
        return files

    def client(self) -> ssl.SSLContext:
        """What encrypts a connection that the module makes.

        Raises:
            SettingError: a file is no longer what it was.
        """
        return self._load(ssl.create_default_context(cafile=self.authority))

    def server(self) -> ssl.SSLContext:
        """What encrypts one that is made to it: whoever makes it shows a certificate too.

        Raises:
            SettingError: a file is no longer what it was.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.authority)
        context.verify_mode = ssl.CERT_REQUIRED
        return self._load(context)

    def _load(self, context: ssl.SSLContext, *, with_own: bool = True) -> ssl.SSLContext:
        try:
            if self.authority is not None:
                context.load_verify_locations(self.authority)
            if self.certificate is not None and with_own:
                # Without a password nobody is asked for one, which the meter would wait for.
                context.load_cert_chain(self.certificate, self.key, password="")
        except OSError as error:  # ssl.SSLError is one too
            raise SettingError(f"the certificates cannot be used: {_reason(error)}") from None
        return context


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return "the key is that of another certificate"
    return str(error)


def _require(name: str, path: Path, mark: bytes, missing: str) -> None:
    try:
        with path.open("rb") as file:
            text = file.read(_PEM_LIMIT)
    except OSError as error:
        because = f"cannot be read: {error.strerror}"
        raise SettingError(f"the setting {name} names {path}, which {because}") from None
    if mark not in text:
        raise SettingError(f"the setting {name} names {path}, which holds {missing}")
    if mark == _KEY and _ENCRYPTED in text:
        because = "whose key is encrypted: nobody is there to give its password"
        raise SettingError(f"the setting {name} names {path}, {because}")
