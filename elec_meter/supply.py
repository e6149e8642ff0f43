"""Sags, swells and losses of the supply, for the event log: each once, when it is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from .clock import from_unix_us, unix_us
from .errors import CorruptError
from .events import EventCode

if TYPE_CHECKING:
    from .metrology import Measurement, SupplyEvent

SUPPLY_KEY: Final = "supply"


class _Kind(NamedTuple):
    code: EventCode
    text: str
    extreme: str


_KINDS: Final = {
    "sag": _Kind(EventCode.SUPPLY_SAG, "the voltage sagged", "lowest"),
    "swell": _Kind(EventCode.SUPPLY_SWELL, "the voltage swelled", "highest"),
    "lost": _Kind(EventCode.SUPPLY_LOST, "the supply was lost", "lowest"),
}


class SupplyEntry(NamedTuple):
    """An entry for the event log, and when it belongs there."""

    code: EventCode
    text: str
    at: datetime


class _UnderWay(msgspec.Struct, frozen=True, array_like=True):
    """An event that lasts: what, since when, seen until when, and how far; UNIX us, mV."""

    state: str
    at_us: int
    seen_us: int
    extreme_mv: int


class SupplyLog:
    """Makes entries of the supply's events; one that lasts is kept, and ends with an outage.

    Args:
        read: gives the meter's time at an instant of the host's, None while it is not known.
        saved: what `packed` gave once.

    Raises:
        CorruptError: `saved` is something else.
    """

    def __init__(
        self, read: Callable[[datetime], datetime | None], saved: bytes | None = None
    ) -> None:
        self._read = read
        self._under_way: _UnderWay | None = None
        if saved is not None:
            try:
                self._under_way = msgspec.msgpack.decode(saved, type=_UnderWay | None)
            except msgspec.MsgspecError as error:
                raise CorruptError(f"what is kept of the supply is damaged: {error}") from None

    def power_came(self) -> Iterator[SupplyEntry]:
        """What lasted when the meter stopped is over: it was seen no longer."""
        last, self._under_way = self._under_way, None
        if last is not None and last.state in _KINDS:
            until = from_unix_us(last.seen_us)
            yield self._entry(last.state, from_unix_us(last.at_us), until, last.extreme_mv)

    def take(self, measurement: Measurement) -> Iterator[SupplyEntry]:
        """The entries for what was over in a measurement."""
        for event in measurement.supply:
            if event.until is not None:
                yield self._entry(event.state.value, event.at, event.until, event.extreme_mv)
        lasting = measurement.supply_under_way
        self._under_way = None if lasting is None else _kept(lasting, measurement.end_utc)

    def packed(self) -> bytes:
        """To be kept."""
        return msgspec.msgpack.encode(self._under_way)

    def _entry(self, state: str, at: datetime, until: datetime, extreme_mv: int) -> SupplyEntry:
        kind = _KINDS[state]
        volts = f"{extreme_mv // 1000}.{extreme_mv % 1000:03d} V"
        span = f"from {self._text(at)} to {self._text(until)}"
        return SupplyEntry(kind.code, f"{kind.text} {span}, {volts} at its {kind.extreme}", until)

    def _text(self, host: datetime) -> str:
        time = self._read(host)
        if time is None:
            return "an unknown time"
        return f"{time:%Y-%m-%d %H:%M:%S}.{time.microsecond // 1000:03d} UTC"


def _kept(event: SupplyEvent, seen: datetime) -> _UnderWay:
    return _UnderWay(event.state.value, unix_us(event.at), unix_us(seen), event.extreme_mv)
