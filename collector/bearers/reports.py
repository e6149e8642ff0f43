"""What a bearer tells of besides frames: its device, and what became of what was sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from shared.wire.errors import Truncated
from shared.wire.log_pieces import LogReader

if TYPE_CHECKING:
    from collector.mbus_scripts import MbusSlave


@dataclass(frozen=True, kw_only=True, slots=True)
class BearerReport:
    """Something that happened to a bearer.

    Attributes:
        at_utc: when.
        bearer: its name.
    """

    at_utc: datetime
    bearer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BearerLost(BearerReport):
    """The device is missing or has broken away; it is tried again, ever less often.

    Attributes:
        sentence: what is wrong, for a person; each is told once while it stays the same.
    """

    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BearerWorks(BearerReport):
    """The device works: for the first time, or again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BearerFailed(BearerReport):
    """The bearer has a fault that nobody foresaw, and is left out until the next start.

    Attributes:
        sentence: what is known of it.
    """

    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitUnreached(BearerReport):
    """A unit was asked for something and did not answer, or not with sense.

    Attributes:
        unit: its serial, or its address where the serial is not known.
        sentence: what was tried, and what to do where something can be done.
    """

    unit: str
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SlaveFound(BearerReport):
    """A scan of a wired bus has found a meter.

    Attributes:
        address: where it was found.
        data: what it says, a whole frame.
        is_alone: False where more than one answers at this address, or the line is bad.
    """

    address: MbusSlave
    data: bytes
    is_alone: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanEnded(BearerReport):
    """A scan of a wired bus is through."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandAnswered(BearerReport):
    """What became of a command that was given to `Bearer.reply`.

    Attributes:
        serial: the unit.
        is_obeyed: whether the unit says that it was obeyed, and is durable.
        sentence: why not; empty if it was.
    """

    serial: str
    is_obeyed: bool
    sentence: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogAnswered(BearerReport):
    """A unit's log, or the part of it that was asked for.

    Attributes:
        serial: the unit.
        request: the bytes of the request.
        pieces: of the answer, in order, the end included.
    """

    serial: str
    request: bytes
    pieces: tuple[bytes, ...]

    def entries(self, key: bytes) -> list[tuple[int, int, int]]:
        """(boot, tick in seconds of uptime, count), oldest first, once all is found authentic.

        Raises:
            WireError: it is not the answer of the unit with this key to this request.
        """
        from shared.crypto.backend_cryptography import AesBlock

        reader = LogReader(AesBlock, key, self.request)
        for piece in self.pieces:
            reader.receive_data(piece)
        if not reader.is_complete:
            raise Truncated("the answer has no end")
        return reader.entries


@dataclass(frozen=True, kw_only=True, slots=True)
class LogUnanswered(BearerReport):
    """A unit's log was asked for as often as it is, and not told to its end.

    Attributes:
        serial: the unit.
        sentence: what was tried.
    """

    serial: str
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitPaired(BearerReport):
    """A unit and this computer have paired over Bluetooth.

    Attributes:
        serial: the unit.
    """

    serial: str
