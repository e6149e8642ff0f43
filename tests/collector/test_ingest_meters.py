"""The gate for meters of other makers: radio and wire, every security mode, counts alone."""

from __future__ import annotations

import sqlite3

import pytest

import collector
from collector import (
    Collector,
    CountReceived,
    Fleet,
    FleetUnit,
    Ingest,
    MemoryKeystore,
    Refusal,
    TelegramReceived,
)
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.address import secondary_address
from shared.wire.mbus import RSP_UD, Frame, encode_frame, response
from shared.wire.seal import link_address, seal_telegram
from shared.wire.seal_mode_5 import seal_telegram_mode_5
from shared.wire.telegram import FLAG_LOW_BATTERY, encode_records
from shared.wire.wmbus import frame_a, frame_b
from tests.collector.frames import KEY, SERIAL, at, received, record, telegram
from tests.shared.wire.samples import GAS_FRAMED, GAS_KEY, GAS_LINK, GAS_WIRED
from tests.shared.wire.test_oms import INTEGRATED, KEY_B, LINK, LINK_KEY, MODE_7

ELSTER = "12345678"
KAMSTRUP = "76348799"
VOLUME = "0c13%08d"
COUNT = "04fd3a%s"


def _meter(**changes: object) -> collector.UnitRecord:
    fixed: dict[str, object] = {"serial": ELSTER, "manufacturer": "ELS", "selector": "volume"}
    return record(**(fixed | changes))


def _gate(key: bytes | None = KEY, **changes: object) -> Ingest:
    unit = _meter(**changes)
    keys = {} if key is None else {unit.serial: key}
    return Ingest(Fleet([FleetUnit(unit)]), MemoryKeystore(keys))


def _bcd(number: int) -> str:
    return bytes.fromhex(f"{number:08d}")[::-1].hex()


def _volume(litres: int) -> bytes:
    return bytes.fromhex("0c13" + _bcd(litres))


def _mode_7(records: bytes, counter: int, **address: object) -> bytes:
    fixed: dict[str, object] = {"manufacturer": "ELS", "version": 0x33}
    return frame_a(
        seal_telegram(AesBlock, KEY, ELSTER, records, counter, counter & 0xFF, **(fixed | address))
    )


def _mode_5(records: bytes, access_number: int = 1) -> bytes:
    return frame_b(
        seal_telegram_mode_5(AesBlock, KEY, ELSTER, records, access_number, manufacturer="ELS")
    )


def _plain(records: bytes, status: int = 0) -> bytes:
    link = b"\x44" + link_address(ELSTER, "ELS", 1, 3) + b"\x7a\x01" + bytes([status, 0, 0])
    link += records
    return bytes([len(link)]) + link


def _wired(records: bytes) -> bytes:
    return encode_frame(response(5, secondary_address(ELSTER, "ELS", 1, 3), 7, 0, records))


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (MODE_7, KEY_B),
        (frame_a(MODE_7), KEY_B),
        (frame_b(INTEGRATED), KEY_B),
        (GAS_LINK, GAS_KEY),
        (GAS_FRAMED, GAS_KEY),
        (frame_b(GAS_LINK), GAS_KEY),
        (GAS_WIRED, None),
    ],
    ids=["adapter", "adapter in A", "mode 7 in B", "mode 5", "mode 5 in A", "mode 5 in B", "wired"],
)
def test_published_meter_is_read_over_radio_and_wire(data: bytes, key: bytes | None) -> None:
    """The annex's gas meter counts 2,850,427 times ten litres in each of its telegrams."""
    is_sealed = key is KEY_B
    outcome = _gate(key, allow_unauthenticated=not is_sealed).receive(received(data, 5, None))
    assert isinstance(outcome, CountReceived), outcome
    assert (ELSTER, 2_850_427, is_sealed, False, 0) == (
        outcome.serial,
        outcome.count,
        outcome.is_authentic,
        outcome.is_advert,
        outcome.error_flags,
    )
    assert (at(5), "test", None) == (outcome.received_utc, outcome.bearer, outcome.delay_max_s)
    assert (2739 if is_sealed else 0) == outcome.key.counter


def test_enciphered_link_is_opened() -> None:
    """A meter whose link layer is enciphered is read where it need not be authentic."""
    changes = {"serial": KAMSTRUP, "manufacturer": "KAM", "medium": 0x16}
    gate = _gate(LINK_KEY, allow_unauthenticated=True, **changes)
    outcome = gate.receive(received(LINK, 5))
    assert isinstance(outcome, CountReceived)
    assert (640, False) == (outcome.count, outcome.is_authentic)
    refused = _gate(LINK_KEY, **changes).receive(received(LINK, 5))
    assert isinstance(refused, collector.PlaintextDowngrade)


