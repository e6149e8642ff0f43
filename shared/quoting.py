"""What somebody typed, as sentences that refuse it repeat it."""

from __future__ import annotations

from typing import Final

_WHOLE_MAX: Final = 16
_BEGINNING: Final = 4


def quoted(text: str) -> str:
    """A text in quotes; of a long one the beginning, which is enough to know it by.

    A key may have been typed into the wrong field, and whoever reads the sentence is not to see it.
    """
    return repr(text if len(text) <= _WHOLE_MAX else f"{text[:_BEGINNING]}...")
