"""The display's digits as a configuration draws them: pictures such as `#####0.0`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

DISPLAY_DIGITS: Final = 8

_PICTURE: Final = re.compile(r"(?P<blank>#*)(?P<zeros>0+)(?:\.(?P<decimals>0+))?")


@dataclass(frozen=True, slots=True)
class Places:
    """The places of a number.

    Attributes:
        blank: leading places that stay dark while they would show a zero.
        zeros: places before the point that are always shown.
        decimals: places behind the point.
    """

    blank: int
    zeros: int
    decimals: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """A picture of `#`, `0` and `.`, or None for another format."""
        match = _PICTURE.fullmatch(text)
        if match is None:
            return None
        return cls(len(match["blank"]), len(match["zeros"]), len(match["decimals"] or ""))

    @property
    def whole(self) -> int:
        """Places before the point."""
        return self.blank + self.zeros
