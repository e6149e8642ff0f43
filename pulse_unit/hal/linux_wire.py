"""A Linux board's unit on a wired M-Bus: the slave, and the file in which its settings persist."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pulse_unit.errors import StoreError
from pulse_unit.slave import WiredMemory, WiredSlave, WiredUnit

if TYPE_CHECKING:
    from pulse_unit.unit import PulseUnit

_WORD_LENGTH = 2


def wired_slave(path: Path) -> Callable[[PulseUnit], WiredSlave]:
    """Return what makes the slave of a unit, whose address and speed persist in a file."""
    return lambda unit: WiredSlave(_Speaker(unit), WordFile(path), unit.serial)


class WordFile(WiredMemory):
    """A word of 16 bits in a file; one that is missing or torn was never stored."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> int:
        """See `WiredMemory`."""
        try:
            data = self._path.read_bytes()
        except OSError:
            return 0
        return int.from_bytes(data, "little") if len(data) == _WORD_LENGTH else 0

    def store(self, word: int) -> None:
        """See `WiredMemory`."""
        made = self._path.with_name(self._path.name + ".new")
        try:
            with made.open("wb") as file:
                file.write(word.to_bytes(_WORD_LENGTH, "little"))
                file.flush()
                os.fsync(file.fileno())
            made.replace(self._path)
        except OSError as error:
            raise StoreError(str(error)) from error


class _Speaker(WiredUnit):
    def __init__(self, unit: PulseUnit) -> None:
        self._unit = unit

    def records(self, uptime_ms: int) -> bytes:
        return self._unit.records(uptime_ms)

    def status(self) -> int:
        return self._unit.status()

    def obey(self, data: bytes, uptime_ms: int) -> int:
        return self._unit.obey(data, uptime_ms)
