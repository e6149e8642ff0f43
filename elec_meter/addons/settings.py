"""What a module is told when it starts: names and values, checked as they are taken."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from elec_meter.addons.errors import SettingError
from elec_meter.config.address import host_and_port

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
        is_elsewhere: whether they are for another computer than this one, whose files nobody can
            look at here.

    Attributes:
        notes: where they are for elsewhere, what could not be looked at, a sentence each.
        listen_addresses: where the module listens, as far as was asked for.
    """

    def __init__(self, values: Mapping[str, str], *, is_elsewhere: bool = False) -> None:
        self.notes: list[str] = []
        self.listen_addresses: list[Address] = []
        self._values = dict(values)
        self._taken: set[str] = set()
        self._is_elsewhere = is_elsewhere

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

    def address(self, name: str, *, is_called: bool = False) -> Address | None:
        """`HOST:PORT`; None without one.

        Args:
            name: of the setting.
            is_called: whether somebody listens there already, so that port 0 is none.

        Raises:
            SettingError: it is written otherwise.
        """
        text = self.text(name)
        if not text:
            return None
        try:
            address = Address(*host_and_port(text))
        except ValueError as error:
            raise SettingError(f"the setting {name}: {error}") from None
        if is_called and not address.port:
            raise SettingError(f"the setting {name}: nobody can be called at port 0")
        if not is_called:
            self.listen_addresses.append(address)
        return address

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

    def file(self, name: str) -> Path | None:
        """A file that can be read; None without one, or where it is another computer's.

        Raises:
            SettingError: there is no such file, or its name does not say where it is.
        """
        path = self._path(name)
        if path is None:
            return None
        try:
            # What is no file, such as a pipe without a writer, would be waited for without end.
            if not stat.S_ISREG(path.stat().st_mode):
                raise SettingError(f"the setting {name} names {path}, which is no file")
            with path.open("rb") as file:
                file.read(1)
        except OSError as error:
            self._miss(f"the setting {name} names {path}, which cannot be read: {error.strerror}")
            return None
        return path

    def own_file(self, name: str) -> Path | None:
        """A file of the module's own, which need not be there yet; None without one.

        Raises:
            SettingError: its folder is not there, or its name does not say where it is.
        """
        path = self._path(name)
        if path is not None and not path.parent.is_dir():
            self._miss(f"the setting {name} names {path}, and there is no folder {path.parent}")
        return path

    def secret(self, name: str) -> str:
        """A secret: the first line of the file that the setting `<name>_file` names.

        Raises:
            SettingError: there is no such file.
        """
        path = self.file(f"{name}_file")
        if path is None:
            return ""
        try:
            with path.open(encoding="utf-8") as file:
                return file.readline(_SECRET_LIMIT).rstrip("\r\n")
        except UnicodeDecodeError:
            raise SettingError(f"the setting {name}_file names {path}, which is no text") from None

    def require_no_more(self) -> None:
        """Refuse settings that nobody has asked for.

        Raises:
            SettingError: there are some.
        """
        unknown = sorted(self._values.keys() - self._taken)
        if unknown:
            known = ", ".join(sorted(self._taken))
            raise SettingError(f"there is no setting {unknown[0]!r}; there are {known}")

    def _path(self, name: str) -> Path | None:
        text = self.text(name)
        if not text:
            return None
        path = Path(text)
        if not path.is_absolute():
            raise SettingError(f"the setting {name} names {text}: a path from / on is needed")
        return path

    def _miss(self, sentence: str) -> None:
        if not self._is_elsewhere:
            raise SettingError(sentence)
        self.notes.append(sentence)
