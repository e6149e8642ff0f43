"""The serial messages of two kinds of radio stick, and how fast each kind is spoken to.

- `im871a`: IMST iM871A-USB, "WMBus HCI Specification": start A5, endpoint (low half) with flags of
  what follows the payload, message, length, payload; then, where flagged, four bytes of time, one
  of signal strength and a CRC of two.
- `amb8465`: Amber (Wuerth) AMB8465-M, "Manual for the AMBER wireless M-Bus modules", command mode:
  start FF, command, length, payload, exclusive or of all before.
- `cul`: culfw, lines of text.
- `hex`: lines of hexadecimal digits; sticks of one's own making, and tests.
"""

BAUDS = {"im871a": 57_600, "amb8465": 9_600, "cul": 38_400, "hex": 38_400}

IMST_START = 0xA5
IMST_ENDPOINT = 0x0F  # of the second byte; above it flags, 10 not used
IMST_HAS_TIME = 0x20
IMST_HAS_RSSI = 0x40
IMST_HAS_CRC = 0x80
IMST_MANAGEMENT = 0x01
IMST_SET_CONFIGURATION = 0x03
IMST_CONFIGURATION_SET = 0x04
IMST_RADIO = 0x02
IMST_SEND = 0x01
IMST_RECEIVED = 0x03
IMST_TEMPORARY = 0x00  # until its power goes: the stick may be somebody else's tomorrow
IMST_HAS_DEVICE_AND_MODE = 0x03
IMST_METER = 0x01
IMST_OTHER = 0x00  # who hears meters
IMST_S1 = 0x00
IMST_T1 = 0x03
IMST_C1 = 0x06

AMBER_START = 0xFF
AMBER_SEND = 0x00
AMBER_RECEIVED = 0x03
AMBER_SET_MODE = 0x04
AMBER_RESET = 0x05
AMBER_SET = 0x09
AMBER_GET = 0x0A
AMBER_CONFIRMED = 0x80  # added to a command when it is answered
AMBER_T1_METER = 0x05
AMBER_S1_OTHER = 0x03
AMBER_T1_OTHER = 0x08
AMBER_CT_OTHER = 0x09
AMBER_C1_OTHER = 0x0E

_CRC_POLYNOMIAL = 0x8408


def imst_message(endpoint: int, message: int, payload: bytes) -> bytes:
    """Return a message to an iM871A, without a CRC: it takes either."""
    return bytes([IMST_START, endpoint, message, len(payload)]) + payload


def imst_crc(data: bytes) -> bytes:
    """Return the CRC of what comes between the start byte and it: CCITT, low bit and byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (_CRC_POLYNOMIAL if crc & 1 else 0)
    return (crc ^ 0xFFFF).to_bytes(2, "little")


def amber_message(command: int, payload: bytes) -> bytes:
    """Return a message to an AMB8465, or what it says."""
    told = bytes([AMBER_START, command, len(payload)]) + payload
    return told + bytes([exclusive_or(told)])


def exclusive_or(data: bytes) -> int:
    """Return the exclusive or of all bytes."""
    check = 0
    for byte in data:
        check ^= byte
    return check
