"""The configuration document: what a meter is, as data.

One immutable value, the same from TOML, from the database and from Python. A value that exists has
been checked: a key that is not in the schema is an error, and so is everything that the meter could
not do.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final, Literal

from msgspec import Meta

from shared.errors import UnitsError
from shared.units import PulseWeight

from .access import AccessConfig
from .base import (
    ADDRESS,
    LETTERS_3,
    NAME,
    PRODUCT,
    DeviceId,
    Document,
    MinuteText,
    Name,
    ObisText,
    Printable,
    Serial,
    TimeBase,
    minute_of,
    refuse_repeated,
    require_obis,
)
from .mains import CalibrationConfig, LedConfig, SupplyConfig
from .places import DISPLAY_DIGITS, Places
from .push import PushConfig
from .slot import AddonConfig
from .switchgear import (
    MAX_TERMINALS,
    AlarmsConfig,
    ContactorConfig,
    LimiterConfig,
    RelayConfig,
    TerminalConfig,
)
from .tariff import PassiveTariff, TariffConfig

ENERGY_NAMES: Final = (
    "import",
    "export",
    "reactive_q1",
    "reactive_q2",
    "reactive_q3",
    "reactive_q4",
)
"""The channels that mains feed; no other channel may have one of these names."""

MAX_FURTHER_CHANNELS: Final = 6
MAX_DEVICE_IDS: Final = 5
MOST_SHOWN: Final = 10 ** (DISPLAY_DIGITS + 3)
"""Wh or litres that eight digits can show in kWh or cubic metres: no register may count further."""

_WORD_FORMATS: Final = ("date", "time", "text", "hex")
_MINUTE_S: Final = 60


class ClockConfig(Document, frozen=True):
    """The clock's crystal and its backup.

    Attributes:
        drift_ppm: how much it gains, in millionths; what a simulation believes of its crystal.
        temperature_ppm: what it loses for every squared degree away from 25 degrees Celsius, in
            millionths; 0.035 for a watch crystal.
        backup_h: hours without mains after which the time is lost.
        sync_limit_s: a head end's time that is further away is no correction but a new time.
    """

    drift_ppm: Annotated[Decimal, Meta(description="Parts in a million.")] = Decimal(0)
    temperature_ppm: Annotated[Decimal, Meta(description="Parts in a million.")] = Decimal(0)
    backup_h: Annotated[int, Meta(ge=0, le=876_600)] = 87_660
    sync_limit_s: Annotated[int, Meta(ge=1, le=450)] = 10

    def __post_init__(self) -> None:
        for name, bound in (("drift_ppm", 500), ("temperature_ppm", 1)):
            value: Decimal = getattr(self, name)
            exponent = value.as_tuple().exponent
            if not value.is_finite() or value.copy_abs() > bound or not -6 <= exponent <= 2:  # type: ignore[operator]  # finite: its exponent is a number
                raise ValueError(f"{name} is at most {bound}, with up to six decimals")


class ProfileConfig(Document, frozen=True):
    """The profile of periods.

    Attributes:
        period_min: the integration period of import, export and reactive energy, and of demand, in
            minutes. A new one takes effect at the next whole hour. Gas has half-hours always.
        depth_days: days of measured rows that are kept; older ones leave for `aged`.
        reactive: whether the load profiles have columns of reactive energy. Its registers and rows
            are there in any case.
    """

    period_min: Literal[5, 10, 15, 20, 30, 60] = 30
    depth_days: Annotated[int, Meta(ge=1, le=36_525)] = 731
    reactive: bool = True

    @property
    def period_s(self) -> int:
        """The integration period in seconds."""
        return self.period_min * _MINUTE_S


class DemandWindow(Document, frozen=True):
    """A part of every day with a maximum of its own; it may reach over midnight."""

    start: MinuteText
    end: MinuteText

    def __post_init__(self) -> None:
        if self.start == self.end:
            raise ValueError(f"the demand window from {self.start} to {self.end} has no length")

    def minutes(self) -> set[int]:
        """The minutes of a day that it has."""
        first, end = minute_of(self.start), minute_of(self.end)
        day = 24 * 60
        return {minute % day for minute in range(first, end if end > first else end + day)}


class DemandConfig(Document, frozen=True):
    """Maximum demand of import and export.

    Attributes:
        sub_periods: 1 for block demand; n for a period that slides by a n-th of itself.
        windows: daily windows, which do not overlap.
        time_base: of the windows.
        lockout_s: seconds after a reset in which the button and a command cannot reset again.
        billed: whether a bill depends on the maximum of import: that of each window where there
            are some, else that of any time. It is a billing register then.
    """

    sub_periods: Annotated[int, Meta(ge=1, le=60)] = 1
    windows: Annotated[tuple[DemandWindow, ...], Meta(max_length=8)] = ()
    time_base: TimeBase = "local"
    lockout_s: Annotated[int, Meta(ge=0, le=2_678_400)] = 3_600
    billed: bool = False

    def __post_init__(self) -> None:
        taken: set[int] = set()
        for window in self.windows:
            if taken & window.minutes():
                raise ValueError(
                    f"the demand window from {window.start} to {window.end} overlaps another"
                )
            taken |= window.minutes()


class BillingConfig(Document, frozen=True):
    """When a billing period ends on its own.

    Attributes:
        day: day of the month, from 1 to 28, that begins with a new period; 0 for command alone.
        time_base: whose midnight.
        resets_demand: whether the end of a period resets maximum demand.
    """

    day: Annotated[int, Meta(ge=0, le=28)] = 1
    time_base: TimeBase = "local"
    resets_demand: bool = True


class DataChannelConfig(Document, frozen=True):
    """A channel that records an object of the directory at the end of every period.

    Attributes:
        name: the ledger's name of the channel, and the rows'.
        number: the channel's number B in its OBIS codes, 1 to 6.
        object: OBIS code. A register that accumulates gives what it advanced by, any other number
            gives the value that it has then.
        attribute: number of the attribute.
    """

    name: Name
    number: Annotated[int, Meta(ge=1, le=MAX_FURTHER_CHANNELS)]
    object: ObisText
    attribute: Annotated[int, Meta(ge=2, le=127)] = 2

    def __post_init__(self) -> None:
        require_obis(self.object)
        if self.name in ENERGY_NAMES:
            raise ValueError(f"a data channel cannot be named {self.name!r}")


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
    channel: Annotated[str, Meta(pattern=NAME)] = "gas"
    number: Annotated[int, Meta(ge=1, le=6)] = 1
    pulse_weight: str = "0.01 m3"
    max_flow_l_h: Annotated[int, Meta(ge=1, le=1_000_000)] = 6_000
    modulus_l: Annotated[int, Meta(ge=1_000, le=MOST_SHOWN)] = 10**8

    def __post_init__(self) -> None:
        if self.channel in ENERGY_NAMES:
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
        mnemonic: up to eight characters beside the value; without any, C, D and E of the code.
        format: a picture of the digits: `#` a digit that is blank while leading and zero, `0` a
            digit that is always shown, `.` the decimal point (`#####0.0`, `00000.000`); or `date`
            (DD.MM.YY) or `time` (HH:MM:SS) of a clock, `text`, or `hex` for a status word.
        unit: the unit shown; the value is scaled to it (`kWh` of a register in Wh).
        seconds: how long the screen stands while scrolling.
    """

    object: ObisText
    attribute: Annotated[int, Meta(ge=1, le=127)] = 2
    mnemonic: Annotated[Printable, Meta(max_length=8)] = ""
    format: str = "#####0.0"
    unit: Annotated[Printable, Meta(max_length=5)] = ""
    seconds: Annotated[int, Meta(ge=1, le=60)] = 6

    def __post_init__(self) -> None:
        require_obis(self.object)
        places = Places.parse(self.format)
        if places is None and self.format not in _WORD_FORMATS:
            raise ValueError(
                f"{self.format[:20]!r} is no display format such as '#####0.0', 'time' or 'text'"
            )
        if places is not None and places.whole + places.decimals > DISPLAY_DIGITS:
            raise ValueError(
                f"the format {self.format!r} asks for more than {DISPLAY_DIGITS} digits"
            )


