"""A unit without hardware: its memory, its reed, its radio and a clock that drifts."""

from pulse_unit.battery import BatteryFigures
from pulse_unit.board import Board
from pulse_unit.boards import stm32wb
from pulse_unit.config import UnitConfig
from pulse_unit.edges import TICK_MASK, EdgeBuffer
from pulse_unit.errors import ConfigError
from pulse_unit.hal.memory import MemoryNvm
from pulse_unit.hal.simulated_reed import pulse_edges
from pulse_unit.nvm import Nvm
from pulse_unit.unit import LOG_PAGES_MIN, PAGES, STATE_PAGES, PulseUnit
from shared.crypto.block import BlockCipher
from shared.crypto.host import host_aes
from shared.wire.address import is_serial
from shared.wire.advert import ADVERTISING_MAX
from shared.wire.debounce import debounce_times, period_min_ms

_MILLION = 1_000_000


class VirtualBoard(Board):
    """A board whose hardware is a few Python values; also runs under MicroPython.

    Attributes:
        sent: (uptime_ms, frame) of what was transmitted, until its owner takes it.
        adverts: (uptime_ms, data) of what was advertised, in a window or not, likewise.
        window_end_ms: until when centrals can connect; -1 when they cannot.
        is_parked: whether nobody watches the reed's edges.
        inputs: what the other switches say: `INPUT_TAMPER`, `INPUT_MAGNET`, `INPUT_BUTTON`.
        coming: (uptime_ms, closed) of edges to come while `pulse_unit.main` runs, in order.
        power_off_ms: when `pulse_unit.main` stops.
    """

    def __init__(
        self,
        serial: str,
        key: bytes,
        nvm: Nvm,
        aes: "type[BlockCipher] | None" = None,
        *,
        closed: bool = False,
        address: "bytes | None" = None,
        figures: "BatteryFigures | None" = None,
    ) -> None:
        if not is_serial(serial):
            raise ConfigError("a serial has eight digits")
        if len(key) != 16:
            raise ConfigError("a key has 16 bytes")
        self.serial = serial
        self.key = key
        self.aes = aes or host_aes()
        self.nvm = nvm
        self.edges = EdgeBuffer()
        self.address = address
        self.figures = figures or stm32wb()
        self.sent: "list[tuple[int, bytes]]" = []
        self.adverts: "list[tuple[int, bytes]]" = []
        self.window_end_ms = -1
        self.inputs = 0
        self.coming: "list[tuple[int, bool]]" = []
        self.power_off_ms = 0
        self._now_ms = 0
        self._heard: "bytes | None" = None
        self._closed = closed
        self.is_parked = False

    def is_reed_closed(self) -> bool:
        """See `Board`."""
        return self._closed

    def park_reed(self, parked: bool, uptime_ms: int) -> None:
        """See `Board`."""
        self.is_parked = parked
        if not parked:
            self.edges.record(self._closed, uptime_ms & TICK_MASK)

    def take_inputs(self) -> int:
        """See `Board`."""
        return self.inputs

    def transmit(self, frame: bytes, uptime_ms: int) -> None:
        """See `Board`."""
        self.sent.append((uptime_ms, frame))

    def advertise(self, data: bytes, uptime_ms: int) -> None:
        """See `Board`."""
        if len(data) > ADVERTISING_MAX:
            raise ConfigError("an advert has %d bytes" % len(data))
        self.adverts.append((uptime_ms, data))

    def open_window(self, data: bytes, uptime_ms: int, until_ms: int) -> None:
        """See `Board`."""
        self.advertise(data, uptime_ms)
        self.window_end_ms = until_ms

    def close_window(self) -> None:
        """See `Board`."""
        self.window_end_ms = -1

    def serve(self, unit: PulseUnit) -> None:
        """See `Board`."""
        heard = self._heard
        self._heard = None
        if heard is not None:
            unit.receive_command(heard, self._now_ms)

    def uptime_ms(self) -> int:
        """See `Board`."""
        return self._now_ms

    def sleep_until(self, uptime_ms: int) -> int:
        """See `Board`."""
        if self.coming and self.coming[0][0] <= uptime_ms:
            self._now_ms, closed = self.coming.pop(0)
            self.interrupt(closed, self._now_ms)
        else:
            self._now_ms = max(self._now_ms, uptime_ms)
        return self._now_ms

    def is_powered(self) -> bool:
        """See `Board`."""
        return self._now_ms < self.power_off_ms

    def hear(self, data: bytes) -> None:
        """Bring a command to the receiver."""
        self._heard = data

    def interrupt(self, closed: bool, uptime_ms: int) -> None:
        """Move the pin: what an edge's interrupt does."""
        self._closed = closed
        if not self.is_parked:
            self.edges.record(closed, uptime_ms & TICK_MASK)


