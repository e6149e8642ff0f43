"""The configuration document: what a meter is, as data.

One immutable value, the same from TOML, from the database and from Python. A value that exists has
been checked: a key that is not in the schema is an error, and so is everything that the meter could
not do.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from shared.errors import ObisError, UnitsError
from shared.obis import Obis
from shared.units import PulseWeight

from .places import DISPLAY_DIGITS, Places

MANUFACTURER_FORM: Final = r"[A-Z]{2}[A-Za-z]"
PRODUCT_FORM: Final = r"[ \"-.0-\[\]-~]{1,14}"


def _whole(form: str) -> str:
    """The pattern of a text that has this form; a bare `$` would allow a line's end after it."""
    return rf"^{form}$(?!\n)"


_DIGITS_8: Final = _whole("[0-9]{8}")
_MINUTE: Final = _whole("([01][0-9]|2[0-3]):[0-5][0-9]")
_NAME: Final = _whole("[a-z][a-z0-9_]{0,15}")
_ASCII: Final = _whole("[ -~]*")
_LETTERS_3: Final = _whole(MANUFACTURER_FORM)
_PRODUCT: Final = _whole(PRODUCT_FORM)
_ADDRESS: Final = _whole("[0-9A-Za-z ]{0,32}")

FORMS: Final = {
    _DIGITS_8: "eight digits",
    _MINUTE: "a time from 00:00 to 23:59",
    _NAME: "up to 16 small letters, digits and underscores",
    _ASCII: "printable ASCII",
    _LETTERS_3: "three letters, of which the third may be small",
    _PRODUCT: "up to 14 characters without '/', '!' and '\\'",
    _ADDRESS: "up to 32 digits, letters and spaces",
}
"""What a text must match, in words."""

TimeBase = Literal["utc", "local"]
Serial = Annotated[str, Meta(pattern=_DIGITS_8, description="Eight digits.")]
ObisText = Annotated[str, Meta(description="An OBIS code such as 1-0:1.8.0.", max_length=24)]
Printable = Annotated[str, Meta(pattern=_ASCII)]

MAX_RATES: Final = 48
MAX_GAS_RATES: Final = 4
_WORD_FORMATS: Final = ("date", "time", "text")


def _require_obis(text: str) -> None:
    try:
        Obis.parse(text)
    except ObisError as error:
        raise ValueError(str(error)) from None


def _refuse_repeated(what: str, values: list[str]) -> None:
    repeated = next((value for index, value in enumerate(values) if value in values[:index]), None)
    if repeated is not None:
        raise ValueError(f"the {what} {repeated} occurs twice")


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every part of the document: immutable, named fields, no unknown ones."""


class SwitchConfig(Document, frozen=True):
    """From this wall-clock minute on, in the calendar's time base, every day."""

    at: Annotated[str, Meta(pattern=_MINUTE, description="HH:MM")]
    rate: Annotated[int, Meta(ge=1, le=MAX_RATES)]

    @property
    def minute(self) -> int:
        """Minutes since midnight."""
        return int(self.at[:2]) * 60 + int(self.at[3:])


class CalendarConfig(Document, frozen=True):
    """Which rate is in force when.

    Attributes:
        time_base: whether switch times are UTC or British local time.
        rates: how many rate registers the channel has.
        switches: the times of day at which a rate begins; without any, rate 1 is always in force.
    """

    time_base: TimeBase = "utc"
    rates: Annotated[int, Meta(ge=1, le=MAX_RATES)] = 1
    switches: Annotated[tuple[SwitchConfig, ...], Meta(max_length=48)] = ()

    def __post_init__(self) -> None:
        times = [switch.at for switch in self.switches]
        _refuse_repeated("switch time", times)
        for switch in self.switches:
            if switch.rate > self.rates:
                raise ValueError(
                    f"the switch at {switch.at} asks for rate {switch.rate},"
                    f" and there are {self.rates}"
                )


class TariffConfig(Document, frozen=True):
    """The calendars: import, export, and one for every pulse channel."""

    import_: CalendarConfig = msgspec.field(name="import", default_factory=CalendarConfig)
    export: CalendarConfig = CalendarConfig()
    gas: CalendarConfig = CalendarConfig()

    def __post_init__(self) -> None:
        if self.gas.rates > MAX_GAS_RATES:
            raise ValueError(f"gas has at most {MAX_GAS_RATES} rates, not {self.gas.rates}")


class ProfileConfig(Document, frozen=True):
    """The half-hourly profile.

    Attributes:
        depth_days: days of measured rows that are kept; older ones leave for `aged`.
    """

    depth_days: Annotated[int, Meta(ge=1, le=36_525)] = 731


