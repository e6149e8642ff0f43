"""What a board is told before it goes to its meter: a file made of `pulse-unit label --json`."""

import json
from binascii import unhexlify

from pulse_unit.config import UnitConfig
from pulse_unit.errors import ConfigError
from shared.wire.address import is_serial

UNIT_FILE = "unit.json"


class UnitFile:
    """The contents of ``unit.json``, a JSON object.

    Attributes:
        serial: eight digits.
        key: 16 bytes; 32 hexadecimal digits in the file.
        passkey: 0 to 999,999; six digits in the file.
        config: from the object ``config``, by the names of `UnitConfig`; the factory's if it is
            not there.
        pins: from the object ``pins``: which pins are wired otherwise than the board's.
        wire: from the object ``wire``, the UART of a wired M-Bus; None without one.

    Raises:
        ConfigError: it is missing, is no such object, or describes no possible unit.
    """

    def __init__(self, path: str = UNIT_FILE) -> None:
        told = _read(path)
        self.serial = str(told.get("serial"))
        if not is_serial(self.serial):
            raise ConfigError("%s has no serial of eight digits" % path)
        try:
            self.key = unhexlify(told.get("key") or "")
            self.passkey = int(told.get("passkey") or "x")
            self.config = UnitConfig(**told.get("config", {}))
        except (TypeError, ValueError) as error:
            raise ConfigError("%s: %s" % (path, error)) from error
        if len(self.key) != 16 or not 0 <= self.passkey <= 999_999:
            raise ConfigError("%s has a key or passkey of another length" % path)
        self.pins = told.get("pins", {})
        self.wire = told.get("wire")


def _read(path: str) -> dict:  # type: ignore[type-arg]  # JSON is whatever somebody wrote
    try:
        with open(path) as file:
            told = json.load(file)
    except (OSError, ValueError) as error:
        raise ConfigError("%s cannot be read" % path) from error
    if not isinstance(told, dict):
        raise ConfigError("%s is no JSON object" % path)
    return told
