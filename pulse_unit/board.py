"""What the firmware asks of a board."""

from pulse_unit.edges import EdgeBuffer
from pulse_unit.nvm import Nvm
from shared.crypto.block import BlockCipher


class Board:
    """The edge between the core and its hardware: one virtual, one per real board.

    Attributes:
        serial: eight digits, as on the label.
        key: the unit's 16-byte key.
        aes: the AES block class of its backend.
        nvm: its memory: `pulse_unit.unit.STATE_PAGES` and then the log.
        edges: where its interrupt records the reed's edges.
    """

    serial: str
    key: bytes
    aes: "type[BlockCipher]"
    nvm: Nvm
    edges: EdgeBuffer

    def is_reed_closed(self) -> bool:
        """Return the contact's level now."""
        raise NotImplementedError

    def transmit(self, frame: bytes, uptime_ms: int) -> None:
        """Send a radio frame, format A, and open the receiver for the reply window after it."""
        raise NotImplementedError

    def take_command(self) -> "bytes | None":
        """Return what the receiver has heard since the last call, if anything."""
        raise NotImplementedError

    def uptime_ms(self) -> int:
        """Return the time since this boot in ms."""
        raise NotImplementedError

    def sleep_until(self, uptime_ms: int) -> int:
        """Sleep until then, an edge or a command, whichever is first; return `uptime_ms` now."""
        raise NotImplementedError

    def is_powered(self) -> bool:
        """Return whether to go on; a real board has no other answer."""
        return True
