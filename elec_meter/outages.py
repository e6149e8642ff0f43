"""Long outages of the supply, as 1-0:99.97.0 lists them."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from .errors import CorruptError

OUTAGES_KEY: Final = "outages"
LONG_S: Final = 180
"""An outage of at least so long is a long one."""

OUTAGES_MAX: Final = 100


class Outage(NamedTuple):
    """One outage: when power came back, UNIX seconds of the meter's time, and how long it took."""

    end_s: int
    duration_s: int


class _Saved(msgspec.Struct, frozen=True, array_like=True):
    count: int = 0
    long_count: int = 0
    newest: tuple[Outage, ...] = ()


class Outages:
    """How often power failed, and the newest long outages, oldest first.

    Args:
        saved: what `packed` gave once; None for a meter that has seen none.

    Raises:
        CorruptError: `saved` is something else.
    """

    def __init__(self, saved: bytes | None = None) -> None:
        self._saved = _Saved()
        if saved is not None:
            try:
                self._saved = msgspec.msgpack.decode(saved, type=_Saved)
            except msgspec.MsgspecError as error:
                raise CorruptError(f"what is kept of the outages is damaged: {error}") from None

    @property
    def count(self) -> int:
        """How often power failed, long or not."""
        return self._saved.count

    @property
    def long_count(self) -> int:
        """How many long outages there were ever."""
        return self._saved.long_count

    @property
    def newest(self) -> tuple[Outage, ...]:
        """The newest long ones, at most `OUTAGES_MAX`."""
        return self._saved.newest

    def power_came(self, end_s: int | None, duration_s: int) -> None:
        """Power is back; `end_s` is None where nobody knows how long it took."""
        saved = self._saved
        long_count, newest = saved.long_count, saved.newest
        if end_s is not None and duration_s >= LONG_S:
            long_count += 1
            newest = (*newest, Outage(end_s, duration_s))[-OUTAGES_MAX:]
        self._saved = _Saved(saved.count + 1, long_count, newest)

    def packed(self) -> bytes:
        """To be kept."""
        return msgspec.msgpack.encode(self._saved)


def outage_text(duration_s: int) -> str:
    """How long power was away, as in `41 s`, `17940 s (4 h 59 min)` and `93600 s (1 day 2 h)`."""
    minutes = duration_s // 60
    hours, days = minutes // 60, minutes // 1440
    if not hours:
        return f"{duration_s} s"
    if not days:
        return f"{duration_s} s ({hours} h {minutes % 60} min)"
    return f"{duration_s} s ({days} {'day' if days == 1 else 'days'} {hours % 24} h)"
