"""What can be asked of a running meter: one JSON object a line, told apart by its `request`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from elec_meter.config import MeterConfig, apply_change, config_from_json, config_from_toml
from elec_meter.config.sentences import refusing
from elec_meter.config.switchgear import LONGEST_BOOST_MIN, SWITCHED_LOAD
from elec_meter.errors import ControlError
from elec_meter.objects import CalendarField, Rows
from elec_meter.tariff import DEFAULT_PRICES, SpecialDayEntry

LONGEST_KEY: Final = 64

Instant = Annotated[datetime, Meta(tz=True)]
Terminal = Annotated[int, Meta(ge=1, le=SWITCHED_LOAD)]


class Request(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="request",
):
    """Base of all requests.

    Attributes:
        key: names an order, so that it is carried out once however often it is sent; a question is
            answered each time.
        level: the level to act at (`access.Level`), at most that of whoever owns the directory.
    """

    key: Annotated[str, Meta(min_length=1, max_length=LONGEST_KEY)] | None = None
    level: Annotated[int, Meta(ge=0, le=3)] = 3


class ApplyConfig(Request, frozen=True, tag="config.apply"):
    """Put a configuration in force. Exactly one form of it is given.

    Attributes:
        toml: the document as TOML.
        document: the document as JSON.
        change: a compact change of the document in force, hexadecimal.
    """

    toml: str | None = None
    document: msgspec.Raw = msgspec.Raw()
    change: str | None = None

    def config(self, in_force: MeterConfig) -> MeterConfig:
        """The document that it gives, which may be a change of the one in force.

        Raises:
            ControlError: not exactly one form of it is given, or the change is not hexadecimal.
            ConfigError: the document is refused.
        """
        forms = [bool(form) for form in (self.toml, bytes(self.document), self.change)]
        if sum(forms) != 1:
            raise ControlError("give the configuration as one of toml, document and change")
        if self.toml:
            return config_from_toml(self.toml)
        if not self.change:
            return config_from_json(bytes(self.document))
        try:
            change = bytes.fromhex(self.change)
        except ValueError:
            raise ControlError("a change is written in hexadecimal") from None
        return apply_change(in_force, change)


class RollBack(Request, frozen=True, tag="config.rollback"):
    """Put an earlier configuration in force again."""

    number: Annotated[int, Meta(ge=1)]


class ShowConfig(Request, frozen=True, tag="config.show"):
    """Ask for the document in force."""


class ShowHistory(Request, frozen=True, tag="config.history"):
    """Ask which configurations there were."""


class WriteCalendar(Request, frozen=True, tag="calendar.write"):
    """Write a part of a passive calendar.

    This and the other three of `CALENDAR` are orders of who signed on; the socket has none of them.
    """

    calendar: str
    field: CalendarField
    value: str | Rows


class ScheduleCalendar(Request, frozen=True, tag="calendar.schedule"):
    """Have a passive calendar come into force at an instant, or not by itself."""

    calendar: str
    at: datetime | None


class ActivateCalendar(Request, frozen=True, tag="calendar.activate"):
    """Put a passive calendar in force now."""

    calendar: str


class WriteSpecialDays(Request, frozen=True, tag="calendar.special_days"):
    """Put other special days of a calendar in force."""

    calendar: str
    entries: tuple[SpecialDayEntry, ...]


CALENDAR: Final = (WriteCalendar, ScheduleCalendar, ActivateCalendar, WriteSpecialDays)
"""What a head end orders of calendars."""


class SetClock(Request, frozen=True, tag="clock.set"):
    """The time is `utc` now."""

    utc: Instant


class AdjustClock(Request, frozen=True, tag="clock.adjust"):
    """Gain so many seconds little by little, or lose them."""

    by_s: int


class SynchroniseClock(Request, frozen=True, tag="clock.synchronise"):
    """Take a head end's time."""

    utc: Instant


class EndBilling(Request, frozen=True, tag="billing.end"):
    """End the billing period now."""


class ResetDemand(Request, frozen=True, tag="demand.reset"):
    """Reset maximum demand."""