@pytest.mark.parametrize(
    "data", [_mode_5(_volume(5_000)), _plain(_volume(5_000)), _wired(_volume(5_000))]
)
def test_what_proves_nothing_is_a_downgrade(data: bytes) -> None:
    """Modes 0 and 5, and a wire, are not taken from a meter paired with authentication."""
    assert isinstance(_gate().receive(received(data, 5)), collector.PlaintextDowngrade)
    outcome = _gate(allow_unauthenticated=True).receive(received(data, 5))
    assert isinstance(outcome, CountReceived)
    assert (500, False) == (outcome.count, outcome.is_authentic)


@pytest.mark.parametrize("place", range(21, len(MODE_7)))
def test_bad_mac_never_yields_a_count(place: int) -> None:
    """Whichever byte behind the link layer is changed, there is a refusal and no count."""
    data = bytearray(MODE_7)
    data[place] ^= 0x10
    assert isinstance(_gate(KEY_B).receive(received(bytes(data), 5)), Refusal)


def test_message_counter_tells_replays() -> None:
    """Mode 7 telegrams of another maker are taken once each, in any order, back to 4,096."""
    gate = _gate()
    counters = (5_000, 4_000, 5_000, 904, 905, 4_000)
    outcomes = [gate.receive(received(_mode_7(_volume(10), c), 5)) for c in counters]
    kinds = [type(outcome).__name__ for outcome in outcomes]
    assert [
        "CountReceived",
        "CountReceived",
        "Replayed",
        "TooOld",
        "CountReceived",
        "Replayed",
    ] == kinds


def test_boot_that_some_telegrams_leave_out_is_no_order() -> None:
    """A reset counter in every other telegram of mode 7 makes none of them old."""
    gate = _gate(selector="count")
    boot = bytes.fromhex("02fd600300")
    for counter, more in ((1, boot), (3, boot), (2, b""), (4, b"")):
        records = bytes.fromhex("04fd3a07000000") + more
        assert isinstance(gate.receive(received(_mode_7(records, counter), 5)), CountReceived)


def test_count_without_a_counter_must_not_fall() -> None:
    """Plain totals may stand still; a lower one is refused, and each has a later place."""
    gate = _gate(allow_unauthenticated=True)
    totals = (5_000, 5_000, 4_990, 5_010)
    outcomes = [gate.receive(received(_plain(_volume(total)), 5)) for total in totals]
    assert isinstance(outcomes[2], collector.NotRising)
    readings = [outcome for outcome in outcomes if isinstance(outcome, CountReceived)]
    assert [500, 500, 501] == [reading.count for reading in readings]
    assert sorted({reading.key for reading in readings}) == [r.key for r in readings]


def test_uptime_that_is_sent_must_rise() -> None:
    """Where a plain telegram has a clock, an old one is refused although its count is no lower."""
    gate = _gate(allow_unauthenticated=True, selector="count")

    def told(uptime_s: int) -> object:
        records = bytes.fromhex("04fd3a07000000 0420") + uptime_s.to_bytes(4, "little")
        return gate.receive(received(_wired(records), 5))

    assert isinstance(told(1_000), CountReceived)
    assert isinstance(told(1_000), collector.NotRising)
    assert isinstance(told(999), collector.NotRising)
    assert isinstance(told(1_001), CountReceived)


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        (bytes.fromhex("0413ffffffff"), "placeholder"),
        (bytes.fromhex("0416ffffff00"), "placeholder"),
        (_volume(0), "zero"),
        (bytes.fromhex("04fd3a07000000"), "no volume"),
        (b"", "no volume"),
    ],
)
def test_placeholder_is_no_data(records: bytes, reason: str) -> None:
    """All ones, 0xFFFFFF m3, zero after more, and a telegram about other things give no count."""
    gate = _gate(base_count=7)
    outcome = gate.receive(received(_mode_7(records, 1), 5))
    assert isinstance(outcome, collector.NoCount)
    assert reason in outcome.reason
    assert isinstance(gate.receive(received(_mode_7(_volume(80), 1), 5)), CountReceived)


def test_zero_of_a_new_meter_is_its_count() -> None:
    """Before anything was counted zero is a reading."""
    outcome = _gate().receive(received(_mode_7(_volume(0), 1), 5))
    assert isinstance(outcome, CountReceived)
    assert 0 == outcome.count


