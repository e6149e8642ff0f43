"""Compact frames (EN 13757-3, Annex G): values alone, whose heads an earlier full frame has told.

A compact frame names its format by a CRC over the heads (DIF to last VIFE) of all records in order,
and carries a CRC over the full frame's records. A reader that has seen one full frame of a format
can therefore tell what the values mean, and that they are what the meter would have said in full.
A format frame tells the heads alone.
"""

from shared.wire.crc import crc_en13757
from shared.wire.cursor import Cursor
from shared.wire.errors import BadCrc, Unsupported, WireError
from shared.wire.records import cut_heads, heads_of

FORMATS_MAX = 16

# Kamstrup's, which its meters send in full only in every eighth telegram
_KNOWN = (
    "02ff2004134413615b6167",
    "02ff20041392013ba1015b8101e7ff0f",
    "02ff2004134413a1015b8101e7ff0f",
    "02ff2004134413615b5167",
    "02ff2004134413",
    "02ff200413523b",
    "02ff2004134413426c523b615b616751678101e7ff0f06ff1b",
    "04ff234413523b06ff1b426c61675167023b04138101e7ff0f",
    "04ff2304134413426c023b92013ba2013b06ff1ba1015b91015ba10167",
    "030643060314426c022d01ff21",
    "030e430e0313426c022d01ff21",
    "040604ff0704ff080414043b0259025d04ff22026c44064414426c",
    "040404843c042b04ab3c",
)


class Formats:
    """The formats that are known: a maker's published ones, and what a meter's full frames taught.

    No more than `FORMATS_MAX` are learnt; the oldest give way.
    """

    def __init__(self) -> None:
        self._learnt: "list[bytes]" = []

    def learn(self, records: bytes) -> None:
        """Remember the format of a full frame's ``records``, if a compact frame could have it."""
        try:
            heads = heads_of(records)
        except WireError:
            return  # a format of variable lengths has no compact frame
        self._remember(heads)

    def learn_format(self, content: bytes) -> bytes:
        """Remember the format that a format frame's ``content`` tells; return its heads.

        In front of the heads stands their signature, and before that perhaps the length of both.

        Raises:
            WireError: if the heads are cut short, or not those of the signature.
        """
        heads = _signed(content[1:]) if content and content[0] == len(content) - 1 else None
        if heads is None:
            heads = _signed(content)
        if heads is None:
            raise BadCrc("the format's signature is not the one of its heads")
        cut_heads(heads)
        self._remember(heads)
        return heads

    def expand(self, content: bytes) -> bytes:
        """Return the records of a compact frame's ``content``, as a full frame has them.

        Raises:
            Truncated: if a value is cut short.
            Unsupported: if its format is not known.
            BadCrc: if the values are not those of the full frame.
        """
        cursor = Cursor(content)
        signature = cursor.u16()
        crc = cursor.u16()
        heads = self._named(signature)
        if heads is None:
            raise Unsupported("a compact frame of format %04X, not yet seen in full" % signature)
        records = bytearray()
        for head, size in heads:
            records += head
            records += cursor.take(size)
        expanded = bytes(records)
        if crc_en13757(expanded) != crc:
            raise BadCrc("the compact frame's values are not those of its full frame")
        return expanded + cursor.rest()

    def _remember(self, heads: bytes) -> None:
        if heads and heads not in self._learnt:
            self._learnt.append(heads)
            self._learnt = self._learnt[-FORMATS_MAX:]

    def _named(self, signature: int) -> "list[tuple[bytes, int]] | None":
        for heads in self._learnt + [bytes.fromhex(known) for known in _KNOWN]:
            if crc_en13757(heads) == signature:
                return cut_heads(heads)
        return None


def _signed(content: bytes) -> "bytes | None":
    """Return the heads behind a signature that is theirs, else None."""
    heads = bytes(content[2:])
    is_theirs = crc_en13757(heads) == int.from_bytes(content[:2], "little")
    return heads if heads and is_theirs else None
