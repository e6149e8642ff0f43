"""Meter point reference numbers of British gas supplies, with their two check digits.

The last two digits are the sum of the others modulo 11, each times its place from the right: that
of 3938424403 is 3x8 + 9x7 + 3x6 + 8x5 + 4x4 + 2x3 + 4x2 + 4x1 = 179, of which 3 is left.
"""

from __future__ import annotations

import re
from typing import Final

from .errors import MprnError

_MODULUS: Final = 11
_MPRN: Final = re.compile(r"[0-9]{6,10}", re.ASCII)


def mprn(text: str) -> str:
    """The digits of a meter point reference number, whose check digits agree.

    Raises:
        MprnError: it has other characters or another length, or a digit is wrong.
    """
    digits = "".join(text.split())
    if not _MPRN.fullmatch(digits):
        raise MprnError("an MPRN has 6 to 10 digits; it stands on the gas bill")
    if int(digits[-2:]) != check_number(digits[:-2]):
        raise MprnError(f"{digits} is no MPRN: a digit is wrong, its check digits disagree")
    return digits


def mprn_twice(first: str, second: str) -> str:
    """The number that was given twice.

    Raises:
        MprnError: it is none, or the two differ.
    """
    digits = mprn(first)
    if "".join(second.split()) != digits:
        raise MprnError("the two MPRNs differ: type it again")
    return digits


def check_number(digits: str) -> int:
    """The number, 0 to 10, that the check digits of these digits say."""
    weights = range(len(digits), 0, -1)
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % (
        _MODULUS
    )
