"""Data records (EN 13757-3): what a meter says, cut into value, unit and place.

`parse_records` only cuts; `shared.wire.values` reads a record's bytes, `shared.wire.vif` its unit.
"""

from shared.wire.cursor import Cursor
from shared.wire.errors import Malformed, Unsupported

FUNCTIONS = ("instantaneous", "maximum", "minimum", "error")

CODING_REAL = 0x5
CODING_VARIABLE = 0xD
CODING_MANUFACTURER = 0xF

EXTENSIONS_MAX = 10  # DIFEs, and VIFEs, of one record
TEXT_MAX = 191

_EXTENSION = 0x80
_FILLER = 0x2F
_VIF_TEXT = 0x7C
_SIZES = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 4, 6: 6, 7: 8, 8: 0, 9: 1, 10: 2, 11: 3, 12: 4, 14: 6}
_VARIABLE_LARGE = {0xF0: 16, 0xF1: 20, 0xF2: 24, 0xF3: 28, 0xF4: 32, 0xF5: 48, 0xF6: 64}


class Record:
    """One data record.

    Attributes:
        coding: the data field code: 1 to 4, 6, 7 binary, 5 real, 9 to 12, 14 decimal, 13 variable
            length, 15 the maker's own data (which ends the records and has no unit).
        function: index into `FUNCTIONS`.
        storage: 0 is now, others are past readings.
        tariff: 0 is the total.
        subunit: of several in one device.
        vif: VIF and VIFEs as sent, extension bits included.
        text: the unit in words where the VIF is plain text, else None.
        variable: the LVAR byte of coding 13, else None.
        data: the value's bytes.
        more: whether the maker's own data announce further messages.
        spacing: of a history entry: (number, "s" | "min" | "h" | "d" | "month" | "half_month").
    """

    __slots__ = (
        "coding",
        "data",
        "function",
        "more",
        "spacing",
        "storage",
        "subunit",
        "tariff",
        "text",
        "variable",
        "vif",
    )

    def __init__(
        self,
        coding: int,
        vif: bytes,
        data: bytes,
        *,
        function: int = 0,
        storage: int = 0,
        tariff: int = 0,
        subunit: int = 0,
        text: "str | None" = None,
        variable: "int | None" = None,
        more: bool = False,
        spacing: "tuple[int, str] | None" = None,
    ) -> None:
        self.coding = coding
        self.vif = vif
        self.data = data
        self.function = function
        self.storage = storage
        self.tariff = tariff
        self.subunit = subunit
        self.text = text
        self.variable = variable
        self.more = more
        self.spacing = spacing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def __repr__(self) -> str:
        return "Record(%d, %s, %s, function=%d, storage=%d, tariff=%d, subunit=%d)" % (
            self.coding,
            self.vif.hex(),
            self.data.hex(),
            self.function,
            self.storage,
            self.tariff,
            self.subunit,
        )

    def _fields(self) -> "tuple[object, ...]":
        place = (self.function, self.storage, self.tariff, self.subunit, self.spacing)
        return (self.coding, self.vif, self.data, self.text, self.variable, self.more, place)


def parse_records(data: bytes) -> "list[Record]":
    """Return the records in ``data``, fillers left out.

    Raises:
        Truncated: if the last record runs past the end.
        Malformed: for more than `EXTENSIONS_MAX` extension bytes, or a text too long.
        Unsupported: for a reserved data field or length code.
    """
    cursor = Cursor(data)
    records = []
    while cursor.remaining:
        dif = cursor.u8()
        if dif == _FILLER:
            continue
        if dif in (0x0F, 0x1F):
            own = Record(CODING_MANUFACTURER, b"", cursor.rest(), more=dif == 0x1F)
            records.append(own)
        elif dif & 0x0F == 0x0F:
            raise Unsupported("the data field %02X is reserved" % dif)
        else:
            records.append(_parse_record(cursor, dif))
    return records


def heads_of(data: bytes) -> bytes:
    """Return the heads of the records in ``data`` in a row, as sent, without their values.

    Raises:
        Unsupported: for values whose length their heads do not tell, or as `parse_records`.
        WireError: as `parse_records`.
    """
    cursor = Cursor(data)
    heads = bytearray()
    while cursor.remaining:
        dif = cursor.u8()
        if dif == _FILLER:
            continue
        start = cursor.position - 1
        size = _fixed_size(_parse_head(cursor, dif))
        heads += data[start : cursor.position]
        cursor.take(size)
    return bytes(heads)


def cut_heads(heads: bytes) -> "list[tuple[bytes, int]]":
    """Return each of the ``heads`` of `heads_of`, and how many bytes its value has.

    Raises:
        WireError: as `heads_of`.
    """
    cursor = Cursor(heads)
    cut = []
    while cursor.remaining:
        start = cursor.position
        size = _fixed_size(_parse_head(cursor, cursor.u8()))
        cut.append((bytes(heads[start : cursor.position]), size))
    return cut


