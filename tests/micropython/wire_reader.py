"""What a receiver does with the codecs; run by both interpreters, prints what it read.

The first argument is a file of wired frames: a name and hexadecimal digits a line.
"""

import sys

from shared.crypto.ccm import ccm_open, ccm_seal
from shared.wire.bthome import open_advert
from shared.wire.errors import WireError
from shared.wire.header import parse_wired_header
from shared.wire.mbus import FrameReader, decode_frame
from shared.wire.oms import open_message, open_telegram
from shared.wire.profile import unrolled
from shared.wire.records import encode_record, parse_records
from shared.wire.seal_mode_5 import seal_telegram_mode_5
from shared.wire.values import date_text, integer, real, text
from shared.wire.vif import meaning
from shared.wire.wmbus import frame_a, frame_b, unframe

if sys.implementation.name == "micropython":
    from shared.crypto.backend_micropython import AesBlock
else:
    from shared.crypto.backend_cryptography import AesBlock

KEY = bytes(range(16))
KEY_A = bytes.fromhex("0102030405060708090a0b0c0d0e0f11")
# OMS Vol. 2 Annex N.2.1; CEN/TR 17167 F.3; an enciphered link layer of wmbusmeters
RADIO = (
    "2e4493157856341233037a2a0020255923c95aaa26d1b2e7493b013ec4a6f6d3529b520edff0ea6defc99d6d69ebf3",
    (
        "530824484433221103378e80753a63665544330a31900f002c25b30a0000af5d74df73a600d9"
        "72785634129315330375002007109058475f4bc91df878b80a1b0f98b629024aac727942bfc549233c0140829b93"
    ),
    "2a442d2c998734761b168d2091d37cac21e1d68cdaffcd3dc452bd802913ff7b1706ca9e355d6c2701cc24",
)
# EN 13757-3, F.2.6 and F.2.8
PROFILES = (
    "868081006d0000a04111358490810003f04902008d908100831e0a34fea0860100d0fb0100",
    "84046d002341118b04151630128d049513056901110203",
)
ADVERT = "41a47266c95f730011223378237214"
ADVERT_KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")


def say(*values: object) -> None:
    """Print a line of what the two interpreters have to agree in."""
    print(*values)  # noqa: T201  the output is what is compared


class Dice:
    """Pseudo-random bytes, the same everywhere."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def roll(self, sides: int) -> int:
        """A number below ``sides``."""
        self.state = (self.state * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        return (self.state >> 8) % sides


def show_records(data: bytes) -> None:
    """Print all that can be read of each record."""
    for record in unrolled(parse_records(data), 1 << 32):
        told = meaning(record.vif)
        say(record, record.text, record.spacing, record.more, encode_record(record).hex())
        say(told.quantity, told.unit, told.exponent, told.factor, told.qualifiers, told.error)
        say(integer(record, told.unsigned), date_text(record), text(record))
        if record.coding == 5:
            say(real(record.data))


def attempt(what: object, *arguments: object) -> None:
    """Print what a reading gives, or the name and words of its error."""
    try:
        what(*arguments)
    except WireError as error:
        say(error.__class__.__name__, error)


def read_radio(frame: bytes, key: bytes) -> None:
    """Print what a radio frame says."""
    message = open_telegram(AesBlock, unframe(frame), key)
    say(message.manufacturer, message.serial, message.security, message.message_counter)
    show_records(message.records)


def read_wired(data: bytes) -> None:
    """Print what a wired frame says."""
    frame = decode_frame(data)
    message = open_message(AesBlock, parse_wired_header(frame.control, frame.user_data), None)
    say(message.manufacturer, message.serial, message.status)
    show_records(message.records)


def read_advert(data: bytes) -> None:
    """Print what an advert says."""
    advert = open_advert(AesBlock, data, bytes.fromhex("5448e68f80a5"), ADVERT_KEY)
    say(advert.security, advert.counter, advert.measurements)


def spoilt(data: bytes, dice: Dice) -> bytes:
    """A copy with one byte changed or its end cut off."""
    changed = bytearray(data)
    changed[dice.roll(len(data))] ^= 1 + dice.roll(255)
    return bytes(changed[: len(data) - dice.roll(3)])


def main(path: str) -> None:
    """Read everything once as it is and a few times spoilt."""
    dice = Dice(20_240_229)
    with open(path) as lines:  # noqa: PTH123  MicroPython has no pathlib
        wired = [bytes.fromhex(line.split()[1]) for line in lines if line[0] != "#"]
    for data in wired:
        attempt(read_wired, data)
        for _ in range(4):
            attempt(read_wired, spoilt(data, dice))
            attempt(show_records, spoilt(data[19:-2], dice))
    for digits in RADIO:
        link = bytes.fromhex(digits)
        for key in (KEY, KEY_A):
            for frame in (link, frame_a(link), frame_b(link), spoilt(link, dice)):
                attempt(read_radio, frame, key)
    own = seal_telegram_mode_5(AesBlock, KEY_A, "12345678", b"\x04\x13\x01\x02\x03\x04", 42)
    say(own.hex())
    attempt(read_radio, own, KEY_A)
    for digits in PROFILES:
        attempt(show_records, bytes.fromhex(digits))
    for _ in range(20):
        attempt(read_advert, spoilt(bytes.fromhex(ADVERT), dice))
    attempt(read_advert, bytes.fromhex(ADVERT))
    sealed = ccm_seal(AesBlock, KEY, bytes(13), b"plain", b"more", 8)
    say(sealed.hex(), ccm_open(AesBlock, KEY, bytes(13), sealed, b"more", 8))
    reader = FrameReader()
    stream = b"".join([spoilt(data, dice) for data in wired])
    for start in range(0, len(stream), 50):
        say([str(found) for found in reader.receive_data(stream[start : start + 50])])


main(sys.argv[1])
