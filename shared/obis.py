"""OBIS codes: the names of a meter's values (IEC 62056-6-1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from shared.errors import ObisError

# IEC 62056-6-1 gives FLAG letters for the general and service entries of group C; the medium is the
# one under which the entry is customarily found, so that the letter alone names one object.
_LETTERS: Final = {96: ("C", 0), 97: ("F", 0), 98: ("L", 0), 99: ("P", 1)}
_NUMBERS: Final = {letter: number for number, (letter, _) in _LETTERS.items()}
_ELECTRICITY: Final = 1
_NO_F: Final = 255

_DOTTED: Final = re.compile(
    r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})", re.ASCII
)
_WRITTEN: Final = re.compile(
    r"(?:(?P<a>\d{1,3})-(?P<b>\d{1,3}):)?"
    r"(?P<c>\d{1,3}|[CFLP])\.(?P<d>\d{1,3}|F)(?:\.(?P<e>\d{1,3}))?"
    r"(?:\*(?P<f>\d{1,3}))?",
    re.ASCII,
)


@dataclass(frozen=True, order=True, slots=True)
class Obis:
    """An OBIS code `A-B:C.D.E*F`; codes order group by group.

    Attributes:
        a: medium (0 abstract, 1 electricity, 7 gas).
        b: channel.
        c: quantity.
        d: processing of the quantity.
        e: further classification, such as the rate.
        f: historical value; 255 means none.

    Raises:
        ObisError: a group is outside 0 to 255.
    """

    a: int
    b: int
    c: int
    d: int
    e: int
    f: int = _NO_F

    def __post_init__(self) -> None:
        groups: tuple[object, ...] = self.groups
        for letter, value in zip("ABCDEF", groups, strict=True):
            if not isinstance(value, int) or not 0 <= value <= 255:
                raise ObisError(f"group {letter} of an OBIS code is 0 to 255, not {value!r}")

    @classmethod
    def parse(cls, text: str) -> Obis:
        """Read `1-0:1.8.0`, `1-0:1.8.0*255`, `1.0.1.8.0.255` or a reduced FLAG code.

        In a reduced code A and B may be missing (0-0 where C is 96 to 98, otherwise 1-0), and E
        (0); C, F, L and P stand for 96 to 99.

        Raises:
            ObisError: the text is none of these.
        """
        return _parsed(text)

    @classmethod
    def from_bytes(cls, logical_name: bytes) -> Obis:
        """Read a COSEM logical name of six bytes."""
        if len(logical_name) != 6:
            raise ObisError(f"a logical name has 6 bytes, not {len(logical_name)}")
        return cls(*logical_name)

    @property
    def groups(self) -> tuple[int, int, int, int, int, int]:
        """A to F."""
        return self.a, self.b, self.c, self.d, self.e, self.f

    def to_bytes(self) -> bytes:
        """The COSEM logical name: six bytes, A to F."""
        return bytes(self.groups)

    def __str__(self) -> str:
        return f"{self.a}-{self.b}:{self.c}.{self.d}.{self.e}{self._history}"

    @property
    def reduced(self) -> str:
        """The shortest FLAG code that `parse` reads as this one, such as `1.8.0`, `C.1.0`, `F.F`.

        A code of another channel or medium is written in full.
        """
        c, medium = _LETTERS.get(self.c, (str(self.c), _ELECTRICITY))
        if (self.a, self.b) != (medium, 0):
            return str(self)
        if (self.c, self.d, self.e) == (97, 97, 0):
            return f"F.F{self._history}"
        return f"{c}.{self.d}.{self.e}{self._history}"

    @property
    def _history(self) -> str:
        return "" if self.f == _NO_F else f"*{self.f}"


@lru_cache(maxsize=2_048)
def _parsed(text: str) -> Obis:
    """Codes are few, and a directory is built of hundreds whenever a meter is configured."""
    dotted = _DOTTED.fullmatch(text)
    if dotted is not None:
        return Obis(*(int(group) for group in dotted.groups()))
    written = _WRITTEN.fullmatch(text)
    if written is None:
        raise ObisError(f"{text[:40]!r} is not an OBIS code such as '1-0:1.8.0'")
    a, b, c, d, e, f = written.group("a", "b", "c", "d", "e", "f")
    quantity = _NUMBERS[c] if c in _NUMBERS else int(c)
    _, customary_medium = _LETTERS.get(quantity, ("", _ELECTRICITY))
    return Obis(
        customary_medium if a is None else int(a),
        int(b or 0),
        quantity,
        _NUMBERS[d] if d in _NUMBERS else int(d),
        int(e or 0),
        _NO_F if f is None else int(f),
    )
