"""What is printed on a pulse unit: serial, key and passkey, as lines for people and as a QR code.

Each of the three carries a check character of its own, so that typing tells which one is wrong:
ISO/IEC 7064, system MOD 37-2. Its modulus is prime and no power of its radix repeats within 36
places, so it catches every wrong character and every swap of two, neighbours or not.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Final

from shared.errors import LabelCheckError, LabelError, LabelMalformedError
from shared.quoting import quoted
from shared.wire.address import is_serial

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*"
_MODULUS: Final = 37
_RADIX: Final = 2
_LENGTH_MAX: Final = 200
_FILE_MAX: Final = 20_000  # characters: a QR code drawn in the terminal may be among them
_FIELDS: Final = {
    "SERIAL": (re.compile(r"[0-9]{8}.", re.ASCII), "8 digits"),
    "KEY": (re.compile(r"[0-9A-F]{32}.", re.ASCII), "32 hexadecimal digits"),
    "PASSKEY": (re.compile(r"[0-9]{6}.", re.ASCII), "6 digits"),
}
_NEEDED: Final = ("SERIAL", "KEY")

_PASSKEY: Final = re.compile(r"[0-9]{6}", re.ASCII)
# Upper case, digits and colons only: such a QR code needs half the modules of one for bytes.
_QR: Final = re.compile(r"HHY1:([0-9]{8})(.):([0-9A-F]{32})(.)(?::([0-9]{6})(.))?", re.ASCII)
_PRINTED: Final = re.compile(
    r"SERIAL([0-9]{8})(.)KEY([0-9A-F]{32})(.)(?:PASSKEY([0-9]{6})(.))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class UnitLabel:
    """What a unit's label says; `repr` shows the serial alone, because the rest is secret.

    Attributes:
        serial: identification number, 8 digits.
        key: the unit's AES-128 key, 16 bytes.
        passkey: for Bluetooth pairing, 6 digits; None where it was left out: no radio needs it.

    Raises:
        LabelError: one of them has another length or other characters.
    """

    serial: str
    key: bytes = field(repr=False)
    passkey: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not is_serial(self.serial):
            raise LabelError(f"a serial has 8 digits, unlike {quoted(self.serial)}")
        if type(self.key) is not bytes or len(self.key) != 16:
            raise LabelError("a key has 16 bytes")
        if self.passkey is not None and not _PASSKEY.fullmatch(self.passkey):
            raise LabelError("a passkey has 6 digits")

    @property
    def qr_text(self) -> str:
        """What the QR code holds, in its alphanumeric mode: `HHY1:serial+c:key+c:passkey+c`."""
        return ":".join(("HHY1", *self._checked_fields()))

    @property
    def printed_text(self) -> str:
        """Lines for people, the key in groups of four, each with its check character."""
        serial, key, *passkeys = self._checked_fields()
        groups = " ".join(key[at : at + 4] for at in range(0, 32, 4))
        lines = [f"SERIAL  {serial[:-1]} {serial[-1]}", f"KEY     {groups} {key[-1]}"]
        lines += [f"PASSKEY {passkey[:-1]} {passkey[-1]}" for passkey in passkeys]
        return "\n".join(lines)

    @classmethod
    def parse(cls, text: str) -> UnitLabel:
        """Read the text of the QR code or the printed lines, in any case and spacing.

        The passkey, which comes last, may be left out.

        Raises:
            LabelMalformedError: it is not the text of a label.
            LabelCheckError: it is, and something in it was misread; the message says which part.
        """
        if len(text) > _LENGTH_MAX or not text.isascii():
            raise LabelMalformedError("this is not the text of a unit's label")
        squeezed = "".join(text.upper().split())
        match = _QR.fullmatch(squeezed) or _PRINTED.fullmatch(squeezed)
        if match is None:
            raise LabelMalformedError("this is not the text of a unit's label")
        serial, serial_check, key, key_check, passkey, passkey_check = match.groups()
        verify_check_character("serial", serial, serial_check)
        verify_check_character("key", key, key_check)
        if passkey is not None:
            verify_check_character("passkey", passkey, passkey_check)
        return cls(serial, bytes.fromhex(key), passkey)

    def _checked_fields(self) -> list[str]:
        texts = (self.serial, self.key.hex().upper(), self.passkey)
        return [text + check_character(text) for text in texts if text is not None]


def read_label(text: str) -> UnitLabel:
    """The label in what `pulse-unit label` prints, as lines or as JSON, or in what `parse` reads.

    Raises:
        LabelMalformedError: there is none in it; of printed lines, the message says which is not
            there or has another form.
        LabelCheckError: there is, and something in it was misread; the message says which part.
    """
    if not text.strip():
        raise LabelMalformedError("a label is wanted, and this is empty")
    if len(text) > _FILE_MAX:
        raise LabelMalformedError("this is not the text of a unit's label")
    if text.lstrip().startswith("{"):
        try:
            text = str(json.loads(text)["qr"])
        except (ValueError, KeyError, RecursionError):
            raise LabelMalformedError("this is not the text of a unit's label") from None
    lines = text.splitlines()
    fields = [line for name in _FIELDS for line in lines if line.strip().upper().startswith(name)]
    try:
        return UnitLabel.parse("\n".join(fields) or text)
    except LabelMalformedError:
        if not fields:
            raise
        raise LabelMalformedError(_fault(fields)) from None


def _fault(lines: list[str]) -> str:
    """What is wrong with printed lines; a sentence that quotes none of them."""
    squeezed = ["".join(line.upper().split()) for line in lines]
    for name, (shape, words) in _FIELDS.items():
        line = next((each for each in squeezed if each.startswith(name)), None)
        if line is None and name in _NEEDED:
            return f"the {name} line is missing"
        if line is not None and not shape.fullmatch(line[len(name) :]):
            return f"the {name} line is not {words} and one more character behind them"
    return "this is not the text of a unit's label"


def check_character(text: str) -> str:
    """The ISO/IEC 7064 MOD 37-2 check character of digits and capital letters: 0-9, A-Z or `*`.

    Raises:
        LabelMalformedError: there is another character in the text.
    """
    sum_ = 0
    for character in text:
        value = _ALPHABET.find(character)
        if not 0 <= value < _MODULUS - 1:
            raise LabelMalformedError("only digits and capital letters have a check character")
        sum_ = (sum_ + value) * _RADIX % _MODULUS
    return _ALPHABET[(1 - sum_) % _MODULUS]


def verify_check_character(part: str, text: str, check: str) -> None:
    """Accept a part of a label that agrees with its check character.

    Args:
        part: what it is called to the person who typed it, such as `key`.
        text: its digits and capital letters.
        check: the check character that was read with it.

    Raises:
        LabelCheckError: it does not agree. The message names the part and never quotes it.
    """
    if check_character(text) != check:
        raise LabelCheckError(f"the {part} and its check character disagree: read it again")
