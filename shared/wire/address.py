"""How a meter's address is written: manufacturer letters and identification digits."""

from shared.wire.errors import Malformed

# What our units are
MANUFACTURER = "HHY"
MEDIUM_GAS = 0x03
VERSION = 1


def manufacturer_letters(code: int) -> str:
    """Return the three letters of a 16-bit manufacturer ``code``."""
    return "".join([chr(64 + (code >> shift & 31)) for shift in (10, 5, 0)])


def manufacturer_code(letters: str) -> int:
    """Return the 16-bit code of three ``letters`` A to Z.

    Raises:
        Malformed: for anything else.
    """
    code = 0
    for letter in letters:
        if not "A" <= letter <= "Z":
            raise Malformed("a manufacturer is three letters A to Z, not %r" % letters)
        code = code << 5 | (ord(letter) - 64)
    if len(letters) != 3:
        raise Malformed("a manufacturer is three letters A to Z, not %r" % letters)
    return code


def is_serial(text: str) -> bool:
    """Tell whether ``text`` is a serial: eight digits 0 to 9, of no other script."""
    for character in text:
        if not "0" <= character <= "9":
            return False
    return len(text) == 8


def serial_text(packed: bytes) -> str:
    """Return the eight digits of an identification number of four bytes, low byte first."""
    return "%08X" % int.from_bytes(packed, "little")


def serial_bytes(serial: str) -> bytes:
    """Return the four bytes of an identification number of eight decimal digits.

    Raises:
        Malformed: for anything else.
    """
    if not is_serial(serial):
        raise Malformed("an identification number has 8 digits, not %r" % serial)
    return int(serial, 16).to_bytes(4, "little")


def secondary_address(serial: str, manufacturer: str, version: int, medium: int) -> bytes:
    """Return a meter's address on the wired bus: eight bytes, serial first (EN 13757-7, 9.2).

    Raises:
        Malformed: for a serial or manufacturer that no meter has.
    """
    code = manufacturer_code(manufacturer).to_bytes(2, "little")
    return serial_bytes(serial) + code + bytes([version, medium])
