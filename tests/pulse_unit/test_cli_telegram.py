"""`pulse-unit telegram` for each bearer; what all of them share is in test_cli.py."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from collector.decode import decode_advert, decode_telegram
from pulse_unit.slave import WiredSlave
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.advert import advert_key
from shared.wire.mbus import RSP_UD, decode_frame
from shared.wire.oms import open_telegram, parse_header
from shared.wire.telegram import PulseTelegram, decode_records, encode_records
from shared.wire.wmbus import unframe
from tests.pulse_unit.test_cli import FIELDS, KEY, SEAL, run
from tests.pulse_unit.wired import FakeMemory, FakeUnit

TEXT = json.dumps(FIELDS)
SAID = PulseTelegram(**FIELDS)
MAC = "C0:FF:EE:12:34:56"
BLE = (*SEAL, "--bearer", "ble", "--mac", MAC)
WIRED = ("telegram", "--serial", "00000001", "--counter", "263", "--bearer", "wired")


def test_radio_in_mode_5() -> None:
    """Profile A opens with the same key, without counter or MAC."""
    told = json.loads(run(*SEAL, "--mode", "5", "--json", text=TEXT).output)
    assert ("radio", 5, "A", 7) == (
        told["bearer"],
        told["mode"],
        told["format"],
        told["message_counter"],
    )
    opened = open_telegram(AesBlock, unframe(bytes.fromhex(told["frame"])), bytes.fromhex(KEY))
    assert ("mode5", "00000001", 7, 0x20) == (
        opened.security,
        opened.serial,
        opened.access_number,
        opened.status,
    )
    assert SAID == decode_records(opened.records)


@pytest.mark.parametrize("mode", ["7", "5"])
def test_installation_telegram(mode: str) -> None:
    """It differs in its C field."""
    for options, control in (((), 0x44), (("--installation",), 0x46)):
        frame = bytes.fromhex(run(*SEAL, "--mode", mode, *options, text=TEXT).output)
        assert control == parse_header(unframe(frame)).control


def test_wired_response() -> None:
    """A long frame in plain, without a key, under the address and with the counter's low byte."""
    frame = bytes.fromhex(run(*WIRED, "--address", "5", text=TEXT).output)
    parsed = decode_frame(frame)
    assert (RSP_UD, 5, 7) == (parsed.control, parsed.address, parsed.user_data[9])
    assert SAID == decode_records(parsed.user_data[13:])
    told = decode_telegram(frame)
    assert ("HHY", "00000001", "none", 0x20) == (
        told["manufacturer"],
        told["id"],
        told["security"],
        told["status"],
    )
    printed = json.loads(run(*WIRED, "--address", "5", "--json", text=TEXT).output)
    assert {
        "bearer": "wired",
        "frame": frame.hex().upper(),
        "address": 5,
        "bytes": len(frame),
        "message_counter": 263,
        "records": parsed.user_data[13:].hex().upper(),
    } == printed


