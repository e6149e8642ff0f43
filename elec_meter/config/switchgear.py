"""What a meter switches: its contactor, the limiter that opens it, and its terminals."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from msgspec import Meta

from .base import Document, ObisText, require_obis

_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2099
_MINUTE_S: Final = 60


class ContactorConfig(Document, frozen=True):
    """The contactor of the mains, 100 A.

    Attributes:
        mode: its control mode (IEC 62056-6-2, 4.5.8): 0 there is none; 1 and 3 it is opened from
            afar and by the limiter, armed from afar and closed by a person at the meter alone;
            with 1 a person may open it there, too. The modes in which nobody need be there when
            the house gets its power back are refused.
    """

    mode: Literal[0, 1, 3] = 3


class EmergencyConfig(Document, frozen=True):
    """A threshold that is in force for a while instead of the usual one.

    Attributes:
        threshold: as that of the limiter.
        activate: the instant of the meter's time from which on it is in force.
        duration_min: for how many minutes.
        id: what the head end calls it.
    """

    threshold: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    activate: datetime
    duration_min: Annotated[int, Meta(ge=1, le=527_040)]
    id: Annotated[int, Meta(ge=0, le=65_535)] = 0

    def __post_init__(self) -> None:
        if self.activate.tzinfo is None:
            raise ValueError("the activation needs a time zone, such as 2026-04-01T00:00:00Z")
        if self.activate.second or self.activate.microsecond:
            raise ValueError("an emergency begins at a whole minute")
        if not _FIRST_YEAR <= self.activate.year <= _LAST_YEAR:
            raise ValueError(f"an emergency begins from {_FIRST_YEAR} to {_LAST_YEAR}")

    @property
    def duration_s(self) -> int:
        """Its length in seconds."""
        return self.duration_min * _MINUTE_S


class LimiterConfig(Document, frozen=True):
    """What happens when too much is drawn for too long (COSEM class 71).

    Attributes:
        threshold: in raw numbers of the object, watts of the usual one; 0 for no limit.
        object: OBIS code of the register whose value is watched.
        over_s: seconds above the threshold before something happens.
        under_s: seconds at or below it before that is over.
        over: `open` the contactor, which then waits to be armed from afar; `trip` it, which leaves
            it armed; or only `log`.
        under: `arm` what the limiter has opened, for the person who closes it; or only `log`.
        lockout_trips: how often it may open the contactor within `lockout_s`; the last of them
            leaves it open until somebody arms it from afar.
        lockout_s: how long an opening counts.
        emergency: a threshold for a while.
    """

    threshold: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    object: ObisText = "1-0:1.7.0"
    over_s: Annotated[int, Meta(ge=0, le=86_400)] = 60
    under_s: Annotated[int, Meta(ge=0, le=86_400)] = 60
    over: Literal["open", "trip", "log"] = "open"
    under: Literal["log", "arm"] = "log"
    lockout_trips: Annotated[int, Meta(ge=1, le=100)] = 3
    lockout_s: Annotated[int, Meta(ge=60, le=86_400)] = 3_600
    emergency: EmergencyConfig | None = None

    def __post_init__(self) -> None:
        require_obis(self.object)
