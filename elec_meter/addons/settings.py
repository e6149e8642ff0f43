"""What a module is told when it starts: names and values, checked as they are taken."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from elec_meter.addons.errors import SettingError

_ADDRESS: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%a-z]+\]|[^:\[\]\s]+):(?P<port>[0-9]{1,5})")
_SECRET_LIMIT: Final = 4_096


class Address(NamedTuple):
    """Where something listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Settings:
    """The settings of a module; whoever has taken all that it knows calls `require_no_more`.

    Args:
        values: by name.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)
        self._taken: set[str] = set()

    def text(self, name: str, default: str = "") -> str:
        """A text."""
        self._taken.add(name)
        return self._values.get(name, default)

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number in a range.

        Raises:
            SettingError: it is none.
        """
        text = self.text(name, str(default))
        if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or not least <= int(text) <= most:
            raise SettingError(f"the setting {name} is a whole number from {least} to {most}")
        return int(text)

    def address(self, name: str) -> Address | None:
        """`HOST:PORT`; None without one.

        Raises:
            SettingError: it is written otherwise.
        """
        text = self.text(name)
        if not text:
            return None
        match = _ADDRESS.fullmatch(text)
        if match is None or int(match["port"]) > 65_535:
            raise SettingError(f"the setting {name} is written HOST:PORT, such as 127.0.0.1:8064")
        return Address(match["host"].strip("[]"), int(match["port"]))

    def zone(self, name: str, default: str) -> ZoneInfo:
        """A time zone.

        Raises:
            SettingError: nobody has it.
        """
        text = self.text(name, default)
        try:
            return ZoneInfo(text)
        except (ValueError, OSError, KeyError):
            raise SettingError(f"the setting {name} names no time zone: {text[:40]!r}") from None

    def secret(self, name: str) -> str:
        """A secret: the first line of the file that the setting `<name>_file` names.

        Raises:
            SettingError: there is no such file.
        """
        path = self.text(f"{name}_file")
        if not path:
            return ""
        try:
            with Path(path).open(encoding="utf-8") as file:
                return file.readline(_SECRET_LIMIT).rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingError(f"the setting {name}_file names no readable file: {error}") from None

    def require_no_more(self) -> None:
        """Refuse settings that nobody has asked for.

        Raises:
            SettingError: there are some.
        """
        unknown = sorted(self._values.keys() - self._taken)
        if unknown:
            known = ", ".join(sorted(self._taken))
            raise SettingError(f"there is no setting {unknown[0]!r}; there are {known}")