def test_adverts() -> None:
    """Two adverts with counters of their own, under the key that is printed with them."""
    fields = json.dumps({**FIELDS, "volume_l": 1_234_567})
    told = json.loads(run(*BLE, "--battery", "93", "--json", text=fields).output)
    key = advert_key(AesBlock, bytes.fromhex(KEY), bytes.fromhex(MAC.replace(":", "")))
    assert ("ble", MAC, key.hex().upper()) == (told["bearer"], told["mac"], told["advert_key"])
    assert [("count", 7, 27), ("state", 8, 29)] == [
        (advert["says"], advert["message_counter"], advert["bytes"]) for advert in told["adverts"]
    ]
    values = []
    for advert in told["adverts"]:
        data, service_data = (bytes.fromhex(advert[name]) for name in ("data", "service_data"))
        assert data == data[:7] + service_data
        records = decode_advert(service_data, bytes.fromhex(MAC.replace(":", "")), key)["records"]
        values.append({record["quantity"]: record["value"] for record in records})
    assert {"packet_id": 7, "count": 120, "duration": 30} == values[0]
    assert (8, 93, 0, 1) == tuple(
        values[1][name] for name in ("packet_id", "battery", "battery_low", "tamper")
    )
    assert "1234.567" == str(values[1]["volume"])
    printed = run(*BLE, "--battery", "93", text=fields).output.split()
    assert [advert["data"] for advert in told["adverts"]] == printed


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (SEAL[:3] + SEAL[5:], "--key is wanted: what is sent on the air is sealed."),
        ((*SEAL, "--bearer", "ble"), "--bearer ble wants --mac."),
        ((*SEAL, "--mac", MAC), "--mac is for --bearer ble."),
        ((*SEAL, "--address", "5"), "--address is for --bearer wired."),
        ((*SEAL, "--battery", "5"), "--battery is for --bearer ble."),
        ((*WIRED, "--format", "B"), "--format is for --bearer radio."),
        ((*BLE, "--mode", "5"), "--mode is for --bearer radio."),
        ((*BLE, "--installation"), "--installation is for --bearer radio."),
        ((*WIRED, "--address", "251"), "251 is not in the range"),
        ((*SEAL, "--bearer", "ble", "--mac", "C0:FF"), "an address is like C0:FF:EE:12:34:56."),
    ],
)
def test_options_of_another_bearer_are_misuse(arguments: tuple[str, ...], sentence: str) -> None:
    """They end with exit code 2, before anything is read."""
    result = run(*arguments)
    assert 2 == result.exit_code
    assert sentence in result.stderr


@pytest.mark.parametrize("bearer", [SEAL, WIRED, BLE], ids=["radio", "wired", "ble"])
@pytest.mark.parametrize(
    ("name", "value"),
    [("battery_left_d", 65_536), ("grid_count", -1), ("uptime_s", 1 << 32), ("reset_counter", -1)],
)
def test_every_bearer_refuses_what_no_field_holds(
    bearer: tuple[str, ...], name: str, value: int
) -> None:
    """Also those that do not say it, so that the same object does for all of them."""
    result = run(*bearer, text=json.dumps({**FIELDS, name: value}))
    assert (1, f"Error: {name} = {value} is out of its range.\n") == (
        result.exit_code,
        result.stderr,
    )


def test_documented_examples() -> None:
    """The page's adverts and its exchange on the wire are what the command and the slave say."""
    page = (Path(__file__).parents[2] / "docs" / "telegram.md").read_text()
    example = json.loads(page[page.index("    {") : page.index("}\n") + 1])
    assert (12_345, 77, 1_234_567) == tuple(
        example[name] for name in ("count", "last_pulse_age_s", "volume_l")
    )
    arguments = [each if each != "7" else "256" for each in BLE]
    printed = run(*arguments, "--battery", "93", text=json.dumps(example)).output
    assert "    " + printed.rstrip().replace("\n", "\n    ") in page
    mac, key, *service_data = re.search(
        r"collector decode --ble --mac (\S+) --key (\w+) (\w+)", page
    ).groups()
    assert service_data == [printed.split()[0][10:]]
    decoded = decode_advert(
        bytes.fromhex(service_data[0]), bytes.fromhex(mac.replace(":", "")), bytes.fromhex(key)
    )
    assert [0, 12_345, 77] == [record["value"] for record in decoded["records"]]
    unit, memory = FakeUnit(), FakeMemory()
    unit.records = lambda uptime_ms: encode_records(PulseTelegram(**example))
    unit.status = lambda: 0
    slave = WiredSlave(unit, memory, "00000001")
    exchange = page[page.index("    master  ") :]
    turns = re.findall(r"(?:master|unit) ((?:\s+[0-9A-F]{2})+)$", exchange, re.MULTILINE)
    told = [bytes.fromhex(turn) for turn in turns]
    assert 8 == len(told)
    for request, reply in zip(told[::2], told[1::2], strict=True):
        assert reply == slave.receive_data(request, 0)


def test_last_counter_has_no_second_advert() -> None:
    """A counter is never used twice, so the last one is refused for two adverts."""
    arguments = [each if each != "7" else "4294967295" for each in BLE]
    result = run(*arguments, text=TEXT)
    assert (1, "") == (result.exit_code, result.stdout)
    assert "Error: an advert's counter has 32 bits: 4294967296.\n" == result.stderr
