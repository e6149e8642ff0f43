"""Radio frames of wireless M-Bus: formats A and B and their CRCs (EN 13757-4).

A *link frame* here is the frame without its CRCs: the L field (the number of bytes after it), the
C field, manufacturer, address and all that follows. `frame_a` and `frame_b` put the CRCs in,
`unframe` takes them out.
"""

from shared.wire.crc import crc_en13757
from shared.wire.errors import BadCrc, Malformed, Truncated

LINK_HEADER = 10
FRAME_MAX = 1 + 255 + 2 * 17  # L field, what it counts, format A's CRCs
_BLOCK_A = 16
_BLOCK_B = 128 - 2


def frame_a(link: bytes) -> bytes:
    """Return ``link`` in format A: a CRC after 10 bytes and after each 16 that follow.

    Raises:
        Malformed: if ``link`` is not a link frame.
    """
    _check_link(link)
    framed = bytearray()
    for start, end in _blocks_a(len(link)):
        piece = link[start:end]
        framed += piece
        framed += crc_en13757(piece).to_bytes(2, "big")
    return bytes(framed)


def frame_b(link: bytes) -> bytes:
    """Return ``link`` in format B: one CRC up to 128 bytes, two beyond, counted by the L field.

    Raises:
        Malformed: if ``link`` is not a link frame, or too long for this format.
    """
    _check_link(link)
    blocks = 1 if len(link) <= _BLOCK_B else 2
    length = len(link) - 1 + 2 * blocks
    if length > 255:
        raise Malformed("a frame of %d bytes is too long for format B" % len(link))
    body = bytes([length]) + link[1:]
    framed = bytearray()
    for start, end in ((0, _BLOCK_B), (_BLOCK_B, len(body))):
        piece = body[start:end]
        if piece:
            framed += piece
            framed += crc_en13757(piece).to_bytes(2, "big")
    return bytes(framed)


def unframe(frame: bytes, form: "str | None" = None) -> bytes:
    """Return the link frame in ``frame``.

    Args:
        frame: one whole received frame.
        form: "A", "B" or "none" (CRCs already taken off by the radio); None tells them apart by
            length and CRC.

    Raises:
        Truncated: if the frame is shorter than its L field says.
        BadCrc: if a CRC is wrong.
        Malformed: if the length fits no format.
    """
    if len(frame) < LINK_HEADER:
        raise Truncated("a radio frame has 10 bytes or more, not %d" % len(frame))
    length = frame[0] + 1
    if length < LINK_HEADER:
        raise Malformed("an L field of %d leaves no room for an address" % frame[0])
    if form == "A" or (form is None and len(frame) == _length_a(length)):
        return _without_crcs_a(frame, length)
    if len(frame) != length:
        if len(frame) < length:
            raise Truncated("the L field promises %d bytes, %d came" % (length, len(frame)))
        raise Malformed("%d bytes fit no frame with L = %d" % (len(frame), frame[0]))
    if form == "B" or (form is None and _is_b(frame)):
        return _without_crcs_b(frame)
    return bytes(frame)


def _check_link(link: bytes) -> None:
    if len(link) < LINK_HEADER or link[0] != len(link) - 1:
        raise Malformed("not a link frame: its L field does not count its bytes")


def _blocks_a(length: int) -> "list[tuple[int, int]]":
    starts = range(LINK_HEADER, length, _BLOCK_A)
    return [(0, LINK_HEADER)] + [(start, min(start + _BLOCK_A, length)) for start in starts]


def _length_a(length: int) -> int:
    return length + 2 * (1 + (length - LINK_HEADER + _BLOCK_A - 1) // _BLOCK_A)


def _without_crcs_a(frame: bytes, length: int) -> bytes:
    if len(frame) != _length_a(length):
        if len(frame) < _length_a(length):
            raise Truncated("L = %d in format A is more than %d bytes" % (length - 1, len(frame)))
        raise Malformed("%d bytes are too many for L = %d" % (len(frame), length - 1))
    link = bytearray()
    offset = 0
    for start, end in _blocks_a(length):
        piece = frame[offset : offset + end - start]
        offset += end - start
        _check_crc(piece, frame[offset : offset + 2])
        offset += 2
        link += piece
    return bytes(link)


def _without_crcs_b(frame: bytes) -> bytes:
    link = bytearray()
    for start, end in ((0, 128), (128, len(frame))):
        piece = frame[start:end]
        if not piece:
            continue
        if len(piece) < 3:
            raise Malformed("format B's second block has no room for its CRC")
        _check_crc(piece[:-2], piece[-2:])
        link += piece[:-2]
    if len(link) < LINK_HEADER:
        raise Malformed("a radio frame has an address of 8 bytes")
    link[0] = len(link) - 1
    return bytes(link)


def _is_b(frame: bytes) -> bool:
    first = frame[:128]
    return crc_en13757(first[:-2]) == int.from_bytes(first[-2:], "big")


def _check_crc(piece: bytes, crc: bytes) -> None:
    if crc_en13757(piece) != int.from_bytes(crc, "big"):
        raise BadCrc("a block of %d bytes has not the CRC it ought to have" % len(piece))
