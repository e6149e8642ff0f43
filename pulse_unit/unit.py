"""`PulseUnit`: counts what the reed says, remembers it and tells the collector."""

from pulse_unit.battery import ChargeLedger
from pulse_unit.board import Board
from pulse_unit.config import UnitConfig
from pulse_unit.errors import ConfigError, StoreError
from pulse_unit.history import CountHistory
from pulse_unit.log import PulseLog
from pulse_unit.register import PulseRegister
from pulse_unit.schedule import interval_ms
from pulse_unit.store import (
    BOOT,
    COMMAND,
    FLAGS,
    MAGNET_BOOT,
    MAGNET_S,
    MESSAGE_LIMIT,
    TAMPER_BOOT,
    TAMPER_S,
    ReservedCounter,
    Store,
)
from shared.wire.command import open_command
from shared.wire.debounce import ReedDebouncer, debounce_times
from shared.wire.errors import WireError
from shared.wire.grid import DAY_S
from shared.wire.seal import seal_telegram
from shared.wire.telegram import (
    FLAG_EDGES,
    FLAG_LOW_BATTERY,
    FLAG_MAGNET,
    FLAG_NVM,
    FLAG_TAMPER,
    PulseTelegram,
    encode_records,
    status_byte,
)
from shared.wire.wmbus import frame_a

STATE_PAGES = 4  # of the memory: what must survive; 20 years at 20,000 pulses a month
LOG_PAGES_MIN = 2  # the rest is the log; 16 of 4 KiB hold 13 months

_FIRST_TELEGRAM_MS = 5_000
_MESSAGE_BLOCK = 256
_COMMAND_MAX = 0xFFFFFFFF  # its successor has no room
_SEEN_KEYS = {FLAG_TAMPER: (TAMPER_BOOT, TAMPER_S), FLAG_MAGNET: (MAGNET_BOOT, MAGNET_S)}


