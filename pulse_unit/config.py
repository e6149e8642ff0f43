"""What a unit is told about its meter, its radio times and its battery."""

from pulse_unit.errors import ConfigError
from shared.wire.debounce import debounce_times
from shared.wire.errors import WireError
from shared.wire.grid import DAY_S
from shared.wire.settings import SETTING_NAMES, decode_settings, encode_settings
from shared.wire.telegram import HISTORY_BYTES_MAX

WEIGHT_1_L_NL = 1_000_000_000
WEIGHT_10_L_NL = 10_000_000_000
WEIGHT_100_L_NL = 100_000_000_000
WEIGHT_1_FT3_NL = 28_316_846_592


class UnitConfig:
    """The configuration of one unit; its serial and key belong to the board.

    Attributes:
        pulse_weight_nl: the volume of one pulse in nanolitres.
        flow_max_l_per_h: the meter's maximum flow.
        initial_index_l: what the dial showed at count 0, in litres; None if it was never told:
            then telegrams carry no volume.
        telegram_period_s: between telegrams, 10 to 86,400; 0: none.
        reply_window_ms: how long commands are heard after a telegram.
        advert_period_s: between Bluetooth adverts, 1 to 3,600; 0: none.
        window_period_s: between the times at which a paired central can connect, 60 to 604,800; 0:
            after a button or a swipe only.
        history: room in a telegram for the half-hours before the newest tick, in bytes, at most
            `HISTORY_BYTES_MAX`: one for each, or two where any of them has 255 pulses or more.

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
        advert_period_s: int = 60,
        window_period_s: int = 14_400,
        history: int = 96,
    ) -> None:
        if pulse_weight_nl <= 0 or flow_max_l_per_h <= 0:
            raise ConfigError("a pulse weight and a maximum flow are above zero")
        try:
            debounce_times(pulse_weight_nl, flow_max_l_per_h)
        except ValueError as error:
            raise ConfigError(str(error)) from error
        if telegram_period_s and not 10 <= telegram_period_s <= DAY_S:
            raise ConfigError("telegrams leave every 10 to 86,400 seconds")
        if not 0 <= reply_window_ms < (telegram_period_s or 10) * 900:
            raise ConfigError("a reply window ends before the next telegram")
        if advert_period_s and not 1 <= advert_period_s <= 3_600:
            raise ConfigError("adverts leave every 1 to 3,600 seconds")
        if window_period_s and not 60 <= window_period_s <= 7 * DAY_S:
            raise ConfigError("connectable windows open every 60 to 604,800 seconds")
        if not 1 <= history <= HISTORY_BYTES_MAX:
            raise ConfigError("a telegram has 1 to %d bytes of history" % HISTORY_BYTES_MAX)
        self.pulse_weight_nl = pulse_weight_nl
        self.flow_max_l_per_h = flow_max_l_per_h
        self.initial_index_l = initial_index_l
        self.telegram_period_s = telegram_period_s
        self.reply_window_ms = reply_window_ms
        self.advert_period_s = advert_period_s
        self.window_period_s = window_period_s
        self.history = history

    def volume_l(self, count: int) -> "int | None":
        """Return the dial's reading in whole litres, or None if it cannot be told."""
        if self.initial_index_l is None:
            return None
        volume_l = self.initial_index_l + count * self.pulse_weight_nl // 1_000_000_000
        return volume_l if -0x80000000 <= volume_l <= 0x7FFFFFFF else None


def settings_of(config: UnitConfig) -> bytes:
    """Return a configuration as a command carries it.

    Raises:
        ConfigError: for a number too large for its field.
    """
    try:
        return encode_settings({name: getattr(config, name) for name in SETTING_NAMES})
    except WireError as error:
        raise ConfigError(str(error)) from error


def config_of(settings: bytes) -> UnitConfig:
    """Return the configuration that a command carries.

    Raises:
        ConfigError: for bytes that are none, or values that no unit can work with.
    """
    try:
        return UnitConfig(**decode_settings(settings))  # type: ignore[arg-type]  # one is optional
    except WireError as error:
        raise ConfigError(str(error)) from error
