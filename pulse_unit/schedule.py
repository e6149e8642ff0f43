"""When telegrams and adverts leave, when the unit can be connected to, and for whom."""

from pulse_unit.config import UnitConfig

INSTALL_MS = 90_000  # how long a button or a swipe opens the unit for pairing
WINDOW_MS = 10_000  # a connectable window for those who are paired

NEVER_MS = 0x7FFFFFFFFFFFFFFF

_FIRST_TELEGRAM_MS = 5_000
_FIRST_ADVERT_MS = 1_000
_FIRST_WINDOW_MS = 60_000
_INSTALL_PERIOD_MS = 5_000  # of telegrams and adverts while somebody looks at the signal
_EMPTY_FACTOR = 4  # how much rarer everything is once the battery has been used up


def interval_ms(period_ms: int, access_number: int) -> int:
    """Return the time from the telegram with this access number to the next.

    It varies by 3 % around the period, so that two units never collide for long, and a receiver
    that knows the access number knows when to listen (EN 13757-4, synchronous transmission).
    """
    return period_ms + period_ms * (abs(access_number - 128) - 64) // 2048


class Schedule:
    """The instants, in ms of uptime, at which something leaves next; `NEVER_MS` where nothing does.

    Args:
        config: the periods.
        has_radio: whether there is anything to send telegrams with.
        has_bluetooth: whether there is anything to advertise with.

    Attributes:
        telegram_period_s: between telegrams; 0: none. So with adverts and connectable windows.
    """

    def __init__(self, config: UnitConfig, has_radio: bool, has_bluetooth: bool) -> None:
        self._has_radio = has_radio
        self._has_bluetooth = has_bluetooth
        self.telegram_ms = self.advert_ms = self.window_ms = NEVER_MS
        self.window_end_ms = NEVER_MS  # of the connectable window that is open
        self.reply_end_ms = -1  # until then a radio command is heard
        self._install_end_ms = -1
        self.configure(config, 0)

    def configure(self, config: UnitConfig, uptime_ms: int) -> None:
        """Take other periods from now on."""
        self._config = config
        self.telegram_period_s = config.telegram_period_s if self._has_radio else 0
        self.advert_period_s = config.advert_period_s if self._has_bluetooth else 0
        self.window_period_s = config.window_period_s if self._has_bluetooth else 0
        self.telegram_ms = uptime_ms + _FIRST_TELEGRAM_MS if self.telegram_period_s else NEVER_MS
        self.advert_ms = uptime_ms + _FIRST_ADVERT_MS if self.advert_period_s else NEVER_MS
        self.window_ms = uptime_ms + _FIRST_WINDOW_MS if self.window_period_s else NEVER_MS

    def next_timer(self) -> int:
        """Return the first of these instants."""
        return min(self.telegram_ms, self.advert_ms, self.window_ms, self.window_end_ms)

    @property
    def is_window_open(self) -> bool:
        """Whether centrals can connect now."""
        return self.window_end_ms != NEVER_MS

    def install(self, uptime_ms: int) -> None:
        """Open the unit for pairing, from now on for `INSTALL_MS`."""
        self._install_end_ms = uptime_ms + INSTALL_MS
        if self._has_radio:
            self.telegram_ms = uptime_ms
        if self._has_bluetooth:
            self.advert_ms = self.window_ms = uptime_ms

    def is_installing(self, uptime_ms: int) -> bool:
        """Tell whether pairing is allowed now."""
        return uptime_ms < self._install_end_ms

    def telegram_sent(self, uptime_ms: int, access_number: int, is_empty: bool) -> None:
        """Note a telegram, and the reply window after it."""
        period_ms = self.telegram_period_s * 1000
        self.reply_end_ms = uptime_ms + self._config.reply_window_ms
        self.telegram_ms = uptime_ms + self._paced(
            interval_ms(period_ms, access_number), uptime_ms, is_empty
        )

    def telegram_failed(self, uptime_ms: int) -> None:
        """Note that there was none to send: the next is tried a period later."""
        period_ms = self.telegram_period_s * 1000
        self.telegram_ms = uptime_ms + self._paced(period_ms, uptime_ms, False)

    def advert_sent(self, uptime_ms: int, is_empty: bool) -> None:
        """Note an advert, or the failure to make one."""
        period_ms = self.advert_period_s * 1000
        self.advert_ms = uptime_ms + self._paced(period_ms, uptime_ms, is_empty)

    def next_window(self, uptime_ms: int, is_empty: bool) -> bool:
        """Return whether a connectable window is due, and note when the next one will be."""
        if uptime_ms < self.window_ms:
            return False
        self.window_ms = uptime_ms + _rarer(self.window_period_s * 1000, is_empty)
        return True

    def open_window(self, uptime_ms: int) -> None:
        """Note a connectable window that begins now."""
        self.window_end_ms = max(uptime_ms + WINDOW_MS, self._install_end_ms)

    def window_closed(self) -> None:
        """Note the end of a connectable window."""
        self.window_end_ms = NEVER_MS

    def _paced(self, period_ms: int, uptime_ms: int, is_empty: bool) -> int:
        if self.is_installing(uptime_ms):
            return min(period_ms or _INSTALL_PERIOD_MS, _INSTALL_PERIOD_MS)
        return _rarer(period_ms, is_empty)


def _rarer(period_ms: int, is_empty: bool) -> int:
    """Return how long it is to the next: for ever without a period, longer without charge."""
    if not period_ms:
        return NEVER_MS
    return period_ms * _EMPTY_FACTOR if is_empty else period_ms
