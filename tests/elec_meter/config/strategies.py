"""Arbitrary valid configuration documents, for properties."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from elec_meter.config import (
    AlarmsConfig,
    BillingConfig,
    CalendarConfig,
    CalibrationConfig,
    ClockConfig,
    ContactorConfig,
    DataChannelConfig,
    DemandConfig,
    DemandWindow,
    DisplayConfig,
    DisplayScreen,
    EmergencyConfig,
    FlagConfig,
    GasUnitConfig,
    LedConfig,
    LimiterConfig,
    MeterConfig,
    PassiveTariff,
    ProfileConfig,
    PulseInputConfig,
    PulseOutputConfig,
    PushConfig,
    PushObject,
    RelayConfig,
    SupplyConfig,
    TerminalConfig,
)
from tests.elec_meter.config.tariff_strategies import (
    Draw,
    clock_time,
    minutes,
    names,
    profiles,
    some,
    tariffs,
    time_bases,
)

serials = st.integers(0, 99_999_999).map(lambda number: f"{number:08d}")
codes = st.builds(
    lambda a, b, rest: f"{a}-{b}:{'.'.join(map(str, rest))}",
    st.sampled_from((0, 1, 7, 15, 255)),
    st.sampled_from((0, 1, 6, 16, 255)),
    st.tuples(*[st.integers(0, 255)] * 3),
) | st.sampled_from(("1.8.0", "C.1.0", "F.F", "1.0.1.8.0.255", "1-0:1.8.0*12", "1-0:1.8.0*255"))
first_minute, last_minute = (
    int(datetime(*day, tzinfo=UTC).timestamp()) // 60 for day in ((2000, 1, 1), (2099, 12, 31))
)
instants = st.integers(first_minute, last_minute).map(
    lambda minute: datetime.fromtimestamp(60 * minute, UTC)
)
passive_tariffs = st.builds(PassiveTariff, activate=instants, tariff=tariffs)
emergencies = st.builds(
    EmergencyConfig,
    threshold=st.integers(1, 2**31 - 1),
    activate=instants,
    duration_min=st.integers(1, 527_040),
    id=st.integers(0, 65_535),
)
limiters = st.builds(
    LimiterConfig,
    threshold=st.integers(0, 2**31 - 1),
    object=codes,
    over_s=st.integers(0, 86_400),
    under_s=st.integers(0, 86_400),
    over=st.sampled_from(("open", "trip", "log")),
    under=st.sampled_from(("log", "arm")),
    lockout_trips=st.integers(1, 100),
    lockout_s=st.integers(60, 86_400),
    emergency=st.none() | emergencies,
)
clocks = st.builds(
    ClockConfig,
    drift_ppm=st.integers(-500 * 10**6, 500 * 10**6).map(lambda ppm: Decimal(ppm).scaleb(-6)),
    temperature_ppm=st.sampled_from((Decimal(0), Decimal("0.035"), Decimal(-1))),
    backup_h=st.integers(0, 876_600),
    sync_limit_s=st.integers(1, 450),
)
screens = st.builds(
    DisplayScreen,
    object=codes,
    attribute=st.integers(1, 127),
    mnemonic=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8),
    format=st.sampled_from(
        ("#####0.0", "000000.0", "00000.000", "0", "time", "date", "text", "hex")
    ),
    unit=st.sampled_from(("", "kWh", "m3", "W")),
    seconds=st.integers(1, 60),
)


@st.composite
def relays(draw: Draw) -> RelayConfig:
    """Switched by orders, by a calendar of two rates, or by some rates of a channel."""
    control = draw(st.sampled_from(("manual", "calendar", "rate")))
    given: dict[str, Any] = {"control": control, "boost_min": draw(st.integers(0, 1_440))}
    if control == "calendar":
        forms = st.just({}) | profiles(2)
        given["calendar"] = CalendarConfig(rates=2, time_base=draw(time_bases), **draw(forms))
    if control == "rate":
        given["channel"] = draw(st.sampled_from(("import", "export")))
        given["rates"] = tuple(sorted(draw(st.sets(st.integers(1, 48), min_size=1, max_size=4))))
    return RelayConfig(**given)


pulse_inputs = st.builds(
    PulseInputConfig,
    weight=st.sampled_from((Decimal(1), Decimal("0.001"), Decimal("2.5"), Decimal(10**6))),
    unit=st.sampled_from(("", "Wh", "m3")),
    debounce_ms=st.integers(1, 1_000),
)
pulse_outputs = st.builds(
    PulseOutputConfig,
    object=codes,
    imp_per_kwh=st.integers(1, 10_000),
    width_ms=st.integers(10, 1_000),
)
uses = (
    st.just({})
    | relays().map(lambda each: {"relay": each})
    | pulse_inputs.map(lambda each: {"pulse_in": each})
    | pulse_outputs.map(lambda each: {"pulse_out": each})
)


@st.composite
def terminal_lists(draw: Draw) -> tuple[TerminalConfig, ...]:
    """Some of the eight, each something or nothing."""
    numbers = draw(st.lists(st.integers(1, 8), max_size=3, unique=True))
    return tuple(TerminalConfig(number=number, **draw(uses)) for number in numbers)


displays = st.builds(
    DisplayConfig,
    scroll=st.lists(screens, max_size=6).map(tuple),
    return_s=st.integers(1, 600),
    button=st.lists(screens, max_size=2).map(tuple),
    service=st.lists(screens, max_size=2).map(tuple),
)
calibrations = st.builds(
    CalibrationConfig,
    bits=st.just(16),
    voltage_pv_per_count=st.integers(4 * 10**9, 6 * 10**10),
    current_pa_per_count=st.integers(4 * 10**7, 6 * 10**10),
    phase_urad=st.integers(-100_000, 100_000),
    power_offset_uw=st.integers(-5_000_000, 5_000_000),
    reactive_offset_uvar=st.integers(-5_000_000, 5_000_000),
)
flag_ports = st.builds(
    FlagConfig,
    manufacturer=st.sampled_from(("HHY", "ABc")),
    identification=st.sampled_from(("HALFHOURLY", 'A"B', "x" * 14)),
    device_address=st.sampled_from(("", "00000001", "A 1")),
    readout=some(codes, 8),
)


@st.composite
def demands(draw: Draw, period_min: int) -> DemandConfig:
    """Windows that touch or leave gaps, the last one perhaps over midnight."""
    edges = sorted(draw(st.sets(minutes, max_size=8)))
    turned = edges[1:] + edges[:1] if draw(st.booleans()) else edges
    pairs = zip(turned[::2], turned[1::2], strict=False)
    return DemandConfig(
        sub_periods=draw(
            st.sampled_from([n for n in range(1, period_min + 1) if not period_min % n])
        ),
        windows=tuple(DemandWindow(start=clock_time(a), end=clock_time(b)) for a, b in pairs),
        time_base=draw(time_bases),
        lockout_s=draw(st.integers(0, 2_678_400)),
        billed=draw(st.booleans()),
    )


billings = st.builds(
    BillingConfig, day=st.integers(0, 28), time_base=time_bases, resets_demand=st.booleans()
)
supplies = st.builds(SupplyConfig, sag_below_mv=st.integers(16_100, 211_600))
pushes = st.builds(
    PushConfig,
    destination=st.sampled_from(("", "head.end:4059", "[::1]:1")),
    client=st.integers(1, 127),
    objects=st.lists(st.sampled_from(("1-0:1.8.0", "1-0:99.1.0")), min_size=1, unique=True).map(
        lambda listed: tuple(PushObject(object=each) for each in listed)
    ),
    retries=st.integers(0, 255),
    delay_s=st.integers(1, 3_600),
    keep_days=st.integers(1, 366),
)
quieted = st.builds(AlarmsConfig, quiet=some(st.sampled_from(("tamper", "unit_silent")), 2))


@st.composite
def meter_configs(draw: Draw) -> MeterConfig:
    """A whole document; parts of it are often left at their defaults."""
    period_min = draw(st.sampled_from((5, 10, 15, 20, 30, 60)))
    numbers = draw(st.permutations(range(1, 7)))
    channels = draw(st.lists(names, max_size=6, unique=True))
    first_data = draw(st.integers(0, len(channels)))
    unit_serials = draw(st.lists(serials, min_size=6, max_size=6, unique=True))
    units = tuple(
        GasUnitConfig(
            serial=serial,
            channel=name,
            number=number,
            pulse_weight=draw(st.sampled_from(("0.01 m3", "1 ft3", "10 l"))),
            max_flow_l_h=draw(st.integers(1, 1_000_000)),
            modulus_l=draw(st.integers(1_000, 10**11)),
        )
        for serial, name, number in zip(unit_serials, channels[:first_data], numbers, strict=False)
    )
    data = tuple(
        DataChannelConfig(
            name=name, number=number, object=draw(codes), attribute=draw(st.integers(2, 127))
        )
        for name, number in zip(channels[first_data:], numbers[first_data:], strict=False)
    )
    parts: dict[str, st.SearchStrategy[Any]] = {
        "serial": serials,
        "checkpoint_s": st.integers(1, 3_600),
        "modulus_wh": st.integers(10**6, 10**11),
        "clock": clocks,
        "billing": billings,
        "tariff": tariffs,
        "passive": passive_tariffs,
        "display": displays,
        "flag": flag_ports,
        "contactor": st.builds(ContactorConfig, mode=st.sampled_from((0, 1, 3))),
        "limiter": limiters,
        "terminals": terminal_lists(),
        "switched_load": relays(),
        "calibration": calibrations,
        "alarms": quieted,
        "supply": supplies,
        "led": st.builds(LedConfig, imp_per_kwh=st.integers(1, 100_000)),
        "push": pushes,
        "device_ids": st.lists(st.sampled_from(("", "A 1", "S95D00061")), max_size=5).map(tuple),
    }
    given = {name: draw(part) for name, part in parts.items() if draw(st.booleans())}
    return MeterConfig(
        gas_units=units,
        data_channels=data,
        profile=ProfileConfig(
            period_min=period_min,
            depth_days=draw(st.integers(1, 36_525)),
            reactive=draw(st.booleans()),
        ),
        demand=draw(demands(period_min)),
        **given,
    )
