"""The unit's memory in a partition of the ESP32's flash."""

from esp32 import Partition  # type: ignore[import-not-found]  # a board's

from pulse_unit.errors import ConfigError
from pulse_unit.nvm import Nvm

LABEL = "pulse"  # of a data partition of 80 KiB or more
PAGES = 20
_PAGE_SIZE = 4096
_ERASE = 6  # of the extended block protocol


class PartitionNvm(Nvm):
    """Twenty pages of a data partition.

    Raises:
        ConfigError: there is no such partition, or it is too small.
    """

    page_size = _PAGE_SIZE
    page_count = PAGES
    write_size = 8

    def __init__(self) -> None:
        found = Partition.find(Partition.TYPE_DATA, label=LABEL)
        if not found or found[0].info()[3] < PAGES * _PAGE_SIZE:
            raise ConfigError("there is no partition %s of %d pages" % (LABEL, PAGES))
        self._partition = found[0]

    def read_into(self, address: int, buffer: "bytearray | memoryview") -> None:
        """See `Nvm`."""
        self._partition.readblocks(address // _PAGE_SIZE, buffer, address % _PAGE_SIZE)

    def write(self, address: int, data: "bytes | bytearray") -> None:
        """See `Nvm`."""
        self._partition.writeblocks(address // _PAGE_SIZE, data, address % _PAGE_SIZE)

    def erase(self, page: int) -> None:
        """See `Nvm`."""
        self._partition.ioctl(_ERASE, page)
