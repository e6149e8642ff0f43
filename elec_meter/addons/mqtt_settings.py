"""What the module `mqtt` is told."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from typing import Final, NamedTuple, Self
from urllib.parse import SplitResult, unquote, urlsplit

from elec_meter.addons.errors import SettingError
from elec_meter.addons.settings import Settings
from elec_meter.addons.tls import TlsFiles

_PORTS: Final = {"mqtt": 1_883, "mqtts": 8_883}
_TOPIC: Final = re.compile(r"[^#+\x00-\x1f]{1,128}")
_FILES: Final = ("ca_file", "certificate_file", "key_file")
_SERIAL: Final = "00000000"


class Broker(NamedTuple):
    """Where to publish, and as whom.

    Attributes:
        tls: encrypts the connection; None for none.
    """

    host: str
    port: int
    username: str | None
    password: str | None
    tls: ssl.SSLContext | None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """What the module was told; `of` checks it.

    Attributes:
        host: the broker's.
        port: likewise.
        username: None for nobody.
        password: None for none.
        files: with what the connection is encrypted; None for not at all.
        base: what all topics of all meters begin with.
        prefix: what those of Home Assistant's discovery begin with.
        interval_s: seconds between states.
    """

    host: str
    port: int
    username: str | None
    password: str | None
    files: TlsFiles | None
    base: str
    prefix: str
    interval_s: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The settings, checked together.

        Raises:
            SettingError: one is wrong, or they do not fit each other.
        """
        parts = _parts(settings.text("url"))
        interval_s = settings.number("interval_s", 10, 1, 3_600)
        prefix = settings.text("discovery_prefix", "homeassistant")
        has_password = settings.text("password_file")
        has_files = [settings.text(name) for name in _FILES]
        settings.require_no_more()
        base = parts.path.strip("/") or "halfhourly"
        for topic in (prefix, f"{base}/{_SERIAL}"):
            if not _TOPIC.fullmatch(topic):
                raise SettingError(f"{topic[:40]!r} is no topic to publish to")
        if has_password and not parts.username:
            raise SettingError("the setting password_file is for a url with a USER before the @")
        if any(has_files) and parts.scheme != "mqtts":
            raise SettingError("certificates are for a url that begins with mqtts")
        return cls(
            host=parts.hostname or "",
            port=parts.port or _PORTS[parts.scheme],
            username=unquote(parts.username) if parts.username else None,
            password=settings.secret("password") or None,
            files=TlsFiles.of(settings) if parts.scheme == "mqtts" else None,
            base=base,
            prefix=prefix,
            interval_s=interval_s,
        )

    def broker(self) -> Broker:
        """Where to publish.

        Raises:
            SettingError: a certificate is no longer what it was.
        """
        tls = None if self.files is None else self.files.client()
        return Broker(self.host, self.port, self.username, self.password, tls)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in _PORTS and bool(parts.hostname)
    except ValueError:
        is_whole = False
    if not is_whole:
        raise SettingError("the setting url is written mqtt://HOST:PORT or mqtts://USER@HOST:PORT")
    try:
        is_port = parts.port != 0
    except ValueError:
        is_port = False
    if not is_port:
        raise SettingError("the port in the setting url is a whole number from 1 to 65535")
    if parts.password:
        raise SettingError(
            "the setting url holds a password, which everybody sees who may read the configuration:"
            " put it into a file that the setting password_file names"
        )
    if parts.query or parts.fragment:
        raise SettingError("the setting url ends with a topic, in which there is no '?' and no '#'")
    return parts
