"""What the module `wan_tcp` is told."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NamedTuple, Self

from elec_meter.addons.errors import SettingError
from elec_meter.addons.settings import Address, Settings
from elec_meter.addons.tls import TlsFiles
from shared.errors import ObisError
from shared.obis import Obis

PROFILES: Final = "1-0:99.1.0"
"""What is forwarded where nothing else is said: half-hours of import, export, reactive energy."""

_FILES: Final = ("ca_file", "certificate_file", "key_file")


class Tls(NamedTuple):
    """What encrypts; None where nothing does.

    Attributes:
        client: of a connection that the module makes.
        server: of one that it is made.
    """

    client: ssl.SSLContext | None = None
    server: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WanSettings:
    """What the module was told; `of` checks it.

    Attributes:
        connect: where a head end waits for the FLAG line.
        listen: where the module waits for one.
        push: where half-hours go.
        state_file: where it is written down how far the head end has them.
        profiles: OBIS codes of what is forwarded.
        keep_days: rows that are older are not sent any more.
        interval_s: seconds between two looks at the meter.
        files: with what it encrypts; None for nothing.
    """

    connect: Address | None
    listen: Address | None
    push: Address | None
    state_file: Path | None
    profiles: tuple[str, ...]
    keep_days: int
    interval_s: int
    files: TlsFiles | None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The settings, checked together.

        Raises:
            SettingError: one is wrong, or they do not fit each other.
        """
        connect = settings.address("connect", is_called=True)
        listen, push = settings.address("listen"), settings.address("push", is_called=True)
        profiles = tuple(map(_profile, settings.text("profiles", PROFILES).split(",")))
        keep_days = settings.number("keep_days", 31, 1, 400)
        interval_s = settings.number("interval_s", 60, 1, 100)
        has_state, _ = settings.text("state_file"), [settings.text(each) for each in _FILES]
        encrypts = settings.text("tls", "on")
        settings.require_no_more()
        places = [each for each in (connect, listen, push) if each is not None]
        if not places:
            raise SettingError("wan_tcp needs the setting connect, listen or push")
        if push is not None and not has_state:
            raise SettingError(
                "the setting push needs state_file, where it is kept how far the head end has it"
            )
        files = _files(encrypts, settings, places, is_server=listen is not None)
        return cls(
            connect=connect,
            listen=listen,
            push=push,
            state_file=settings.own_file("state_file"),
            profiles=profiles,
            keep_days=keep_days,
            interval_s=interval_s,
            files=files,
        )

    def tls(self) -> Tls:
        """What encrypts.

        Raises:
            SettingError: a file is no longer what it was.
        """
        return Tls() if self.files is None else Tls(self.files.client(), self.files.server())


def _profile(text: str) -> str:
    try:
        return str(Obis.parse(text.strip()))
    except ObisError:
        raise SettingError(f"the setting profiles names no OBIS code: {text[:24]!r}") from None


def _files(
    word: str, settings: Settings, places: list[Address], *, is_server: bool
) -> TlsFiles | None:
    """With what it encrypts: in clear a line that reads personal data leaves no computer."""
    if word not in ("on", "off"):
        raise SettingError("the setting tls is on or off")
    if word == "off":
        if any(settings.text(name) for name in _FILES):
            raise SettingError("certificates are for the setting tls on")
        outside = [each for each in places if not _is_here(each.host)]
        if outside:
            raise SettingError(f"without TLS wan_tcp serves this computer alone, not {outside[0]}")
        return None
    if is_server and not (settings.text("ca_file") and settings.text("certificate_file")):
        raise SettingError(
            "the setting listen needs certificate_file, and ca_file of who may connect"
        )
    return TlsFiles.of(settings)


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
