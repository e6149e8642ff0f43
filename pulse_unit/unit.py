"""`PulseUnit`: counts what the reed says, remembers it and tells the collector."""

from pulse_unit.battery import ChargeLedger, DayPlan
from pulse_unit.board import Board
from pulse_unit.config import UnitConfig, config_of, settings_of
from pulse_unit.errors import ConfigError, StoreCorrupt, StoreError
from pulse_unit.history import CountHistory
from pulse_unit.inputs import Inputs
from pulse_unit.log import PulseLog
from pulse_unit.nvm import Nvm
from pulse_unit.reed import Reed
from pulse_unit.register import PulseRegister
from pulse_unit.schedule import WINDOW_MS, Schedule
from pulse_unit.settings import SettingsStore, WireSettings
from pulse_unit.store import BOOT, COMMAND, COUNT, MUTE, Store
from pulse_unit.transmitter import Transmitter
from shared.wire.command import (
    CLEAR,
    CONFIGURE,
    OBEYED,
    PHASE,
    REFUSED_ILLEGAL,
    REFUSED_MALFORMED,
    REFUSED_NOT_AUTHENTIC,
    REFUSED_NOT_PERSISTED,
    REFUSED_REPLAYED,
    REFUSED_UNKNOWN,
    Command,
    open_command,
)
from shared.wire.errors import BadMac, Replayed, Unsupported, WireError
from shared.wire.seal import SEND_INSTALLATION, SEND_NO_REPLY
from shared.wire.telegram import (
    FLAG_EDGES,
    FLAG_LOW_BATTERY,
    FLAG_NVM,
    HISTORY_BYTES_MAX,
    PulseTelegram,
    encode_records,
    status_byte,
)
from shared.wire.wmbus import frame_a

STATE_PAGES = 4  # of the memory: what must survive; 20 years at 20,000 pulses a month
LOG_PAGES_MIN = 2  # the rest is the log
PAGES = STATE_PAGES + 16  # of 4 KiB: 13 months of half-hours

_REFUSALS = (
    (BadMac, REFUSED_NOT_AUTHENTIC),
    (Replayed, REFUSED_REPLAYED),
    (Unsupported, REFUSED_UNKNOWN),
    (WireError, REFUSED_MALFORMED),
)
_COMMAND_MAX = 0xFFFFFFFF  # its successor has no room


