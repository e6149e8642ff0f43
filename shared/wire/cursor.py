"""Reading bytes in order, never past the end."""

from shared.wire.errors import Truncated


class Cursor:
    """A position in ``data``; every read advances it or raises `Truncated`."""

    __slots__ = ("data", "end", "position")

    def __init__(self, data: bytes, position: int = 0, end: "int | None" = None) -> None:
        self.data = data
        self.position = position
        self.end = len(data) if end is None else end

    @property
    def remaining(self) -> int:
        """How many bytes are left."""
        return self.end - self.position

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes.

        Raises:
            Truncated: if fewer are left.
        """
        start = self.position
        if not 0 <= count <= self.end - start:
            raise Truncated(
                "%d bytes wanted at offset %d and %d left" % (count, start, self.end - start)
            )
        self.position = start + count
        return bytes(self.data[start : self.position])

    def rest(self) -> bytes:
        """Return all bytes that are left."""
        return self.take(self.remaining)

    def u8(self) -> int:
        """Return the next byte."""
        return self.take(1)[0]

    def u16(self) -> int:
        """Return the next two bytes, low byte first."""
        return int.from_bytes(self.take(2), "little")

    def u32(self) -> int:
        """Return the next four bytes, low byte first."""
        return int.from_bytes(self.take(4), "little")