class DisplayConfig(Document, frozen=True):
    """The display's lists.

    Attributes:
        scroll: the screens that follow each other on their own.
        return_s: seconds without a button press after which it scrolls again.
        button: the screens that a short press leads through; without any, those of `scroll`.
        service: the screens that a long press leads to, behind the test of all segments; without
            any, what somebody who serves the meter needs.
    """

    scroll: Annotated[tuple[DisplayScreen, ...], Meta(max_length=256)] = ()
    return_s: Annotated[int, Meta(ge=1, le=600)] = 30
    button: Annotated[tuple[DisplayScreen, ...], Meta(max_length=256)] = ()
    service: Annotated[tuple[DisplayScreen, ...], Meta(max_length=256)] = ()

    @property
    def reachable(self) -> tuple[DisplayScreen, ...]:
        """The screens that short presses lead through; empty for the automatic ones."""
        return self.button or self.scroll


class FlagConfig(Document, frozen=True):
    """The FLAG port (IEC 62056-21).

    Attributes:
        manufacturer: three letters; the third's case sets the reaction time (6.3.2, 6.3.14).
        identification: the product, after the baud character of the identification message.
        device_address: what a sign-on may name instead of the serial number (6.3.1).
        readout: the data readout of mode C, in order; without any, state, number, time, and what
            a bill is made of.
    """

    manufacturer: Annotated[str, Meta(pattern=LETTERS_3)] = "HHY"
    identification: Annotated[str, Meta(pattern=PRODUCT)] = "HALFHOURLY"
    device_address: Annotated[str, Meta(pattern=ADDRESS)] = ""
    readout: Annotated[tuple[ObisText, ...], Meta(max_length=512)] = ()

    def __post_init__(self) -> None:
        for code in self.readout:
            require_obis(code)
        refuse_repeated("readout entry", list(self.readout))


