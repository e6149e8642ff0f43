"""What the firmware asks of a board."""

from pulse_unit.edges import EdgeBuffer
from pulse_unit.nvm import Nvm
from shared.crypto.block import BlockCipher

TYPE_CHECKING = False  # MicroPython has no typing; a checker knows this name
if TYPE_CHECKING:
    from pulse_unit.battery import BatteryFigures
    from pulse_unit.unit import PulseUnit

INPUT_TAMPER = 0x01  # the tamper loop is open
INPUT_MAGNET = 0x02
INPUT_BUTTON = 0x04


class Board:
    """The edge between the core and its hardware: one virtual, one per real board.

    Times are ms of uptime; the core gives its own, so that a simulation needs no clock.

    Attributes:
        serial: eight digits, as on the label.
        key: the unit's 16-byte key.
        aes: the AES block class of its backend.
        nvm: its memory: `pulse_unit.unit.STATE_PAGES` and then the log.
        edges: where its interrupt records the reed's edges.
        figures: what it takes from its battery.
        address: six bytes of its Bluetooth address, first byte first; None without Bluetooth.
        has_radio: whether it sends wireless M-Bus.
    """

    serial: str
    key: bytes
    aes: "type[BlockCipher]"
    nvm: Nvm
    edges: EdgeBuffer
    figures: "BatteryFigures"
    address: "bytes | None" = None
    has_radio = True

    def is_reed_closed(self) -> bool:
        """Return the contact's level now, also while it is parked."""
        raise NotImplementedError

    def park_reed(self, parked: bool, uptime_ms: int) -> None:
        """Switch the pull-up and the edges' interrupt off, or on again.

        A contact that is watched again records its level as an edge: it may have changed meanwhile.
        """
        raise NotImplementedError

    def take_inputs(self) -> int:
        """Return `INPUT_TAMPER`, `_MAGNET`, `_BUTTON`: what is on, or was since the last call.

        Each of their changes ends `sleep_until`.
        """
        return 0

    def transmit(self, frame: bytes, uptime_ms: int) -> None:
        """Send a radio frame, format A, and open the receiver for the reply window after it."""

    def advertise(self, data: bytes, uptime_ms: int) -> None:
        """Send ``data`` once, at most 31 bytes, in an advert that nobody can connect to."""

    def open_window(self, data: bytes, uptime_ms: int, until_ms: int) -> None:
        """Advertise ``data`` so that centrals can connect; called again when ``data`` changes."""

    def close_window(self) -> None:
        """End the connectable window; connections that are open stay."""

    def uptime_ms(self) -> int:
        """Return the time since this boot in ms."""
        raise NotImplementedError

    def sleep_until(self, uptime_ms: int) -> int:
        """Sleep until then, an edge, an input or bytes; return `uptime_ms` now."""
        raise NotImplementedError

    def serve(self, unit: "PulseUnit") -> None:
        """Hand over what has come in: commands by radio, requests over Bluetooth or a wire."""

    def is_powered(self) -> bool:
        """Return whether to go on; a real board has no other answer."""
        return True
