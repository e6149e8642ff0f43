"""What the firmware asks of a non-volatile memory, and the check sum of what it keeps there."""

from binascii import crc32


class Nvm:
    """A flash-like memory: pages are erased to ones, units of ``write_size`` are written once.

    Memories without such limits (EEPROM, FRAM, a file) behave as if they had them. Any operation
    may be cut short by a loss of power; what it leaves then is anybody's guess within the page
    (erase) or the written bytes (write).
    """

    page_size = 4096  # bytes erased together
    page_count = 0
    write_size = 8  # bytes written together

    def read_into(self, address: int, buffer: "bytearray | memoryview") -> None:
        """Fill ``buffer`` from ``address`` on."""
        raise NotImplementedError

    def write(self, address: int, data: "bytes | bytearray") -> None:
        """Write whole units that are blank, at a multiple of ``write_size``."""
        raise NotImplementedError

    def erase(self, page: int) -> None:
        """Set every byte of a page to FF."""
        raise NotImplementedError


class Slots:
    """Pages seen as rings of 8-byte records; each fits a write unit and is checked by itself.

    A record's check is seeded with its page's sequence number and its place, so that nothing left
    over from an earlier use of the page is ever taken for a record of this one.
    """

    RECORD = 8

    def __init__(self, nvm: Nvm, first_page: int, page_count: int) -> None:
        self.nvm = nvm
        self.page_count = page_count
        self._first_page = first_page
        self._stride = max(self.RECORD, nvm.write_size)
        self.per_page = nvm.page_size // self._stride
        self._unit = bytearray(self._stride)
        self._seen = bytearray(self._stride)
        self._blank = bytes([0xFF]) * self._stride
        self._placed = bytearray(6 + self.RECORD)
        self.faults = 0  # writes that read back otherwise

    def address(self, page: int, slot: int) -> int:
        """Return where a slot of one of these pages lies in the memory."""
        return (self._first_page + page) * self.nvm.page_size + slot * self._stride

    def read(self, page: int, slot: int) -> bytearray:
        """Return a slot's bytes, in a buffer that the next call fills again."""
        self.nvm.read_into(self.address(page, slot), self._seen)
        return self._seen

    def erase(self, page: int) -> None:
        """Erase one of these pages."""
        self.nvm.erase(self._first_page + page)

    def write(self, page: int, slot: int, record: "bytes | bytearray") -> bool:
        """Write a record of 8 bytes; return whether it reads back as written."""
        self._unit[: self.RECORD] = record
        for index in range(self.RECORD, self._stride):
            self._unit[index] = 0
        self.nvm.write(self.address(page, slot), self._unit)
        if self.read(page, slot) == self._unit:
            return True
        self.faults += 1
        return False

    def is_blank(self, page: int, slot: int) -> bool:
        """Tell whether nothing was ever written to a slot since its page was erased."""
        self.read(page, slot)
        return self._seen == self._blank

    def first_blank(self, page: int) -> int:
        """Return the slot after the last one that is not blank (`per_page` if the page is full).

        Slots fill in order, yet a torn write may have left a blank one among them.
        """
        slot = self.per_page
        while slot and self.is_blank(page, slot - 1):
            slot -= 1
        return slot

    def check(self, sequence: int, slot: int, record: "bytes | bytearray", length: int) -> int:
        """Return the 32-bit check of the first ``length`` bytes of a record at its place."""
        placed = self._placed
        placed[0:4] = sequence.to_bytes(4, "little")
        placed[4:6] = slot.to_bytes(2, "little")
        placed[6:] = record[: self.RECORD]
        return crc32(memoryview(placed)[: 6 + length])
