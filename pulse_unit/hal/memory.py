"""Memories with the manners of flash: one in RAM, one in a file."""

from array import array

from pulse_unit.nvm import Nvm

_PAGE_SIZE = 4096
_WRITE_SIZE = 8


class MemoryNvm(Nvm):
    """A flash in RAM that refuses what flash cannot do, and counts what wears it."""

    def __init__(
        self, page_count: int, page_size: int = _PAGE_SIZE, write_size: int = _WRITE_SIZE
    ) -> None:
        self.page_count = page_count
        self.page_size = page_size
        self.write_size = write_size
        self.image = bytearray(b"\xff" * (page_count * page_size))
        self.erases = array("I", [0] * page_count)  # per page
        self.operations = 0  # writes and erases

    def read_into(self, address: int, buffer: "bytearray | memoryview") -> None:
        """See `Nvm`."""
        buffer[:] = self.image[address : address + len(buffer)]

    def write(self, address: int, data: "bytes | bytearray") -> None:
        """See `Nvm`.

        Raises:
            ValueError: flash cannot do this: units written twice, or not whole.
        """
        end = address + len(data)
        if address % self.write_size or len(data) % self.write_size:
            raise ValueError("a flash writes whole units of %d bytes" % self.write_size)
        for index in range(address, end):
            if self.image[index] != 0xFF:
                raise ValueError("a flash writes a unit once between erases")
        self.operations += 1
        self.image[address:end] = data

    def erase(self, page: int) -> None:
        """See `Nvm`."""
        self.operations += 1
        self.erases[page] += 1
        start = page * self.page_size
        self.image[start : start + self.page_size] = b"\xff" * self.page_size

    def packed(self) -> bytes:
        """Return the image without the blank ends of pages: a few bytes at first."""
        packed = bytearray()
        for start in range(0, len(self.image), self.page_size):
            used = bytes(self.image[start : start + self.page_size]).rstrip(b"\xff")
            packed += len(used).to_bytes(4, "little") + used
        return bytes(packed)

    def unpack(self, packed: bytes) -> None:
        """Take an image that `packed` returned, of a memory of the same shape.

        Raises:
            ValueError: it is not one.
        """
        image = bytearray(b"\xff" * len(self.image))
        offset = 0
        for page in range(self.page_count):
            used = int.from_bytes(packed[offset : offset + 4], "little")
            data = packed[offset + 4 : offset + 4 + used]
            if used > self.page_size or len(data) != used or offset + 4 > len(packed):
                raise ValueError("this is no image of a unit's memory")
            image[page * self.page_size : page * self.page_size + used] = data
            offset += 4 + used
        if offset != len(packed):
            raise ValueError("this is no image of a unit's memory")
        self.image = image


class FileNvm(Nvm):
    """A flash in a file, which is made if it is missing: a Linux board's, or a test's."""

    def __init__(
        self, path: str, page_count: int, page_size: int = _PAGE_SIZE, write_size: int = _WRITE_SIZE
    ) -> None:
        self.page_count = page_count
        self.page_size = page_size
        self.write_size = write_size
        try:
            self._file = open(path, "r+b")  # noqa: SIM115  open until `close`
        except OSError:
            self._file = open(path, "w+b")  # noqa: SIM115  open until `close`
            for page in range(page_count):
                self.erase(page)

    def read_into(self, address: int, buffer: "bytearray | memoryview") -> None:
        """See `Nvm`."""
        self._file.seek(address)
        self._file.readinto(buffer)

    def write(self, address: int, data: "bytes | bytearray") -> None:
        """See `Nvm`."""
        self._file.seek(address)
        self._file.write(data)
        self._file.flush()

    def erase(self, page: int) -> None:
        """See `Nvm`."""
        self._file.seek(page * self.page_size)
        for _ in range(0, self.page_size, 64):
            self._file.write(b"\xff" * 64)
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
