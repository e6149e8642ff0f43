"""What a unit is told about its meter, its radio times and its battery."""

from pulse_unit.errors import ConfigError
from shared.wire.debounce import debounce_times
from shared.wire.grid import DAY_S
from shared.wire.telegram import HISTORY_BYTES_MAX

WEIGHT_1_L_NL = 1_000_000_000
WEIGHT_10_L_NL = 10_000_000_000
WEIGHT_100_L_NL = 100_000_000_000
WEIGHT_1_FT3_NL = 28_316_846_592


class BatteryFigures:
    """What a board takes from its battery: charges in nC, currents in nA.

    The defaults describe the battery target, one AA Li-SOCl2 cell, from its parts' data sheets and
    not from a measurement: 2.6 Ah of which 85 % is usable, 1 % a year of self-discharge (3.0 uA)
    beside 2.1 uA asleep; a telegram of 250 bytes at 100 kbit/s (20 ms at 30 mA), its cryptography
    and a duty-cycled receiver in the reply window.

    Raises:
        ConfigError: for a charge or current below zero, or a battery without charge.
    """

    def __init__(
        self,
        *,
        usable_c: int = 7_956,
        rest_na: int = 5_100,
        telegram_nc: int = 1_600_000,
        pulse_nc: int = 20_000,
        pulses_per_day: int = 667,
        low_d: int = 180,
    ) -> None:
        if usable_c <= 0 or rest_na <= 0:
            raise ConfigError("a battery has a charge, and a unit takes some")
        if min(telegram_nc, pulse_nc, pulses_per_day, low_d) < 0:
            raise ConfigError("a charge is not below zero")
        self.usable_c = usable_c
        self.rest_na = rest_na
        self.telegram_nc = telegram_nc
        self.pulse_nc = pulse_nc
        self.pulses_per_day = pulses_per_day  # expected: for the days left, not for the charge used
        self.low_d = low_d  # days left that raise the low battery flag


class UnitConfig:
    """The configuration of one unit; its serial and key belong to the board.

    Attributes:
        pulse_weight_nl: the volume of one pulse in nanolitres.
        flow_max_l_per_h: the meter's maximum flow.
        initial_index_l: what the dial showed at count 0, in litres; None if it was never told:
            then telegrams carry no volume.
        telegram_period_s: between telegrams, 10 to 86,400.
        reply_window_ms: how long commands are heard after a telegram.
        history: room in a telegram for the half-hours before the newest tick, in bytes, at most
            `HISTORY_BYTES_MAX`: one for each, or two where any of them has 255 pulses or more.
        battery: `BatteryFigures`.

    Raises:
        ConfigError: for values that no unit can work with.
    """

    def __init__(
        self,
        *,
        pulse_weight_nl: int = WEIGHT_10_L_NL,
        flow_max_l_per_h: int = 6_000,
        initial_index_l: "int | None" = None,
        telegram_period_s: int = 900,
        reply_window_ms: int = 2_000,
        history: int = 96,
        battery: "BatteryFigures | None" = None,
    ) -> None:
        if pulse_weight_nl <= 0 or flow_max_l_per_h <= 0:
            raise ConfigError("a pulse weight and a maximum flow are above zero")
        try:
            debounce_times(pulse_weight_nl, flow_max_l_per_h)
        except ValueError as error:
            raise ConfigError(str(error)) from error
        if not 10 <= telegram_period_s <= DAY_S:
            raise ConfigError("telegrams leave every 10 to 86,400 seconds")
        if not 0 <= reply_window_ms < telegram_period_s * 900:
            raise ConfigError("a reply window ends before the next telegram")
        if not 1 <= history <= HISTORY_BYTES_MAX:
            raise ConfigError("a telegram has 1 to %d bytes of history" % HISTORY_BYTES_MAX)
        self.pulse_weight_nl = pulse_weight_nl
        self.flow_max_l_per_h = flow_max_l_per_h
        self.initial_index_l = initial_index_l
        self.telegram_period_s = telegram_period_s
        self.reply_window_ms = reply_window_ms
        self.history = history
        self.battery = battery or BatteryFigures()

    def volume_l(self, count: int) -> "int | None":
        """Return the dial's reading in whole litres, or None if it cannot be told."""
        if self.initial_index_l is None:
            return None
        volume_l = self.initial_index_l + count * self.pulse_weight_nl // 1_000_000_000
        return volume_l if -0x80000000 <= volume_l <= 0x7FFFFFFF else None