class PulseUnit:
    """The core of the unit. Time is ``uptime_ms``: integer ms since this boot, never backwards.

    Building one is a boot: it is counted before anything else happens.

    Args:
        board: the hardware.
        config: what it is told at the factory; what a command has told it since comes first.

    Raises:
        ConfigError: the memory is too small.
        StoreError: the boot could not be persisted.
    """

    def __init__(self, board: Board, config: UnitConfig) -> None:
        log_pages = board.nvm.page_count - STATE_PAGES
        if log_pages < LOG_PAGES_MIN:
            raise ConfigError("a unit needs %d pages of memory" % (STATE_PAGES + LOG_PAGES_MIN))
        self._board = board
        self._history = CountHistory(board.nvm, STATE_PAGES, log_pages)
        self._store = _opened(board.nvm, self._history)
        self._store.put(BOOT, (self._store.get(BOOT) + 1) & 0xFFFFFFFF)
        self._settings = SettingsStore(self._store)
        self.config = _booted_config(self._settings.load(), config)
        self._register = PulseRegister(self._store)
        self._transmitter = Transmitter(board, self._store)
        self._log = PulseLog(self._history, HISTORY_BYTES_MAX)
        self._log.begin(self._store.get(BOOT), self._register.count)
        self._reed = Reed(board, self.config.pulse_weight_nl, self.config.flow_max_l_per_h)
        self._inputs = Inputs(board, self._store)
        self._schedule = Schedule(self.config, board.has_radio, board.address is not None)
        self._battery = ChargeLedger(self._store, board.figures, self._plan())
        self._now_ms = 0

    @property
    def serial(self) -> str:
        """Eight digits."""
        return self._board.serial

    @property
    def count(self) -> int:
        """Pulses since the unit was made, modulo 2^32."""
        return self._register.count

    @property
    def boot(self) -> int:
        """The reset counter: how many boots there were, this one included."""
        return self._store.get(BOOT)

    @property
    def is_mute(self) -> bool:
        """Whether the counters were lost, so that nothing enciphered is sent any more."""
        return self._store.get(MUTE) != 0

    @property
    def history(self) -> CountHistory:
        """Thirteen months of counts."""
        return self._history

    @property
    def error_flags(self) -> int:
        """What a telegram sent now would report as wrong."""
        flags = self._inputs.flags
        if self._battery.is_low:
            flags |= FLAG_LOW_BATTERY
        if self._store.faults or self.is_mute or self._history.faults or self._register.pending:
            flags |= FLAG_NVM
        if self._board.edges.lost:
            flags |= FLAG_EDGES
        return flags

    @property
    def battery_left_d(self) -> int:
        """Days that the battery will last if they are as planned."""
        return self._battery.left_d

    @property
    def recent_pulses(self) -> "tuple[int, ...]":
        """The uptimes at the last pulses of this boot in seconds, newest first, 16 at most."""
        return self._log.recent_pulses()

    @property
    def wire_settings(self) -> WireSettings:
        """Where a wired slave keeps its address and speed."""
        return WireSettings(self._store)

    def first_seen(self, flag: int) -> "tuple[int, int] | None":
        """Return the boot and its uptime in seconds when a tamper flag was first seen."""
        return self._inputs.first_seen(flag)

    def is_pairing_open(self, uptime_ms: int) -> bool:
        """Tell whether a button or a swipe has opened the unit for pairing."""
        return self._schedule.is_installing(uptime_ms)

    def next_timer(self) -> int:
        """Return the uptime in ms at which `handle_timer` has something to do."""
        due_ms = min(self._log.next_ms, self._schedule.next_timer())
        for other_ms in (self._reed.next_timer(self._now_ms), self._inputs.next_timer()):
            if other_ms is not None and other_ms < due_ms:
                due_ms = other_ms
        return due_ms

    def handle_timer(self, uptime_ms: int) -> None:
        """Do all that is due by ``uptime_ms``: pulses and grid ticks in order, then what is sent.

        After a long sleep every tick is logged; of the telegrams that were due one is sent.
        """
        self._catch_up(uptime_ms)
        if self._inputs.asks_to_install(uptime_ms):
            self._schedule.install(uptime_ms)
        schedule = self._schedule
        if uptime_ms >= schedule.telegram_ms:
            self._send(uptime_ms)
        if uptime_ms >= schedule.window_end_ms:
            schedule.window_closed()
            self._board.close_window()
        if uptime_ms >= min(schedule.advert_ms, schedule.window_ms):
            self._advertise(uptime_ms)

    def see_tamper(self, flag: int, uptime_ms: int) -> None:
        """Latch `FLAG_TAMPER` (the loop is open) or `FLAG_MAGNET`, and when it was first seen."""
        self._inputs.latch(flag, uptime_ms)

    def records(self, uptime_ms: int) -> bytes:
        """Return the data records of a telegram, in plain: what a wire carries."""
        return encode_records(self._telegram(uptime_ms), self.config.history)

    def status(self) -> int:
        """Return the status byte of a telegram."""
        return status_byte(self.error_flags)

    def seal(self, uptime_ms: int) -> bytes:
        """Return a telegram under a new message counter: a link frame without CRCs.

        Raises:
            StoreError: no counter could be reserved.
        """
        return self._transmitter.seal(self._telegram(uptime_ms), self.config.history)[1]

    def receive_command(self, data: bytes, uptime_ms: int) -> bool:
        """Obey a command that came by radio, in the reply window; return whether it did."""
        if uptime_ms > self._schedule.reply_end_ms:
            return False
        return self.obey(data, uptime_ms) == OBEYED

    def obey(self, data: bytes, uptime_ms: int) -> int:
        """Obey an authentic, new command; return `OBEYED` or why not."""
        obeyed = self._store.get(COMMAND)
        last_counter = obeyed - 1 if obeyed else None
        try:
            command = open_command(self._board.aes, self._board.key, data, last_counter)
            if command.counter >= _COMMAND_MAX:
                return REFUSED_ILLEGAL
            config = self._configured(command)
        except WireError as error:
            return _refusal(error)
        except ConfigError:
            return REFUSED_ILLEGAL
        try:
            # Persisted first: whatever power does, it is obeyed once at most.
            self._store.put(COMMAND, command.counter + 1)
            self._catch_up(uptime_ms)
            if config is not None:
                self._configure(config, uptime_ms)
        except StoreError:
            return REFUSED_NOT_PERSISTED
        if command.kind == PHASE:
            self._log.rephase(command.number, uptime_ms)
        elif command.kind == CLEAR and not self._inputs.clear(command.number):
            return REFUSED_NOT_PERSISTED
        return OBEYED

    def _configured(self, command: Command) -> "UnitConfig | None":
        if command.kind != CONFIGURE:
            return None
        return config_of(command.argument)

    def _configure(self, config: UnitConfig, uptime_ms: int) -> None:
        """Take a new configuration: the count, and what was logged, stay as they are."""
        self._settings.save(settings_of(config))
        self.config = config
        self._reed.retime(config.pulse_weight_nl, config.flow_max_l_per_h, uptime_ms)
        self._schedule.configure(config, uptime_ms)
        self._battery.replan(self._plan())

    def _plan(self) -> DayPlan:
        """Return what this configuration, on this board, makes of a day."""
        return DayPlan(
            telegram_period_s=self._schedule.telegram_period_s,
            reply_window_ms=self.config.reply_window_ms,
            advert_period_s=self._schedule.advert_period_s,
            window_period_s=self._schedule.window_period_s,
            closing_ms=self._reed.closing_ms,
            sample_interval_ms=self._reed.interval_ms,
        )

    def _catch_up(self, uptime_ms: int) -> None:
        self._now_ms = uptime_ms
        while True:
            pulse_ms = self._reed.next_pulse(uptime_ms)
            if pulse_ms < 0:
                break
            self._tick(pulse_ms - 1)
            self._battery.pulse()
            if self._register.add(1):
                self._log.pulse(pulse_ms)
        self._tick(uptime_ms)

    def _tick(self, until_ms: int) -> None:
        while self._log.next_ms <= until_ms:
            self._log.tick(self._register.count)
            self._battery.tick()

    def _send(self, uptime_ms: int) -> None:
        control = SEND_INSTALLATION if self.is_pairing_open(uptime_ms) else SEND_NO_REPLY
        try:
            access_number, link = self._transmitter.seal(
                self._telegram(uptime_ms), self.config.history, control
            )
        except StoreError:
            self._schedule.telegram_failed(uptime_ms)
            return  # a counter that is not persisted would be used again after a reset
        self._battery.telegram()
        self._board.transmit(frame_a(link), uptime_ms)
        self._schedule.telegram_sent(uptime_ms, access_number, self._battery.is_empty)

    def _advertise(self, uptime_ms: int) -> None:
        """Send the advert that is due; in a connectable window that is due, or open already."""
        schedule = self._schedule
        opens = schedule.next_window(uptime_ms, self._battery.is_empty)
        schedule.advert_sent(uptime_ms, self._battery.is_empty)
        try:
            data = self._transmitter.advert(self._telegram(uptime_ms), self._battery.left_percent)
        except StoreError:
            return
        if opens:
            schedule.open_window(uptime_ms)
            length_ms = schedule.window_end_ms - uptime_ms
            self._battery.windows(-(-length_ms // WINDOW_MS))
        if schedule.is_window_open:
            self._board.open_window(data, uptime_ms, schedule.window_end_ms)
        else:
            self._battery.advert()
            self._board.advertise(data, uptime_ms)

    def _telegram(self, uptime_ms: int) -> PulseTelegram:
        """Bring the books up to date, and return what they say."""
        self._catch_up(uptime_ms)
        uptime_s = uptime_ms // 1000
        self._battery.rest(uptime_s)
        self._battery.edges(self._reed.edges)
        self._battery.samples(self._reed.samples)
        log = self._log
        if self._register.pending and self._register.add(0):
            log.pulse(uptime_ms)  # these count from here on, whenever the reed closed
        count = self._register.count
        age_s = None if log.last_pulse_s < 0 else uptime_s - log.last_pulse_s
        return PulseTelegram(
            count=count,
            volume_l=self.config.volume_l(count),
            uptime_s=uptime_s & 0xFFFFFFFF,
            last_pulse_age_s=age_s,
            battery_left_d=self._battery.left_d,
            error_flags=self.error_flags,
            reset_counter=self.boot & 0xFFFF,
            grid_count=log.grid_count,
            grid_age_s=uptime_s - log.grid_tick_s,
            increments=log.recent(),
        )


def _opened(nvm: Nvm, history: CountHistory) -> Store:
    """Open the store; one that is corrupt, or blank beside a log, starts anew with what that knows.

    Its counters are lost: the unit counts on, and enciphers no more.
    """
    was_used = not history.is_blank
    try:
        return Store(nvm, 0, STATE_PAGES, was_used=was_used)
    except StoreCorrupt:
        pass
    from pulse_unit.entries import Entries  # no other use of it in a unit's RAM

    boot = count = 0
    for boot, _, count in Entries(history):  # noqa: B007  the last entry is what is wanted
        pass
    lost = {MUTE: 1, BOOT: boot, COUNT: count}
    return Store(nvm, 0, STATE_PAGES, lost, was_used=was_used)


def _booted_config(settings: "bytes | None", factory: UnitConfig) -> UnitConfig:
    """Return what the unit was told last; what this firmware cannot work with is not obeyed."""
    if settings is None:
        return factory
    try:
        return config_of(settings)
    except ConfigError:
        return factory


def _refusal(error: WireError) -> int:
    for kind, refusal in _REFUSALS:
        if isinstance(error, kind):
            return refusal
    return REFUSED_MALFORMED