class PulseUnit:
    """The core of the unit. Time is ``uptime_ms``: integer ms since this boot, never backwards.

    Building one is a boot: it is counted before anything else happens.

    Args:
        board: the hardware.
        config: what it is told.

    Raises:
        ConfigError: the memory is too small.
        StoreCorrupt: the memory has lost its counters; the unit must not send.
        StoreError: the boot could not be persisted.
    """

    def __init__(self, board: Board, config: UnitConfig) -> None:
        log_pages = board.nvm.page_count - STATE_PAGES
        if log_pages < LOG_PAGES_MIN:
            raise ConfigError("a unit needs %d pages of memory" % (STATE_PAGES + LOG_PAGES_MIN))
        self._board = board
        self._config = config
        self._store = Store(board.nvm, 0, STATE_PAGES)
        self._store.put(BOOT, (self._store.get(BOOT) + 1) & 0xFFFFFFFF)
        self._register = PulseRegister(self._store)
        self._messages = ReservedCounter(self._store, MESSAGE_LIMIT, _MESSAGE_BLOCK)
        self._history = CountHistory(board.nvm, STATE_PAGES, log_pages)
        self._log = PulseLog(self._history, config.history)
        self._log.begin(self._store.get(BOOT), self._register.count)
        self._battery = ChargeLedger(self._store, config.battery, DAY_S // config.telegram_period_s)
        closing_ms, opening_ms = debounce_times(config.pulse_weight_nl, config.flow_max_l_per_h)
        self._reed = ReedDebouncer(closing_ms, opening_ms, board.is_reed_closed())
        self._now_ms = 0
        self._telegram_ms = _FIRST_TELEGRAM_MS
        self._window_end_ms = -1

    @property
    def count(self) -> int:
        """Pulses since the unit was made, modulo 2^32."""
        return self._register.count

    @property
    def boot(self) -> int:
        """The reset counter: how many boots there were, this one included."""
        return self._store.get(BOOT)

    @property
    def history(self) -> CountHistory:
        """Thirteen months of counts."""
        return self._history

    @property
    def error_flags(self) -> int:
        """What a telegram sent now would report as wrong."""
        flags = self._store.get(FLAGS)
        if self._battery.left_d < self._config.battery.low_d:
            flags |= FLAG_LOW_BATTERY
        if self._store.faults or self._history.faults or self._register.pending:
            flags |= FLAG_NVM
        if self._board.edges.lost:
            flags |= FLAG_EDGES
        return flags

    def first_seen(self, flag: int) -> "tuple[int, int] | None":
        """Return the boot and its uptime in seconds when a tamper flag was first seen."""
        if not self._store.get(FLAGS) & flag:
            return None
        boot_key, uptime_key = _SEEN_KEYS[flag]
        return self._store.get(boot_key), self._store.get(uptime_key)

    def next_timer(self) -> int:
        """Return the uptime in ms at which `handle_timer` has something to do."""
        due_ms = min(self._telegram_ms, self._log.next_ms)
        for other_ms in (self._board.edges.next_ms(self._now_ms), self._reed.next_timer()):
            if other_ms is not None and other_ms < due_ms:
                due_ms = other_ms
        return due_ms

    def handle_timer(self, uptime_ms: int) -> None:
        """Do all that is due by ``uptime_ms``: edges, pulses and grid ticks in order, a telegram.

        After a long sleep every tick is logged; of the telegrams that were due one is sent.
        """
        self._catch_up(uptime_ms)
        if uptime_ms >= self._telegram_ms:
            self._send(uptime_ms)

    def see_tamper(self, flag: int, uptime_ms: int) -> None:
        """Latch `FLAG_TAMPER` (the loop is open) or `FLAG_MAGNET`, and when it was first seen."""
        flags = self._store.get(FLAGS)
        if flags & flag:
            return
        boot_key, uptime_key = _SEEN_KEYS[flag]
        try:
            self._store.put(boot_key, self.boot)
            self._store.put(uptime_key, uptime_ms // 1000)
            self._store.put(FLAGS, flags | flag)
        except StoreError:
            pass  # the memory's own flag is up, and the switch is seen again

    def receive_command(self, data: bytes, uptime_ms: int) -> bool:
        """Obey an authentic, new command that came in the reply window; return whether it did."""
        if uptime_ms > self._window_end_ms:
            return False
        obeyed = self._store.get(COMMAND)
        last_counter = obeyed - 1 if obeyed else None
        try:
            command = open_command(self._board.aes, self._board.key, data, last_counter)
            if command.counter >= _COMMAND_MAX:
                return False
            # Persisted first: whatever power does, it is obeyed once at most.
            self._store.put(COMMAND, command.counter + 1)
        except (WireError, StoreError):
            return False
        self._catch_up(uptime_ms)
        self._log.rephase(command.since_boundary_ms, uptime_ms)
        return True

    def _catch_up(self, uptime_ms: int) -> None:
        self._now_ms = uptime_ms
        while True:
            edge_ms = self._board.edges.next_ms(uptime_ms)
            until_ms = uptime_ms if edge_ms is None else min(edge_ms, uptime_ms)
            self._settle(until_ms)
            if edge_ms is None or edge_ms > uptime_ms:
                return
            self._reed.edge(self._board.edges.take(), edge_ms)

    def _settle(self, until_ms: int) -> None:
        """Take the pulse and log the grid ticks that are due while the reed's level stays."""
        settle_ms = self._reed.next_timer()
        if settle_ms is not None and settle_ms <= until_ms:
            self._tick(settle_ms - 1)
            if self._reed.settle(settle_ms):
                self._battery.pulse()
                if self._register.add(1):
                    self._log.pulse(settle_ms)
        self._tick(until_ms)

    def _tick(self, until_ms: int) -> None:
        while self._log.next_ms <= until_ms:
            self._log.tick(self._register.count)

    def _send(self, uptime_ms: int) -> None:
        uptime_s = uptime_ms // 1000
        self._telegram_ms = uptime_ms + self._config.telegram_period_s * 1000
        self._battery.rest(uptime_s)
        if self._register.pending and self._register.add(0):
            self._log.pulse(uptime_ms)  # these count from here on, whenever the reed closed
        try:
            counter = self._messages.take()
        except StoreError:
            return  # a counter that is not persisted would be used again after a reset
        self._battery.telegram()
        telegram = self._telegram(uptime_s)
        access_number = counter & 0xFF
        link = seal_telegram(
            self._board.aes,
            self._board.key,
            self._board.serial,
            encode_records(telegram, self._config.history),
            counter,
            access_number,
            status_byte(telegram.error_flags),
        )
        self._board.transmit(frame_a(link), uptime_ms)
        period_ms = self._config.telegram_period_s * 1000
        self._telegram_ms = uptime_ms + interval_ms(period_ms, access_number)
        self._window_end_ms = uptime_ms + self._config.reply_window_ms

    def _telegram(self, uptime_s: int) -> PulseTelegram:
        log = self._log
        count = self._register.count
        age_s = None if log.last_pulse_s < 0 else uptime_s - log.last_pulse_s
        return PulseTelegram(
            count=count,
            volume_l=self._config.volume_l(count),
            uptime_s=uptime_s & 0xFFFFFFFF,
            last_pulse_age_s=age_s,
            battery_left_d=self._battery.left_d,
            error_flags=self.error_flags,
            reset_counter=self.boot & 0xFFFF,
            grid_count=log.grid_count,
            grid_age_s=uptime_s - log.grid_tick_s,
            increments=log.recent(),
        )