def test_low_battery_is_told_with_the_count() -> None:
    """The transport header's status byte says that power is low."""
    outcome = _gate(allow_unauthenticated=True).receive(received(_plain(_volume(10), 0x04), 5))
    assert isinstance(outcome, CountReceived)
    assert FLAG_LOW_BATTERY == outcome.error_flags


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("BadCrc", _wired(_volume(1))[:-2] + b"\x00\x16"),
        ("MalformedFrame", _wired(_volume(1))[:-1] + b"\x17"),
        ("MalformedFrame", b"\x68\x03\x03\x68"),
        ("UnknownUnit", encode_frame(Frame(RSP_UD, 1, b"\x78" + _volume(1)))),
        ("UnknownUnit", _mode_7(_volume(1), 1, manufacturer="ABC")),
        ("WrongMedium", _mode_7(_volume(1), 1, medium=7)),
        ("BadMac", _mode_7(_volume(1), 1)[:-1] + b"\x00"),
        ("MalformedRecord", _mode_7(b"\x0d\x13\x64", 1)),
        ("UnsupportedFrame", encode_frame(Frame(RSP_UD, 1, b"\x70\x08"))),
        ("MalformedFrame", encode_frame(Frame(RSP_UD, 1, b"\x72\x01"))),
    ],
)
def test_refusal_has_its_own_type(kind: str, data: bytes) -> None:
    """Damage, strangers and nonsense on the wire and from other makers are told apart."""
    if kind == "BadMac":
        link = bytearray(seal_telegram(AesBlock, KEY, ELSTER, _volume(1), 1, 1, manufacturer="ELS"))
        link[-1] ^= 1
        data = bytes(link)
    outcome = _gate().receive(received(data, 5))
    assert isinstance(outcome, Refusal)
    assert kind == type(outcome).__name__


def test_radio_frame_that_begins_like_a_wired_one_is_read_as_radio() -> None:
    """A maker whose code ends in 68 and a length of 68 make no wired frame of a radio frame."""
    records = _volume(20) + b"\x2f" * 84
    link = b"\x44" + link_address(ELSTER, "ZBD", 1, 3) + b"\x7a\x01\x00\x00\x00" + records
    link = bytes([len(link)]) + link
    assert b"\x68\x44\x44\x68" == link[:4]
    gate = _gate(manufacturer="ZBD", allow_unauthenticated=True)
    for data in (link, frame_a(link)):
        outcome = gate.receive(received(data, 5))
        assert isinstance(outcome, CountReceived), outcome


def test_our_unit_on_a_wire_is_a_telegram() -> None:
    """A unit's plain RSP_UD has all that its sealed telegram has, where it is allowed."""
    said = telegram(7, grid_count=5, grid_age_s=9)
    data = encode_frame(
        response(5, secondary_address(SERIAL, "HHY", 1, 3), 7, 0, encode_records(said))
    )
    unit = FleetUnit(record(allow_unauthenticated=True))
    outcome = Ingest(Fleet([unit]), MemoryKeystore({SERIAL: KEY})).receive(received(data, 5))
    assert isinstance(outcome, TelegramReceived)
    assert (said, False) == (outcome.telegram, outcome.is_authentic)


def test_recording_is_refused_for_ever() -> None:
    """A telegram replayed a day later, after a restart, or with a small counter is no reading."""
    connection = sqlite3.connect(":memory:")
    keys = MemoryKeystore()
    first = Collector(connection, keys, at(0))
    first.pair(_meter(), KEY, at(0))
    early, late = _mode_7(_volume(10), 60), _mode_7(_volume(20), 90_000)
    assert ["CountReceived"] == [type(e).__name__ for e in first.receive(received(early, 5), at(5))]
    day_later = first.receive(received(early, 86_400), at(86_400))
    assert ["Replayed"] == [type(event).__name__ for event in day_later]
    again = Collector(connection, keys, at(90_000))
    told = [again.receive(received(early, 90_000), at(90_000))]
    told.append(again.receive(received(late, 90_001), at(90_001)))
    told += [again.receive(received(data, 90_002), at(90_002)) for data in (early, late)]
    assert ["Replayed", "CountReceived", "Replayed", "Replayed"] == [
        type(events[0]).__name__ for events in told
    ]
    third = Collector(connection, keys, at(99_000))
    told = [third.receive(received(data, 99_000), at(99_000)) for data in (early, late)]
    assert ["Replayed", "Replayed"] == [type(events[0]).__name__ for events in told]
    assert {"Replayed": 6} == third.state(ELSTER).refusals
