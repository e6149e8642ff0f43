"""Which of a unit's flags a person must hear of, and when they have newly gone up."""

from __future__ import annotations

from typing import Final

from shared.wire.telegram import FLAG_LOW_BATTERY, FLAG_MAGNET, FLAG_TAMPER

TAMPER_FLAGS: Final = FLAG_TAMPER | FLAG_MAGNET
ALARM_FLAGS: Final = TAMPER_FLAGS | FLAG_LOW_BATTERY
"""Those of `shared.wire.telegram.FLAG_...` of which each onset is told once."""

_EITHER: Final = 1 << 16  # an advert has one object for both kinds of tampering


def after_telegram(known: int, error_flags: int) -> tuple[int, int]:
    """What is known after a telegram, and which flags have newly gone up.

    Args:
        known: what was known before; 0 at first.
        error_flags: the telegram's, `shared.wire.telegram.FLAG_...`.
    """
    told = error_flags & ALARM_FLAGS
    is_told = known | TAMPER_FLAGS if known & _EITHER else known
    return told, told & ~is_told


def after_advert(known: int, error_flags: int) -> tuple[int, int]:
    """As `after_telegram`, of an advert: its flag of tampering may stand for a magnet too."""
    told = error_flags & FLAG_LOW_BATTERY
    if error_flags & FLAG_TAMPER:
        told |= known & (TAMPER_FLAGS | _EITHER) or FLAG_TAMPER | _EITHER
    return told, told & ALARM_FLAGS & ~known


def shown(known: int) -> int:
    """The flags that are known to be up."""
    return known & ALARM_FLAGS
