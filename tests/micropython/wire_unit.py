"""What a pulse unit does with the codecs; run by both interpreters, prints what it made."""

import gc
import sys

if sys.implementation.name == "micropython":
    gc.threshold(4096)  # compiling leaves much behind: collect in time

from shared.wire.advert import (
    advert_key,
    advertising_data,
    count_objects,
    seal_advert,
    state_objects,
)
from shared.wire.command import open_command, seal_phase
from shared.wire.errors import WireError
from shared.wire.seal import seal_telegram
from shared.wire.telegram import PulseTelegram, decode_records, encode_records, status_byte
from shared.wire.wmbus import frame_a

if sys.implementation.name == "micropython":
    from shared.crypto.backend_micropython import AesBlock
else:
    from shared.crypto.backend_cryptography import AesBlock

KEY = bytes(range(16))


def say(*values: object) -> None:
    """Print a line of what the two interpreters have to agree in."""
    print(*values)  # noqa: T201  the output is what is compared


def history(number: int) -> "tuple[int, ...]":
    """Increments: a byte each in the first telegrams, two in the later ones."""
    limit = 200 if number < 6 else 400
    return tuple([(number * step) % limit for step in range(96)])


def main() -> None:
    """Seal a few telegrams and adverts, obey a few commands."""
    for number in range(12):
        telegram = PulseTelegram(
            count=(number * 0x1FFFFFFF) & 0xFFFFFFFF,
            volume_l=number * 1000 - 3000 if number % 3 else None,
            uptime_s=number * 86_400,
            last_pulse_age_s=number**7,
            battery_left_d=7300 - number,
            error_flags=number,
            reset_counter=number,
            grid_count=number * 77 if number % 4 else None,
            grid_age_s=number * 100 if number % 4 else None,
            increments=tuple(
                [(number * step) % (200 if number < 6 else 400) for step in range(96)]
            ),
        )
        records = encode_records(telegram, 96 if number < 9 else 146)
        link = seal_telegram(
            AesBlock, KEY, f"{number:08d}", records, number, number, status_byte(number)
        )
        say(frame_a(link).hex())
        say(decode_records(records))
    address = KEY[:6]
    advertised = advert_key(AesBlock, KEY, address)
    for objects in (
        count_objects(0xFF, 0xFFFFFFFF, None),
        count_objects(0x100, 1, 20_000),
        state_objects(0, 93, 1, 1_234_567),
        state_objects(0, 0, 4, -1),
    ):
        say(advertising_data(seal_advert(AesBlock, advertised, address, objects, 0xFFFFFFFF)).hex())
    for counter in range(4):
        data = bytearray(seal_phase(AesBlock, KEY, counter, counter * 599_999))
        data[counter * 5] ^= counter & 2
        try:
            command = open_command(AesBlock, KEY, bytes(data), 0)
            say(command.counter, command.number)
        except WireError as error:
            say(error.__class__.__name__, error)


main()
