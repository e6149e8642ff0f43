"""The places of the display: fourteen segments, a point and a colon each, as bits.

Bits 0 to 5 are the ring, clockwise from the top; 6 and 7 the middle, left and right; 8 to 10 the
upper diagonal, upright and diagonal from left to right; 11 to 13 the lower ones; 14 the point and
15 the colon behind the place.
"""

from __future__ import annotations

from typing import Final

from elec_meter.config.places import DISPLAY_DIGITS

SEGMENT_NAMES: Final = "abcdefgGhijklmpq"
POINT: Final = 1 << SEGMENT_NAMES.index("p")
COLON: Final = 1 << SEGMENT_NAMES.index("q")
ALL_LIT: Final = (1 << len(SEGMENT_NAMES)) - 1

_LIT: Final = {
    " ": "",
    "-": "gG",
    "+": "gGil",
    "/": "jk",
    "_": "d",
    "*": "gGhijklm",
    "=": "dgG",
    "?": "abGl",
    "0": "abcdef",
    "1": "bc",
    "2": "abdegG",
    "3": "abcdG",
    "4": "bcfgG",
    "5": "acdfgG",
    "6": "acdefgG",
    "7": "abc",
    "8": "abcdefgG",
    "9": "abcdfgG",
    "A": "abcefgG",
    "B": "abcdGil",
    "C": "adef",
    "D": "abcdil",
    "E": "adefgG",
    "F": "aefgG",
    "G": "acdefG",
    "H": "bcefgG",
    "I": "adil",
    "J": "bcde",
    "K": "efgjm",
    "L": "def",
    "M": "bcefhj",
    "N": "bcefhm",
    "O": "abcdef",
    "P": "abefgG",
    "Q": "abcdefm",
    "R": "abefgGm",
    "S": "acdfgG",
    "T": "ail",
    "U": "bcdef",
    "V": "efjk",
    "W": "bcefkm",
    "X": "hjkm",
    "Y": "hjl",
    "Z": "adjk",
}
_FONT: Final = {
    sign: sum(1 << SEGMENT_NAMES.index(segment) for segment in lit) for sign, lit in _LIT.items()
}


def cells(text: str) -> tuple[int, ...]:
    """What is lit in each of the eight places that show a text; points and colons stand between.

    A sign that fourteen segments cannot show is a question mark.
    """
    places: list[int] = []
    for sign in text:
        between = {".": POINT, ":": COLON}.get(sign)
        if between is None:
            places.append(_FONT.get(sign.upper(), _FONT["?"]))
        elif places:
            places[-1] |= between
    return tuple(([0] * DISPLAY_DIGITS + places)[-DISPLAY_DIGITS:])