class GasUnitConfig(Document, frozen=True):
    """A pulse unit on a gas meter, and the channel that it feeds. Its key is in the keystore.

    Attributes:
        serial: as printed on the unit.
        channel: the ledger's name of the channel; rows call its pulses `<channel>_pulses`.
        number: the channel's number B in its OBIS codes, 1 to 6.
        pulse_weight: as on the meter's badge, such as `0.01 m3` or `1 ft3`.
        max_flow_l_h: the meter's maximum flow in litres an hour; faster pulses are implausible.
        modulus_l: the index rolls over here when it is shown, in litres.
    """

    serial: Serial
    channel: Annotated[str, Meta(pattern=_NAME)] = "gas"
    number: Annotated[int, Meta(ge=1, le=6)] = 1
    pulse_weight: str = "0.01 m3"
    max_flow_l_h: Annotated[int, Meta(ge=1, le=1_000_000)] = 6_000
    modulus_l: Annotated[int, Meta(ge=1_000, le=10**15)] = 10**8

    def __post_init__(self) -> None:
        if self.channel in ("import", "export"):
            raise ValueError(f"a pulse channel cannot be named {self.channel!r}")
        try:
            self.weight  # noqa: B018 - evaluated for its refusal
        except UnitsError as error:
            raise ValueError(str(error)) from None

    @property
    def weight(self) -> PulseWeight:
        """The pulse weight, exactly."""
        return PulseWeight.parse(self.pulse_weight)


class DisplayScreen(Document, frozen=True):
    """One screen: an object's attribute, and how the eight digits show it.

    Attributes:
        object: OBIS code of the object.
        attribute: number of the attribute; 2 is the value of every register.
        mnemonic: up to eight characters beside the value.
        format: a picture of the digits: `#` a digit that is blank while leading and zero, `0` a
            digit that is always shown, `.` the decimal point (`#####0.0`, `00000.000`); or `date`
            (DD.MM.YY) or `time` (HH:MM:SS) of a clock, or `text`.
        unit: the unit shown; the value is scaled to it (`kWh` of a register in Wh).
        seconds: how long the screen stands while scrolling.
    """

    object: ObisText
    attribute: Annotated[int, Meta(ge=1, le=127)] = 2
    mnemonic: Annotated[Printable, Meta(max_length=8)] = ""
    format: str = "#####0.0"
    unit: Annotated[str, Meta(max_length=5)] = ""
    seconds: Annotated[int, Meta(ge=1, le=60)] = 6

    def __post_init__(self) -> None:
        _require_obis(self.object)
        places = Places.parse(self.format)
        if places is None and self.format not in _WORD_FORMATS:
            raise ValueError(
                f"{self.format[:20]!r} is no display format such as '#####0.0', 'time' or 'text'"
            )
        if places is not None and places.whole + places.decimals > DISPLAY_DIGITS:
            raise ValueError(
                f"the format {self.format!r} asks for more than {DISPLAY_DIGITS} digits"
            )

    @property
    def decimals(self) -> int | None:
        """Digits behind the point, or None for `date`, `time` and `text`."""
        places = Places.parse(self.format)
        return None if places is None else places.decimals


class DisplayConfig(Document, frozen=True):
    """The display's lists.

    Attributes:
        scroll: the screens that follow each other on their own.
        return_s: seconds without a button press after which it scrolls again.
    """

    scroll: Annotated[tuple[DisplayScreen, ...], Meta(max_length=256)] = ()
    return_s: Annotated[int, Meta(ge=1, le=600)] = 30


class FlagConfig(Document, frozen=True):
    """The FLAG port (IEC 62056-21).

    Attributes:
        manufacturer: three letters; the third's case sets the reaction time (6.3.2, 6.3.14).
        identification: the product, after the baud character of the identification message.
        device_address: what a sign-on must name if it names anything (6.3.1).
        readout: the data readout of mode C, in order.
    """

    manufacturer: Annotated[str, Meta(pattern=_LETTERS_3)] = "HHY"
    identification: Annotated[str, Meta(pattern=_PRODUCT)] = "HALFHOURLY"
    device_address: Annotated[str, Meta(pattern=_ADDRESS)] = ""
    readout: Annotated[tuple[ObisText, ...], Meta(max_length=512)] = ()

    def __post_init__(self) -> None:
        for code in self.readout:
            _require_obis(code)
        _refuse_repeated("readout entry", list(self.readout))


class MeterConfig(Document, frozen=True):
    """A whole meter.

    Attributes:
        serial: printed on the meter.
        checkpoint_s: seconds between checkpoints: at most this much energy is ever in flight.
        modulus_wh: energy registers roll over here when they are shown; inside they never do.
    """

    serial: Serial = "00000001"
    checkpoint_s: Annotated[int, Meta(ge=1, le=3_600)] = 10
    modulus_wh: Annotated[int, Meta(ge=1_000_000, le=10**15)] = 10**9
    profile: ProfileConfig = ProfileConfig()
    tariff: TariffConfig = TariffConfig()
    gas_units: Annotated[tuple[GasUnitConfig, ...], Meta(max_length=6)] = ()
    display: DisplayConfig = DisplayConfig()
    flag: FlagConfig = FlagConfig()

    def __post_init__(self) -> None:
        _refuse_repeated("unit serial", [unit.serial for unit in self.gas_units])
        _refuse_repeated("pulse channel", [unit.channel for unit in self.gas_units])
        _refuse_repeated("channel number", [str(unit.number) for unit in self.gas_units])