class VirtualUnit:
    """A whole unit on a virtual board, driven in UTC: what a simulation or a test holds.

    Building one is a boot. Its memory, `nvm`, is what a next boot is built from; all else is lost
    with the power. Instants are integer ms UTC, in time order.

    Args:
        serial: eight digits.
        key: 16 bytes.
        config: what the unit is told.
        nvm: an image from `nvm`; None for a new unit.
        boot_utc_ms: when this boot happens.
        drift_ppm: how fast its clock is; -100 to 100 or so.
        closed: whether the reed is closed at boot.
        address: six bytes of its Bluetooth address; None without Bluetooth.

    Raises:
        ConfigError: for a serial or key of another form.
        ValueError: ``nvm`` is no image.
    """

    def __init__(
        self,
        serial: str,
        key: bytes,
        config: UnitConfig,
        *,
        nvm: "bytes | None" = None,
        boot_utc_ms: int,
        drift_ppm: int = 0,
        closed: bool = False,
        address: "bytes | None" = None,
        pages: int = PAGES,
    ) -> None:
        self._memory = MemoryNvm(max(pages, STATE_PAGES + LOG_PAGES_MIN))
        if nvm is not None:
            self._memory.unpack(nvm)
        self._board = VirtualBoard(serial, key, self._memory, closed=closed, address=address)
        self._boot_utc_ms = boot_utc_ms
        self._rate = _MILLION + drift_ppm
        self._reed_times = debounce_times(config.pulse_weight_nl, config.flow_max_l_per_h)
        self.period_ms = period_min_ms(config.pulse_weight_nl, config.flow_max_l_per_h)
        self._coming: "list[tuple[int, bool]]" = []
        self.unit = PulseUnit(self._board, config)

    @property
    def count(self) -> int:
        """Pulses since the unit was made, modulo 2^32."""
        return self.unit.count

    @property
    def boot(self) -> int:
        """The reset counter, this boot included."""
        return self.unit.boot

    @property
    def nvm(self) -> bytes:
        """The image of its memory, to persist and to boot from."""
        return self._memory.packed()

    @property
    def nvm_revision(self) -> int:
        """Rises whenever `nvm` changes: how many writes and erases there were since the boot."""
        return self._memory.operations

    def uptime_ms(self, utc_ms: int) -> int:
        """Return what the unit's own clock says at an instant."""
        return (utc_ms - self._boot_utc_ms) * self._rate // _MILLION

    def next_timer_utc_ms(self) -> int:
        """Return the instant at which `advance` has something to do."""
        timer_utc_ms = self._utc_ms(self.unit.next_timer())
        return min(timer_utc_ms, self._coming[0][0]) if self._coming else timer_utc_ms

    def pulse(self, closing_utc_ms: int, seed: int = 0) -> None:
        """Let the meter turn once: its reed closes then, bounces, opens and bounces in due course.

        Pulses come in order and at least `period_ms` apart; their edges happen as time advances.
        ``seed`` and instant give the bounce.
        """
        closing_ms, opening_ms = self._reed_times
        # A clock that is fast or slow may shorten a level by a millisecond.
        self._coming += pulse_edges(
            closing_utc_ms, closing_ms + 1, opening_ms + 1, self.period_ms, seed
        )

    def edge(self, utc_ms: int, closed: bool) -> None:
        """Let the reed's contact change: a raw edge."""
        self._run(utc_ms)
        self._change(utc_ms, closed)

    def advance(self, utc_ms: int) -> "list[tuple[int, bytes]]":
        """Run every timer up to an instant; return what was sent: (instant, radio frame)."""
        self._run(utc_ms)
        sent = [(self._utc_ms(uptime_ms), frame) for uptime_ms, frame in self._board.sent]
        self._board.sent = []
        return sent

    def sleep(self, utc_ms: int) -> None:
        """Let time pass in which the reed rests, once what moves it now is over.

        Every tick is logged; of all that would have been sent meanwhile one telegram is, at the
        end. So a long time passes at once.
        """
        if self._coming:
            self._run(self._coming[-1][0])
        self.unit.handle_timer(self.uptime_ms(utc_ms))

    def take_adverts(self) -> "list[tuple[int, bytes]]":
        """Return what was advertised since the last call: (instant, advertising data)."""
        adverts = [(self._utc_ms(uptime_ms), data) for uptime_ms, data in self._board.adverts]
        self._board.adverts = []
        return adverts

    def press(self, inputs: int, utc_ms: int) -> None:
        """Set what the other switches say from now on: `INPUT_TAMPER`, `_MAGNET`, `_BUTTON`."""
        self._run(utc_ms)
        self._board.inputs = inputs
        self.unit.handle_timer(self.uptime_ms(utc_ms))

    def receive(self, data: bytes, utc_ms: int) -> bool:
        """Bring a command to its radio; return whether it was heard, authentic and new."""
        self._run(utc_ms)
        return self.unit.receive_command(data, self.uptime_ms(utc_ms))

    def see_tamper(self, flag: int, utc_ms: int) -> None:
        """Open the tamper loop or bring a magnet: `FLAG_TAMPER` or `FLAG_MAGNET`."""
        self._run(utc_ms)
        self.unit.see_tamper(flag, self.uptime_ms(utc_ms))

    def _run(self, utc_ms: int) -> None:
        while self._coming and self._coming[0][0] <= utc_ms:
            at_utc_ms, closed = self._coming.pop(0)
            self._serve(at_utc_ms)
            self._change(at_utc_ms, closed)
        self._serve(utc_ms)

    def _serve(self, utc_ms: int) -> None:
        now_ms = self.uptime_ms(utc_ms)
        while True:
            due_ms = self.unit.next_timer()
            if due_ms > now_ms:
                return
            self.unit.handle_timer(due_ms)

    def _change(self, utc_ms: int, closed: bool) -> None:
        uptime_ms = self.uptime_ms(utc_ms)
        self._board.interrupt(closed, uptime_ms)
        self.unit.handle_timer(uptime_ms)

    def _utc_ms(self, uptime_ms: int) -> int:
        """Return the first instant at which the unit's clock has reached ``uptime_ms``."""
        return self._boot_utc_ms - (-uptime_ms * _MILLION // self._rate)
