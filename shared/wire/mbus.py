"""Frames of the wired M-Bus (EN 13757-2, IEC 60870-5-2 format class FT 1.2).

`FrameReader` finds frames in the bytes of a serial line; `decode_frame` takes one whole frame.
"""

from shared.wire.crc import checksum
from shared.wire.errors import BadCrc, Malformed, Truncated, WireError

ACKNOWLEDGE = 0xE5

# C fields; the master toggles FCB with each new request that has FCV
SND_NKE = 0x40
SND_UD = 0x53
REQ_UD1 = 0x5A
REQ_UD2 = 0x5B
RSP_UD = 0x08
FCB = 0x20
FCV = 0x10

# CI fields (EN 13757-7, Table 2) to a meter ...
CI_RESET = 0x50
CI_SEND_DATA = 0x51
CI_SELECT = 0x52
CI_COMMAND = 0xA0  # the maker's own: a command of `shared.wire.command`
BAUDS = {0xB8: 300, 0xB9: 600, 0xBA: 1_200, 0xBB: 2_400, 0xBC: 4_800, 0xBD: 9_600}
# ... and from it
CI_ERROR = 0x70
CI_RESPONSE = 0x72

SET_ADDRESS = b"\x01\x7a"  # DIF and VIF of the record that gives a meter its primary address

ADDRESS_MAX = 250  # of one meter; 0 is one that has not been given any
ADDRESS_SELECTED = 0xFD
ADDRESS_ALL_REPLY = 0xFE
ADDRESS_ALL_SILENT = 0xFF

USER_DATA_MAX = 253  # CI field included; with C and A what an L field can count
RESPONSE_RECORDS_MAX = USER_DATA_MAX - 13
FRAME_MAX = 6 + 255

_START_SHORT = 0x10
_START_LONG = 0x68
_STOP = 0x16


class Frame:
    """One frame: `control` and `address`, and from the CI field on its `user_data`.

    An acknowledgement (E5) has neither: `control` is None.
    """

    __slots__ = ("address", "control", "user_data")

    def __init__(self, control: "int | None", address: int = 0, user_data: bytes = b"") -> None:
        self.control = control
        self.address = address
        self.user_data = user_data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Frame) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def __repr__(self) -> str:
        return "Frame(%r, %d, %s)" % (self.control, self.address, self.user_data.hex())

    def _fields(self) -> "tuple[object, ...]":
        return (self.control, self.address, self.user_data)


class FrameReader:
    """The frames in a stream of bytes, with noise between them left out.

    What waits to be read never exceeds one frame and the bytes last given.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive_data(self, data: bytes) -> "list[Frame | WireError]":
        """Return, in order, the frames that ``data`` completes and the errors of what was none.

        After an error reading goes on behind the byte that looked like a start. Bytes that begin
        no frame are dropped without one. An empty list means: more is needed.
        """
        self._buffer += data
        found: "list[Frame | WireError]" = []
        while self._buffer:
            if self._buffer[0] not in (ACKNOWLEDGE, _START_SHORT, _START_LONG):
                self._buffer = self._buffer[1:]
                continue
            try:
                length = frame_length(self._buffer)
                found.append(decode_frame(bytes(self._buffer[:length])))
            except Truncated:
                break
            except WireError as error:
                found.append(error)
                length = 1
            self._buffer = self._buffer[length:]
        return found

    def reset(self) -> None:
        """Drop an unfinished frame: the line has been silent for longer than a frame may be."""
        self._buffer = bytearray()


def frame_length(data: "bytes | bytearray") -> int:
    """Return the length of the frame that ``data`` begins with.

    Raises:
        Truncated: if it does not show yet.
        Malformed: if no frame begins like this.
    """
    if not data:
        raise Truncated("no byte of a frame yet")
    if data[0] == ACKNOWLEDGE:
        return 1
    if data[0] == _START_SHORT:
        return 5
    if data[0] != _START_LONG:
        raise Malformed("a frame starts with 10, 68 or E5, not %02X" % data[0])
    if len(data) < 4:
        raise Truncated("a long frame has four bytes in front")
    if data[1] != data[2] or data[3] != _START_LONG:
        raise Malformed("a long frame says its length twice, between two start bytes")
    if data[1] < 3:
        raise Malformed("a long frame has C, A and CI fields")
    return data[1] + 6


def decode_frame(data: bytes) -> Frame:
    """Return the frame that is exactly ``data``.

    Raises:
        Truncated: if bytes are missing.
        BadCrc: if the check sum is wrong.
        Malformed: if it is not a frame.
    """
    length = frame_length(data)
    if len(data) < length:
        raise Truncated("the frame has %d bytes, %d came" % (length, len(data)))
    if len(data) > length:
        raise Malformed("%d bytes after the frame's end" % (len(data) - length))
    if length == 1:
        return Frame(None)
    if data[-1] != _STOP:
        raise Malformed("a frame stops with 16, not %02X" % data[-1])
    body = bytes(data[1:-2]) if length == 5 else bytes(data[4:-2])
    if checksum(body) != data[-2]:
        raise BadCrc("the check sum is %02X, the frame says %02X" % (checksum(body), data[-2]))
    return Frame(body[0], body[1], body[2:])


def encode_frame(frame: Frame) -> bytes:
    """Return the bytes of ``frame``: short without user data, else long.

    Raises:
        Malformed: if the user data are too long.
    """
    if frame.control is None:
        return bytes([ACKNOWLEDGE])
    body = bytes([frame.control, frame.address]) + frame.user_data
    tail = bytes([checksum(body), _STOP])
    if not frame.user_data:
        return bytes([_START_SHORT]) + body + tail
    if len(frame.user_data) > USER_DATA_MAX:
        raise Malformed("%d bytes do not fit a frame" % len(frame.user_data))
    return bytes([_START_LONG, len(body), len(body), _START_LONG]) + body + tail


def response(
    address: int, secondary_address: bytes, access_number: int, status: int, records: bytes
) -> Frame:
    """Return a meter's data in plain: RSP_UD with a long header (EN 13757-7, CI 72), mode 0.

    Args:
        address: for the A field.
        secondary_address: serial, manufacturer, version and medium (`shared.wire.address`).
        access_number: 8 bits, one more with each new response.
        status: the status byte.
        records: data records, at most `RESPONSE_RECORDS_MAX` bytes, which `encode_frame` checks.
    """
    header = bytes([CI_RESPONSE]) + secondary_address + bytes([access_number & 0xFF, status, 0, 0])
    return Frame(RSP_UD, address, header + records)