class ReceivePrices(Request, frozen=True, tag="prices"):
    """Take the prices of consecutive half-hours from `start` on, pence a kWh."""

    start: Instant
    prices_p_kwh: Annotated[Sequence[Decimal], Meta(min_length=1, max_length=DEFAULT_PRICES)]
    channel: str = "import"


class OpenContactor(Request, frozen=True, tag="contactor.open"):
    """Open the contactor, or take back that it is armed."""


class ArmContactor(Request, frozen=True, tag="contactor.arm"):
    """Let a person at the meter close the contactor."""


class SwitchRelay(Request, frozen=True, tag="relay.switch"):
    """Switch a relay that follows orders; terminal 9 is the switched load."""

    terminal: Terminal
    on: bool


class BoostRelay(Request, frozen=True, tag="relay.boost"):
    """Have a relay on for some minutes; without a number for as many as are configured."""

    terminal: Terminal
    minutes: Annotated[int, Meta(ge=0, le=LONGEST_BOOST_MIN)] | None = None


class ClearAlarms(Request, frozen=True, tag="alarms.clear"):
    """Somebody has looked at the alarms."""


class UnpairUnit(Request, frozen=True, tag="unit.unpair"):
    """End what a pulse unit feeds; the channel's register stays."""

    serial: Annotated[str, Meta(max_length=8)]


class TakePairingStep(Request, frozen=True, tag="unit.pair"):
    """Take a step of a pairing, or ask where it is.

    Attributes:
        step: one of the collector's `pair` requests (docs/collector.md).
    """

    step: dict[str, Any]

    def __repr__(self) -> str:
        return "<TakePairingStep>"  # a label has a key


class PushNow(Request, frozen=True, tag="push.now"):
    """Have what waits for the head end sent at once."""


class ChangePassword(Request, frozen=True, tag="password.change"):
    """Let a level have another password.

    Attributes:
        of: the level whose password it is.
        salt: hexadecimal, the one that `passwords` tells if it tells one.
        stored_key: hexadecimal, SK of the sign-on (docs/flag.md); never the password.
    """

    of: Annotated[int, Meta(ge=1, le=3)]
    salt: Annotated[str, Meta(max_length=64)]
    stored_key: Annotated[str, Meta(max_length=128)]


class ShowPasswords(Request, frozen=True, tag="passwords"):
    """Ask which levels have a password, and for the salt."""


class GiveDlmsCredentials(Request, frozen=True, tag="dlms.give"):
    """Let a client of DLMS have other keys or another password (docs/dlms.md).

    Attributes:
        client: `reader` or `management`.
        given: in hexadecimal: `encryption`, `authentication`, `master` and `title`, or `password`.
    """

    client: Annotated[str, Meta(max_length=32)]
    given: Annotated[
        dict[Annotated[str, Meta(max_length=32)], Annotated[str, Meta(max_length=128)]],
        Meta(min_length=1, max_length=5),
    ]

    def __repr__(self) -> str:
        return f"<GiveDlmsCredentials to {self.client}>"


class Checkpoint(Request, frozen=True, tag="checkpoint"):
    """Make everything durable."""


class GetStatus(Request, frozen=True, tag="status"):
    """Ask who runs, and how it is."""


AnyRequest: TypeAlias = (
    ApplyConfig
    | RollBack
    | ShowConfig
    | ShowHistory
    | SetClock
    | AdjustClock
    | SynchroniseClock
    | EndBilling
    | ResetDemand
    | ReceivePrices
    | OpenContactor
    | ArmContactor
    | SwitchRelay
    | BoostRelay
    | ClearAlarms
    | UnpairUnit
    | TakePairingStep
    | PushNow
    | ChangePassword
    | ShowPasswords
    | GiveDlmsCredentials
    | Checkpoint
    | GetStatus
)

_decoder: Final[msgspec.json.Decoder[AnyRequest]] = msgspec.json.Decoder(AnyRequest)
_encoder: Final = msgspec.json.Encoder()


def decode_request(line: bytes) -> AnyRequest:
    """A request from its line, with or without the line's end.

    Raises:
        ControlError: it is none; the sentence names the field and the reason.
    """
    with refusing("the request", "JSON", ControlError):
        return _decoder.decode(line)


def encode_request(request: Request) -> bytes:
    """The line that `decode_request` reads, with its end."""
    return _encoder.encode(request) + b"\n"