class MeterConfig(Document, frozen=True):
    """A whole meter.

    Attributes:
        serial: printed on the meter.
        checkpoint_s: seconds between checkpoints: at most this much energy is ever in flight.
        modulus_wh: energy registers roll over here when they are shown; inside they never do.
        tariff: the tariff in force.
        passive: the one that comes next.
        terminals: what the 5 A terminals are; those that are not named are off.
        switched_load: what switches the fifth mains terminal of the load-switching variant.
        calibration: of the front end; only the factory may change it.
        addons: the modules in the slot.
        device_ids: further identifications of the meter, up to five: 0-0:96.1.1 and so on.
        push: to whom half-hours and alarms are sent unasked.
    """

    serial: Serial = "00000001"
    checkpoint_s: Annotated[int, Meta(ge=1, le=3_600)] = 10
    modulus_wh: Annotated[int, Meta(ge=1_000_000, le=MOST_SHOWN)] = 10**9
    clock: ClockConfig = ClockConfig()
    profile: ProfileConfig = ProfileConfig()
    demand: DemandConfig = DemandConfig()
    billing: BillingConfig = BillingConfig()
    tariff: TariffConfig = TariffConfig()
    passive: PassiveTariff | None = None
    gas_units: Annotated[tuple[GasUnitConfig, ...], Meta(max_length=MAX_FURTHER_CHANNELS)] = ()
    data_channels: Annotated[
        tuple[DataChannelConfig, ...], Meta(max_length=MAX_FURTHER_CHANNELS)
    ] = ()
    display: DisplayConfig = DisplayConfig()
    flag: FlagConfig = FlagConfig()
    contactor: ContactorConfig = ContactorConfig()
    limiter: LimiterConfig = LimiterConfig()
    terminals: Annotated[tuple[TerminalConfig, ...], Meta(max_length=MAX_TERMINALS)] = ()
    switched_load: RelayConfig | None = None
    calibration: CalibrationConfig | None = None
    alarms: AlarmsConfig = AlarmsConfig()
    access: AccessConfig = AccessConfig()
    addons: Annotated[tuple[AddonConfig, ...], Meta(max_length=8)] = ()
    supply: SupplyConfig = SupplyConfig()
    led: LedConfig = LedConfig()
    device_ids: Annotated[tuple[DeviceId, ...], Meta(max_length=MAX_DEVICE_IDS)] = ()
    push: PushConfig = PushConfig()

    def __post_init__(self) -> None:
        further = len(self.gas_units) + len(self.data_channels)
        if further > MAX_FURTHER_CHANNELS:
            raise ValueError(
                f"there are {further} gas units and data channels, and room for"
                f" {MAX_FURTHER_CHANNELS}"
            )
        refuse_repeated("unit serial", [unit.serial for unit in self.gas_units])
        names = [unit.channel for unit in self.gas_units]
        refuse_repeated("channel", [*names, *(each.name for each in self.data_channels)])
        numbers = [str(unit.number) for unit in self.gas_units]
        refuse_repeated(
            "channel number", numbers + [str(each.number) for each in self.data_channels]
        )
        refuse_repeated("terminal", [str(each.number) for each in self.terminals])
        refuse_repeated("add-on", [each.name for each in self.addons])
        sub_periods, period_s = self.demand.sub_periods, self.profile.period_s
        if period_s % (sub_periods * _MINUTE_S):
            raise ValueError(
                f"a period of {self.profile.period_min} minutes has no {sub_periods} parts"
                " of whole minutes"
            )
