"""Names of device types (EN 13757-7, 7.5.4)."""

from string import hexdigits

from collector.errors import PairingError
from shared.quoting import quoted

_MEDIA = {
    0x00: "other",
    0x01: "oil",
    0x02: "electricity",
    0x03: "gas",
    0x04: "heat",
    0x05: "steam",
    0x06: "warm water",
    0x07: "water",
    0x08: "heat cost allocator",
    0x09: "compressed air",
    0x0A: "cooling, in the return",
    0x0B: "cooling, in the flow",
    0x0C: "heat, in the flow",
    0x0D: "heat and cooling",
    0x0E: "bus component",
    0x0F: "unknown",
    0x14: "calorific value",
    0x15: "hot water",
    0x16: "cold water",
    0x17: "hot and cold water",
    0x18: "pressure",
    0x19: "analogue to digital converter",
    0x1A: "smoke detector",
    0x1B: "room sensor",
    0x1C: "gas detector",
    0x20: "breaker",
    0x21: "valve",
    0x25: "customer display",
    0x28: "waste water",
    0x29: "garbage",
    0x2A: "carbon dioxide",
    0x31: "communication controller",
    0x32: "unidirectional repeater",
    0x33: "bidirectional repeater",
    0x36: "radio converter, system side",
    0x37: "radio converter, meter side",
}


def medium_number(text: str) -> int:
    """Return the device type of a name, or of two hexadecimal digits.

    Raises:
        PairingError: if there is none of that name.
    """
    for number, name in _MEDIA.items():
        if name == text.lower():
            return number
    if len(text) == 2 and all(digit in hexdigits for digit in text):
        return int(text, 16)
    raise PairingError(
        f"no medium is called {quoted(text)}: gas, water, heat, or two hexadecimal digits"
    )


def medium_name(medium: int) -> str:
    """Return the name of device type ``medium``."""
    return _MEDIA.get(medium, f"reserved {medium:02X}")
