"""What is fuzzed: radio, wires, ports, a unit's memory, what people type, and files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from collector import (
    CountReceived,
    Fleet,
    FleetUnit,
    Ingest,
    MemoryKeystore,
    ReceivedFrame,
    Refusal,
    StateReceived,
    TelegramReceived,
    UnitRecord,
)
from collector.decode import decode_advert, decode_telegram
from elec_meter import MeterError
from elec_meter.config import config_from_toml
from elec_meter.sampling import FrameDecoder, FrameError, SampleFrame
from elec_meter.sampling import encode_frame as encode_samples
from elec_meter.sampling.afe_frames import FRAME_MAX as SAMPLES_MAX
from elec_meter.sampling.afe_frames import PAIRS_MAX
from fuzz.dlms import DLMS_TARGETS
from fuzz.files import FILE_TARGETS
from fuzz.flag import FLAG_TARGETS
from fuzz.target import Feed, Target
from pulse_unit.config import UnitConfig
from pulse_unit.hal.virtual import VirtualUnit
from pulse_unit.slave import WiredSlave
from shared.crypto.backend_cryptography import AesBlock
from shared.errors import SharedError
from shared.label import UnitLabel
from shared.wire.address import secondary_address
from shared.wire.advert import advert_key, count_objects, seal_advert, state_objects
from shared.wire.command import open_command, seal_phase
from shared.wire.errors import WireError
from shared.wire.mbus import (
    ADDRESS_ALL_REPLY,
    ADDRESS_ALL_SILENT,
    ADDRESS_SELECTED,
    CI_RESPONSE,
    CI_SELECT,
    FRAME_MAX,
    REQ_UD2,
    SND_NKE,
    SND_UD,
    Frame,
    FrameReader,
    decode_frame,
    encode_frame,
    response,
)
from shared.wire.seal import link_address, seal_telegram
from shared.wire.seal_mode_5 import seal_telegram_mode_5
from shared.wire.telegram import PulseTelegram, decode_records, encode_records
from shared.wire.wmbus import frame_a, frame_b

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = bytes(range(16))
SERIAL = "00000001"
PLAIN_SERIAL = "00000002"
METER = "12345678"
PLAIN_METER = "12345679"
ADDRESS = bytes.fromhex("C0FFEE123456")
COUNT = 4_321
METER_COUNT = 2_850_427 // 10
# A meter of security mode 10, and its telegram: pull request 2085 of wmbusmeters
CCM_METER = "53820306"
CCM_KEY = bytes.fromhex("bf902dd6dfadafe83e4ae6832b5fa14c")
CCM_TELEGRAM = bytes.fromhex(
    "4544372c060382533c168c20307a3010ff2a10018c570e006da7632471f42b0a3ceccd461353573ed02b87118bc5ffe9"
    "82f7f00a0274543bc51938f8b9c8bb8928114d60788a"
)


def _said() -> PulseTelegram:
    return PulseTelegram(
        count=COUNT,
        uptime_s=90_000,
        volume_l=43_210,
        last_pulse_age_s=17,
        battery_left_d=7_000,
        reset_counter=3,
        grid_count=4_300,
        grid_age_s=600,
        increments=(3, 0, 250, 12),
    )


def _telegrams() -> list[bytes]:
    records = encode_records(_said())
    links = [
        seal_telegram(AesBlock, KEY, SERIAL, records, counter, counter & 0xFF) for counter in (1, 2)
    ]
    return [*links, frame_a(links[0]), frame_b(links[1])]


def _other_telegrams() -> list[bytes]:
    """Of a meter of another maker with authentication, and of three senders without."""
    volume = bytes.fromhex("0c1327048502 046d32371f15 02fd170000")
    sealed = seal_telegram(AesBlock, KEY, METER, volume, 1, 1, manufacturer="ELS")
    ciphered = seal_telegram_mode_5(AesBlock, KEY, PLAIN_METER, volume, 1, manufacturer="ELS")
    link = b"\x44" + link_address(PLAIN_METER, "ELS", 1, 3) + b"\x8c\x20\x01"
    headed = link + b"\x7a\x01\x00\x00\x00" + volume
    compact = link + bytes.fromhex("79eda86ab6710008190000081900007f13")
    format_frame = link + bytes.fromhex("69eda802ff2004134413615b6167")
    unit = secondary_address(PLAIN_SERIAL, "HHY", 1, 3)
    wired = [
        response(1, unit, 1, 0, encode_records(_said())),
        response(2, secondary_address(PLAIN_METER, "ELS", 1, 3), 1, 0, volume),
    ]
    radio = [bytes([len(each)]) + each for each in (headed, compact, format_frame)]
    return [
        CCM_TELEGRAM,
        frame_a(CCM_TELEGRAM),
        sealed,
        frame_a(sealed),
        ciphered,
        *radio,
        *map(encode_frame, wired),
    ]


def _gate() -> Ingest:
    records = [
        UnitRecord(**fields, channel="gas", paired_utc=NOW, base_count=0, selector="volume")
        for fields in (
            {"serial": SERIAL, "address": ADDRESS},
            {"serial": PLAIN_SERIAL, "allow_unauthenticated": True},
            {"serial": METER, "manufacturer": "ELS"},
            {"serial": PLAIN_METER, "manufacturer": "ELS", "allow_unauthenticated": True},
            {"serial": CCM_METER, "manufacturer": "KAW", "medium": 0x16},
        )
    ]
    keys = {record.serial: KEY for record in records} | {CCM_METER: CCM_KEY}
    return Ingest(Fleet(map(FleetUnit, records)), MemoryKeystore(keys))


def _ingest() -> tuple[Feed, Sequence[bytes]]:
    ingest = _gate()

    def feed(data: bytes) -> None:
        outcome = ingest.receive(ReceivedFrame(data, NOW, "fuzz", 2))
        assert isinstance(outcome, TelegramReceived | CountReceived | Refusal)
        # The link layer's own fields aside, nothing that was changed may pass for a reading.
        if isinstance(outcome, TelegramReceived) and outcome.serial == SERIAL:
            assert outcome.telegram.count == COUNT, data.hex()
        if isinstance(outcome, CountReceived) and outcome.serial == METER:
            assert outcome.count == METER_COUNT, data.hex()
        if isinstance(outcome, CountReceived) and outcome.serial == CCM_METER:
            assert outcome.count == 0, data.hex()

    return feed, [*_telegrams(), *_other_telegrams()]


def _adverts() -> tuple[Feed, Sequence[bytes]]:
    ingest = _gate()
    key = advert_key(AesBlock, KEY, ADDRESS)
    objects = (count_objects(1, COUNT, 17), state_objects(2, 93, 0, 43_210))

    def feed(data: bytes) -> None:
        outcome = ingest.receive(ReceivedFrame(data, NOW, "fuzz", 60, address=ADDRESS))
        assert isinstance(outcome, CountReceived | StateReceived | Refusal)
        if isinstance(outcome, CountReceived):
            assert outcome.count == COUNT, data.hex()

    return feed, [
        seal_advert(AesBlock, key, ADDRESS, said, counter)
        for counter, said in enumerate(objects, start=1)
    ]


def _decode() -> tuple[Feed, Sequence[bytes]]:
    wired = bytes.fromhex(
        "6820206808FD7278563412931533032A0000000C1427048502046D32371F1502FD1700008916"
    )
    return lambda data: decode_telegram(data, KEY), [*_telegrams(), wired]


def _advert() -> tuple[Feed, Sequence[bytes]]:
    address = bytes.fromhex("5448E68F80A5")
    sealed = bytes.fromhex("41a47266c95f730011223378237214")
    return lambda data: decode_advert(data, address, KEY), [sealed, bytes.fromhex("4002C409")]


def _wire() -> tuple[Feed, Sequence[bytes]]:
    reader = FrameReader()

    def feed(data: bytes) -> None:
        cut = len(data) // 3
        for part in (data[:cut], data[cut:]):
            for found in reader.receive_data(part):
                assert isinstance(found, Frame | WireError)
        held = len(reader._buffer)  # noqa: SLF001 - its bound is what is looked at
        assert held <= FRAME_MAX, held

    frames = [Frame(None), Frame(0x5B, 1), Frame(0x08, 1, bytes(range(40)))]
    return feed, [b"".join(map(encode_frame, frames)), encode_frame(frames[2])]


def _front_end() -> tuple[Feed, Sequence[bytes]]:
    decoder = FrameDecoder()

    def feed(data: bytes) -> None:
        decoder.receive_data(data)
        while (found := _next_frame(decoder)) is not None:
            assert found is False or 1 <= found.voltage.size <= PAIRS_MAX
        held = len(decoder._buffer)  # noqa: SLF001 - its bound is what is looked at
        assert held <= SAMPLES_MAX, held

    counts = [np.arange(-3, 4, dtype=dtype) * 1_000 for dtype in (np.int16, np.int32)]
    return feed, [encode_samples(SampleFrame(1, 4_000, 70, each, each)) for each in counts]


def _next_frame(decoder: FrameDecoder) -> SampleFrame | Literal[False] | None:
    try:
        return decoder.next_frame()
    except FrameError:
        return False


def _memory() -> tuple[Feed, Sequence[bytes]]:
    def boot(image: bytes | None) -> VirtualUnit:
        return VirtualUnit(SERIAL, KEY, UnitConfig(), nvm=image, boot_utc_ms=0)

    unit = boot(None)
    fresh = unit.nvm
    unit.pulse(5_000)
    unit.advance(40 * 60_000)
    return boot, [fresh, unit.nvm]


def _slave() -> tuple[Feed, Sequence[bytes]]:
    slave = WiredSlave(_Unit(), _Memory(), SERIAL)
    now_ms = 0

    def feed(data: bytes) -> None:
        nonlocal now_ms
        now_ms += len(data) * 7
        slave.receive_data(data, now_ms)
        now_ms += 1_000
        slave.receive_data(encode_frame(Frame(SND_NKE, ADDRESS_ALL_SILENT)), now_ms)
        told = slave.receive_data(encode_frame(Frame(REQ_UD2, ADDRESS_ALL_REPLY)), now_ms)
        assert decode_frame(told).user_data[:1] == bytes([CI_RESPONSE]), data.hex()

    select = bytes([CI_SELECT]) + b"\xff" * 8
    asked = [Frame(SND_NKE, 0), Frame(REQ_UD2, 0), Frame(SND_UD, ADDRESS_SELECTED, select)]
    told = [b"\x51\x01\x7a\x07", b"\xbd", b"\xa0" + bytes(17)]
    asked += [Frame(SND_UD, ADDRESS_ALL_REPLY, content) for content in told]
    return feed, [encode_frame(frame) for frame in asked]


class _Unit:
    """Says little and obeys some of what it is told."""

    def records(self, uptime_ms: int) -> bytes:
        return encode_records(PulseTelegram(count=7, uptime_s=uptime_ms // 1000 & 0xFFFFFFFF))

    def status(self) -> int:
        return 0

    def obey(self, data: bytes, uptime_ms: int) -> int:
        return (len(data) + uptime_ms) % 7


class _Memory:
    """Forgets at the end."""

    def __init__(self) -> None:
        self._word = 0

    def load(self) -> int:
        return self._word

    def store(self, word: int) -> None:
        self._word = word


def _records() -> tuple[Feed, Sequence[bytes]]:
    said = PulseTelegram(count=7, uptime_s=9, grid_count=5, grid_age_s=4, increments=(1, 2))
    return decode_records, [encode_records(said)]


def _command() -> tuple[Feed, Sequence[bytes]]:
    return lambda data: open_command(AesBlock, KEY, data, 0), [seal_phase(AesBlock, KEY, 1, 60_000)]


def _config() -> tuple[Feed, Sequence[bytes]]:
    document = (
        b'serial = "00000002"\n[tariff.import]\nrates = 2\nswitches = [{at = "00:30", rate = 2}]\n'
    )
    return lambda data: config_from_toml(data.decode("utf-8", "replace")), [document]


def _label() -> tuple[Feed, Sequence[bytes]]:
    label = UnitLabel(SERIAL, KEY, "123456")
    texts = [label.qr_text.encode(), label.printed_text.encode()]
    return lambda data: UnitLabel.parse(data.decode("utf-8", "replace")), texts


TARGETS = (
    Target("ingest", _ingest, count=1_000_000, seconds=360.0),
    Target("adverts", _adverts),
    Target("decode", _decode, (WireError,)),
    Target("advert", _advert, (WireError,)),
    Target("wire", _wire),
    Target("slave", _slave),
    Target("front-end", _front_end),
    Target("records", _records, (WireError,)),
    Target("command", _command, (WireError,)),
    Target("config", _config, (MeterError,)),
    Target("label", _label, (SharedError,)),
    Target("memory", _memory, (ValueError,)),
    *DLMS_TARGETS,
    *FLAG_TARGETS,
    *FILE_TARGETS,
)
