"""What the collector tells of: readings, refusals, and what a person should look at.

Events are for the meter's log. Nothing in them is secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.wire.telegram import PulseTelegram

from .entries import TelegramKey


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened to a unit.

    Attributes:
        received_utc: when it was noticed.
        serial: the unit; None if the frame does not tell.
    """

    received_utc: datetime
    serial: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TelegramReceived(Event):
    """A telegram was accepted as a reading.

    Attributes:
        serial: the unit.
        boot: the number of the unit's boot, which goes on where the telegram's reset counter wraps;
            with `counter` the telegram's place in the order of sending.
        counter: the message counter; the uptime for a unit paired without authentication.
        telegram: what it says.
        is_authentic: whether a MAC proves it.
        bearer: which bearer brought it.
        delay_max_s: that bearer's greatest delay; None if unlimited.
        rssi_dbm: signal strength.
    """

    serial: str
    boot: int
    counter: int
    telegram: PulseTelegram
    is_authentic: bool
    bearer: str
    delay_max_s: int | None
    rssi_dbm: int | None

    @property
    def key(self) -> TelegramKey:
        """The telegram's place in the order of sending."""
        return TelegramKey(self.boot, self.counter)

    @property
    def count(self) -> int:
        """The telegram's count, modulo 2^32."""
        return self.telegram.count

    @property
    def is_advert(self) -> bool:
        """False: telegrams have their own counter."""
        return False


@dataclass(frozen=True, kw_only=True, slots=True)
class CountReceived(Event):
    """A count was accepted as a reading, and nothing is known of when it was reached.

    From an advert of a unit, or from a meter of another maker.

    Attributes:
        serial: the unit.
        key: its place in the order of sending, among adverts or among telegrams.
        is_advert: which of the two; the one's order says nothing of the other's.
        count: modulo 2^32; of another maker's meter the whole steps in its total.
        is_authentic: whether a MAC proves it.
        error_flags: `shared.wire.telegram.FLAG_...`, as far as they were told; None if they were
            not.
        bearer: which bearer brought it.
        delay_max_s: that bearer's greatest delay; None if unlimited.
        rssi_dbm: signal strength.
    """

    serial: str
    key: TelegramKey
    is_advert: bool
    count: int
    is_authentic: bool
    error_flags: int | None
    bearer: str
    delay_max_s: int | None
    rssi_dbm: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class StateReceived(Event):
    """An advert told how a unit is, and no count. It is authentic.

    Attributes:
        serial: the unit.
        key: its place in the order of sending, among adverts.
        battery_percent: what is left; None if it was not told.
        error_flags: `FLAG_LOW_BATTERY` and `FLAG_TAMPER` of `shared.wire.telegram`; None if they
            were not told.
        volume_l: the dial, in litres; None if it was not told.
        bearer: which bearer brought it.
        rssi_dbm: signal strength.
    """

    serial: str
    key: TelegramKey
    battery_percent: int | None
    error_flags: int | None
    volume_l: int | None
    bearer: str
    rssi_dbm: int | None

    @property
    def is_advert(self) -> bool:
        """True."""
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal(Event):
    """A frame that is no reading.

    Attributes:
        bearer: which bearer brought it.
        reason: why, in one sentence's worth of words.
    """

    bearer: str
    reason: str


class BadCrc(Refusal):
    """The frame was damaged on the way."""

    __slots__ = ()


class MalformedFrame(Refusal):
    """The layers around the telegram are cut short or meaningless."""

    __slots__ = ()


class UnsupportedFrame(Refusal):
    """The frame is of a kind that is not spoken here."""

    __slots__ = ()


class UnknownUnit(Refusal):
    """No such unit is paired: a neighbour's, or one that waits for its pairing."""

    __slots__ = ()


class WrongMedium(Refusal):
    """The unit says that it counts something else than it was paired for."""

    __slots__ = ()


class UnitEnded(Refusal):
    """The unit was taken off its meter: what it counts since is nobody's consumption."""

    __slots__ = ()


class KeyMissing(Refusal):
    """The unit is paired and its key is not in the keystore."""

    __slots__ = ()


class PlaintextDowngrade(Refusal):
    """The telegram is without the authentication that the unit was paired with."""

    __slots__ = ()


class BadMac(Refusal):
    """The telegram is not authentic, or the key is not the unit's."""

    __slots__ = ()


class MalformedRecord(Refusal):
    """What the telegram says cannot be understood."""

    __slots__ = ()


class NoCount(Refusal):
    """What the telegram says is understood, and the channel's count is not in it.

    It has no such record, or a placeholder in it: all ones, an error, zero where there was more.
    """

    __slots__ = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed(Refusal):
    """The telegram was received before.

    Attributes:
        serial: the unit.
        boot: as in `TelegramReceived`, and so are the others.
        counter: likewise.
        delay_max_s: likewise.
        is_advert: whether an advert was, as in `CountReceived`.
    """

    serial: str
    boot: int
    counter: int
    delay_max_s: int | None
    is_advert: bool = False


class TooOld(Refusal):
    """The telegram is further behind the newest one than is remembered.

    Or its boot cannot be between those of the telegrams sent before and after it.
    """

    __slots__ = ()


class NotRising(Refusal):
    """A telegram without a MAC whose uptime or count is not above the last one's."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitReset(Event):
    """The unit has started anew.

    Attributes:
        boot: the number of this boot.
    """

    boot: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ImplausibleFlow(Event):
    """More pulses were counted than the meter can turn in that time. They count nonetheless.

    Attributes:
        pulses: how many.
        elapsed_s: the time, in seconds.
    """

    pulses: int
    elapsed_s: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CountRolledBack(Event):
    """A telegram tells of a lower count than one sent before it. The register keeps what it has.

    Attributes:
        count: the count that was told.
    """

    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TamperSeen(Event):
    """The unit's tamper loop was opened, or a foreign magnet is near.

    Attributes:
        error_flags: what was told, `shared.wire.telegram.FLAG_...`; in an advert `FLAG_TAMPER`
            stands for either.
    """

    error_flags: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LowBattery(Event):
    """The unit tells of a low battery.

    Attributes:
        battery_left_d: days that it expects to last; None if it was not told, as in an advert.
    """

    battery_left_d: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitSilent(Event):
    """Nothing was received from the unit for more than twice its period.

    Attributes:
        heard_utc: when it was heard last; the pairing if never.
    """

    heard_utc: datetime


class HeardAfterEnd(Event):
    """A frame came in the name of a unit that was taken off its meter. It is told of once."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class LogRead(Event):
    """What was missing was read from the unit's own log.

    Attributes:
        serial: the unit.
        bearer: which bearer brought it.
        entries: how many counts there were, known ones among them.
    """

    serial: str
    bearer: str
    entries: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LogRefused(Event):
    """What was read as a unit's log is not to be believed, or is wanted no more.

    Attributes:
        serial: the unit.
        bearer: which bearer brought it.
        reason: why, in one sentence's worth of words.
    """

    serial: str
    bearer: str
    reason: str