def encode_record(record: Record) -> bytes:
    """Return the bytes of ``record``: the inverse of `parse_records` for one.

    Raises:
        Malformed: for a storage, tariff or subunit number beyond what ten DIFEs can say.
    """
    if record.coding == CODING_MANUFACTURER:
        return bytes([0x1F if record.more else 0x0F]) + record.data
    encoded = bytearray(_encoded_dib(record))
    encoded += record.vif[:1]
    if record.text is not None:
        encoded += _encoded_text(record.text)
    encoded += record.vif[1:]
    if record.variable is not None:
        encoded.append(record.variable)
    encoded += record.data
    return bytes(encoded)


def parse_head(data: bytes) -> Record:
    """Return the record that ``data``, from its DIF to its last VIFE, begins; it has no value.

    Raises:
        Truncated: if it ends before the last extension byte.
        Malformed: if more follows, or as `parse_records`.
        Unsupported: for a reserved data field, or one that has no VIF.
    """
    cursor = Cursor(data)
    dif = cursor.u8()
    if dif & 0x0F == 0x0F:
        raise Unsupported("the data field %02X heads no record with a unit" % dif)
    head = _parse_head(cursor, dif)
    if cursor.remaining:
        raise Malformed("%d bytes after the head of a record" % cursor.remaining)
    return head


def _fixed_size(head: Record) -> int:
    size = _SIZES.get(head.coding)
    if size is None:
        raise Unsupported("a value of coding %X has no length of its own" % head.coding)
    return size


def _parse_record(cursor: Cursor, dif: int) -> Record:
    record = _parse_head(cursor, dif)
    size = _SIZES.get(record.coding)
    if size is None:
        record.variable = cursor.u8()
        size = _variable_size(record.variable)
    record.data = cursor.take(size)
    return record


def _parse_head(cursor: Cursor, dif: int) -> Record:
    storage = dif >> 6 & 1
    tariff = 0
    subunit = 0
    byte = dif
    extensions = 0
    while byte & _EXTENSION:
        if extensions == EXTENSIONS_MAX:
            raise Malformed("a record with more than %d DIFEs" % EXTENSIONS_MAX)
        byte = cursor.u8()
        storage |= (byte & 0x0F) << (1 + 4 * extensions)
        tariff |= (byte >> 4 & 3) << (2 * extensions)
        subunit |= (byte >> 6 & 1) << extensions
        extensions += 1
    vif, text = _parse_vib(cursor)
    return Record(
        dif & 0x0F,
        vif,
        b"",
        function=dif >> 4 & 3,
        storage=storage,
        tariff=tariff,
        subunit=subunit,
        text=text,
    )


def _parse_vib(cursor: Cursor) -> "tuple[bytes, str | None]":
    byte = cursor.u8()
    vif = bytearray([byte])
    text = None
    if byte & 0x7F == _VIF_TEXT:
        length = cursor.u8()
        if length > TEXT_MAX:
            raise Malformed("a unit's text of %d characters" % length)
        text = text_of(cursor.take(length))
    while byte & _EXTENSION:
        if len(vif) > EXTENSIONS_MAX:
            raise Malformed("a record with more than %d VIFEs" % EXTENSIONS_MAX)
        byte = cursor.u8()
        vif.append(byte)
    return bytes(vif), text


def text_of(data: bytes) -> str:
    """Return the text of ``data`` (ISO 8859-1), which is sent last character first."""
    return "".join([chr(byte) for byte in reversed(data)])


def _variable_size(variable: int) -> int:
    if variable <= TEXT_MAX:
        return variable
    if 0xC0 <= variable <= 0xC9 or 0xD0 <= variable <= 0xD9 or 0xE0 <= variable <= 0xEF:
        return variable & 0x0F
    size = _VARIABLE_LARGE.get(variable)
    if size is None:
        raise Unsupported("the length code %02X is reserved" % variable)
    return size


def _encoded_dib(record: Record) -> bytes:
    encoded = [record.coding | record.function << 4 | (record.storage & 1) << 6]
    storage = record.storage >> 1
    tariff = record.tariff
    subunit = record.subunit
    while storage or tariff or subunit:
        if len(encoded) > EXTENSIONS_MAX:
            raise Malformed("no record has so high a storage, tariff or subunit number")
        encoded[-1] |= _EXTENSION
        encoded.append((storage & 0x0F) | (tariff & 3) << 4 | (subunit & 1) << 6)
        storage >>= 4
        tariff >>= 2
        subunit >>= 1
    return bytes(encoded)


def _encoded_text(text: str) -> bytes:
    if len(text) > TEXT_MAX:
        raise Malformed("a unit's text of %d characters" % len(text))
    codes = [ord(letter) for letter in reversed(text)]
    if codes and max(codes) > 0xFF:
        raise Malformed("a unit's text is in ISO 8859-1")
    return bytes([len(codes)]) + bytes(codes)
