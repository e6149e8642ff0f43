"""The tamper loop, the magnet sensor and the button: flags that stay, and the wish to install."""

from pulse_unit.board import INPUT_BUTTON, INPUT_MAGNET, INPUT_TAMPER, Board
from pulse_unit.errors import StoreError
from pulse_unit.store import BOOT, FLAGS, MAGNET_BOOT, MAGNET_S, TAMPER_BOOT, TAMPER_S, Store
from shared.wire.telegram import FLAG_MAGNET, FLAG_TAMPER

SWIPE_MAX_MS = 10_000  # a magnet that stays longer is no installer's

_SEEN_KEYS = {FLAG_TAMPER: (TAMPER_BOOT, TAMPER_S), FLAG_MAGNET: (MAGNET_BOOT, MAGNET_S)}


class Inputs:
    """What the unit's other switches say.

    A magnet that is gone within `SWIPE_MAX_MS` was an installer's swipe; one that stays raises its
    flag, with the instant at which it came.
    """

    def __init__(self, board: Board, store: Store) -> None:
        self._board = board
        self._store = store
        self._magnet_ms = -1  # when the magnet that is there now came; -1: there is none
        self._has_stayed = False  # for too long
        self._is_pressed = False

    @property
    def flags(self) -> int:
        """The tamper flags that stay until somebody clears them."""
        return self._store.get(FLAGS)

    def next_timer(self) -> "int | None":
        """Return the uptime at which a magnet has stayed too long for a swipe, or None."""
        if self._magnet_ms < 0 or self._has_stayed:
            return None
        return self._magnet_ms + SWIPE_MAX_MS

    def asks_to_install(self, uptime_ms: int) -> bool:
        """Look at the switches; return whether somebody asks to install the unit."""
        seen = self._board.take_inputs()
        if seen & INPUT_TAMPER:
            self.latch(FLAG_TAMPER, uptime_ms)
        pressed = bool(seen & INPUT_BUTTON)
        wanted = pressed and not self._is_pressed
        self._is_pressed = pressed
        return self._take_magnet(bool(seen & INPUT_MAGNET), uptime_ms) or wanted

    def latch(self, flag: int, uptime_ms: int) -> None:
        """Raise `FLAG_TAMPER` or `FLAG_MAGNET`, and remember when it was first seen."""
        flags = self._store.get(FLAGS)
        if flags & flag:
            return
        boot_key, uptime_key = _SEEN_KEYS[flag]
        try:
            self._store.put(boot_key, self._store.get(BOOT))
            self._store.put(uptime_key, uptime_ms // 1000)
            self._store.put(FLAGS, flags | flag)
        except StoreError:
            pass  # the memory's own flag is up, and the switch is seen again

    def clear(self, flags: int) -> bool:
        """Take flags down, until a switch raises them again; return whether it is persisted."""
        try:
            self._store.put(FLAGS, self._store.get(FLAGS) & ~flags & 0xFFFF)
        except StoreError:
            return False
        return True

    def first_seen(self, flag: int) -> "tuple[int, int] | None":
        """Return the boot and its uptime in s when a raised flag was first seen, else None."""
        if not self._store.get(FLAGS) & flag:
            return None
        boot_key, uptime_key = _SEEN_KEYS[flag]
        return self._store.get(boot_key), self._store.get(uptime_key)

    def _take_magnet(self, is_there: bool, uptime_ms: int) -> bool:
        """Follow the magnet; return whether it was just swiped."""
        if self._magnet_ms < 0:
            if is_there:
                self._magnet_ms = uptime_ms
                self._has_stayed = False
            return False
        if uptime_ms - self._magnet_ms >= SWIPE_MAX_MS:
            self._has_stayed = True
            self.latch(FLAG_MAGNET, self._magnet_ms)
        if is_there:
            return False
        self._magnet_ms = -1
        return not self._has_stayed
